/** @module log — partition logs in Kafka's on-disk format with group commit. */

export { openLogDirectory } from './directory.ts'
export { readIdentity } from './identity.ts'
export { CorruptLogError, DiskFullError, LogClosedError, LogDirectoryError, LogFencedError, TooManyFilesError } from './log-error.ts'
export type * from './types.ts'
