import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { Answered, AnsweredMarks, FetchContext } from '../../hub/api/fetch-sessions.ts'
import { ErrorCode } from '../../hub/wire/index.ts'
import { BY_NAME, fetched, request, t, world } from './fetch-session-world.ts'

const runs = process.env['MILLRACE_LONG'] === undefined ? 200 : 5000

/** What a broker holds of a partition. */
interface Stored {
  errorCode: number
  highWatermark: number
  lastStableOffset: number
  logStartOffset: number
}

type Step =
  | { readonly kind: 'produce' | 'commit' | 'trim' | 'break' | 'want' | 'drop'; readonly partition: number }
  | { readonly kind: 'fetch'; readonly room: number; readonly fate: 'arrives' | 'is lost' | 'is repeated' }
  | { readonly kind: 'wait'; readonly ms: number }
  | { readonly kind: 'others'; readonly count: number }

const PARTITIONS = 6
const partition = fc.nat(PARTITIONS - 1)
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 4, arbitrary: fc.record({ kind: fc.constantFrom('produce', 'commit', 'trim', 'break', 'want', 'drop'), partition }) },
  {
    weight: 6,
    arbitrary: fc.record({
      kind: fc.constant('fetch'),
      room: fc.integer({ min: 1, max: 3 }),
      fate: fc.constantFrom('arrives', 'arrives', 'arrives', 'is lost', 'is repeated'),
    }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('wait'), ms: fc.constantFrom(10, 130_000) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('others'), count: fc.integer({ min: 1, max: 4 }) }) },
)

/** A reader by the rules of KIP-227 over a broker that answers as the log stands. */
class Model {
  readonly all = world(3)
  readonly stored: Stored[] = Array.from({ length: PARTITIONS }, () => ({
    errorCode: 0,
    highWatermark: 0,
    lastStableOffset: 0,
    logStartOffset: 0,
  }))
  /** What the reader wants, and up to where it has read. */
  readonly positions = new Map<number, number>()
  /** What the reader knows of its partitions. */
  readonly view = new Map<number, Stored>()
  /** What it believes the session to hold. */
  readonly sent = new Map<number, number>()
  session = { id: 0, epoch: 0 }

  apply(step: Step): void {
    if (step.kind === 'fetch') this.fetch(step.room, step.fate)
    else if (step.kind === 'wait') this.all.nowMs += step.ms
    else if (step.kind === 'others') {
      for (let at = 0; at < step.count; at++) fetched(this.all, request(0, 0, [t(0), t(1), t(2), t(3), t(4), t(5), t(6)]))
    } else this.change(step)
  }

  change(step: Extract<Step, { readonly partition: number }>): void {
    const stored = this.stored[step.partition] as Stored
    if (step.kind === 'produce') stored.highWatermark++
    else if (step.kind === 'commit') stored.lastStableOffset = stored.highWatermark
    else if (step.kind === 'trim') stored.logStartOffset = Math.min(stored.logStartOffset + 1, stored.highWatermark)
    else if (step.kind === 'break') stored.errorCode = stored.errorCode === 0 ? ErrorCode.NOT_LEADER_OR_FOLLOWER : 0
    else if (step.kind === 'want') this.positions.set(step.partition, this.positions.get(step.partition) ?? 0)
    else this.positions.delete(step.partition)
  }

  /** One answer holds the records of `room` partitions. */
  answers(context: FetchContext, room: number): Answered<AnsweredMarks & { readonly nextOffset: number }>[] {
    let left = room
    return context.partitions.map((wanted) => {
      const stored = this.stored[wanted.partition] as Stored
      const failed = {
        highWatermark: -1,
        lastStableOffset: -1,
        logStartOffset: -1,
        errorCode: stored.errorCode,
        records: [],
        nextOffset: -1,
      }
      if (stored.errorCode !== 0) return { wanted, answer: failed }
      const hasRecords = stored.highWatermark > wanted.fetchOffset && left > 0
      if (hasRecords) left--
      return { wanted, answer: { ...stored, records: hasRecords ? ['batch'] : [], nextOffset: hasRecords ? stored.highWatermark : -1 } }
    })
  }

