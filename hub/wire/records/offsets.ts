/**
 * @module wire/records/offsets — offsets that groups have committed, as `__consumer_offsets` stores them (KIP-848
 * numbers the record types).
 */
import { record } from '../message.ts'
import { int32, offset, string, uuid } from '../schema.ts'

/** Type 0 of brokers before 0.9: a partition's offset. */
export const LegacyOffsetCommitKey = record(0, 'LegacyOffsetCommitKey', {
  versions: '0',
  fields: {
    group: string,
    topic: string,
    partition: int32,
  },
})

/** Offset as brokers before 0.9 stored it. */
export const LegacyOffsetCommitValue = record(0, 'LegacyOffsetCommitValue', {
  versions: '0',
  fields: {
    offset,
    metadata: string,
    commitTimestamp: offset,
  },
})

/** A group's offset of one partition. */
export const OffsetCommitKey = record(1, 'OffsetCommitKey', {
  versions: '0',
  fields: {
    group: string,
    topic: string,
    partition: int32,
  },
})

/** 1: expiry per offset; 3: leader epoch (KIP-320); 4: flexible, topic id. */
export const OffsetCommitValue = record(1, 'OffsetCommitValue', {
  versions: '0-4',
  flexible: 4,
  fields: {
    offset,
    leaderEpoch: int32.in('3+').default(-1),
    metadata: string,
    commitTimestamp: offset,
    expireTimestamp: offset.in('1').default(-1),
    topicId: uuid.in('4+').tag(0),
  },
})
