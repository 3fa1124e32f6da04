/**
 * @module replica/byte-count — how many bytes of a log lie below an offset, counted since the log was opened and without reading it.
 *
 * Offsets that are asked for only rise (they are high watermarks), so what lies below the last one is one sum, and only the appends above
 * it, which are not durable yet, are kept one by one.
 */

/** Bytes of one append. */
interface Append {
  readonly endOffset: number
  readonly sizeBytes: number
}

/** See the module. */
export class ByteCount {
  /** Appends at or above the last offset asked for, from `#at` on. */
  #appends: Append[] = []
  #at = 0
  #belowBytes = 0

  /** `sizeBytes` were appended from `baseOffset` to `endOffset` (nothing, when a retry was recognised). */
  add(baseOffset: number, endOffset: number, sizeBytes: number): void {
    if (endOffset === baseOffset) return
    // A full device took the end of the log back; other batches stand at these offsets now.
    while (this.#appends.length > this.#at && (this.#appends.at(-1) as Append).endOffset > baseOffset) this.#appends.pop()
    this.#appends.push({ endOffset, sizeBytes })
  }

  /** Bytes below `offset`, which is not below the offsets asked for before. */
  below(offset: number): number {
    for (let next = this.#appends[this.#at]; next !== undefined && next.endOffset <= offset; next = this.#appends[this.#at]) {
      this.#belowBytes += next.sizeBytes
      this.#at++
    }
    // Half of the list at a time, not each entry by itself.
    if (this.#at > this.#appends.length / 2) {
      this.#appends.splice(0, this.#at)
      this.#at = 0
    }
    return this.#belowBytes
  }
}
