/**
 * @module log/time-index — `.timeindex`: sparse map from timestamp to offset. An entry is 12 bytes: the largest timestamp so far (int64),
 * last offset of the batch that brought it less the segment's base offset (int32). Pure; the segment reads and writes the file.
 * Source: org.apache.kafka.storage.internals.log.TimeIndex.
 */
import { readInt64, writeInt64 } from './byte-order.ts'
import { grown, isZero, trimmed } from './offset-index.ts'

/** Bytes of one entry. */
export const TIME_INDEX_ENTRY_BYTES = 12

/** Entries of one segment, in a buffer that has the file's format. Times are ms since 1970, offsets relative to the segment's base. */
export class TimeIndex {
  #bytes: Buffer = trimmed(Buffer.alloc(0), 0)
  #count = 0

  /** Takes a file's content as far as its entries grow and stay below `endRelativeOffset`; see `OffsetIndex.load`. */
  load(content: Buffer, endRelativeOffset: number): boolean {
    this.#count = 0
    const count = Math.floor(content.length / TIME_INDEX_ENTRY_BYTES)
    let [lastTimestampMs, lastOffset] = [-1, -1]
    while (this.#count < count) {
      const at = this.#count * TIME_INDEX_ENTRY_BYTES
      const high = content.readInt32BE(at)
      if (high < 0 || high > 0x1fffff) break
      const timestampMs = readInt64(content, at)
      const offset = content.readInt32BE(at + 8)
      if (timestampMs <= lastTimestampMs || offset < lastOffset || offset >= endRelativeOffset) break
      lastTimestampMs = timestampMs
      lastOffset = offset
      this.#count++
    }
    if (this.#count === 1 && lastTimestampMs === 0 && lastOffset === 0) this.#count = 0
    this.#bytes = trimmed(content, this.#count * TIME_INDEX_ENTRY_BYTES)
    return isZero(content, this.#count * TIME_INDEX_ENTRY_BYTES)
  }

  get entryCount(): number {
    return this.#count
  }

  /** Adds an entry unless its time is not later than the last one's. */
  maybeAppend(timestampMs: number, relativeOffset: number): void {
    if (timestampMs < 0 || (this.#count > 0 && timestampMs <= this.timestampAt(this.#count - 1))) return
    const at = this.#count * TIME_INDEX_ENTRY_BYTES
    if (at + TIME_INDEX_ENTRY_BYTES > this.#bytes.length) this.#bytes = grown(this.#bytes, at)
    writeInt64(this.#bytes, timestampMs, at)
    this.#bytes.writeInt32BE(relativeOffset, at + 8)
    this.#count++
  }

  /** Relative offset of the last entry whose time is ≤ `timestampMs`, 0 if none: no batch before it reaches that time. */
  lookup(timestampMs: number): number {
    let [low, high] = [-1, this.#count - 1]
    while (low < high) {
      const middle = (low + high + 1) >>> 1
      if (this.timestampAt(middle) <= timestampMs) low = middle
      else high = middle - 1
    }
    return low < 0 ? 0 : this.offsetAt(low)
  }

  timestampAt(index: number): number {
    return readInt64(this.#bytes, index * TIME_INDEX_ENTRY_BYTES)
  }

  offsetAt(index: number): number {
    return this.#bytes.readInt32BE(index * TIME_INDEX_ENTRY_BYTES + 8)
  }

  /** Keeps the first `entryCount` entries. */
  truncate(entryCount: number): void {
    this.#count = Math.min(this.#count, entryCount)
  }

  /** Drops the entries at and beyond a relative offset. */
  truncateFrom(relativeOffset: number): void {
    while (this.#count > 0 && this.offsetAt(this.#count - 1) >= relativeOffset) this.#count--
  }

  /** The entries from `fromEntry` on in the file's format; a copy. */
  bytes(fromEntry = 0): Buffer {
    return Buffer.from(this.#bytes.subarray(fromEntry * TIME_INDEX_ENTRY_BYTES, this.#count * TIME_INDEX_ENTRY_BYTES))
  }
}
