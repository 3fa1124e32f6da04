/**
 * Every key that a topic can set (golden/configs/topic.json) acts on its log, or is known to mean nothing on one node: from the text that was set to
 * what the log does.
 */
import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { brokerConfigInForce, resolveTopicConfig } from '../../hub/config/index.ts'
import type { CleanerSettings, PartitionLog } from '../../hub/log/index.ts'
import { Partition } from '../../hub/replica/index.ts'
import { batchHeader, type Codec, decodeRecords, ErrorCode, encodeBatch } from '../../hub/wire/index.ts'
import { batchOf, client, EVERYTHING, fill, START_MS, type TestWorld, TOPIC_ID, testWorld } from './world.ts'

const golden = JSON.parse(readFileSync(new URL('../golden/configs/topic.json', import.meta.url), 'utf8')) as { readonly name: string }[]
const BROKER = brokerConfigInForce({ dynamic: new Map(), dynamicDefault: new Map(), static: new Map() })
/** 1 MiB, the smallest segment that a topic may ask for. */
const SMALL = { 'segment.bytes': '1048576' }
const CLEANER: CleanerSettings = {
  isEnabled: true,
  backoffMs: 1_000,
  dedupeBufferBytes: 1 << 20,
  loadFactor: 0.9,
  ioBytesPerSecondMax: Number.POSITIVE_INFINITY,
}

/** The log `t-0` of a topic with these settings, as text. */
async function topic(settings: Readonly<Record<string, string>>, world: TestWorld = testWorld()) {
  const directory = await world.open({ tailBytesPerLog: 0, tailBytesTotal: 0 })
  directory.configureCleaner(CLEANER)
  const log = await directory.openLog('t', 0, TOPIC_ID, resolveTopicConfig(new Map(Object.entries(settings)), BROKER))
  return { world, directory, log }
}

/** Segments of about a kilobyte. */
const quick = (settings: Readonly<Record<string, string>>): Record<string, string> => ({
  'internal.segment.bytes': '1000',
  'file.delete.delay.ms': '0',
  ...settings,
})

async function put(log: PartitionLog, key: string, value: string | null, timestampMs = START_MS): Promise<void> {
  log.append(encodeBatch({ records: [{ key: Buffer.from(key), value: value === null ? null : Buffer.from(value), timestampMs }] }), client)
  await log.whenSynced(log.logEndOffset)
}

/** Two records of the key `a`, the second one the newest, in closed segments. */
async function dirty(log: PartitionLog, second: string | null = '2'): Promise<void> {
  await put(log, 'a', '1')
  await put(log, 'a', second)
  for (const before = log.segmentCount; log.segmentCount === before; ) await put(log, 'filler', 'x'.repeat(300))
}

async function offsetsOf(log: PartitionLog, wanted: string): Promise<number[]> {
  const found: number[] = []
  for (let next = log.logStartOffset; next < log.logEndOffset; ) {
    const { records } = await log.read(next, { ...EVERYTHING, endOffset: log.logEndOffset })
    for (const chunk of records)
      for (let at = 0; at < chunk.length; at += batchHeader.sizeBytes(chunk, at)) {
        next = batchHeader.lastOffset(chunk, at) + 1
        for (const { offset, key } of decodeRecords(chunk, at)) if (String(key) === wanted) found.push(offset)
      }
  }
  return found
}

/** Text that packs to different sizes at different levels. */
const text = Array.from({ length: 400 }, (_, n) => `${n} ${(n * 7919) % 211} the quick brown fox ${(n * 104729) % 997}`).join(' ')

/** Codec and size of the batch that stands in the log after one in `sent` was appended. */
async function stored(settings: Readonly<Record<string, string>>, sent: Codec = 'none'): Promise<{ codec: Codec; sizeBytes: number }> {
  const { log } = await topic(settings)
  expect(log.append(batchOf([text], { compression: sent }), client).kind).toBe('appended')
  await log.whenSynced(1)
  const { records } = await log.read(0, EVERYTHING)
  const [chunk] = records
  if (chunk === undefined) throw new Error('nothing was stored')
  expect(decodeRecords(chunk, 0).map(({ value }) => String(value))).toEqual([text])
  return { codec: batchHeader.compression(chunk, 0), sizeBytes: chunk.length }
}