  fetch(room: number, fate: 'arrives' | 'is lost' | 'is repeated'): void {
    const isFull = this.session.epoch === 0
    if (isFull) {
      this.sent.clear()
      this.view.clear()
    }
    const changed = [...this.positions].filter(([at, offset]) => this.sent.get(at) !== offset).map(([at, offset]) => t(at, offset))
    const forgotten = [...this.sent.keys()].filter((at) => !this.positions.has(at)).map((at) => t(at))
    for (const { partition: at, fetchOffset = 0 } of changed) this.sent.set(at, fetchOffset)
    for (const { partition: at } of forgotten) {
      this.sent.delete(at)
      this.view.delete(at)
    }
    const asked = request(this.session.id, this.session.epoch, changed, forgotten)
    const context = this.all.sessions.open(asked, BY_NAME)
    const startAnew = (): void => {
      this.session = { id: this.session.id, epoch: 0 }
    }
    if (typeof context === 'number') {
      // Only what the reader cannot know: its session was pushed out, or an answer was lost.
      expect(isFull).toBe(false)
      startAnew()
      return
    }
    const expected = this.answers(context, room)
    const given = context.answer(expected)
    if (fate === 'is repeated' && given.sessionId > 0 && !isFull)
      expect(this.all.sessions.open(asked, BY_NAME)).toBe(ErrorCode.INVALID_FETCH_SESSION_EPOCH)
    if (fate === 'is lost') {
      startAnew()
      return
    }
    expect(given.errorCode).toBe(0)
    this.session = given.sessionId === 0 ? { id: 0, epoch: 0 } : { id: given.sessionId, epoch: this.session.epoch + 1 }
    for (const { wanted, answer } of given.partitions) {
      const { errorCode, highWatermark, lastStableOffset, logStartOffset } = answer
      this.view.set(wanted.partition, { errorCode, highWatermark, lastStableOffset, logStartOffset })
      if (answer.records.length > 0) this.positions.set(wanted.partition, answer.nextOffset)
    }
    this.compare(expected)
  }

  /** The view put together from incremental answers is what a full fetch would show now. */
  compare(expected: Answered<AnsweredMarks>[]): void {
    const full = new Map(
      expected.map(({ wanted, answer: { errorCode, highWatermark, lastStableOffset, logStartOffset } }) => [
        wanted.partition,
        { errorCode, highWatermark, lastStableOffset, logStartOffset },
      ]),
    )
    expect(new Set(full.keys())).toEqual(new Set(this.positions.keys()))
    expect(this.view).toEqual(full)
  }
}

describe('a reader with a session', () => {
  it('always knows what a reader without one would be told, whatever is lost, repeated or pushed out', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 80, size: 'max' }), (steps) => {
        const model = new Model()
        for (const at of [0, 1, 2]) model.apply({ kind: 'want', partition: at })
        for (const each of steps) model.apply(each)
        expect(model.all.sessions.count).toBeLessThanOrEqual(3)
      }),
      { numRuns: runs },
    )
  })

  it('gets records of every partition in turn, however little one answer holds', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 4 }), (room) => {
        const model = new Model()
        for (let at = 0; at < PARTITIONS; at++) model.apply({ kind: 'want', partition: at })
        for (let round = 0; round < PARTITIONS * 2; round++) {
          const before = new Map(model.positions)
          for (let fetches = 0; fetches < Math.ceil(PARTITIONS / room); fetches++) {
            for (let at = 0; at < PARTITIONS; at++) model.apply({ kind: 'produce', partition: at })
            model.fetch(room, 'arrives')
          }
          if (round === 0) continue
          for (const [at, position] of model.positions) expect(position, `of partition ${at}`).toBeGreaterThan(before.get(at) ?? 0)
        }
      }),
      { numRuns: 4 },
    )
  })
})
