/** @module test/connectors/s3/rotation — which records stand in which object, and what is committed when: by tables, over a store in memory. */
import { int32, type SinkRecord, string, struct, structOf } from '@millrace/sdk'
import { sinkRecords } from '@millrace/sdk/testing'
import { describe, expect, it } from 'vitest'
import { Engine } from './engine.ts'
import { away, MemoryStore } from './memory-store.ts'

const MINUTE_MS = 60_000
const startMs = Date.UTC(2026, 10, 25)

/** Records of partition 0, one for each word: `a` goes to directory a; `a@3` three minutes after the start; `a!` is of another schema. */
function records(words: string): readonly SinkRecord[] {
  const schemas = [struct({ dir: string() }), struct({ dir: string(), more: int32() })]
  return words.split(' ').map((word, offset) => {
    const [, dir = '', minutes, other] = /^(\w+)(?:@(\d+))?(!?)$/.exec(word) ?? []
    const [record] = sinkRecords('t', [structOf(other === '!' ? { dir, more: 1 } : { dir })], {
      offset,
      valueSchema: schemas[other === '!' ? 1 : 0] ?? null,
    })
    if (record === undefined) throw new Error('no record')
    return { ...record, timestampMs: startMs + Number(minutes ?? 0) * MINUTE_MS }
  })
}

const byField = { 'partitioner.class': 'field', 'partition.field.name': 'dir' }
const byHour = { 'partitioner.class': 'hourly', 'timestamp.extractor': 'Record' }

/** Objects as `directory@offset×records`, in the order in which they were made. */
async function objects(config: Readonly<Record<string, string>>, words: string): Promise<string[]> {
  const store = new MemoryStore()
  const engine = new Engine(store, { 'flush.size': '100', ...config }, records(words))
  while (!engine.isDone) await engine.turn(3)
  const shown = store.made.map((name) => {
    const [, directory, offset] = /^topics\/t\/(?:\w+=)?(.*)\/t\+0\+0*(\d+)\.json$/.exec(name) ?? []
    return `${directory}@${offset}×${store.lines(name).length}`
  })
  await engine.stop()
  return shown
}

describe('the ends of objects', () => {
  it.each([
    ['flush.size', { 'flush.size': '3' }, 'a a a a a a a', ['0@0×3', '0@3×3']],
    ['flush.size counts over all directories, and all objects end', { ...byField, 'flush.size': '4' }, 'a b a b b b a', ['a@0×2', 'b@1×2']],
    [
      'rotate.interval.ms by the records’ own time',
      { 'rotate.interval.ms': String(10 * MINUTE_MS), 'timestamp.extractor': 'Record' },
      'a@0 a@9 a@10 a@12 a@11 a@20',
      ['0@0×2', '0@2×3'],
    ],
    [
      'a record that is late does not end anything',
      { 'rotate.interval.ms': String(10 * MINUTE_MS), 'timestamp.extractor': 'Record' },
      'a@30 a@1 a@39 a@40',
      ['0@0×3'],
    ],
    [
      'another hour, with rotate.interval.ms',
      { ...byHour, 'rotate.interval.ms': String(600 * MINUTE_MS) },
      'a@0 a@59 a@60 a@61 a@5',
      ['2026/month=11/day=25/hour=00@0×2', '2026/month=11/day=25/hour=01@2×2'],
    ],
    [
      'another hour, which does not matter',
      { ...byHour, 'rotate.interval.ms': String(600 * MINUTE_MS), 'rotate.file.on.partition.change': 'false', 'flush.size': '4' },
      'a@0 a@59 a@60 a@61',
      ['2026/month=11/day=25/hour=00@0×2', '2026/month=11/day=25/hour=01@2×2'],
    ],
    ['another hour, without rotate.interval.ms', byHour, 'a@0 a@60 a@0', []],
    ['another schema', {}, 'a a a! a! a', ['0@0×2', '0@2×2']],
    ['another schema in one directory ends all', byField, 'a b b! a! a', ['a@0×1', 'b@1×1', 'b@2×1', 'a@3×1']],
    ['partitioner.max.open.files', { ...byField, 'partitioner.max.open.files': '2' }, 'a b a b c a', ['a@0×2', 'b@1×2']],
  ])('%s', async (_, config, words, expected) => {
    // JSON lines take records of any schema into one object.
    const format = words.includes('!') ? 'parquet' : 'json'
    if (format === 'json') expect(await objects(config, words)).toEqual(expected)
    else expect(await parquetObjects(config, words)).toEqual(expected.map((name) => name.replace(/×\d+/, '')))
  })
})