/** A better level gives fewer bytes; whether one is in force shows only where the codec changes. */
async function levelActs(codec: 'gzip' | 'lz4' | 'zstd', low: string, high: string): Promise<void> {
  const at = (level: string, sent?: Codec) => stored({ 'compression.type': codec, [`compression.${codec}.level`]: level }, sent)
  const [fast, best] = [await at(low), await at(high)]
  expect([fast.codec, best.codec]).toEqual([codec, codec])
  expect(best.sizeBytes).toBeLessThan(fast.sizeBytes)
  expect((await at(low, codec)).sizeBytes).toBe((await at(high, codec)).sizeBytes)
}

async function compactions(settings: Readonly<Record<string, string>>, waitMs: number): Promise<number> {
  const { log, world, directory } = await topic(quick({ 'cleanup.policy': 'compact', ...settings }))
  await dirty(log)
  await world.clock.advance(waitMs)
  return directory.cleaner.compactionCount
}

async function refusal(settings: Readonly<Record<string, string>>, records: Buffer): Promise<number> {
  const { log } = await topic(settings)
  const outcome = log.append(records, client)
  return outcome.kind === 'refused' ? outcome.errorCode : ErrorCode.NONE
}

/** Accepted, and nothing else becomes of it: what is appended stands there, all of it. */
async function changesNothing(settings: Readonly<Record<string, string>>): Promise<void> {
  const { log, world } = await topic({ ...SMALL, ...settings })
  await fill(log, 20)
  await world.clock.advance(400_000)
  expect([log.logStartOffset, log.logEndOffset, log.segmentCount]).toEqual([0, 20, 1])
}

async function segmentCount(settings: Readonly<Record<string, string>>, count: number, valueBytes = 100, stepMs = 10): Promise<number> {
  const { log } = await topic(settings)
  await fill(log, count, valueBytes, stepMs)
  return log.segmentCount
}

/** Records of times 0, 10 … ms after the start, in segments of a kilobyte; what retention leaves after so long. */
async function left(settings: Readonly<Record<string, string>>, waitMs = 60_000): Promise<number> {
  const { log, world } = await topic(quick(settings))
  await fill(log, 30)
  world.clock.setWallClock(START_MS + waitMs)
  await log.retain(30)
  return 30 - log.logStartOffset
}

/** Whether the append of the last of so many records is acknowledged, and readable, while nothing can be synced. */
async function isHeldBack(settings: Readonly<Record<string, string>>, count: number): Promise<boolean[]> {
  const { log, world } = await topic(settings)
  const partition = new Partition(log, { leaderEpoch: 0, durability: 'pagecache' })
  const held = Promise.withResolvers<void>()
  world.disk.intercept = ({ kind, path }) => (kind === 'sync' && path.endsWith('.log') ? held.promise : undefined)
  let isDone = false
  for (let n = 0; n < count; n++) {
    const outcome = partition.append(batchOf(['x']), 1)
    if (outcome.kind === 'refused') throw new Error(outcome.message)
    void outcome.durable?.then(() => {
      isDone = n === count - 1
    })
  }
  await log.whenWritten(count)
  await Promise.resolve()
  const before = [isDone, partition.highWatermark.value === count]
  held.resolve()
  await log.whenSynced(count)
  await Promise.resolve()
  expect([isDone, partition.highWatermark.value]).toEqual([true, count])
  return before.map((done) => !done)
}

