/**
 * @module replica/watermark — waiting on a mark that only rises.
 *
 * A waiting fetch is one promise over the marks of its partitions: it resolves when they have brought enough bytes, when one of them went
 * away, or at the deadline; nothing polls and nothing is read meanwhile (style, «A produced batch», step 8).
 */
import type { Clock } from '../io/index.ts'

/** A number that only rises, and those who wait for it. */
export class RisingMark {
  #value: number
  #isEnded = false
  readonly #listeners = new Set<() => void>()

  constructor(value: number) {
    this.#value = value
  }

  get value(): number {
    return this.#value
  }

  /** True when what the mark belongs to went away: it will rise no more. */
  get isEnded(): boolean {
    return this.#isEnded
  }

  /** Raises the mark and wakes who waits; a value that is not higher changes nothing (a watermark never falls while it is led). */
  raise(value: number): void {
    if (value <= this.#value) return
    this.#value = value
    for (const listener of this.#listeners) listener()
  }

  /** What the mark belongs to went away: wakes every waiter, and lets nobody wait from now on. */
  end(): void {
    this.#isEnded = true
    for (const listener of this.#listeners) listener()
  }

  /** Calls `listener` at each rise and at the end, in the same turn; it may take itself off. */
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
  /** Bytes that the rise since `value` brought; a mark without it is worth any wait (the hub stops, the client is gone). */
  readonly gainedBytes?: () => number
}

/** How a wait ended. */
type WaitOutcome = 'risen' | 'deadline'

/**
 * Resolves `risen` as soon as the marks together have brought `missingBytes` above what was seen of them, or one that brings no bytes has
 * risen, or one has ended (at once if that is so already); `deadline` after `delayMs`. Never rejects.
 */
export function waitForRise(seen: readonly Seen[], clock: Clock, delayMs: number, missingBytes = 0): Promise<WaitOutcome> {
  const gains = seen.map(gainOf)
  let gainedBytes = gains.reduce((sum, gain) => sum + gain, 0)
  const isEnough = (): boolean => gainedBytes > 0 && gainedBytes >= missingBytes
  if (isEnough()) return Promise.resolve('risen')
  if (delayMs <= 0) return Promise.resolve('deadline')
  return new Promise((resolve) => {
    const waits = seen.map((entry, at) => {
      const listener = (): void => {
        const gain = gainOf(entry)
        gainedBytes += gain - (gains[at] ?? 0)
        gains[at] = gain
        if (isEnough()) settle('risen')
      }
      return { mark: entry.mark, listener }
    })
    const settle = (outcome: WaitOutcome): void => {
      timer.cancel()
      for (const { mark, listener } of waits) mark.unlisten(listener)
      resolve(outcome)
    }
    const timer = clock.timer(delayMs, () => settle('deadline'))
    for (const { mark, listener } of waits) mark.listen(listener)
  })
}

/** What has come of a mark: bytes; Infinity where that ends any wait. */
function gainOf({ mark, value, gainedBytes }: Seen): number {
  if (mark.isEnded) return Number.POSITIVE_INFINITY
  if (mark.value <= value) return 0
  return gainedBytes === undefined ? Number.POSITIVE_INFINITY : gainedBytes()
}
