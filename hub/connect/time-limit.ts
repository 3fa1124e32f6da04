/** @module connect/time-limit — requests are answered within a time, whatever they wait for. */
import type { Clock } from '../io/index.ts'

/** What a promise gives. Rejects with `late()` when it takes longer than `limitMs`, with the signal's reason when that aborts first. */
export async function inTime<T>(
  promise: Promise<T>,
  {
    clock,
    limitMs,
    signal,
    late,
  }: { readonly clock: Clock; readonly limitMs: number; readonly signal: AbortSignal; readonly late: () => Error },
): Promise<T> {
  const end = Promise.withResolvers<never>()
  const timer = clock.timer(limitMs, () => end.reject(late()))
  const onAbort = (): void => end.reject(signal.reason)
  signal.addEventListener('abort', onAbort, { once: true })
  // Whoever is late fails alone.
  promise.catch(() => {})
  try {
    signal.throwIfAborted()
    return await Promise.race([promise, end.promise])
  } finally {
    timer.cancel()
    signal.removeEventListener('abort', onAbort)
  }
}
