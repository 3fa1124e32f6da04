/** @module log/gate — lets a limited number of pieces of work run at the same time; the others wait in order. */

/** See the module. */
export class Gate {
  readonly #countMax: number
  readonly #waiting: (() => void)[] = []
  #runningCount = 0

  constructor(countMax: number) {
    this.#countMax = countMax
  }

  async run<T>(work: () => Promise<T>): Promise<T> {
    if (this.#runningCount >= this.#countMax) await new Promise<void>((resolve) => this.#waiting.push(resolve))
    else this.#runningCount++
    try {
      return await work()
    } finally {
      const next = this.#waiting.shift()
      if (next === undefined) this.#runningCount--
      else next()
    }
  }
}
