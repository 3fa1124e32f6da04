import { afterEach, describe, expect, it } from 'vitest'
import { type MemoryDisk, memoryDisk, memoryClock } from '../../hub/io/index.ts'
import { type LogConfig, type LogDirectory, openLogDirectory } from '../../hub/log/index.ts'
import { memoryLogger } from '../../hub/observe/index.ts'
import { type Durability, Partition } from '../../hub/replica/index.ts'
import { batchHeader, encodeBatch, ErrorCode } from '../../hub/wire/index.ts'
import { logConfig } from './log-config.ts'

const TOPIC_ID = 'I0VniavN7_F0XPkknO64Zg'
let directories: LogDirectory[] = []
afterEach(async () => {
  for (const directory of directories) await directory.abandon()
  directories = []
})

async function open(
  durability: Durability,
  disk: MemoryDisk = memoryDisk(),
  config: Partial<LogConfig> = {},
  leaderEpoch = 3,
): Promise<{ partition: Partition; disk: MemoryDisk }> {
  const identity = { clusterId: 'c', nodeId: 1, directoryId: 'd' }
  const directory = await openLogDirectory('/data', {
    clock: memoryClock(),
    disk,
    logger: memoryLogger(),
    randomFloat: () => 0.5,
    formatIfEmpty: identity,
  })
  directories.push(directory)
  const log = await directory.openLog('t', 0, TOPIC_ID, { ...logConfig, ...config })
  return { partition: new Partition(log, { leaderEpoch, durability }), disk }
}

const batch = (...values: string[]): Buffer =>
  encodeBatch({ records: values.map((value) => ({ key: null, value: Buffer.from(value), timestampMs: 1 })) })

function accepted(outcome: ReturnType<Partition['append']>) {
  if (outcome.kind === 'refused') throw new Error(outcome.message)
  return outcome
}

