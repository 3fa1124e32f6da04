/**
 * @module connect/tasks/retry — how long to wait before something is tried again. Pure.
 *
 * Upstream's rule (`RetryWithToleranceOperator`): 300 ms, doubling; at the cap a random part of it, so that tasks that failed together do
 * not come back together.
 */
import { isEngineError, type RetriableError } from '@millrace/sdk'

/** First wait. */
export const RETRY_DELAY_MS = 300

/** Milliseconds before attempt `attemptCount` + 1. `chance` is in [0, 1). */
export function retryDelayMs(attemptCount: number, delayMsMax: number, chance: number): number {
  const delayMs = RETRY_DELAY_MS * 2 ** Math.min(attemptCount - 1, 40)
  return delayMs > delayMsMax ? Math.floor(delayMsMax * chance) : delayMs
}

/** Whether an error says that the same call may succeed later. */
export function isRetriable(error: unknown): error is RetriableError {
  return isEngineError(error) && error.next === 'retry'
}

/** The wait that the error itself asks for, else the back-off. */
export function delayAfterMs(error: RetriableError, attemptCount: number, delayMsMax: number, chance: number): number {
  const { afterMs } = error
  return afterMs !== undefined && afterMs >= 0 ? afterMs : retryDelayMs(attemptCount, delayMsMax, chance)
}
