/**
 * @module api/answer-budget — the bytes of records in answers that are being read or are not sent yet, over all connections.
 *
 * A client may ask for `fetch.max.bytes` and never read it, and many clients may. So what a fetch may read shrinks with what the others
 * hold; over the limit it still gets its first batch (KIP-74), so that readers who read go on while others stall.
 */
export class AnswerBudget {
  readonly #bytesMax: number
  #heldBytes = 0

  constructor(bytesMax: number) {
    this.#bytesMax = bytesMax
  }

  get heldBytes(): number {
    return this.#heldBytes
  }

  /** What may be read now beyond a first batch. */
  get roomBytes(): number {
    return Math.max(0, this.#bytesMax - this.#heldBytes)
  }

  take(bytes: number): void {
    this.#heldBytes += bytes
  }

  release(bytes: number): void {
    this.#heldBytes -= bytes
  }
}
