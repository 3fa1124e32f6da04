/** @module client/deadline — calls that end in time: a signal that a clock, a caller or a closing client can abort. */
import type { Clock } from '../io/index.ts'
import { ClientError } from './errors.ts'

/** Runs `run` with a signal that aborts when one of `parents` does, or with a `timeout` ClientError after `timeoutMs`. */
export async function withDeadline<T>(
  clock: Clock,
  timeoutMs: number,
  parents: readonly (AbortSignal | undefined)[],
  what: string,
  run: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  for (const parent of parents) parent?.throwIfAborted()
  const deadline = boundedSignal(clock, timeoutMs, parents, what)
  try {
    return await run(deadline.signal)
  } finally {
    deadline.release()
  }
}

/** A signal that aborts when one of `parents` does (or has), or with a `timeout` ClientError after `timeoutMs`; released, it stays as it is. */
export function boundedSignal(
  clock: Clock,
  timeoutMs: number,
  parents: readonly (AbortSignal | undefined)[],
  what: string,
): { readonly signal: AbortSignal; release(): void } {
  const controller = new AbortController()
  const onAbort = (event: Event): void => controller.abort((event.target as AbortSignal).reason)
  for (const parent of parents) {
    if (parent?.aborted) controller.abort(parent.reason)
    else parent?.addEventListener('abort', onAbort, { once: true })
  }
  const timer = clock.timer(timeoutMs, () => controller.abort(new ClientError('timeout', `${what}: no success within ${timeoutMs} ms`)))
  return {
    signal: controller.signal,
    release: () => {
      timer.cancel()
      for (const parent of parents) parent?.removeEventListener('abort', onAbort)
    },
  }
}

/** The promise's outcome, or the signal's reason if that aborts first. The promise goes on unobserved. */
export function abortable<T>(promise: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (signal === undefined) return promise
  return new Promise((resolve, reject) => {
    if (signal.aborted) {
      promise.catch(() => {})
      reject(signal.reason)
      return
    }
    const onAbort = (): void => reject(signal.reason)
    signal.addEventListener('abort', onAbort, { once: true })
    promise.then(resolve, reject).finally(() => signal.removeEventListener('abort', onAbort))
  })
}

/** Something that many wait for and that happens again and again. */
export class Bell {
  #waiters = new Set<() => void>()

  /** Wakes all who wait. */
  ring(): void {
    const waiters = this.#waiters
    this.#waiters = new Set()
    for (const wake of waiters) wake()
  }

  /** Resolves at the next ring, or after `timeoutMs`; rejects with the signal's reason when that aborts first. */
  wait(clock: Clock, timeoutMs: number, signal?: AbortSignal): Promise<void> {
    if (signal?.aborted) return Promise.reject(signal.reason)
    return new Promise((resolve, reject) => {
      const leave = (): void => {
        timer.cancel()
        this.#waiters.delete(done)
        signal?.removeEventListener('abort', onAbort)
      }
      const done = (): void => {
        leave()
        resolve()
      }
      const onAbort = (): void => {
        leave()
        reject(signal?.reason)
      }
      const timer = clock.timer(timeoutMs, done)
      this.#waiters.add(done)
      signal?.addEventListener('abort', onAbort, { once: true })
    })
  }
}
