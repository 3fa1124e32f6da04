/** @module io/memory-clock — time that stands still until a test moves it. */
import { sleepWith } from './node-clock.ts'
import type { Clock, Timer } from './ports.ts'

/** A clock with a crank. */
export interface MemoryClock extends Clock {
  /**
   * Moves time on by `durationMs`, stopping at every timer that falls due, earliest first (equal times in the order they
   * were set). After each one, and at the end, the promises and `soon` callbacks that it woke get to run before time moves on.
   */
  advance(durationMs: number): Promise<void>
  /** Moves wall-clock time only (an operator or NTP set it); timers and `monotonicMs` don't notice. */
  setWallClock(nowMs: number): void
  /** Timers that wait. */
  readonly timerCount: number
  /** Holds that are not released. */
  readonly holdCount: number
}

/** A callback that asks for `soon` again and again (a loop that yields) must not keep time from moving. */
const TURNS_MAX = 1000

interface Pending {
  readonly dueMs: number
  readonly order: number
  readonly callback: () => void
}

/** A {@link MemoryClock} which begins at `startMs` (default: 2023-11-14T22:13:20Z, as in the golden conversations). */
export function memoryClock(startMs = 1_700_000_000_000): MemoryClock {
  let elapsedMs = 0
  let wallOffsetMs = startMs
  let order = 0
  const pending = new Set<Pending>()

  const timer = (delayMs: number, callback: () => void): Timer => {
    const entry: Pending = { dueMs: elapsedMs + Math.max(0, delayMs), order: order++, callback }
    pending.add(entry)
    return { cancel: () => void pending.delete(entry) }
  }
  const holds = new Set<object>()
  let soonCount = 0
  const soon = (callback: () => void): void => {
    soonCount++
    setImmediate(() => {
      soonCount--
      callback()
    })
  }
  const settle = async (): Promise<void> => {
    await turn()
    for (let turns = 0; soonCount > 0 && turns < TURNS_MAX; turns++) await turn()
  }

  return {
    nowMs: () => Math.floor(wallOffsetMs + elapsedMs),
    monotonicMs: () => elapsedMs,
    timer,
    sleep: (delayMs, signal) => sleepWith(timer, delayMs, signal),
    soon,
    hold: () => {
      const hold = { release: () => void holds.delete(hold) }
      holds.add(hold)
      return hold
    },
    setWallClock: (nowMs) => {
      wallOffsetMs = nowMs - elapsedMs
    },
    get timerCount() {
      return pending.size
    },
    get holdCount() {
      return holds.size
    },
    advance: async (durationMs) => {
      const untilMs = elapsedMs + durationMs
      await settle()
      for (let due = earliest(pending, untilMs); due !== undefined; due = earliest(pending, untilMs)) {
        pending.delete(due)
        elapsedMs = Math.max(elapsedMs, due.dueMs)
        due.callback()
        await settle()
      }
      elapsedMs = untilMs
    },
  }
}

/** One real turn of the event loop: all microtasks and the immediates set so far have run. */
function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve))
}

function earliest(pending: ReadonlySet<Pending>, untilMs: number): Pending | undefined {
  let found: Pending | undefined
  for (const entry of pending) {
    if (entry.dueMs > untilMs) continue
    if (found === undefined || entry.dueMs < found.dueMs || (entry.dueMs === found.dueMs && entry.order < found.order)) {
      found = entry
    }
  }
  return found
}
