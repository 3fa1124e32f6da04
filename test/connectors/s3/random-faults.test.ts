/**
 * @module test/connectors/s3/random-faults — records, batches, commits, crashes, lost commits and a store that fails before or after it has done what
 * it was asked, all drawn at random: in the end every record stands in the bucket once, and nothing that was committed is missing at any time.
 */
import type { SinkRecord } from '@millrace/sdk'
import { sinkRecords } from '@millrace/sdk/testing'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { Engine } from './engine.ts'
import { away, MemoryStore } from './memory-store.ts'

const runCount = process.env['MILLRACE_LONG'] === undefined ? 60 : 1_000
const startMs = Date.UTC(2026, 10, 25)

const event = fc.oneof(
  { weight: 12, arbitrary: fc.record({ kind: fc.constant('turn' as const), countMax: fc.integer({ min: 0, max: 12 }) }) },
  { weight: 4, arbitrary: fc.record({ kind: fc.constant('commit' as const), isLost: fc.boolean() }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('crash' as const) }) },
  { weight: 4, arbitrary: fc.record({ kind: fc.constant('clock' as const), minutes: fc.integer({ min: 0, max: 20 }) }) },
  {
    weight: 3,
    arbitrary: fc.record({
      kind: fc.constant('fault' as const),
      step: fc.constantFrom('put' as const, 'begin' as const, 'part' as const, 'complete' as const),
      isAfter: fc.boolean(),
      count: fc.integer({ min: 1, max: 4 }),
    }),
  },
)

const shape = fc.record({
  dirs: fc.array(fc.integer({ min: 0, max: 3 }), { minLength: 1, maxLength: 80 }),
  partitionCount: fc.integer({ min: 1, max: 3 }),
  flushSize: fc.integer({ min: 1, max: 9 }),
  /** Bytes of a value: with 2 MB some objects go in parts. */
  padBytes: fc.constantFrom(0, 0, 0, 0, 0, 0, 0, 2_000_000),
  events: fc.array(event, { maxLength: 60 }),
})

function recordsOf(dirs: readonly number[], partitionCount: number, padBytes: number): SinkRecord[] {
  const ends = Array.from({ length: partitionCount }, () => 0)
  return dirs.flatMap((dir, number) => {
    const partition = number % partitionCount
    const offset = ends[partition] ?? 0
    // Compaction leaves gaps.
    ends[partition] = offset + 1 + (dir === 3 ? 2 : 0)
    const value = new Map<string, string | bigint>([
      ['dir', `d${dir}`],
      ['number', BigInt(number)],
      ['pad', '·'.repeat(padBytes / 2)],
    ])
    return sinkRecords('t', [value], { partition, offset }).map((record) => ({ ...record, timestampMs: startMs + number * 30_000 }))
  })
}

interface Run {
  readonly engine: Engine
  readonly store: MemoryStore
  /** Faults that are still to come. */
  faultCount: number
}

const numbersIn = (store: MemoryStore): number[] => store.lines().map((line) => (JSON.parse(line) as { number: number }).number)

/** Everything before the committed offsets must stand in the bucket. */
function checkCommitted({ engine, store }: Run): void {
  const there = new Set(numbersIn(store))
  for (const record of engine.log) {
    if (record.offset >= (engine.committed.get(`t-${record.partition}`) ?? 0)) continue
    const number = Number((record.value as ReadonlyMap<string, bigint>).get('number'))
    expect(there.has(number), `record ${number} is committed and not in the bucket`).toBe(true)
  }
}

async function play(run: Run, events: readonly (typeof event extends fc.Arbitrary<infer E> ? E : never)[]): Promise<void> {
  const { engine, store } = run
  for (const next of events) {
    if (next.kind === 'turn') await engine.turn(next.countMax)
    else if (next.kind === 'commit') engine.commit(next.isLost)
    else if (next.kind === 'crash') engine.crash()
    else if (next.kind === 'clock') engine.nowMs += next.minutes * 60_000
    else {
      run.faultCount = next.count
      store.fail = (step, _, isAfter) => {
        if (step !== next.step || isAfter !== next.isAfter || run.faultCount-- <= 0) return
        throw away(step)
      }
    }
    checkCommitted(run)
  }
}

