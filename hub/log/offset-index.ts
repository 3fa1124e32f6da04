/**
 * @module log/offset-index — `.index`: sparse map from offset to position in a segment. An entry is 8 bytes: last offset of a batch
 * less the segment's base offset (int32), position of the batch's first byte (int32). Pure; the segment reads and writes the file.
 * Source: org.apache.kafka.storage.internals.log.OffsetIndex.
 */

/** Bytes of one entry. */
export const OFFSET_INDEX_ENTRY_BYTES = 8
const FIRST_CAPACITY_BYTES = 64
const NOTHING = Buffer.alloc(0)

/** Entries of one segment, in a buffer that has the file's format. Positions are bytes in the segment, offsets are relative to its base. */
export class OffsetIndex {
  #bytes: Buffer = NOTHING
  #count = 0

  /**
   * Takes a file's content: the longest run of entries that grow in both fields and stay below `endPosition`. Kafka preallocates index
   * files, so zeros at the end are no damage. Returns whether everything but such zeros was taken.
   */
  load(content: Buffer, endPosition: number): boolean {
    this.#count = 0
    const count = Math.floor(content.length / OFFSET_INDEX_ENTRY_BYTES)
    // Position 0 is never indexed (the walk begins there anyway), so an all-zero entry is preallocation.
    let [lastOffset, lastPosition] = [-1, 0]
    while (this.#count < count) {
      const at = this.#count * OFFSET_INDEX_ENTRY_BYTES
      const offset = content.readInt32BE(at)
      const position = content.readInt32BE(at + 4)
      if (offset <= lastOffset || position <= lastPosition || position >= endPosition) break
      lastOffset = offset
      lastPosition = position
      this.#count++
    }
    this.#bytes = trimmed(content, this.#count * OFFSET_INDEX_ENTRY_BYTES)
    return isZero(content, this.#count * OFFSET_INDEX_ENTRY_BYTES)
  }

  get entryCount(): number {
    return this.#count
  }

  /** Adds an entry; the caller sees to it that both fields grow. */
  append(relativeOffset: number, position: number): void {
    const at = this.#count * OFFSET_INDEX_ENTRY_BYTES
    if (at + OFFSET_INDEX_ENTRY_BYTES > this.#bytes.length) this.#bytes = grown(this.#bytes, at)
    this.#bytes.writeInt32BE(relativeOffset, at)
    this.#bytes.writeInt32BE(position, at + 4)
    this.#count++
  }

  /** Index of the last entry with an offset ≤ `relativeOffset`, −1 if none. */
  floor(relativeOffset: number): number {
    let [low, high] = [-1, this.#count - 1]
    while (low < high) {
      const middle = (low + high + 1) >>> 1
      if (this.offsetAt(middle) <= relativeOffset) low = middle
      else high = middle - 1
    }
    return low
  }

  offsetAt(index: number): number {
    return this.#bytes.readInt32BE(index * OFFSET_INDEX_ENTRY_BYTES)
  }

  positionAt(index: number): number {
    return this.#bytes.readInt32BE(index * OFFSET_INDEX_ENTRY_BYTES + 4)
  }

  /** Keeps the first `entryCount` entries. */
  truncate(entryCount: number): void {
    this.#count = Math.min(this.#count, entryCount)
  }

  /** The entries from `fromEntry` on in the file's format; a copy, since the buffer goes on growing. */
  bytes(fromEntry = 0): Buffer {
    return Buffer.from(this.#bytes.subarray(fromEntry * OFFSET_INDEX_ENTRY_BYTES, this.#count * OFFSET_INDEX_ENTRY_BYTES))
  }
}

/** A larger buffer with the first `usedBytes` of the old one. */
export function grown(bytes: Buffer, usedBytes: number): Buffer {
  const larger = Buffer.alloc(Math.max(FIRST_CAPACITY_BYTES, usedBytes * 2))
  bytes.copy(larger, 0, 0, usedBytes)
  return larger
}

/** The first `usedBytes`, without keeping the rest alive: a file is read into far more memory than an idle log's index needs. */
export function trimmed(content: Buffer, usedBytes: number): Buffer {
  return usedBytes === 0 ? NOTHING : Buffer.from(content.subarray(0, usedBytes))
}

/** Whether all bytes from `from` on are zero. */
export function isZero(content: Buffer, from: number): boolean {
  for (let at = from; at < content.length; at++) if (content[at] !== 0) return false
  return true
}
