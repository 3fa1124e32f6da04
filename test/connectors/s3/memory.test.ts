/** @module test/connectors/s3/memory — large objects and many of them: in parts, within a bounded memory, and after an upload was lost. */
import type { SinkRecord } from '@millrace/sdk'
import { sinkRecords } from '@millrace/sdk/testing'
import { describe, expect, it } from 'vitest'
import { Engine } from './engine.ts'
import { away, MemoryStore } from './memory-store.ts'

const MIB = 1024 * 1024
const bufferBytesMax = 16 * MIB
/** What one batch may add before the task looks. */
const slackBytes = 5 * MIB
const memory = { 'millrace.s3.buffer.max.bytes': String(bufferBytesMax) }

/** Records of about 1 MiB each. */
function records(count: number, dirCount: number): readonly SinkRecord[] {
  const values = Array.from({ length: count }, (_, number) => {
    const pad = String.fromCharCode(97 + (number % 26)).repeat(MIB)
    return new Map([
      ['dir', `d${number % dirCount}`],
      ['number', String(number)],
      ['pad', pad],
    ])
  })
  return sinkRecords('t', values)
}

const numbersIn = (store: MemoryStore): number[] => store.lines().map((line) => Number((JSON.parse(line) as { number: string }).number))

const upTo = (count: number): number[] => Array.from({ length: count }, (_, number) => number)

/** Runs to the end; the most memory that was taken after a turn. */
async function run(engine: Engine): Promise<number> {
  let bytesMax = 0
  while (!engine.isDone) {
    await engine.turn(4)
    bytesMax = Math.max(bytesMax, engine.bufferedBytes)
  }
  return bytesMax
}

describe('memory', () => {
  it('of one large object is that of its parts', async () => {
    const store = new MemoryStore()
    const engine = new Engine(store, { ...memory, 'flush.size': '40', 's3.part.size': String(5 * MIB) }, records(40, 1))
    expect(await run(engine)).toBeLessThanOrEqual(bufferBytesMax)
    expect(store.made).toHaveLength(1)
    expect(numbersIn(store)).toEqual(upTo(40))
    expect(store.uploads.size).toBe(0)
  })

  it('is bounded where parts would be larger: they are sent early', async () => {
    const store = new MemoryStore()
    const engine = new Engine(store, { ...memory, 'flush.size': '40', 's3.part.size': String(100 * MIB) }, records(40, 1))
    expect(await run(engine)).toBeLessThanOrEqual(bufferBytesMax + slackBytes)
    expect(store.made).toHaveLength(1)
    expect(numbersIn(store)).toEqual(upTo(40))
  })

  it('is bounded where no part can be made: objects end early, and what they hold is committed before others begin', async () => {
    const store = new MemoryStore()
    const byField = { 'partitioner.class': 'field', 'partition.field.name': 'dir' }
    const engine = new Engine(store, { ...memory, ...byField, 'flush.size': '60' }, records(60, 30))
    expect(await run(engine)).toBeLessThanOrEqual(bufferBytesMax + slackBytes)
    expect(engine.commitCount).toBeGreaterThan(1)
    expect(engine.committed.get('t-0')).toBeGreaterThan(0)
    engine.commit()
    const committed = engine.committed.get('t-0') ?? 0
    expect(numbersIn(store).sort((a, b) => a - b)).toEqual(upTo(committed))
    expect(committed).toBeGreaterThanOrEqual(60 - 16 - 5)
  })

  it('is bounded while the store is away', async () => {
    const store = new MemoryStore()
    const engine = new Engine(store, { ...memory, 'flush.size': '100', 's3.part.size': String(5 * MIB) }, records(80, 1))
    store.fail = (step) => {
      throw away(step)
    }
    for (let turn = 0; turn < 40; turn++) {
      await engine.turn(4)
      expect(engine.bufferedBytes).toBeLessThanOrEqual(bufferBytesMax + slackBytes)
    }
    expect(engine.isDone).toBe(false)
    store.fail = () => undefined
    await run(engine)
    engine.commit()
    // Memory ended the objects early; what is still open comes again.
    expect(numbersIn(store)).toEqual(upTo(engine.committed.get('t-0') ?? 0))
  })
})

describe('partitions that are taken away', () => {
  it('leave no upload behind, and are read again from what is committed', async () => {
    const store = new MemoryStore()
    const engine = new Engine(store, { 'flush.size': '20', 's3.part.size': String(5 * MIB) }, records(50, 1))
    for (let turn = 0; turn < 8; turn++) await engine.turn(4)
    expect(store.uploads.size).toBe(1)
    await engine.rebalance()
    expect(store.uploads.size).toBe(0)
    expect(engine.committed.get('t-0')).toBe(20)
    expect(engine.bufferedBytes).toBe(0)
    await run(engine)
    await engine.stop()
    expect(engine.committed.get('t-0')).toBe(40)
    expect(numbersIn(store)).toEqual(upTo(40))
    expect(store.uploads.size).toBe(0)
  })
})

describe('a lost upload', () => {
  it.each(['part', 'complete'] as const)('is written again from its first record: %s', async (lostAt) => {
    const store = new MemoryStore()
    const engine = new Engine(store, { 'flush.size': '20', 's3.part.size': String(5 * MIB) }, records(40, 1))
    let isLost = false
    store.fail = (step) => {
      if (step !== lostAt || isLost || store.uploads.size === 0) return
      isLost = true
      store.uploads.clear()
    }
    await run(engine)
    engine.commit()
    expect(isLost).toBe(true)
    expect(engine.committed.get('t-0')).toBe(40)
    expect(numbersIn(store)).toEqual(upTo(40))
    expect(store.uploads.size).toBe(0)
  })
})
