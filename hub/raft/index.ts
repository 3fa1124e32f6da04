/** @module raft — the metadata log: a raft quorum over one partition log, with snapshots. */
export { openMetadataLog } from './driver.ts'
export type { MetadataLogLimits } from './limits.ts'
export { MetadataLogError } from './metadata-log-error.ts'
export type { MetadataLog, Proposal } from './types.ts'
export { METADATA_TOPIC } from './types.ts'
