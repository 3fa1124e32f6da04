/** @module connect/tasks/turns — a busy loop lets others live: timers, sockets and orders to stop wait for the event loop's next turn. */
import type { Clock } from '../../io/index.ts'

/** Longest time that a loop keeps the event loop. */
const TURN_MS_MAX = 10

/** For a loop over plugin code that may answer at once, every time: it would go round in one turn of the event loop for ever. */
export class Turns {
  readonly #clock: Clock
  #endMs: number

  constructor(clock: Clock) {
    this.#clock = clock
    this.#endMs = clock.monotonicMs() + TURN_MS_MAX
  }

  /** To be awaited where it gives a promise: the turn has lasted long enough. */
  next(): Promise<void> | undefined {
    if (this.#clock.monotonicMs() < this.#endMs) return undefined
    return new Promise((resolve) => {
      this.#clock.soon(() => {
        this.#endMs = this.#clock.monotonicMs() + TURN_MS_MAX
        resolve()
      })
    })
  }
}
