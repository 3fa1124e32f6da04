/**
 * @module wire/records/consumer-protocol — what members of a classic consumer group tell each other through the
 * coordinator, behind an int16 version.
 */
import { data } from '../message.ts'
import { array, bytes, int32, string } from '../schema.ts'

/** What a member subscribes to. 1: owned partitions (KIP-429); 2: generation (KIP-792); 3: rack (KIP-881). */
export const ConsumerProtocolSubscription = data('ConsumerProtocolSubscription', {
  versions: '0-3',
  fields: {
    topics: array(string),
    userData: bytes.nullable(),
    ownedPartitions: array({
      topic: string,
      partitions: array(int32),
    }).in('1+'),
    generationId: int32.in('2+').default(-1),
    rackId: string.in('3+').nullable(),
  },
})

/** What the leader assigns to a member. */
export const ConsumerProtocolAssignment = data('ConsumerProtocolAssignment', {
  versions: '0-3',
  fields: {
    assignedPartitions: array({
      topic: string,
      partitions: array(int32),
    }),
    userData: bytes.nullable(),
  },
})
