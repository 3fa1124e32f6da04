/** @module raft/limits — every limit of the metadata log with its unit and Kafka's default; the names of the settings stand beside. */

export interface MetadataLogLimits {
  /** A snapshot is taken after this many bytes of log (`metadata.log.max.record.bytes.between.snapshots`) … */
  readonly snapshotBytes: number
  /** … or this long after the first change that the last one lacks (`metadata.log.max.snapshot.interval.ms`); 0: never by time. */
  readonly snapshotMs: number
  /** Log and snapshots together, beyond which the oldest go (`metadata.max.retention.bytes`); −1: no limit. */
  readonly retentionBytes: number
  /** Age at which a snapshot that has a successor goes (`metadata.max.retention.ms`); −1: no limit. */
  readonly retentionMs: number
  /** `metadata.log.segment.bytes` */
  readonly segmentBytes: number
  /** `metadata.log.segment.ms` */
  readonly segmentMs: number
  /** One batch of the log; what does not fit is refused. Kafka reads metadata batches of up to 8 MiB. */
  readonly batchBytesMax: number
  /** Records of a snapshot are written in batches of about this size, with a turn of the event loop between them. */
  readonly snapshotBatchBytes: number
  /** Read from the log at once during replay. */
  readonly replayReadBytes: number
}

export const metadataLogLimits: MetadataLogLimits = {
  snapshotBytes: 20 * 1024 * 1024,
  snapshotMs: 60 * 60 * 1000,
  retentionBytes: 100 * 1024 * 1024,
  retentionMs: 7 * 24 * 60 * 60 * 1000,
  segmentBytes: 1024 * 1024 * 1024,
  segmentMs: 7 * 24 * 60 * 60 * 1000,
  batchBytesMax: 8 * 1024 * 1024,
  snapshotBatchBytes: 256 * 1024,
  replayReadBytes: 4 * 1024 * 1024,
}
