/**
 * @module client/calls — keeps the process alive while a caller waits for an answer of this client.
 *
 * A client that has lost its brokers has no socket either, only reminders of when to dial again, and those let a process
 * end. So every promise that a caller got is counted, and while one is open the clock holds the process. What a client does
 * on its own (heartbeats, refreshing metadata, fetching ahead) is not counted.
 */
import type { Clock, Hold } from '../io/index.ts'

/** The open calls of one client. */
export class Calls {
  readonly #clock: Clock
  #count = 0
  #hold: Hold | null = null

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** Makes the call, which counts as open until its promise settles; passes on its outcome. */
  async run<T>(call: () => Promise<T>): Promise<T> {
    this.#count++
    this.#hold ??= this.#clock.hold()
    try {
      return await call()
    } finally {
      this.#count--
      if (this.#count === 0) this.#letGo()
    }
  }

  /** The same function, its calls counted. */
  counted<A extends unknown[], T>(call: (...args: A) => Promise<T>): (...args: A) => Promise<T> {
    return (...args) => this.run(() => call(...args))
  }

  #letGo(): void {
    this.#hold?.release()
    this.#hold = null
  }
}