/** The rest in quiet: until everything is taken and, where the clock ends objects, everything is in the bucket. */
async function finish(run: Run): Promise<void> {
  run.store.fail = () => undefined
  for (let turn = 0; turn < 500 && !run.engine.isDone; turn++) await run.engine.turn(7)
  for (let turn = 0; turn < 100; turn++) {
    run.engine.nowMs += 20 * 60_000
    await run.engine.turn(7)
  }
  checkCommitted(run)
}

function expectOnce(run: Run, isWhole: (number: number) => boolean): void {
  const numbers = numbersIn(run.store).sort((a, b) => a - b)
  const doubled = numbers.filter((number, at) => number === numbers[at - 1])
  expect(doubled).toEqual([])
  const wanted = run.engine.log.map((_, number) => number).filter(isWhole)
  expect(wanted.filter((number) => !numbers.includes(number))).toEqual([])
}

describe('each record once', () => {
  const settings: readonly (readonly [string, Readonly<Record<string, string>>])[] = [
    ['by number of records', {}],
    ['by number of records, in directories', { 'partitioner.class': 'field', 'partition.field.name': 'dir' }],
    ['by records’ time', { 'partitioner.class': 'hourly', 'timestamp.extractor': 'Record', 'rotate.interval.ms': '300000' }],
    ['by schedule', { 'rotate.schedule.interval.ms': '600000', 'partitioner.class': 'field', 'partition.field.name': 'dir' }],
    ['by the clock', { 'rotate.interval.ms': '600000' }],
  ]
  it.each(settings)('%s', { timeout: 600_000 }, async (_, config) => {
    const hasClock = config['rotate.schedule.interval.ms'] !== undefined || config['timestamp.extractor'] === undefined
    await fc.assert(
      fc.asyncProperty(shape, async ({ dirs, partitionCount, flushSize, padBytes, events }) => {
        const store = new MemoryStore()
        const more = { 'flush.size': String(flushSize), 's3.part.size': '5242880', 'millrace.s3.buffer.max.bytes': '16777216' }
        const engine = new Engine(store, { ...more, ...config }, recordsOf(dirs, partitionCount, padBytes))
        const run = { engine, store, faultCount: 0 }
        await play(run, events)
        await finish(run)
        await engine.stop()
        // What is left open at the end is read again by who comes next; by the clock nothing is left.
        const isInterval = config['rotate.interval.ms'] !== undefined || config['rotate.schedule.interval.ms'] !== undefined
        const safe = new Map(engine.committed)
        expectOnce(run, (number) => {
          const record = engine.log[number]
          return (hasClock && isInterval) || (record !== undefined && record.offset < (safe.get(`t-${record.partition}`) ?? 0))
        })
        // A crash leaves its uploads behind, and one whose beginning was not answered is known to nobody.
        const isOrderly = events.every(({ kind }) => kind !== 'crash' && kind !== 'fault')
        if (isOrderly) expect(store.uploads.size).toBe(0)
      }),
      { numRuns: runCount },
    )
  })

  it('writes at most one object of a partition again after a crash, where the clock has a say', async () => {
    await fc.assert(
      fc.asyncProperty(shape, async ({ dirs, flushSize, events }) => {
        const store = new MemoryStore()
        const config = { 'flush.size': String(flushSize), 'rotate.schedule.interval.ms': '600000' }
        const engine = new Engine(store, config, recordsOf(dirs, 1, 0))
        const run = { engine, store, faultCount: 0 }
        const quiet = events.filter(({ kind }) => kind !== 'fault')
        await play(run, quiet)
        await finish(run)
        await engine.stop()
        const crashCount = quiet.filter(({ kind }) => kind === 'crash').length
        expect(store.made.length - new Set(store.made).size).toBeLessThanOrEqual(crashCount)
        expectOnce(run, () => true)
      }),
      { numRuns: runCount },
    )
  })
})
