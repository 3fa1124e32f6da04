/**
 * @module connect/tasks/life — what the lives of all tasks have in common: start, pause, the order to end, the grace, the cut-off.
 *
 * ```
 *   body runs ── stop(graceMs) ──▶ `ending` aborts ── grace over ──▶ `cut` aborts: nothing of the plugin is waited for any more
 * ```
 */
import { setMaxListeners } from 'node:events'
import type { Awaitable } from '@millrace/sdk'
import type { Clock } from '../../io/index.ts'
import { Bell } from './bell.ts'
import type { RunningTask } from './types.ts'

/** The grace is over: what was waited for is given up. Never leaves the tasks room. */
export class CutOffError extends Error {
  override readonly name = 'CutOffError'
}

/** A task as seen from inside. */
export interface TaskLife {
  readonly clock: Clock
  /** Aborts when the task must end, by a stop or a failure. The plugin's signal. */
  readonly ending: AbortSignal
  /** Aborts, with a CutOffError, when the grace of a stop is over. */
  readonly cut: AbortSignal
  readonly isPaused: boolean
  /** Rung when one of the above has changed; the body may ring it too. */
  readonly bell: Bell
  /** `started` resolves. */
  markStarted(): void
  /** Aborts `ending`: the body has failed. */
  end(): void
}

/**
 * Runs a task. `body` starts, works until `ending` aborts, cleans up and returns; it rejects with what fails the task, and comes to its end
 * soon after `cut` aborts.
 */
export function runTask(clock: Clock, isPaused: boolean, body: (life: TaskLife) => Promise<void>): RunningTask {
  const ending = new AbortController()
  const cut = new AbortController()
  // A source may wait in many places at once; that is no leak.
  setMaxListeners(0, ending.signal, cut.signal)
  const bell = new Bell(clock)
  const start = Promise.withResolvers<void>()
  let paused = isPaused
  const life: TaskLife = {
    clock,
    ending: ending.signal,
    cut: cut.signal,
    bell,
    get isPaused() {
      return paused
    },
    markStarted: start.resolve,
    end: () => ending.abort(),
  }
  // A body that throws before its first wait rejects as any other.
  const done = (async () => body(life))()
  done.then(start.resolve, start.reject)
  // Whoever started the task may look at its end later.
  done.catch(() => {})
  start.promise.catch(() => {})
  const setPaused = (next: boolean): void => {
    paused = next
    bell.ring()
  }
  return {
    started: start.promise,
    done,
    pause: () => setPaused(true),
    resume: () => setPaused(false),
    async stop(graceMs) {
      ending.abort()
      bell.ring()
      const timer = clock.timer(graceMs, () => {
        cut.abort(new CutOffError('the grace of the stop is over'))
        bell.ring()
      })
      await done.catch(() => {})
      timer.cancel()
    },
  }
}

/**
 * What the plugin gives, or the signal's reason if that aborts first; the promise then goes on unobserved. Query builders give things that
 * are no Promise but have a `then`.
 */
export function unless<T>(signal: AbortSignal, outcome: Awaitable<T>): Awaitable<T> {
  if (typeof (outcome as { then?: unknown } | null | undefined)?.then !== 'function') return outcome
  return new Promise((resolve, reject) => {
    const onAbort = (): void => reject(signal.reason)
    if (signal.aborted) onAbort()
    else signal.addEventListener('abort', onAbort, { once: true })
    const leave = (): void => signal.removeEventListener('abort', onAbort)
    Promise.resolve(outcome).then(resolve, reject).finally(leave)
  })
}

/** A call that had its time. */
export class TimeLimitError extends Error {
  override readonly name = 'TimeLimitError'
}

/** Runs `call` for at most `timeMsMax`, and until `parent` aborts; the signal that it is given tells it. */
export async function withinMs<T>(
  clock: Clock,
  timeMsMax: number,
  parent: AbortSignal,
  call: (signal: AbortSignal) => Awaitable<T>,
): Promise<T> {
  const limit = new AbortController()
  const timer = clock.timer(timeMsMax, () => limit.abort(new TimeLimitError(`not done within ${timeMsMax} ms`)))
  const leave = (): void => limit.abort(parent.reason)
  if (parent.aborted) leave()
  else parent.addEventListener('abort', leave, { once: true })
  try {
    return await unless(limit.signal, call(limit.signal))
  } finally {
    timer.cancel()
    parent.removeEventListener('abort', leave)
  }
}
