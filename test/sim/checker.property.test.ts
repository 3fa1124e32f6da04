/** The checker passes whatever a perfect log can show, and finds what is then broken in it. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { AnomalyKind } from './anomaly.ts'
import { check } from './checker.ts'
import { Facts, mustShow } from './facts.ts'
import type { Action, History, HistoryEvent, SeenRecord } from './history.ts'
import { perfectHistory } from './perfect-log.ts'

const RUNS = process.env['MILLRACE_LONG'] === undefined ? 200 : 5000
const STEPS = 150

/** Takes one that fits; undefined: there is none. */
type Chooser = <T>(list: readonly T[]) => T | undefined
type Break = (history: History, choose: Chooser) => History | undefined

function withAction(history: History, index: number, action: Action): History {
  return history.map((event) => (event.index === index ? { ...event, action } : event))
}

/** The whole reads, or the polls, with their action's own type. */
function readsOf<F extends 'poll' | 'read all'>(history: History, f: F): (HistoryEvent & { action: Extract<Action, { f: F }> })[] {
  return history.filter((event): event is HistoryEvent & { action: Extract<Action, { f: F }> } => event.action.f === f)
}

/** Changes the records of one read so that `change` finds something to do in it. */
function changeRead(
  history: History,
  choose: Chooser,
  f: 'poll' | 'read all',
  change: (records: readonly SeenRecord[], event: HistoryEvent) => readonly SeenRecord[] | undefined,
): History | undefined {
  const changed = readsOf(history, f).flatMap((event) => {
    const records = change(event.action.records, event)
    return records === undefined ? [] : [withAction(history, event.index, { ...event.action, records })]
  })
  return choose(changed)
}

