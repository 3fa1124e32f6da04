/**
 * @module io/memory-content — the bytes of one file in memory, with what a power cut would leave of them.
 *
 * Bytes stand in pages, so that a growing file is never copied. What was overwritten or cut off since the last sync is
 * kept in an undo list; appends cost nothing there but the old size, which is what a log does nearly always.
 */

/** Bytes per page; the first page of a small file grows up to it. */
const PAGE_BYTES = 64 * 1024
/** What a device writes whole or not at all. */
const SECTOR_BYTES = 512

interface Overwritten {
  readonly positionBytes: number
  readonly before: Buffer
}

/** Content of a file. All positions and sizes are bytes. */
export class MemoryContent {
  #pages: Buffer[] = []
  #sizeBytes = 0
  #syncedSizeBytes = 0
  #undo: Overwritten[] = []
  /** What the device has instead of bytes that a failed sync dropped; void where something was written since. */
  #dropped: Overwritten[] = []
  readonly #keepsUndo: boolean

  /** `keepsUndo` false: `crashed` is not available and nothing is kept for it (a disk that serves as a data directory). */
  constructor(keepsUndo: boolean) {
    this.#keepsUndo = keepsUndo
  }

  get sizeBytes(): number {
    return this.#sizeBytes
  }

  write(chunk: Buffer, positionBytes: number): void {
    this.#remember(positionBytes, Math.min(positionBytes + chunk.length, this.#sizeBytes))
    const endBytes = positionBytes + chunk.length
    this.#dropped = this.#dropped.flatMap((part) => partsOutside(part, positionBytes, endBytes))
    this.#reserve(endBytes)
    for (let doneBytes = 0; doneBytes < chunk.length; ) {
      const at = positionBytes + doneBytes
      const page = this.#page(at)
      doneBytes += chunk.copy(page, at % PAGE_BYTES, doneBytes)
    }
    this.#sizeBytes = Math.max(this.#sizeBytes, endBytes)
  }

  read(target: Buffer, positionBytes: number): number {
    const countBytes = Math.max(0, Math.min(target.length, this.#sizeBytes - positionBytes))
    for (let doneBytes = 0; doneBytes < countBytes; ) {
      const at = positionBytes + doneBytes
      const from = at % PAGE_BYTES
      const stepBytes = Math.min(PAGE_BYTES - from, countBytes - doneBytes)
      doneBytes += this.#page(at).copy(target, doneBytes, from, from + stepBytes)
    }
    return countBytes
  }

  truncate(sizeBytes: number): void {
    if (sizeBytes < this.#sizeBytes) {
      this.#remember(sizeBytes, this.#sizeBytes)
      this.#dropped = this.#dropped.flatMap((part) => partsOutside(part, sizeBytes, Number.POSITIVE_INFINITY))
      this.#pages.length = Math.ceil(sizeBytes / PAGE_BYTES)
      // What a later write leaves between the old and the new end must read as zeros.
      if (sizeBytes % PAGE_BYTES > 0) this.#page(sizeBytes).fill(0, sizeBytes % PAGE_BYTES)
    } else {
      this.#reserve(sizeBytes)
    }
    this.#sizeBytes = sizeBytes
  }

  sync(): void {
    this.#undo = []
    this.#syncedSizeBytes = this.#sizeBytes
  }

  /**
   * A sync failed, and the system gave up on what it was to write: reads go on to show it, and a later sync says nothing, but the device will not
   * have it unless it is written again (Linux marks pages clean that it could not write).
   */
  drop(): void {
    if (!this.#keepsUndo) return
    if (this.#sizeBytes > this.#syncedSizeBytes) {
      this.#dropped.push({ positionBytes: this.#syncedSizeBytes, before: Buffer.alloc(this.#sizeBytes - this.#syncedSizeBytes) })
    }
    // The oldest state of a place is what the device has: it comes last.
    this.#dropped.push(...this.#undo.toReversed())
  }

  bytes(): Buffer {
    const all = Buffer.alloc(this.#sizeBytes)
    this.read(all, 0)
    return all
  }

  /** The file as it was when `sync` last returned. */
  synced(): Buffer {
    const all = Buffer.alloc(Math.max(this.#sizeBytes, this.#syncedSizeBytes))
    this.read(all, 0)
    for (const { positionBytes, before } of this.#undo.toReversed()) before.copy(all, positionBytes)
    this.#applyDropped(all)
    return all.subarray(0, this.#syncedSizeBytes)
  }

  /**
   * The file after a power cut in which each unsynced sector got to the device or not as `chance` (floats in [0, 1))
   * says, and the size stopped anywhere between the synced and the present one; what did not arrive reads as before, or
   * as zeros where the file was longer than its data.
   */
  torn(chance: () => number): Buffer {
    const before = this.synced()
    const now = this.bytes()
    this.#applyDropped(now)
    const sizeBytes = before.length + Math.round(chance() * (now.length - before.length))
    const left = Buffer.alloc(sizeBytes)
    before.copy(left)
    for (let at = 0; at < Math.min(sizeBytes, now.length); at += SECTOR_BYTES) {
      const end = Math.min(at + SECTOR_BYTES, now.length)
      if (before.subarray(at, end).equals(now.subarray(at, end))) continue
      if (chance() < 0.5) now.copy(left, at, at, end)
    }
    return left
  }

  #applyDropped(all: Buffer): void {
    for (const { positionBytes, before } of this.#dropped) before.copy(all, positionBytes)
  }

  #remember(fromBytes: number, toBytes: number): void {
    const endBytes = Math.min(toBytes, this.#syncedSizeBytes)
    if (!this.#keepsUndo || fromBytes >= endBytes) return
    const before = Buffer.alloc(endBytes - fromBytes)
    this.read(before, fromBytes)
    this.#undo.push({ positionBytes: fromBytes, before })
  }

  #page(positionBytes: number): Buffer {
    const page = this.#pages[Math.floor(positionBytes / PAGE_BYTES)]
    if (page === undefined) throw new RangeError(`position ${positionBytes} is beyond what is reserved`)
    return page
  }

  #reserve(endBytes: number): void {
    const lastIndex = Math.ceil(endBytes / PAGE_BYTES) - 1
    if (lastIndex < 0) return
    this.#growFirst(lastIndex === 0 ? endBytes : PAGE_BYTES)
    for (let index = this.#pages.length; index <= lastIndex; index++) this.#pages[index] = Buffer.alloc(PAGE_BYTES)
  }

  /** Only the first page may be short: a data directory holds many small files. */
  #growFirst(neededBytes: number): void {
    const first = this.#pages[0]
    const haveBytes = first?.length ?? 0
    if (haveBytes >= neededBytes) return
    const grown = Buffer.alloc(Math.max(neededBytes, Math.min(PAGE_BYTES, haveBytes * 2)))
    first?.copy(grown)
    this.#pages[0] = grown
  }
}

/** What of the part lies before or behind a range. */
function partsOutside({ positionBytes, before }: Overwritten, fromBytes: number, toBytes: number): Overwritten[] {
  const endBytes = positionBytes + before.length
  const parts: Overwritten[] = []
  if (positionBytes < fromBytes) parts.push({ positionBytes, before: before.subarray(0, fromBytes - positionBytes) })
  if (endBytes > toBytes) {
    const restFrom = Math.max(positionBytes, toBytes)
    parts.push({ positionBytes: restFrom, before: before.subarray(restFrom - positionBytes) })
  }
  return parts
}
