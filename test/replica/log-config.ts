/** @module test/replica/log-config — the settings of a log in these tests: no limit acts. */
import type { LogConfig } from '../../hub/log/index.ts'

export const logConfig: LogConfig = {
  segmentBytes: 1 << 30,
  segmentMs: 604_800_000,
  segmentJitterMs: 0,
  segmentIndexBytes: 1 << 20,
  indexIntervalBytes: 4096,
  retentionMs: -1,
  retentionBytes: -1,
  maxMessageBytes: 1 << 20,
  cleanupPolicies: new Set(['delete'] as const),
  deleteRetentionMs: 24 * 3600 * 1000,
  minCompactionLagMs: 0,
  maxCompactionLagMs: Number.MAX_SAFE_INTEGER,
  minCleanableDirtyRatio: 0.5,
  messageTimestampType: 'CreateTime',
  messageTimestampBeforeMaxMs: Number.MAX_SAFE_INTEGER,
  messageTimestampAfterMaxMs: Number.MAX_SAFE_INTEGER,
  compressionType: 'producer',
  gzipLevel: -1,
  lz4Level: 9,
  zstdLevel: 3,
  fileDeleteDelayMs: 0,
  flushMessages: Number.MAX_SAFE_INTEGER,
  preallocate: false,
}