const BREAKS: Readonly<Partial<Record<AnomalyKind, Break>>> = {
  'lost write': (history, choose) => {
    const { sends } = new Facts(history)
    return changeRead(history, choose, 'read all', (records) => {
      const due = choose(records.filter(({ value }) => mustShow(sends.get(value) as NonNullable<ReturnType<typeof sends.get>>)))
      return due && records.filter((record) => record !== due)
    })
  },
  'lost read': (history, choose) => {
    const { sends, reads } = new Facts(history)
    const polled = new Set(readsOf(history, 'poll').flatMap(({ action }) => action.records.map(({ value }) => value)))
    return changeRead(history, choose, 'read all', (records, { action }) => {
      const isolation = 'isolation' in action ? action.isolation : 'read_committed'
      const may = choose(
        records.filter(({ value }) => sends.get(value)?.outcome === 'info' && polled.has(value) && reads[isolation].has(value)),
      )
      const isRead =
        may !== undefined &&
        readsOf(history, 'poll').some(
          (poll) => poll.action.isolation === isolation && poll.action.records.some(({ value }) => value === may.value),
        )
      return isRead ? records.filter((record) => record !== may) : undefined
    })
  },
  duplicate: (history, choose) =>
    changeRead(history, choose, 'read all', (records) => {
      const twice = choose(records)
      return twice && [...records, { ...twice, offset: (records.at(-1)?.offset ?? 0) + 3 }]
    }),
  'inconsistent offsets': (history, choose) =>
    changeRead(history, choose, 'poll', (records) => {
      const wrong = choose(records)
      return wrong && records.map((record) => (record === wrong ? { ...record, value: 'garbage' } : record))
    }),
  'unknown value': (history, choose) =>
    changeRead(history, choose, 'read all', (records) => [
      ...records,
      { partition: records[0]?.partition ?? '', offset: 1000, value: 'garbage' },
    ]),
  'non-monotonic poll': (history, choose) => changeRead(history, choose, 'poll', (records) => [...records, ...records.slice(0, 1)]),
  'skipped poll': (history, choose) =>
    changeRead(history, choose, 'poll', (records) => (records.length < 3 ? undefined : records.filter((_, at) => at !== 1))),
  reorder: (history, choose) => {
    const facts = new Facts(history)
    // Without acknowledged offsets: those would be two values at one offset.
    const untold = [...facts.sends.values()].filter(({ value, ackedOffset }) => ackedOffset < 0 && facts.placesOf(value).length > 0)
    const pair = choose(
      untold.flatMap((one) =>
        untold.flatMap((other) =>
          other.begin > one.begin && other.process === one.process && other.partition === one.partition ? [[one.value, other.value]] : [],
        ),
      ),
    )
    if (pair === undefined) return undefined
    const swapped = (value: string): string => (pair.includes(value) ? (pair.find((other) => other !== value) ?? value) : value)
    return history.map((event) => {
      const { action } = event
      if (action.f !== 'poll' && action.f !== 'read all') return event
      return { ...event, action: { ...action, records: action.records.map((record) => ({ ...record, value: swapped(record.value) })) } }
    })
  },
  'aborted read': (history, choose) => {
    const { sends } = new Facts(history)
    const raw = readsOf(history, 'poll').filter(
      ({ action }) =>
        action.isolation === 'read_uncommitted' && action.records.some(({ value }) => sends.get(value)?.transaction?.status === 'aborted'),
    )
    const wrong = choose(raw)
    return wrong && withAction(history, wrong.index, { ...wrong.action, isolation: 'read_committed' })
  },
  'precommitted read': (history, choose) => {
    const { sends } = new Facts(history)
    const early = readsOf(history, 'poll').filter(
      ({ action, index }) =>
        action.isolation === 'read_uncommitted' &&
        action.records.some(({ value }) => {
          const transaction = sends.get(value)?.transaction
          return transaction !== undefined && transaction.status !== 'aborted' && transaction.commitBegin > index
        }),
    )
    const wrong = choose(early)
    return wrong && withAction(history, wrong.index, { ...wrong.action, isolation: 'read_committed' })
  },
  'torn transaction': (history, choose) => {
    const { transactions, reads } = new Facts(history)
    const whole = [...transactions.values()].filter(
      ({ status, sends }) =>
        status !== 'aborted' && sends.filter(({ value, outcome }) => outcome === 'ok' && reads.read_committed.has(value)).length > 1,
    )
    const torn = choose(whole)?.sends.find(({ value, outcome }) => outcome === 'ok' && reads.read_committed.has(value))
    if (torn === undefined) return undefined
    return history.map((event) => {
      const { action } = event
      if ((action.f !== 'poll' && action.f !== 'read all') || action.isolation !== 'read_committed') return event
      return { ...event, action: { ...action, records: action.records.filter(({ value }) => value !== torn.value) } }
    })
  },
  'lost committed offset': (history, choose) => {
    const looks = history.filter(({ action, type }) => action.f === 'see offset' && type === 'ok' && (action.offset ?? -1) > 0)
    const look = choose(looks.filter(({ action, operation }) => acknowledgedBefore(history, action, operation)))
    return look && withAction(history, look.index, { ...(look.action as Extract<Action, { f: 'see offset' }>), offset: -1 })
  },
  'aborted offset': (history, choose) => {
    const facts = new Facts(history)
    const looks = history.flatMap((event) => {
      const { action, type, operation } = event
      if (action.f !== 'see offset' || type !== 'ok') return []
      const commits = facts.commitsOf(action.group, action.partition)
      const aborted = commits.find(
        ({ offset, transaction, begin }) =>
          transaction?.status === 'aborted' &&
          begin < operation &&
          !commits.some((other) => other.offset === offset && other.transaction?.status !== 'aborted'),
      )
      return aborted === undefined ? [] : [withAction(history, event.index, { ...action, offset: aborted.offset })]
    })
    return choose(looks)
  },
}

/** Whether a commit without a transaction was acknowledged before the event. */
function acknowledgedBefore(history: History, look: Action, before: number): boolean {
  return history.some(
    ({ action, type, index }) =>
      action.f === 'commit offset' &&
      type === 'ok' &&
      index < before &&
      action.transaction === undefined &&
      look.f === 'see offset' &&
      action.partition === look.partition,
  )
}

describe('the checker', () => {
  it('finds nothing in what a perfect log shows', () => {
    fc.assert(
      fc.property(fc.nat(), (seed) => {
        expect(check(perfectHistory(seed, STEPS))).toEqual([])
      }),
      { numRuns: RUNS },
    )
  })

  it.each(Object.entries(BREAKS))('finds an injected anomaly: %s', (kind, breakIt) => {
    let brokenCount = 0
    fc.assert(
      fc.property(fc.nat(), fc.nat(), (seed, pick) => {
        const choose: Chooser = (list) => (list.length === 0 ? undefined : list[pick % list.length])
        const broken = breakIt(perfectHistory(seed, STEPS), choose)
        if (broken === undefined) return
        brokenCount++
        expect(check(broken).map((anomaly) => anomaly.kind)).toContain(kind)
      }),
      { numRuns: RUNS },
    )
    expect(brokenCount).toBeGreaterThan(RUNS / 10)
  })
})
