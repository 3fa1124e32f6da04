/**
 * @module connector-file/lines — bytes in, lines out, with the position after each. Pure.
 *
 * A line ends with `\n`, `\r\n` or a lone `\r`, as `FileStreamSourceTask` has it; what has no end yet is held back, and so is a last `\r`
 * that may become a `\r\n`. Bytes that are no UTF-8 become U+FFFD.
 */

/** Limits of {@link Lines}. */
export const lineLimits = {
  /** Bytes of one line without its end; 64 MiB. */
  lineBytesMax: 64 * 1024 * 1024,
  /** Bytes that one read asks for; 1 MiB. */
  chunkBytes: 1024 * 1024,
} as const

const LF = 10
const CR = 13

/** A line is longer than the limit. */
export class LineTooLong extends Error {
  override readonly name = 'LineTooLong'
}

/** Cuts what is read at `readPosition` into lines. Ask for `room`, read into it, say how much was `filled`, take lines until undefined. */
export class Lines {
  /** Byte offset of the first byte that was not handed out: reading goes on from here after a restart. */
  position: number
  readonly #lineBytesMax: number
  #bytes: Buffer
  /** What of `bytes` is filled. */
  #view: Buffer
  #start = 0
  /** Up to here there is no end of a line. */
  #scanned = 0
  /** The next `\r` and the next `\n`, −1 for none. Kept, since looking for the one that is far away before each of the other would be quadratic. */
  #return = -1
  #feed = -1

  constructor(position = 0, limits: Partial<typeof lineLimits> | { lineBytesMax?: number; chunkBytes?: number } = {}) {
    const { lineBytesMax, chunkBytes } = { ...lineLimits, ...limits }
    this.position = position
    this.#lineBytesMax = lineBytesMax
    this.#bytes = Buffer.allocUnsafe(Math.min(chunkBytes, lineBytesMax + 1))
    this.#view = this.#bytes.subarray(0, 0)
  }

  /** Where the next byte comes from: behind what is held back. */
  get readPosition(): number {
    return this.position + this.#view.length - this.#start
  }

  /** Begins anew at a position; what was held back is dropped. */
  restart(position: number): void {
    this.position = position
    this.#start = 0
    this.#seen(0, 0)
  }

  /**
   * Where to read into; never empty.
   * @throws LineTooLong when what is held back has reached the limit
   */
  room(): Buffer {
    const heldCount = this.#view.length - this.#start
    if (this.#start > 0) {
      this.#bytes.copyWithin(0, this.#start, this.#view.length)
      this.#start = 0
      this.#seen(heldCount, heldCount)
    }
    if (heldCount > this.#lineBytesMax) throw new LineTooLong(`a line is longer than ${this.#lineBytesMax} bytes`)
    if (heldCount === this.#bytes.length) {
      const grown = Buffer.allocUnsafe(Math.min(heldCount * 2, this.#lineBytesMax + 1))
      this.#bytes.copy(grown, 0, 0, heldCount)
      this.#bytes = grown
    }
    return this.#bytes.subarray(heldCount)
  }

  /** `count` bytes stand in what `room` gave. */
  filled(count: number): void {
    this.#seen(this.#view.length + count, this.#scanned)
  }

  #seen(end: number, scanned: number): void {
    this.#view = this.#bytes.subarray(0, end)
    // A `\r` that was held back at the end is looked at again.
    this.#scanned = scanned > 0 && this.#view[scanned - 1] === CR ? scanned - 1 : scanned
    this.#return = this.#view.indexOf(CR, this.#scanned)
    this.#feed = this.#view.indexOf(LF, this.#scanned)
  }

  /** The next whole line, without its end; `position` is then behind that end. undefined: read more. */
  next(): string | undefined {
    const feed = this.#feed
    if (this.#return !== -1 && (feed === -1 || this.#return < feed)) return this.#endedByReturn()
    if (feed !== -1) return this.#cut(feed, feed + 1)
    this.#scanned = this.#view.length
    return undefined
  }

  #endedByReturn(): string | undefined {
    const at = this.#return
    const after = this.#view[at + 1]
    if (after === undefined) {
      this.#scanned = at
      return undefined
    }
    return this.#cut(at, after === LF ? at + 2 : at + 1)
  }

  #cut(end: number, next: number): string {
    const line = this.#view.toString('utf8', this.#start, end)
    this.position += next - this.#start
    this.#start = next
    this.#scanned = next
    if (this.#return !== -1 && this.#return < next) this.#return = this.#view.indexOf(CR, next)
    if (this.#feed !== -1 && this.#feed < next) this.#feed = this.#view.indexOf(LF, next)
    return line
  }

  /** What is held back, as the last line of something that has ended; undefined where there is nothing. Moves `position` behind it. */
  rest(): string | undefined {
    const end = this.#view.length
    if (this.#start === end) return undefined
    const isReturned = this.#view[end - 1] === CR
    return this.#cut(isReturned ? end - 1 : end, end)
  }
}
