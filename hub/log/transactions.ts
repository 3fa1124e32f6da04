/**
 * @module log/transactions — the transactions of one log that hold back the last stable offset: those that are open, and those whose marker is
 * not below the high watermark yet (a reader must not see data as decided by a marker that could still be lost). Pure.
 * Source: KIP-98; org.apache.kafka.storage.internals.log.ProducerStateManager (ongoingTxns, unreplicatedTxns).
 */

/** An aborted transaction as `.txnindex` keeps it. Offsets are inclusive: the first record's and the marker's. */
export interface AbortedEntry {
  readonly producerId: number
  readonly firstOffset: number
  readonly lastOffset: number
  /** Where the last stable offset came to stand with this marker: a search for an end at or below it needs no later entry. */
  readonly lastStableOffset: number
}

interface Decided {
  readonly firstOffset: number
  readonly markerOffset: number
}

/** See the module. */
export class OpenTransactions {
  /** Producer ids by first offset, in order of the offsets: transactions begin at the log's end. */
  #open = new Map<number, number>()
  /** In order of the markers. */
  #decided: Decided[] = []

  /** Producer of the transaction that began first. */
  get oldestProducerId(): number | undefined {
    return this.#open.values().next().value
  }

  /** First offset of the transaction that holds readers back at this high watermark, Infinity: none. High watermarks must not fall. */
  firstUnstableOffset(highWatermark: number): number {
    let first = Number.POSITIVE_INFINITY
    if (this.#decided.length > 0) {
      while ((this.#decided[0]?.markerOffset ?? highWatermark) < highWatermark) this.#decided.shift()
      for (const { firstOffset } of this.#decided) first = Math.min(first, firstOffset)
    }
    return this.#open.size === 0 ? first : Math.min(first, this.#firstOpen())
  }

  begin(firstOffset: number, producerId: number): void {
    this.#open.set(firstOffset, producerId)
  }

  /**
   * A marker at `markerOffset` ends the transaction. `isHeldBack`: until the high watermark has passed the marker. Returns the last stable
   * offset as far as transactions decide it, for the index.
   */
  end(firstOffset: number, markerOffset: number, isHeldBack: boolean): number {
    this.#open.delete(firstOffset)
    if (isHeldBack) this.#decided.push({ firstOffset, markerOffset })
    return this.#open.size === 0 ? markerOffset + 1 : this.#firstOpen()
  }

  /** These are open (first offset, producer id); markers at or beyond `endOffset` are no more. */
  reset(open: Iterable<readonly [number, number]>, endOffset: number): void {
    this.#open = new Map([...open].sort(([a], [b]) => a - b))
    this.#decided = this.#decided.filter(({ markerOffset }) => markerOffset < endOffset)
  }

  #firstOpen(): number {
    return this.#open.keys().next().value ?? Number.POSITIVE_INFINITY
  }
}
