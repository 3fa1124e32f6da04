/**
 * @module replica/watermark — waiting on a mark that only rises.
 *
 * A waiting fetch is one promise over the marks of its partitions: it resolves at the first rise or at the deadline;
 * nothing polls (style, «A produced batch», step 8).
 */
import type { Clock } from '../io/index.ts'

/** A number that only rises, and those who wait for it. */
export class RisingMark {
  #value: number
  readonly #listeners = new Set<() => void>()

  constructor(value: number) {
    this.#value = value
  }

  get value(): number {
    return this.#value
  }

  /** Raises the mark and wakes who waits; a value that is not higher changes nothing (a watermark never falls while it is led). */
  raise(value: number): void {
    if (value <= this.#value) return
    this.#value = value
    this.wake()
  }

  /** Wakes every waiter without a rise: what the mark belongs to went away, and they must look again. */
  wake(): void {
    for (const listener of this.#listeners) listener()
  }

  /** Calls `listener` at each rise, in the same turn; it may take itself off. */
  listen(listener: () => void): void {
    this.#listeners.add(listener)
  }

  unlisten(listener: () => void): void {
    this.#listeners.delete(listener)
  }
}

/** A mark and the value that the waiter has already acted on. */
export interface Seen {
  readonly mark: RisingMark
  readonly value: number
}

/** How a wait ended. */
type WaitOutcome = 'risen' | 'deadline'

/**
 * Resolves `risen` as soon as one of the marks is above what was seen of it (at once if that is so already), or was woken; `deadline` after
 * `delayMs`. Never rejects.
 */
export function waitForRise(seen: readonly Seen[], clock: Clock, delayMs: number): Promise<WaitOutcome> {
  if (seen.some((entry) => entry.mark.value > entry.value)) return Promise.resolve('risen')
  if (delayMs <= 0) return Promise.resolve('deadline')
  return new Promise((resolve) => {
    const settle = (outcome: WaitOutcome): void => {
      timer.cancel()
      for (const entry of seen) entry.mark.unlisten(onRise)
      resolve(outcome)
    }
    const onRise = (): void => settle('risen')
    const timer = clock.timer(delayMs, () => settle('deadline'))
    for (const entry of seen) entry.mark.listen(onRise)
  })
}
