/**
 * @module log/latest-offsets — the newest offset of each key of the dirty part of a log, in bounded memory. Pure.
 *
 * Keys are kept whole. Kafka keeps a hash of them (SkimpyOffsetMap), which takes less room; but two keys of one hash would be one key, and
 * the older one's record lost.
 */

/** What an entry takes beside its key: of the map, and of the string. */
const ENTRY_BYTES = 80

/** See the module. */
export class LatestOffsets {
  readonly #offsets = new Map<string, number>()
  readonly #bytesMax: number
  #bytes = 0
  /** Everything up to it has been seen; −1: nothing. */
  latestOffset = -1

  /** `bytesMax`: `log.cleaner.dedupe.buffer.size` times `log.cleaner.io.buffer.load.factor`. */
  constructor(bytesMax: number) {
    this.#bytesMax = bytesMax
  }

  get size(): number {
    return this.#offsets.size
  }

  /** There is no room for further keys. */
  get isFull(): boolean {
    return this.#bytes >= this.#bytesMax
  }

  /** A record with this key (its bytes as latin1) stands at `offset`; offsets rise from call to call. */
  put(key: string, offset: number): void {
    const before = this.#offsets.size
    this.#offsets.set(key, offset)
    if (this.#offsets.size > before) this.#bytes += ENTRY_BYTES + key.length
  }

  /** Offset of the newest record with the key, −1: there is none. */
  get(key: string): number {
    return this.#offsets.get(key) ?? -1
  }
}
