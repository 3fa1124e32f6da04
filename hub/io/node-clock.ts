/** @module io/node-clock — the time of this process and this machine. */
import type { Clock, Hold, Timer } from './ports.ts'

/** setTimeout takes at most this delay (its counter has 31 bits); longer ones are armed again when they fire. */
const TIMEOUT_DELAY_MS_MAX = 2 ** 31 - 1

/** The machine's clock and Node's timers. */
export function nodeClock(): Clock {
  return {
    nowMs: () => Date.now(),
    monotonicMs: () => performance.now(),
    timer: (delayMs, callback) => armTimer(delayMs, callback, false),
    sleep: (delayMs, signal) => sleepWith((ms, callback) => armTimer(ms, callback, true), delayMs, signal),
    soon: (callback) => {
      setImmediate(callback)
    },
    hold: holdProcess,
  }
}

/** A timer that does nothing but stand in the event loop. */
function holdProcess(): Hold {
  const handle = setInterval(() => {}, TIMEOUT_DELAY_MS_MAX)
  return { release: () => clearInterval(handle) }
}

/**
 * Node's own timer under the port's contract. `keepsAlive`: a sleeper is code that waits, so the process must not end
 * under it; a bare timer is a reminder and must not hold the process.
 */
function armTimer(delayMs: number, callback: () => void, keepsAlive: boolean): Timer {
  let handle: NodeJS.Timeout
  const arm = (remainingMs: number): void => {
    const stepMs = Math.min(remainingMs, TIMEOUT_DELAY_MS_MAX)
    handle = setTimeout(() => (remainingMs > stepMs ? arm(remainingMs - stepMs) : callback()), stepMs)
    if (!keepsAlive) handle.unref()
  }
  arm(Math.max(0, delayMs))
  return { cancel: () => clearTimeout(handle) }
}

/** {@link Clock.sleep} on top of any timer: resolves when it fires, rejects with the signal's reason when that is first. */
export function sleepWith(
  timer: (delayMs: number, callback: () => void) => Timer,
  delayMs: number,
  signal: AbortSignal | undefined,
): Promise<void> {
  if (signal?.aborted) return Promise.reject(signal.reason)
  return new Promise((resolve, reject) => {
    const onAbort = (): void => {
      armed.cancel()
      reject(signal?.reason)
    }
    const armed = timer(delayMs, () => {
      signal?.removeEventListener('abort', onAbort)
      resolve()
    })
    signal?.addEventListener('abort', onAbort, { once: true })
  })
}
