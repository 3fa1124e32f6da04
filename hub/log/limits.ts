/** @module log/limits — every limit of the log room with its unit and default, and a topic's default settings. */
import type { LogLimits } from './types.ts'

/** See {@link LogLimits} for what each one means. */
export const logLimits: LogLimits = {
  tailBytesPerLog: 4 * 1024 * 1024,
  tailBytesTotal: 32 * 1024 * 1024,
  unwrittenBytesMax: 64 * 1024 * 1024,
  recoveryPointBytes: 64 * 1024 * 1024,
  recoveryPointMs: 1000,
  freeBytesMin: 64 * 1024 * 1024,
  freeBytesResume: 128 * 1024 * 1024,
  retentionCheckMs: 5 * 60 * 1000,
  producerBatchesMax: 5,
  producerIdExpirationMs: 24 * 60 * 60 * 1000,
  closedSegmentsOpenMax: 64,
  readBytesMax: 8 * 1024 * 1024,
  recoveryChunkBytes: 4 * 1024 * 1024,
  openingLogsMax: 16,
  spaceCheckMs: 1000,
}
