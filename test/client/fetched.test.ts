/** Records out of fetched bytes: what is left out, where positions go, what damage does. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type AbortedTransaction, FetchedRecords, positionAfter } from '../../hub/client/consuming/fetched.ts'
import { PartitionState } from '../../hub/client/consuming/positions.ts'
import { encodeBatch, encodeEndTransactionMarker } from '../../hub/wire/index.ts'

interface LogEntry {
  readonly bytes: Buffer
  readonly baseOffset: number
  readonly producerId: number
  readonly kind: 'plain' | 'data' | 'commit' | 'abort'
  readonly offsets: readonly number[]
}

/** A log of batches, and for each batch whether a transaction that was aborted wrote it. */
function logOf(
  steps: readonly {
    producerId: number
    kind: LogEntry['kind']
    count: number
  }[],
): LogEntry[] {
  let next = 0
  return steps.map(({ producerId, kind, count }) => {
    const baseOffset = next
    const records = Array.from({ length: count }, (_, index) => ({
      key: null,
      value: Buffer.from(`${baseOffset + index}`),
      timestampMs: 1,
    }))
    const marker = kind === 'commit' || kind === 'abort'
    const bytes = marker
      ? encodeEndTransactionMarker({
          commit: kind === 'commit',
          coordinatorEpoch: 0,
          producerId,
          producerEpoch: 0,
          timestampMs: 1,
          baseOffset,
          leaderEpoch: 3,
        })
      : encodeBatch({
          baseOffset,
          leaderEpoch: 3,
          records,
          ...(kind === 'data'
            ? {
                producerId,
                producerEpoch: 0,
                baseSequence: 0,
                transactional: true,
              }
            : {}),
        })
    next += marker ? 1 : count
    return {
      bytes,
      baseOffset,
      producerId,
      kind,
      offsets: marker ? [] : records.map((_record, index) => baseOffset + index),
    }
  })
}

/** What a broker tells of aborted transactions: producer and first offset of each. And what must stay hidden. */
function abortedIn(
  log: readonly LogEntry[],
  start: number,
): {
  list: AbortedTransaction[]
  hidden: Set<number>
} {
  const open = new Map<number, LogEntry[]>()
  const list: AbortedTransaction[] = []
  const hidden = new Set<number>()
  for (const entry of log) {
    if (entry.kind === 'data') open.set(entry.producerId, [...(open.get(entry.producerId) ?? []), entry])
    if (entry.kind !== 'commit' && entry.kind !== 'abort') continue
    const written = open.get(entry.producerId) ?? []
    open.delete(entry.producerId)
    const [first] = written
    if (entry.kind === 'commit' || first === undefined) continue
    // One that ended before the fetch began is not told.
    if (entry.baseOffset >= start) list.push({ producerId: entry.producerId, firstOffset: first.baseOffset })
    for (const offset of written.flatMap(({ offsets }) => offsets)) hidden.add(offset)
  }
  // Transactions without an end are above the last stable offset: a broker would not send them.
  for (const entry of [...open.values()].flat()) for (const offset of entry.offsets) hidden.add(offset)
  for (const [producerId, [first]] of open) if (first !== undefined) list.push({ producerId, firstOffset: first.baseOffset })
  return { list, hidden }
}

function stateAt(offset: number): PartitionState {
  const state = new PartitionState({ topic: 't', partition: 0 })
  state.seek({ offset, leaderEpoch: -1 })
  return state
}

function drain(fetched: FetchedRecords, chunk: number): number[] {
  const offsets: number[] = []
  for (let records = fetched.take(chunk); records.length > 0; records = fetched.take(chunk)) {
    expect(records.length).toBeLessThanOrEqual(chunk)
    offsets.push(...records.map(({ offset }) => offset))
  }
  return offsets
}

const step = fc.record({
  producerId: fc.integer({ min: 1, max: 3 }),
  kind: fc.constantFrom<LogEntry['kind']>('plain', 'data', 'data', 'data', 'commit', 'abort'),
  count: fc.integer({ min: 1, max: 4 }),
})
const RUNS = process.env['MILLRACE_LONG'] ? 10_000 : 500

