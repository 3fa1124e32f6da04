/**
 * @module log/index-file — how far an index's file agrees with the index in memory, and the writing of what it lacks. The index may lose
 * entries while they are being written (a full disk takes batches back), so the file's count is settled only when the write has ended.
 */
import type { Disk } from '../io/index.ts'

/** An index in memory. */
export interface IndexEntries {
  readonly entryCount: number
  /** A copy of the entries from `fromEntry` on, as the file has them. */
  bytes(fromEntry: number): Buffer
}

export interface FlushOptions {
  readonly final: boolean
  readonly sync: boolean
}

/** The file of one index of one segment. */
export class IndexFile {
  readonly #entryBytes: number
  /** Entries at the head of the file that are those in memory. */
  #entryCount = 0
  /** The file may go on behind them with entries that are no more, or were never whole. */
  #isLonger = false
  /** Of the entries that are being written, those that were not taken back since. */
  #keptCount = 0

  constructor(entryBytes: number) {
    this.#entryBytes = entryBytes
  }

  /** The first `entryCount` entries of a file of `fileBytes` were taken into memory. */
  loaded(entryCount: number, fileBytes: number): void {
    this.#entryCount = entryCount
    this.#isLonger = fileBytes > entryCount * this.#entryBytes
  }

  /** Nothing in the file is to be trusted: the next flush writes it whole. */
  reset(): void {
    this.#entryCount = 0
    this.#isLonger = true
  }

  /** The index keeps `entryCount` entries. */
  rewind(entryCount: number): void {
    this.#isLonger ||= this.#entryCount > entryCount
    this.#entryCount = Math.min(this.#entryCount, entryCount)
    this.#keptCount = Math.min(this.#keptCount, entryCount)
  }

  /** Whether the file is not what `index` is. */
  isBehind(index: IndexEntries): boolean {
    return this.#isLonger || this.#entryCount !== index.entryCount
  }

  /** Writes what the file lacks. `final`: also cuts the file to its entries. `sync`: what was written is synced. Calls must not overlap. */
  async flush(index: IndexEntries, disk: Disk, path: string, { final, sync }: FlushOptions): Promise<void> {
    const [from, to] = [this.#entryCount, index.entryCount]
    const cut = final || this.#isLonger
    if (!cut && to === from) return
    const bytes = index.bytes(from)
    this.#keptCount = to
    this.#isLonger = true // until the write has succeeded: part of it may stand in the file
    const file = await disk.open(path, 'create')
    try {
      if (bytes.length > 0) await file.write([bytes], from * this.#entryBytes)
      if (cut) await file.truncate(from * this.#entryBytes + bytes.length)
      if (sync) await file.sync()
    } finally {
      await file.close()
    }
    this.#entryCount = this.#keptCount
    this.#isLonger = this.#keptCount < to
  }
}
