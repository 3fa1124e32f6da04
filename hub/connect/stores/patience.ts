/** @module connect/stores/patience — trying again until it works: waits that grow, and one line in the log an outage. */
import type { ClientWorld } from '../../client/index.ts'
import type { Logger } from '../../observe/index.ts'

/** Waits between attempts. */
const WAITS = {
  /** First wait in ms; it doubles. */
  firstMs: 100,
  /** Longest wait in ms. */
  maxMs: 5_000,
  /** Share by which waits differ, so that workers that failed together don't return together. */
  jitterShare: 0.2,
} as const

/** The outage of one thing. */
export class Patience {
  readonly #what: string
  readonly #world: ClientWorld
  readonly #logger: Logger
  #failureCount = 0
  #sinceMs = 0

  /** `what`: what does not work, as in "reading topic x". */
  constructor(what: string, world: ClientWorld, logger: Logger) {
    this.#what = what
    this.#world = world
    this.#logger = logger
  }

  /** It failed: says so the first time, and resolves when it should be tried again; rejects when the signal aborts before. */
  async wait(error: unknown, signal: AbortSignal): Promise<void> {
    const { clock, random } = this.#world
    if (this.#failureCount === 0) {
      this.#sinceMs = clock.monotonicMs()
      this.#logger.warn(`${this.#what} fails, and is tried again: ${error instanceof Error ? error.message : String(error)}`, { error })
    }
    const plainMs = Math.min(WAITS.firstMs * 2 ** Math.min(this.#failureCount, 30), WAITS.maxMs)
    this.#failureCount++
    await clock.sleep(plainMs * (1 - WAITS.jitterShare + 2 * WAITS.jitterShare * random.float()), signal)
  }

  /** It works: says so if it did not before. */
  worked(): void {
    if (this.#failureCount === 0) return
    const outageMs = Math.round(this.#world.clock.monotonicMs() - this.#sinceMs)
    this.#logger.info(`${this.#what} works again`, { attempts: this.#failureCount, outageMs })
    this.#failureCount = 0
  }
}
