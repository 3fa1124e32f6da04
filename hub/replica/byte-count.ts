/**
 * @module replica/byte-count — how many bytes of a log lie below two marks, counted since the log was opened and without reading it: the high
 * watermark, and the last stable offset, which is at most that.
 *
 * The marks only rise, so what lies below one is a sum, and only the appends above the lower one are kept one by one.
 */

/** Bytes of one append. */
interface Append {
  readonly endOffset: number
  readonly sizeBytes: number
}

/** One mark: how many appends lie below it, and their bytes. */
interface Cursor {
  /** Index of the first append above. */
  at: number
  belowBytes: number
}

/** See the module. */
export class ByteCount {
  /** Appends that are not below both marks. */
  #appends: Append[] = []
  readonly #watermark: Cursor = { at: 0, belowBytes: 0 }
  readonly #stable: Cursor = { at: 0, belowBytes: 0 }

  /** `sizeBytes` were appended from `baseOffset` to `endOffset` (nothing, when a retry was recognised). */
  add(baseOffset: number, endOffset: number, sizeBytes: number): void {
    if (endOffset === baseOffset) return
    // A full device took the end of the log back; other batches stand at these offsets now.
    while (this.#appends.length > this.#watermark.at && (this.#appends.at(-1) as Append).endOffset > baseOffset) this.#appends.pop()
    this.#appends.push({ endOffset, sizeBytes })
  }

  /** Bytes below a high watermark, which is not below those asked for before. */
  below(offset: number): number {
    return this.#advance(this.#watermark, offset)
  }

  /** Bytes below a last stable offset, which is not below those asked for before, nor above the high watermark that was asked for last. */
  belowStable(offset: number): number {
    return this.#advance(this.#stable, offset)
  }

  #advance(cursor: Cursor, offset: number): number {
    const appends = this.#appends
    for (let next = appends[cursor.at]; next !== undefined && next.endOffset <= offset; next = appends[cursor.at]) {
      cursor.belowBytes += next.sizeBytes
      cursor.at++
    }
    // Half of the list at a time, not each entry by itself.
    const done = this.#stable.at
    if (done > appends.length / 2) {
      appends.splice(0, done)
      this.#stable.at = 0
      this.#watermark.at -= done
    }
    return cursor.belowBytes
  }
}