describe('a lone replica', () => {
  it('lets nobody read in fsync mode what is written but not synced', async () => {
    const { partition, disk } = await open('fsync')
    const { promise: release, resolve } = Promise.withResolvers<void>()
    disk.intercept = ({ kind }) => (kind === 'sync' ? release : undefined)
    const all = accepted(partition.append(batch('a', 'b'), -1))
    await accepted(partition.append(batch('c'), 1)).durable
    expect(partition.log.writtenOffset).toBe(3)
    expect(partition.highWatermark.value).toBe(0)
    expect(await partition.read(0, { maxBytes: 1000, minOneBatch: true })).toMatchObject({ sizeBytes: 0 })
    let isDurable = false
    const durable = all.durable?.then(() => {
      isDurable = true
    })
    await Promise.resolve()
    expect(isDurable).toBe(false)
    resolve()
    await durable
    expect(partition.highWatermark.value).toBeGreaterThanOrEqual(2)
    expect(partition.lastStableOffset).toBe(partition.highWatermark.value)
  })

  it('is read in pagecache mode as soon as the operating system has it', async () => {
    const { partition, disk } = await open('pagecache')
    disk.intercept = ({ kind }) => (kind === 'sync' ? new Promise(() => {}) : undefined)
    await accepted(partition.append(batch('a'), -1)).durable
    expect(partition.log.syncedOffset).toBe(0)
    expect(partition.highWatermark.value).toBe(1)
    directories = []
  })

  it('promises nothing for acks=0', async () => {
    const { partition } = await open('fsync')
    expect(accepted(partition.append(batch('a'), 0)).durable).toBeUndefined()
  })

  it('stamps its leader epoch and the offsets into the batch', async () => {
    const { partition } = await open('fsync')
    accepted(partition.append(batch('a', 'b'), 0))
    const records = batch('c')
    expect(accepted(partition.append(records, 0))).toMatchObject({ baseOffset: 2, lastOffset: 2 })
    expect(batchHeader.leaderEpoch(records, 0)).toBe(3)
  })

  it('answers a storage fault as an error, and every append after it', async () => {
    const { partition, disk } = await open('fsync')
    disk.failNextSync()
    await expect(accepted(partition.append(batch('a'), -1)).durable).rejects.toThrow()
    expect(partition.append(batch('b'), -1)).toMatchObject({ kind: 'refused', errorCode: ErrorCode.KAFKA_STORAGE_ERROR })
    expect(partition.highWatermark.value).toBe(0)
  })

  it('tells old from unknown leader epochs', async () => {
    const { partition } = await open('fsync')
    expect([-1, 3, 2, 4].map((epoch) => partition.checkLeaderEpoch(epoch))).toEqual([
      0,
      0,
      ErrorCode.FENCED_LEADER_EPOCH,
      ErrorCode.UNKNOWN_LEADER_EPOCH,
    ])
  })

  it('owns what it read from a file, never the memory tail', async () => {
    const { partition, disk } = await open('fsync')
    await accepted(partition.append(batch('a'), -1)).durable
    expect(await partition.read(0, { maxBytes: 1000, minOneBatch: true })).toMatchObject({ sizeBytes: 69, owned: [] })
    await directories.pop()?.close()
    const again = await open('fsync', disk)
    const read = await again.partition.read(0, { maxBytes: 1000, minOneBatch: true })
    expect(read.sizeBytes).toBe(69)
    expect(read.owned).toEqual(read.records)
  })

  it('reads on over the ends of segments and single reads, as far as the limit allows', async () => {
    const { partition, disk } = await open('fsync', memoryDisk(), { segmentBytes: 200 })
    for (let count = 0; count < 20; count++) await accepted(partition.append(batch('x'.repeat(40)), -1)).durable
    const total = partition.log.sizeBytes
    expect(partition.log.segmentCount).toBeGreaterThan(5)
    await directories.pop()?.close()
    const again = await open('fsync', disk, { segmentBytes: 200 })
    const all = await again.partition.read(0, { maxBytes: 1 << 20, minOneBatch: true })
    expect(all.sizeBytes).toBe(total)
    expect(all.owned).toHaveLength(partition.log.segmentCount)
    const half = await again.partition.read(0, { maxBytes: total / 2, minOneBatch: true })
    expect(half.sizeBytes).toBe(total / 2)
  })

  it('says how many bytes the high watermark rose by, without a read', async () => {
    const { partition } = await open('fsync')
    await accepted(partition.append(batch('before'), -1)).durable
    const seen = partition.seen()
    expect(seen.gainedBytes()).toBe(0)
    const records = batch('after')
    await accepted(partition.append(records, -1)).durable
    expect(seen.gainedBytes()).toBe(records.length)
  })

  it('notes in the log where its epoch begins, and the next one, batches or not (KIP-101)', async () => {
    const { partition } = await open('fsync')
    await accepted(partition.append(batch('a', 'b'), -1)).durable
    partition.lead(5)
    expect(partition.leaderEpoch).toBe(5)
    expect([3, 4, 5].map((epoch) => partition.log.endOffsetForEpoch(epoch))).toEqual([
      { leaderEpoch: 3, endOffset: 2 },
      { leaderEpoch: 3, endOffset: 2 },
      { leaderEpoch: 5, endOffset: 2 },
    ])
  })

  it('refuses as a value what comes after it was closed, or after its log was', async () => {
    const { partition } = await open('fsync')
    await accepted(partition.append(batch('a'), -1)).durable
    const limits = { maxBytes: 1000, minOneBatch: true }
    await directories[0]?.deleteLog('t', 0)
    expect(partition.append(batch('b'), -1)).toMatchObject({ kind: 'refused', errorCode: ErrorCode.NOT_LEADER_OR_FOLLOWER })
    partition.close()
    expect(partition.append(batch('b'), -1)).toMatchObject({ kind: 'refused', errorCode: ErrorCode.NOT_LEADER_OR_FOLLOWER })
    expect(await partition.read(0, limits)).toMatchObject({ errorCode: ErrorCode.NOT_LEADER_OR_FOLLOWER, sizeBytes: 0 })
    expect(partition.seen().mark.isEnded).toBe(true)
  })

  it('takes nothing once it is not served any more, although its log still would', async () => {
    const { partition } = await open('fsync')
    partition.close()
    expect(partition.append(batch('b'), -1)).toMatchObject({ kind: 'refused', errorCode: ErrorCode.NOT_LEADER_OR_FOLLOWER })
    expect(partition.log.logEndOffset).toBe(0)
  })

  it('answers a read from a log that was closed under it as a value', async () => {
    const { partition, disk } = await open('fsync')
    await accepted(partition.append(batch('a'), -1)).durable
    await directories.pop()?.close()
    const again = await open('fsync', disk)
    await directories[0]?.deleteLog('t', 0)
    const read = await again.partition.read(0, { maxBytes: 1000, minOneBatch: true })
    expect(read).toMatchObject({ errorCode: ErrorCode.NOT_LEADER_OR_FOLLOWER, sizeBytes: 0 })
  })
})
