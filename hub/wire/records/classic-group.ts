/**
 * @module wire/records/classic-group — classic groups in `__consumer_offsets`.
 */
import { record } from '../message.ts'
import { array, bytes, int32, offset, string, struct } from '../schema.ts'

/** A classic group. */
export const GroupMetadataKey = record(2, 'GroupMetadataKey', {
  versions: '0',
  fields: {
    group: string,
  },
})

const memberMetadata = struct({
  memberId: string,
  groupInstanceId: string.in('3+').nullable(),
  clientId: string,
  clientHost: string,
  rebalanceTimeout: int32.in('1+').default(-1),
  sessionTimeout: int32,
  subscription: bytes,
  assignment: bytes,
})

/** State of a stable classic group with its members. 2: time of the state; 3: static members (KIP-345); 4: flexible. */
export const GroupMetadataValue = record(2, 'GroupMetadataValue', {
  versions: '0-4',
  flexible: 4,
  fields: {
    protocolType: string,
    generation: int32,
    protocol: string.orNull(),
    leader: string.orNull(),
    currentStateTimestamp: offset.in('2+').default(-1),
    members: array(memberMetadata),
  },
})
