/** @module connector-s3/limits — what this connector never goes beyond. */

/** See the members. */
export const s3Limits = {
  /** Smallest part of an upload but its last, by S3's rule; 5 MiB. */
  partBytesMin: 5 * 1024 * 1024,
  /** Parts of one upload, by S3's rule. */
  partsMax: 10_000,
  /** UTF-8 bytes of an object's name, by S3's rule. */
  nameBytesMax: 1_024,
  /** Objects that a topic partition has open at once where `partitioner.max.open.files` does not say. */
  openObjectsMax: 1_000,
  /** Objects of a task that are being finished at once. */
  finishingObjectsMax: 16,
  /** Requests of a task that run at once. */
  requestsMax: 8,
  /** Bytes by which a writer may grow before they are looked after. */
  writerBytesMax: 256 * 1024,
  /** Bytes within a compressor before it is waited for; 8 MiB. */
  compressingBytesMax: 8 * 1024 * 1024,
  /** Records between two looks at the memory that all open objects take. */
  recordsPerLook: 64,
  /** Connecting to the endpoint. */
  connectMsMax: 10_000,
  /** A connection on which nothing moves. */
  idleMsMax: 30_000,
  /** All attempts of a request together; a new one is not begun later. */
  attemptsMsMax: 60_000,
  /** A call of the task that waits for the store: well below the `max.poll.interval.ms` of a consumer. */
  waitMsMax: 60_000,
  /** Longest wait between two attempts. */
  backoffMsMax: 10_000,
  /** Giving up uploads when partitions go or the task ends. */
  abortMsMax: 5_000,
} as const
