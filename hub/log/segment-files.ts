/** @module log/segment-files — bounds how many closed segments of a directory are held open for reading, least recently read first. */
/** What is bounded: a segment that can be closed while nobody reads it. */
export interface ClosableSegment {
  readonly userCount: number
  closeFile(): void
}

/** Shared by the logs of a directory. */
export class SegmentFiles {
  /** Bytes read at once when an index is rebuilt. */
  readonly chunkBytes: number
  /** Distance of the entries of a rebuilt index. */
  readonly indexIntervalBytes = 4096
  readonly #countMax: number
  readonly #open = new Set<ClosableSegment>()

  constructor(countMax: number, chunkBytes: number) {
    this.#countMax = countMax
    this.chunkBytes = chunkBytes
  }

  get openCount(): number {
    return this.#open.size
  }

  /** The segment, which is not pinned, was read just now. */
  used(segment: ClosableSegment): void {
    this.#open.delete(segment)
    this.#open.add(segment)
    this.evict()
  }

  /** The segment is gone. */
  forget(segment: ClosableSegment): void {
    this.#open.delete(segment)
  }

  /** Closes what is over the limit and not being read. */
  evict(): void {
    if (this.#open.size <= this.#countMax) return
    for (const segment of this.#open) {
      if (this.#open.size <= this.#countMax) break
      if (segment.userCount > 0) continue
      this.#open.delete(segment)
      segment.closeFile()
    }
  }
}