/** As `objects`, without the counts. */
async function parquetObjects(config: Readonly<Record<string, string>>, words: string): Promise<string[]> {
  const store = new MemoryStore()
  const engine = new Engine(store, { 'flush.size': '100', 'format.class': 'parquet', ...config }, records(words))
  while (!engine.isDone) await engine.turn(2)
  await engine.stop()
  return store.made.map((name) => name.replace(/^topics\/t\/\w+=(\w+)\/t\+0\+0*(\d+)\.snappy\.parquet$/, '$1@$2'))
}

describe('what is committed', () => {
  it('never lies beyond the start of the oldest object that is not in the bucket', async () => {
    const engine = new Engine(new MemoryStore(), { 'flush.size': '4', ...byField }, records('a b a b b a b'))
    const seen: unknown[] = []
    while (!engine.isDone) {
      await engine.turn(1)
      engine.commit()
      seen.push(engine.committed.get('t-0'))
    }
    expect(seen).toEqual([0, 0, 0, 4, 4, 4, 4])
  })

  it('stands still while the store is away, and moves on by itself afterwards', async () => {
    const store = new MemoryStore()
    const engine = new Engine(store, { 'flush.size': '2' }, records('a a a a a'))
    store.fail = (step) => {
      throw away(step)
    }
    for (let attempt = 0; attempt < 5; attempt++) {
      expect(await engine.turn(5)).toMatchObject({ message: expect.stringContaining('the store is away') as string })
      engine.commit()
      expect(engine.committed.get('t-0') ?? 0).toBe(0)
    }
    store.fail = () => undefined
    expect(await engine.turn(5)).toBeNull()
    engine.commit()
    expect(engine.committed.get('t-0')).toBe(4)
    expect(store.made).toHaveLength(2)
  })

  it('waits for a store that is slow, call by call, and writes nothing twice', async () => {
    const store = new MemoryStore()
    const engine = new Engine(store, { 'flush.size': '2' }, records('a a a a a'))
    const gate = Promise.withResolvers<void>()
    store.delay = gate.promise
    for (let attempt = 0; attempt < 3; attempt++) {
      expect(await engine.turn(5)).toMatchObject({ next: 'retry', message: expect.stringContaining('takes longer than') as string })
      engine.commit()
      expect(engine.committed.get('t-0') ?? 0).toBe(0)
    }
    gate.resolve()
    expect(await engine.turn(5)).toBeNull()
    engine.commit()
    expect(engine.committed.get('t-0')).toBe(4)
    expect(store.made).toHaveLength(2)
    expect(store.lines()).toHaveLength(4)
  })

  it('is begun anew where the topic is', async () => {
    const store = new MemoryStore()
    const engine = new Engine(store, { 'flush.size': '3' }, records('a a a a a'))
    while (!engine.isDone) await engine.turn(2)
    // The same offsets again, as of a topic that was made anew.
    engine.rewind({ topic: 't', partition: 0 }, 0)
    while (!engine.isDone) await engine.turn(2)
    expect(store.made.map((name) => name.slice(-6))).toEqual(['0.json', '0.json'])
    expect(store.lines()).toHaveLength(3)
  })
})

describe('rotate.schedule.interval.ms', () => {
  const scheduled = { 'rotate.schedule.interval.ms': String(10 * MINUTE_MS) }

  it('ends objects without another record, and asks to be called in time', async () => {
    const store = new MemoryStore()
    const engine = new Engine(store, { 'flush.size': '100', ...scheduled }, records('a a a'))
    engine.nowMs = startMs + 4 * MINUTE_MS
    await engine.turn(3)
    expect(store.made).toEqual([])
    expect(engine.wakeMs).toBe(6 * MINUTE_MS)
    engine.nowMs = startMs + 10 * MINUTE_MS
    await engine.turn(0)
    expect(store.made).toHaveLength(1)
  })

  it('opens no object before the one before it is committed', async () => {
    const store = new MemoryStore()
    const engine = new Engine(store, { 'flush.size': '3', ...scheduled }, records('a a a a a a a a'))
    await engine.turn(8)
    expect(store.made).toHaveLength(1)
    expect(engine.pausedCount).toBe(1)
    expect(engine.committed.size).toBe(0)
    // Without the commit nothing goes on, however often the task is called, nor with one that fails.
    await engine.write()
    engine.commit(true)
    await engine.write()
    expect(store.made).toHaveLength(1)
    expect(engine.wakeMs).toBeGreaterThan(100)
    engine.nowMs += 1_000
    await engine.write()
    await engine.turn(8)
    expect(engine.committed.get('t-0')).toBe(3)
    expect(store.made).toHaveLength(2)
    await engine.turn(8)
    expect(engine.committed.get('t-0')).toBe(6)
    await engine.turn(8)
    expect(engine.pausedCount).toBe(0)
  })
})
