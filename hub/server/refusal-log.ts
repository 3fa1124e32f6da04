/**
 * @module server/refusal-log — tells why connections were closed, without letting hostile peers fill the log: some lines of each window are written, the rest
 * are counted and told in one line.
 */
import type { Clock } from '../io/index.ts'
import type { Logger } from '../observe/index.ts'

/** Lines of one window, and how long a window is. */
export const REFUSAL_LOG_LIMITS = { linesMax: 20, windowMs: 10_000 } as const

/** See the module. */
export class RefusalLog {
  readonly #logger: Logger
  readonly #clock: Clock
  #windowEndMs = 0
  #lineCount = 0
  #heldBackCount = 0

  constructor(logger: Logger, clock: Clock) {
    this.#logger = logger
    this.#clock = clock
  }

  /** Writes the line, or counts it. */
  warn(line: string): void {
    const nowMs = this.#clock.monotonicMs()
    if (nowMs >= this.#windowEndMs) {
      this.#tellHeldBack()
      this.#windowEndMs = nowMs + REFUSAL_LOG_LIMITS.windowMs
      this.#lineCount = 0
    }
    if (this.#lineCount++ < REFUSAL_LOG_LIMITS.linesMax) {
      this.#logger.warn(line)
      return
    }
    // The line of a burst that nothing follows must be told too.
    if (this.#heldBackCount++ === 0) this.#clock.timer(this.#windowEndMs - nowMs, () => this.#tellHeldBack())
  }

  #tellHeldBack(): void {
    if (this.#heldBackCount === 0) return
    this.#logger.warn(`${this.#heldBackCount} more connections were closed for such reasons`)
    this.#heldBackCount = 0
  }
}