const acts: Readonly<Record<string, () => Promise<void>>> = {
  'cleanup.policy': async () => {
    expect(await left({ 'retention.ms': '1000', 'cleanup.policy': 'delete' })).toBe(0)
    expect(await left({ 'retention.ms': '1000', 'cleanup.policy': 'compact' })).toBe(30)
    expect(await left({ 'retention.ms': '1000', 'cleanup.policy': 'compact,delete' })).toBe(0)
    expect([await compactions({ 'cleanup.policy': 'delete' }, 2_000), await compactions({}, 2_000)]).toEqual([0, 1])
  },
  'compression.gzip.level': () => levelActs('gzip', '1', '9'),
  'compression.lz4.level': async () => {
    await levelActs('lz4', '1', '12')
    await levelActs('lz4', '9', '17')
  },
  'compression.zstd.level': () => levelActs('zstd', '-20', '19'),
  'compression.type': async () => {
    for (const codec of ['gzip', 'snappy', 'lz4', 'zstd'] as const) {
      expect((await stored({ 'compression.type': codec })).codec).toBe(codec)
      expect((await stored({ 'compression.type': 'producer' }, codec)).codec).toBe(codec)
      expect((await stored({ 'compression.type': 'uncompressed' }, codec)).codec).toBe('none')
    }
  },
  'delete.retention.ms': async () => {
    const { log, world } = await topic(
      quick({ 'cleanup.policy': 'compact', 'min.cleanable.dirty.ratio': '0', 'delete.retention.ms': '10000' }),
    )
    await dirty(log, null)
    await world.clock.advance(2_000)
    expect(await offsetsOf(log, 'a')).toEqual([1])
    await world.clock.advance(11_000)
    await dirty(log)
    await world.clock.advance(2_000)
    expect(await offsetsOf(log, 'a')).not.toContain(1)
  },
  'file.delete.delay.ms': async () => {
    const { log, world } = await topic(quick({ 'retention.bytes': '0', 'file.delete.delay.ms': '30000' }))
    await fill(log, 30)
    await log.retain(30)
    const marked = async (): Promise<number> => (await world.disk.list(log.directory)).filter((name) => name.endsWith('.deleted')).length
    await world.clock.advance(29_000)
    expect(await marked()).toBeGreaterThan(0)
    await world.clock.advance(3_000)
    expect(await marked()).toBe(0)
  },
  'flush.messages': async () => {
    expect(await isHeldBack({}, 3)).toEqual([false, false])
    expect(await isHeldBack({ 'flush.messages': '4' }, 3)).toEqual([false, false])
    expect(await isHeldBack({ 'flush.messages': '3' }, 3)).toEqual([true, true])
    expect(await isHeldBack({ 'flush.messages': '1' }, 1)).toEqual([true, true])
  },
  'flush.ms': async () => {
    // Every round ends with a sync: nothing waits for longer than the one before takes.
    const { log, world } = await topic({ 'flush.ms': '0' })
    const syncs: string[] = []
    world.disk.intercept = ({ kind, path }) => void (kind === 'sync' && syncs.push(path))
    log.append(batchOf(['x']), client)
    await log.whenSynced(1)
    expect(syncs).toContain(`${log.directory}/00000000000000000000.log`)
  },
  'follower.replication.throttled.replicas': () => changesNothing({ 'follower.replication.throttled.replicas': '0:1' }),
  'index.interval.bytes': async () => {
    const entries = async (interval: string): Promise<number> => {
      const { log, world, directory } = await topic({ 'index.interval.bytes': interval })
      await fill(log, 40, 1000)
      await directory.close()
      return (await world.disk.readFile(`${log.directory}/00000000000000000000.index`)).length / 8
    }
    expect(await entries('1')).toBe(39)
    expect(await entries('10000')).toBe(3)
  },
  'internal.segment.bytes': async () => {
    expect(await segmentCount({ 'internal.segment.bytes': '1000', ...SMALL }, 30)).toBeGreaterThan(3)
  },
  'leader.replication.throttled.replicas': () => changesNothing({ 'leader.replication.throttled.replicas': '*' }),
  'local.retention.bytes': () => changesNothing({ 'local.retention.bytes': '0' }),
  'local.retention.ms': () => changesNothing({ 'local.retention.ms': '0' }),
  'max.compaction.lag.ms': async () => {
    expect(await compactions({ 'min.cleanable.dirty.ratio': '1', 'max.compaction.lag.ms': '60000' }, 59_000)).toBe(0)
    expect(await compactions({ 'min.cleanable.dirty.ratio': '1', 'max.compaction.lag.ms': '60000' }, 62_000)).toBe(1)
  },
  'max.message.bytes': async () => {
    const records = batchOf(['x'.repeat(500)])
    expect(await refusal({ 'max.message.bytes': String(records.length) }, records)).toBe(ErrorCode.NONE)
    expect(await refusal({ 'max.message.bytes': String(records.length - 1) }, records)).toBe(ErrorCode.MESSAGE_TOO_LARGE)
  },
  'message.timestamp.after.max.ms': async () => {
    const early = batchOf(['x'], { timestampMs: START_MS + 5_001 })
    expect(await refusal({ 'message.timestamp.after.max.ms': '5000' }, early)).toBe(ErrorCode.INVALID_TIMESTAMP)
    expect(await refusal({ 'message.timestamp.after.max.ms': '5001' }, batchOf(['x'], { timestampMs: START_MS + 5_001 }))).toBe(0)
  },
  'message.timestamp.before.max.ms': async () => {
    const late = (): Buffer => batchOf(['x'], { timestampMs: START_MS - 5_001 })
    expect(await refusal({ 'message.timestamp.before.max.ms': '5000' }, late())).toBe(ErrorCode.INVALID_TIMESTAMP)
    expect(await refusal({ 'message.timestamp.before.max.ms': '5001' }, late())).toBe(ErrorCode.NONE)
  },
  'message.timestamp.type': async () => {
    const { log } = await topic({ 'message.timestamp.type': 'LogAppendTime' })
    log.append(batchOf(['x'], { timestampMs: START_MS - 1e9 }), client)
    await log.whenSynced(1)
    expect(await log.maxTimestamp()).toMatchObject({ timestampMs: START_MS })
  },
  'min.cleanable.dirty.ratio': async () => {
    expect(await compactions({ 'min.cleanable.dirty.ratio': '1' }, 5_000)).toBe(0)
    expect(await compactions({ 'min.cleanable.dirty.ratio': '0.9' }, 5_000)).toBe(1)
  },
  'min.compaction.lag.ms': async () => {
    expect(await compactions({ 'min.compaction.lag.ms': '60000' }, 59_000)).toBe(0)
    expect(await compactions({ 'min.compaction.lag.ms': '60000' }, 62_000)).toBe(1)
  },
  'min.insync.replicas': async () => {
    // In Kafka too no more replicas are asked for than the partition has (Partition.effectiveMinIsr).
    const { log } = await topic({ 'min.insync.replicas': '2' })
    const outcome = new Partition(log, { leaderEpoch: 0, durability: 'fsync' }).append(batchOf(['x']), -1)
    expect(outcome.kind).toBe('accepted')
  },
  preallocate: async () => {
    const { log, world, directory } = await topic({ ...SMALL, preallocate: 'true' })
    const size = async (offset: number): Promise<number | undefined> =>
      (await world.disk.facts(`${log.directory}/${String(offset).padStart(20, '0')}.log`))?.sizeBytes
    await fill(log, 3, 400_000)
    expect(log.segmentCount).toBe(2)
    expect([(await size(0)) ?? 0, await size(2)]).toEqual([log.sizeBytes - batchOf(['x'.repeat(400_000)]).length, 1_048_576])
    const crashed = await topic({ ...SMALL, preallocate: 'true' }, testWorld(world.disk.crash(), world.clock))
    expect([crashed.log.logEndOffset, crashed.log.sizeBytes]).toEqual([3, log.sizeBytes])
    await directory.close()
    expect(await size(2)).toBe(batchOf(['x'.repeat(400_000)]).length)
  },
  'remote.log.copy.disable': () => changesNothing({ 'remote.log.copy.disable': 'true' }),
  'remote.log.delete.on.disable': () => changesNothing({ 'remote.log.delete.on.disable': 'true' }),
  'remote.storage.enable': () => changesNothing({ 'remote.storage.enable': 'false' }),
  'retention.bytes': async () => {
    expect(await left({ 'retention.bytes': '-1' })).toBe(30)
    const some = await left({ 'retention.bytes': '2500' })
    expect([some > 10, some < 30]).toEqual([true, true])
  },
  'retention.ms': async () => {
    expect(await left({ 'retention.ms': '-1' })).toBe(30)
    expect(await left({ 'retention.ms': '60000' })).toBe(30)
    expect(await left({ 'retention.ms': '1000' })).toBe(0)
  },
  'segment.bytes': async () => {
    expect(await segmentCount(SMALL, 3, 400_000)).toBe(2)
    expect(await segmentCount({}, 3, 400_000)).toBe(1)
  },
  'segment.index.bytes': async () => {
    expect(await segmentCount({ 'segment.index.bytes': '80', 'index.interval.bytes': '1' }, 40)).toBeGreaterThan(4)
  },
  'segment.jitter.ms': async () => {
    const { log } = await topic({ 'segment.ms': '1000', 'segment.jitter.ms': '1000' })
    await fill(log, 40, 10, 100)
    expect(log.segmentCount).toBeGreaterThan(await segmentCount({ 'segment.ms': '1000' }, 40, 10, 100))
  },
  'segment.ms': async () => {
    expect(await segmentCount({ 'segment.ms': '1000' }, 40, 10, 100)).toBe(4)
    expect(await segmentCount({ 'segment.ms': '10000' }, 40, 10, 100)).toBe(1)
  },
  'unclean.leader.election.enable': () => changesNothing({ 'unclean.leader.election.enable': 'true' }),
}

describe('a topic that sets', () => {
  it.each(Object.entries(acts))('%s', async (_, test) => test())

  it('any key of Kafka’s is spoken of here and in docs/topic-configs.md', () => {
    const names = golden.map(({ name }) => name)
    expect(Object.keys(acts).toSorted()).toEqual(names.toSorted())
    const documentation = readFileSync(new URL('../../docs/topic-configs.md', import.meta.url), 'utf8')
    expect(names.filter((name) => !documentation.includes(`| \`${name}\` |`))).toEqual([])
  })
})
