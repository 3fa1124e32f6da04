/**
 * @module log/transaction-index — `<base offset>.txnindex`: the aborted transactions whose marker stands in a segment, in the order of the
 * markers. A transaction may begin in an earlier segment. The file is made with the first entry. Pure.
 *
 * Kafka's AbortedTxn version 0, 34 bytes an entry: int16 version, then int64 each: producer id, first offset, offset of the marker, last
 * stable offset. Source: org.apache.kafka.storage.internals.log.TransactionIndex.
 */
import { readInt64, writeInt64 } from './byte-order.ts'
import type { AbortedEntry } from './transactions.ts'

export const TRANSACTION_INDEX_ENTRY_BYTES = 34
const VERSION = 0

/** Entries in memory; their marker offsets rise. */
export class TransactionIndex {
  #entries: AbortedEntry[] = []

  get entryCount(): number {
    return this.#entries.length
  }

  /** In the order of the markers. */
  get entries(): readonly AbortedEntry[] {
    return this.#entries
  }

  append(entry: AbortedEntry): void {
    this.#entries.push(entry)
  }

  /** Keeps the first `entryCount`. */
  truncate(entryCount: number): void {
    if (entryCount < this.#entries.length) this.#entries.length = entryCount
  }

  /** A copy of the entries from `fromEntry` on, as the file has them. */
  bytes(fromEntry: number): Buffer {
    const buffer = Buffer.alloc(Math.max(0, this.#entries.length - fromEntry) * TRANSACTION_INDEX_ENTRY_BYTES)
    for (let index = fromEntry, at = 0; at < buffer.length; index++, at += TRANSACTION_INDEX_ENTRY_BYTES) {
      const entry = this.#entries[index] as AbortedEntry
      buffer.writeInt16BE(VERSION, at)
      writeInt64(buffer, entry.producerId, at + 2)
      writeInt64(buffer, entry.firstOffset, at + 10)
      writeInt64(buffer, entry.lastOffset, at + 18)
      writeInt64(buffer, entry.lastStableOffset, at + 26)
    }
    return buffer
  }

  /**
   * Takes the entries of a file whose markers lie in [baseOffset, endOffset), in place of what there is; what follows them in the file is
   * left out. Returns false when something before it is damaged: another version, a marker that does not rise or lies below the segment.
   */
  load(content: Buffer, baseOffset: number, endOffset: number): boolean {
    this.#entries = []
    let minOffset = baseOffset
    for (let at = 0; at + TRANSACTION_INDEX_ENTRY_BYTES <= content.length; at += TRANSACTION_INDEX_ENTRY_BYTES) {
      const [firstOffset, lastOffset] = [readInt64(content, at + 10), readInt64(content, at + 18)]
      const isWhole = content.readInt16BE(at) === VERSION && firstOffset >= 0 && firstOffset <= lastOffset && lastOffset >= minOffset
      if (!isWhole) return false
      if (lastOffset >= endOffset) return true
      this.append({ producerId: readInt64(content, at + 2), firstOffset, lastOffset, lastStableOffset: readInt64(content, at + 26) })
      minOffset = lastOffset + 1
    }
    return true
  }

  /**
   * Adds to `found` what overlaps [fetchOffset, endOffset). Returns whether that is all there is: an entry's last stable offset says that
   * every transaction which ends later begins at or beyond `endOffset`.
   */
  collect(fetchOffset: number, endOffset: number, found: AbortedEntry[]): boolean {
    for (const entry of this.#entries) {
      if (entry.lastOffset >= fetchOffset && entry.firstOffset < endOffset) found.push(entry)
      if (entry.lastStableOffset >= endOffset) return true
    }
    return false
  }
}
