/** @module connect/tasks/bell — wakes a loop: one waiter, and a ring that nobody waited for is not lost. */
import type { Clock } from '../../io/index.ts'

/** Something that happens now and then, and one loop that looks what it was. */
export class Bell {
  readonly #clock: Clock
  #isRung = false
  #wake: (() => void) | null = null

  constructor(clock: Clock) {
    this.#clock = clock
  }

  ring(): void {
    this.#isRung = true
    this.#wake?.()
  }

  /** Resolves at the next ring, at once if there was one since the last wait, or after `timeoutMs`. One caller at a time. */
  async wait(timeoutMs = Number.POSITIVE_INFINITY): Promise<void> {
    if (!this.#isRung && timeoutMs > 0) {
      await new Promise<void>((resolve) => {
        const timer = timeoutMs === Number.POSITIVE_INFINITY ? null : this.#clock.timer(timeoutMs, resolve)
        this.#wake = () => {
          timer?.cancel()
          resolve()
        }
      })
      this.#wake = null
    }
    this.#isRung = false
  }
}
