/**
 * @module wire/records/share-state — state of share partitions as `__share_group_state` stores it (KIP-932).
 */
import { record } from '../message.ts'
import { array, int8, int16, int32, offset, string, uuid } from '../schema.ts'

/** A share partition. */
export const ShareSnapshotKey = record(0, 'ShareSnapshotKey', {
  versions: '0',
  fields: {
    groupId: string,
    topicId: uuid,
    partition: int32,
  },
})

/** Whole state of a share partition. */
export const ShareSnapshotValue = record(0, 'ShareSnapshotValue', {
  versions: '0',
  flexible: 0,
  fields: {
    snapshotEpoch: int32,
    stateEpoch: int32,
    leaderEpoch: int32,
    startOffset: offset,
    deliveryCompleteCount: int32.default(-1).tag(0),
    createTimestamp: offset,
    writeTimestamp: offset,
    stateBatches: array({
      firstOffset: offset,
      lastOffset: offset,
      deliveryState: int8,
      deliveryCount: int16,
    }),
  },
})

/** A share partition. */
export const ShareUpdateKey = record(1, 'ShareUpdateKey', {
  versions: '0',
  fields: {
    groupId: string,
    topicId: uuid,
    partition: int32,
  },
})

/** Change of a share partition's state since its snapshot. */
export const ShareUpdateValue = record(1, 'ShareUpdateValue', {
  versions: '0',
  flexible: 0,
  fields: {
    snapshotEpoch: int32,
    leaderEpoch: int32,
    startOffset: offset,
    deliveryCompleteCount: int32.default(-1).tag(0),
    stateBatches: array({
      firstOffset: offset,
      lastOffset: offset,
      deliveryState: int8,
      deliveryCount: int16,
    }),
  },
})
