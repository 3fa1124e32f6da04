/** @module rest/context — what the resources have in common: the worker, and a bound on how long it may take. */
import type { Connect } from '../connect/index.ts'
import { RestFailure } from './failure.ts'

/** The time, as hub/io's Clock gives it. */
export interface RestClock {
  nowMs(): number
  timer(delayMs: number, callback: () => void): { cancel(): void }
}

/** What a resource works with. */
export interface RestContext {
  /** The worker, once it has read its topics. @throws RestFailure 503 while there is none, the worker's own failure when it does not get there */
  connect(): Promise<Connect>
  /** The worker, undefined while there is none yet. */
  readonly connectIfAny: () => Connect | undefined
  /**
   * What the worker answers, or a failure 500 once it has taken too long. `stage` says what goes on then, as in "reading the offsets of
   * connector X". The work itself goes on: what it wrote may come to hold.
   */
  ask<T>(stage: string, work: (connect: Connect) => Promise<T>): Promise<T>
}

/** Upstream's RestServer.DEFAULT_REST_REQUEST_TIMEOUT_MS. */
export const REQUEST_MS_MAX = 90_000

/** Makes the context of an app. */
export function createRestContext(connectIfAny: () => Connect | undefined, clock: RestClock, requestMs: number): RestContext {
  const connect = async (): Promise<Connect> => {
    const worker = connectIfAny()
    if (worker === undefined) throw new RestFailure(503, 'The Connect worker is still starting.')
    await worker.started()
    return worker
  }
  return {
    connectIfAny,
    connect,
    ask: async (stage, work) => {
      const beginMs = clock.nowMs()
      const { promise: late, reject } = Promise.withResolvers<never>()
      const timer = clock.timer(requestMs, () => {
        const since = new Date(beginMs).toISOString()
        reject(new RestFailure(500, `Request timed out. The worker is currently ${stage}, which began at ${since}`))
      })
      try {
        return await Promise.race([connect().then(work), late])
      } finally {
        timer.cancel()
      }
    },
  }
}
