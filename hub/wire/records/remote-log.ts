/**
 * @module wire/records/remote-log — records of tiered storage in `__remote_log_metadata` (KIP-405).
 */
import { record } from '../message.ts'
import { array, bool, bytes, int8, int32, offset, string, struct, uuid } from '../schema.ts'

/** A segment that is being copied to remote storage. */
export const RemoteLogSegmentMetadataRecord = record(0, 'RemoteLogSegmentMetadataRecord', {
  versions: '0',
  flexible: 0,
  fields: {
    remoteLogSegmentId: struct({
      topicIdPartition: struct({
        name: string,
        id: uuid,
        partition: int32,
      }),
      id: uuid,
    }),
    startOffset: offset,
    endOffset: offset,
    brokerId: int32,
    maxTimestampMs: offset,
    eventTimestampMs: offset,
    segmentLeaderEpochs: array({
      leaderEpoch: int32,
      offset,
    }),
    segmentSizeInBytes: int32,
    customMetadata: bytes.nullable(),
    remoteLogSegmentState: int8,
    txnIndexEmpty: bool.tag(0),
  },
})

/** A remote segment changes state. */
export const RemoteLogSegmentMetadataUpdateRecord = record(1, 'RemoteLogSegmentMetadataUpdateRecord', {
  versions: '0',
  flexible: 0,
  fields: {
    remoteLogSegmentId: struct({
      topicIdPartition: struct({
        name: string,
        id: uuid,
        partition: int32,
      }),
      id: uuid,
    }),
    brokerId: int32,
    eventTimestampMs: offset,
    customMetadata: bytes.nullable(),
    remoteLogSegmentState: int8,
  },
})

/** The remote segments of a partition are being deleted. */
export const RemotePartitionDeleteMetadataRecord = record(2, 'RemotePartitionDeleteMetadataRecord', {
  versions: '0',
  flexible: 0,
  fields: {
    topicIdPartition: struct({
      name: string,
      id: uuid,
      partition: int32,
    }),
    brokerId: int32,
    eventTimestampMs: offset,
    remotePartitionDeleteState: int8,
  },
})

/** A remote segment as a snapshot holds it. */
export const RemoteLogSegmentMetadataSnapshotRecord = record(3, 'RemoteLogSegmentMetadataSnapshotRecord', {
  versions: '0',
  flexible: 0,
  fields: {
    segmentId: uuid,
    startOffset: offset,
    endOffset: offset,
    brokerId: int32,
    maxTimestampMs: offset,
    eventTimestampMs: offset,
    segmentLeaderEpochs: array({
      leaderEpoch: int32,
      offset,
    }),
    segmentSizeInBytes: int32,
    customMetadata: bytes.nullable(),
    remoteLogSegmentState: int8,
    txnIndexEmpty: bool.tag(0),
  },
})