describe('fetched records', () => {
  it('show under read_committed just what was committed, from any offset on, in polls of any size', () => {
    fc.assert(
      fc.property(fc.array(step, { minLength: 1, maxLength: 25 }), fc.nat(), fc.integer({ min: 1, max: 7 }), (steps, from, chunk) => {
        const log = logOf(steps)
        const last = log.at(-1)
        const end = (last?.baseOffset ?? 0) + Math.max(1, last?.offsets.length ?? 0)
        const start = from % end
        const { list, hidden } = abortedIn(log, start)
        // Brokers answer with the whole batch that has the offset, and tell every aborted transaction that overlaps.
        const bytes = Buffer.concat(
          log.filter((entry) => entry.baseOffset + Math.max(1, entry.offsets.length) > start).map((entry) => entry.bytes),
        )
        const fetched = new FetchedRecords(stateAt(start), bytes, list, true)
        const visible = log.flatMap(({ offsets }) => offsets).filter((offset) => offset >= start && !hidden.has(offset))
        expect(drain(fetched, chunk)).toEqual(visible)
        expect(fetched.next).toEqual({ offset: end, leaderEpoch: 3 })
        expect(positionAfter(bytes)).toEqual({ offset: end, leaderEpoch: 3 })
      }),
      { numRuns: RUNS },
    )
  })

  it('hide an aborted transaction whose end comes in a later fetch, and two of one producer in one fetch', () => {
    const log = logOf([
      { producerId: 1, kind: 'data', count: 2 },
      { producerId: 1, kind: 'abort', count: 1 },
      { producerId: 1, kind: 'data', count: 2 },
      { producerId: 2, kind: 'data', count: 1 },
      { producerId: 1, kind: 'abort', count: 1 },
      { producerId: 2, kind: 'commit', count: 1 },
    ])
    const list = [
      { producerId: 1, firstOffset: 0 },
      { producerId: 1, firstOffset: 3 },
    ]
    const all = new FetchedRecords(stateAt(0), Buffer.concat(log.map(({ bytes }) => bytes)), list, true)
    expect(drain(all, 10)).toEqual([5])
    const cut = new FetchedRecords(stateAt(0), Buffer.concat(log.slice(0, 4).map(({ bytes }) => bytes)), list, true)
    expect(drain(cut, 10)).toEqual([5])
  })

  it('show everything but control records under read_uncommitted', () => {
    const log = logOf([
      { producerId: 1, kind: 'data', count: 2 },
      { producerId: 1, kind: 'abort', count: 1 },
      { producerId: 1, kind: 'plain', count: 2 },
    ])
    const fetched = new FetchedRecords(stateAt(1), Buffer.concat(log.map(({ bytes }) => bytes)), null, true)
    expect(drain(fetched, 10)).toEqual([1, 3, 4])
  })

  it('leave out a batch that is cut', () => {
    const [whole, cut] = logOf([
      { producerId: 1, kind: 'plain', count: 2 },
      { producerId: 1, kind: 'plain', count: 2 },
    ])
    const bytes = Buffer.concat([whole?.bytes ?? Buffer.alloc(0), cut?.bytes.subarray(0, 70) ?? Buffer.alloc(0)])
    const fetched = new FetchedRecords(stateAt(0), bytes, null, true)
    expect(drain(fetched, 10)).toEqual([0, 1])
    expect(fetched.next.offset).toBe(2)
  })

  it('come in runs of one timestamp type', () => {
    const batchOf = (baseOffset: number, timestampType: 'create' | 'append') =>
      encodeBatch({ baseOffset, timestampType, records: [0, 1].map(() => ({ key: null, value: null, timestampMs: 7 })) })
    const bytes = Buffer.concat([batchOf(0, 'create'), batchOf(2, 'create'), batchOf(4, 'append'), batchOf(6, 'create')])
    const fetched = new FetchedRecords(stateAt(0), bytes, null, true)
    const runs: unknown[] = []
    for (let records = fetched.take(3); records.length > 0; records = fetched.take(3)) {
      runs.push([fetched.timestampType, ...records.map(({ offset }) => offset), fetched.next.offset])
    }
    expect(runs).toEqual([
      ['create', 0, 1, 2, 3],
      ['create', 3, 4],
      ['append', 4, 5, 6],
      ['create', 6, 7, 8],
    ])
  })

  it.each([true, false])('come before the damage that follows them, which is met again and again (checks: %s)', (checks) => {
    const [good, bad] = logOf([
      { producerId: 1, kind: 'plain', count: 2 },
      { producerId: 1, kind: 'plain', count: 2 },
    ]).map(({ bytes }) => bytes) as [Buffer, Buffer]
    // The length of the first record.
    bad.writeUInt8(0x7e, 61)
    const fetched = new FetchedRecords(stateAt(0), Buffer.concat([good, bad]), null, checks)
    expect(fetched.take(10).map(({ offset }) => offset)).toEqual([0, 1])
    for (let time = 0; time < 2; time++) expect(() => fetched.take(10)).toThrow()
    expect(fetched.next.offset).toBe(2)
  })

  it('refuse a damaged batch, naming the partition, unless checks are off', () => {
    const bytes = Buffer.concat(logOf([{ producerId: 1, kind: 'plain', count: 2 }]).map((entry) => entry.bytes))
    bytes.writeUInt8(bytes.readUInt8(bytes.length - 2) ^ 1, bytes.length - 2)
    expect(() => new FetchedRecords(stateAt(0), bytes, null, true).take(10)).toThrow(/checksum.*\(t-0\)/)
    expect(new FetchedRecords(stateAt(0), bytes, null, false).take(10)).toHaveLength(2)
  })
})
