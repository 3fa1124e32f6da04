/** What the tests of the log room share: a world in memory, topic settings, batches. */
import { expect } from 'vitest'
import { type MemoryClock, type MemoryDisk, memoryClock, memoryDisk, seededRandom } from '../../hub/io/index.ts'
import { type LogConfig, type LogDirectory, type LogLimits, openLogDirectory, type PartitionLog } from '../../hub/log/index.ts'
import { memoryLogger } from '../../hub/observe/index.ts'
import { type BatchInput, batchHeader, encodeBatch } from '../../hub/wire/index.ts'

export const TOPIC_ID = 'abcdefghijklmnopqrstuw'
export const IDENTITY = { clusterId: 'c1', nodeId: 1, directoryId: 'd1' }

export const CONFIG: LogConfig = {
  segmentBytes: 1024 * 1024 * 1024,
  segmentMs: 7 * 24 * 3600 * 1000,
  segmentJitterMs: 0,
  segmentIndexBytes: 10 * 1024 * 1024,
  indexIntervalBytes: 4096,
  retentionMs: -1,
  retentionBytes: -1,
  maxMessageBytes: 1048588,
  cleanupPolicies: new Set(['delete']),
  deleteRetentionMs: 24 * 3600 * 1000,
  minCompactionLagMs: 0,
  maxCompactionLagMs: Number.MAX_SAFE_INTEGER,
  minCleanableDirtyRatio: 0.5,
  messageTimestampType: 'CreateTime',
  messageTimestampBeforeMaxMs: Number.MAX_SAFE_INTEGER,
  messageTimestampAfterMaxMs: 3600 * 1000,
  compressionType: 'producer',
  gzipLevel: -1,
  lz4Level: 9,
  zstdLevel: 3,
  fileDeleteDelayMs: 60_000,
  flushMessages: Number.MAX_SAFE_INTEGER,
  preallocate: false,
}

export interface TestWorld {
  readonly clock: MemoryClock
  readonly disk: MemoryDisk
  readonly logger: ReturnType<typeof memoryLogger>
  open(limits?: Partial<LogLimits>): Promise<LogDirectory>
}

/** A directory `/data` on a disk in memory; `disk` stands in for a device that survived. */
export function testWorld(disk?: MemoryDisk, clock: MemoryClock = memoryClock()): TestWorld {
  const device = disk ?? memoryDisk({ nowMs: () => clock.nowMs() })
  const random = seededRandom(7)
  const logger = memoryLogger()
  return {
    clock,
    disk: device,
    logger,
    open: (limits = {}) =>
      openLogDirectory('/data', {
        clock,
        disk: device,
        logger,
        randomFloat: () => random.float(),
        limits: { freeBytesMin: 0, freeBytesResume: 0, ...limits },
        formatIfEmpty: IDENTITY,
      }),
  }
}

/** A batch of `values`, one record each, at the world's first moment unless told otherwise. */
export function batchOf(
  values: readonly string[],
  more: Partial<BatchInput> & { readonly key?: string | null; readonly timestampMs?: number } = {},
): Buffer {
  const { key = 'k', timestampMs = 1_700_000_000_000, ...rest } = more
  return encodeBatch({
    records: values.map((value) => ({ key: key === null ? null : Buffer.from(key), value: Buffer.from(value), timestampMs })),
    ...rest,
  })
}

export const client = { origin: 'client', leaderEpoch: 0 } as const
export const START_MS = 1_700_000_000_000
export const EVERYTHING = { maxBytes: 1 << 30, minOneBatch: true, endOffset: Number.POSITIVE_INFINITY }

/** The log `t-0` in a new world, or in the given one. */
export async function openLog(changes: Partial<LogConfig> = {}, limits: Partial<LogLimits> = {}, world: TestWorld = testWorld()) {
  const directory = await world.open(limits)
  const log = await directory.openLog('t', 0, TOPIC_ID, { ...CONFIG, ...changes })
  return { world, directory, log }
}
/** Appends batches of one record, `stepMs` apart, and waits until they are synced. */
export async function fill(log: PartitionLog, count: number, valueBytes = 100, stepMs = 10): Promise<void> {
  for (let n = 0; n < count; n++) log.append(batchOf(['x'.repeat(valueBytes)], { timestampMs: START_MS + n * stepMs }), client)
  await log.whenSynced(log.logEndOffset)
}
/** Base offsets of all batches from `offset` on, read in pieces. */
export async function walk(log: PartitionLog, offset: number, maxBytes: number): Promise<number[]> {
  const seen: number[] = []
  for (let next = offset; next < log.logEndOffset; ) {
    const { records, sizeBytes } = await log.read(next, { maxBytes, minOneBatch: true, endOffset: log.logEndOffset })
    expect(records.length).toBeGreaterThan(0)
    expect(sizeBytes).toBe(records.reduce((sum, chunk) => sum + chunk.length, 0))
    for (const chunk of records) {
      for (let at = 0; at < chunk.length; at += batchHeader.sizeBytes(chunk, at)) {
        seen.push(batchHeader.baseOffset(chunk, at))
        next = batchHeader.lastOffset(chunk, at) + 1
      }
    }
  }
  return seen
}
/** from, from + 1 … to − 1. */
export const range = (from: number, to: number): number[] => Array.from({ length: to - from }, (_, n) => from + n)
