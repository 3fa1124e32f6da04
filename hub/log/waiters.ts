/**
 * @module log/waiters — who waits for a mark of a log to reach an offset. Offsets nearly always come in order, so the queue is an array
 * with a head that moves.
 */

interface Waiter {
  readonly offset: number
  readonly resolve: () => void
  readonly reject: (error: Error) => void
}

/** Waiters of one mark, by offset. */
export class Waiters {
  #queue: Waiter[] = []
  #head = 0

  /** Resolves once `reach` has been called with an offset ≥ this one; rejects with the error of `reject` before that. */
  wait(offset: number): Promise<void> {
    return new Promise((resolve, reject) => {
      const waiter = { offset, resolve, reject }
      let at = this.#queue.length
      while (at > this.#head && (this.#queue[at - 1]?.offset ?? 0) > offset) at--
      if (at === this.#queue.length) this.#queue.push(waiter)
      else this.#queue.splice(at, 0, waiter)
    })
  }

  /** The mark now stands at `offset`. */
  reach(offset: number): void {
    const queue = this.#queue
    let head = this.#head
    for (let waiter = queue[head]; waiter !== undefined && waiter.offset <= offset; waiter = queue[head]) {
      head++
      waiter.resolve()
    }
    this.#head = head
    if (head === queue.length) {
      if (head > 0) this.#queue = []
      this.#head = 0
    } else if (head > 64 && head * 2 > queue.length) {
      this.#queue = queue.slice(head)
      this.#head = 0
    }
  }

  /** Rejects those who wait for more than `aboveOffset` (default: everybody). */
  reject(error: Error, aboveOffset = -1): void {
    const live = this.#queue.slice(this.#head)
    this.#queue = live.filter((waiter) => waiter.offset <= aboveOffset)
    this.#head = 0
    for (const waiter of live) if (waiter.offset > aboveOffset) waiter.reject(error)
  }
}
