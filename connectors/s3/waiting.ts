/** @module connector-s3/waiting — waiting that a signal or the clock ends. */
import { RetriableError } from '@millrace/sdk'

/** What `work` gives, or a rejection with the signal's reason as soon as that aborts; `work` goes on unheard then. */
export async function unlessAborted<T>(signal: AbortSignal, work: Promise<T>): Promise<T> {
  const aborted = Promise.withResolvers<never>()
  const onAbort = (): void => aborted.reject(signal.reason as Error)
  if (signal.aborted) onAbort()
  else signal.addEventListener('abort', onAbort, { once: true })
  try {
    return await Promise.race([work, aborted.promise])
  } finally {
    signal.removeEventListener('abort', onAbort)
    // Who loses the race is not to be heard of as unhandled.
    work.catch(() => undefined)
    aborted.promise.catch(() => undefined)
  }
}

/**
 * What `work` gives, or after `leftMs` a RetriableError that says that `what` takes longer than `timeMsMax`; `work` goes on, and may be waited
 * for again.
 */
export async function withinMs<T>(leftMs: number, timeMsMax: number, what: string, work: Promise<T>): Promise<T> {
  const late = Promise.withResolvers<never>()
  const timer = setTimeout(() => late.reject(new RetriableError(`${what} takes longer than ${timeMsMax} ms; it goes on`)), leftMs)
  try {
    return await Promise.race([work, late.promise])
  } finally {
    clearTimeout(timer)
    work.catch(() => undefined)
  }
}
