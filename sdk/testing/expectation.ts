/**
 * @module sdk/testing/expectation — how checks say what is wrong, and how long they wait. No test runner is needed.
 */

/** A plugin does not keep the contract; the message says which part and what to do. */
export class AcceptanceError extends Error {
  override readonly name = 'AcceptanceError'
}

/** One check. Register it in any runner: `for (const { name, run } of checks) it(name, run)`. */
export interface AcceptanceCheck {
  readonly name: string
  /** Resolves when the plugin passes; rejects with an {@link AcceptanceError} or with what the plugin threw. */
  readonly run: () => Promise<void>
}

/** Fails a check unless something holds. */
export function expectThat(holds: boolean, message: string): asserts holds {
  if (!holds) throw new AcceptanceError(message)
}

/** Fails a check when a promise takes longer than `ms`. */
export async function within<T>(ms: number, promise: Promise<T>, what: string): Promise<T> {
  const late = await orLate(ms, promise)
  if (late === undefined) throw new AcceptanceError(`${what} took longer than ${ms} ms`)
  return late.value
}

/** The outcome of a promise, or undefined when it is not there after `ms`. */
export async function orLate<T>(ms: number, promise: Promise<T>): Promise<{ readonly value: T } | undefined> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<undefined>((resolve) => {
    timer = setTimeout(() => resolve(undefined), ms)
  })
  try {
    return await Promise.race([promise.then((value) => ({ value })), late])
  } finally {
    clearTimeout(timer)
  }
}

/** Waits; ends early when the signal aborts. */
export function pause(ms: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal?.aborted === true) return resolve()
    const end = (): void => {
      clearTimeout(timer)
      signal?.removeEventListener('abort', end)
      resolve()
    }
    const timer = setTimeout(end, ms)
    signal?.addEventListener('abort', end, { once: true })
  })
}
