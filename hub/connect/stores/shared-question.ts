/** @module connect/stores/shared-question — one question that many ask: no answer is older than the call that gets it. */

/**
 * Asks one at a time. Whoever comes while a question is under way shares the next one with all others who came meanwhile: the answer on its
 * way may be older than his call.
 */
export class SharedQuestion<T> {
  readonly #ask: () => Promise<T>
  #current: Promise<T> | null = null
  #next: Promise<T> | null = null

  constructor(ask: () => Promise<T>) {
    this.#ask = ask
  }

  /** An answer to a question that is asked after this call. */
  answer(): Promise<T> {
    if (this.#current !== null) {
      this.#next ??= this.#after(this.#current)
      return this.#next
    }
    this.#current = this.#ask().finally(() => {
      this.#current = null
    })
    return this.#current
  }

  async #after(current: Promise<T>): Promise<T> {
    // Its failure is told to those who asked for it.
    await current.catch(() => {})
    this.#next = null
    return this.answer()
  }
}
