/**
 * @module log/epochs — which leader epoch begins at which offset (KIP-101): the answer to OffsetForLeaderEpoch. Pure; the log keeps the file.
 * Source: org.apache.kafka.storage.internals.epoch.LeaderEpochFileCache.
 */
import type { EpochEntry } from './checkpoints.ts'

/** Answer when nothing is known about an epoch. */
const UNKNOWN = { leaderEpoch: -1, endOffset: -1 } as const

/** Leader epochs of one log, oldest first: epochs grow, starts do not go back. */
export class LeaderEpochs {
  #entries: readonly EpochEntry[] = []

  /** The same array until something changes, then another one: whoever keeps it keeps that moment. */
  get entries(): readonly EpochEntry[] {
    return this.#entries
  }

  /** −1 when empty. */
  get latest(): number {
    return this.#entries.at(-1)?.epoch ?? -1
  }

  reset(entries: readonly EpochEntry[]): void {
    this.#entries = entries
  }

  /**
   * A batch of `epoch` begins at `startOffset`. Returns whether that says anything new: a later epoch, or that the latest one began earlier.
   * An older epoch is ignored, −1 too: a scan comes by batches whose epochs are known.
   */
  assign(epoch: number, startOffset: number): boolean {
    const last = this.#entries.at(-1)
    if (epoch < 0 || (last !== undefined && (epoch < last.epoch || (epoch === last.epoch && startOffset >= last.startOffset)))) return false
    this.#put(epoch, startOffset)
    return true
  }

  /** A leader of `epoch` begins at the log's end. As Kafka's `assign`: the leader's word holds against later epochs too, which go. */
  begin(epoch: number, logEndOffset: number): boolean {
    if (epoch < 0 || epoch === this.latest) return false
    this.#put(epoch, logEndOffset)
    return true
  }

  /** What does not stand before the new entry in both fields gives way to it. */
  #put(epoch: number, startOffset: number): void {
    const kept = this.#entries.filter((entry) => entry.epoch < epoch && entry.startOffset < startOffset)
    this.#entries = [...kept, { epoch, startOffset }]
  }

  /** Forgets what begins at or beyond the end of a truncated log: another leader wrote that. Returns whether anything did. */
  truncateFromEnd(endOffset: number): boolean {
    return this.#keep((entry) => entry.startOffset < endOffset)
  }

  /**
   * Forgets what begins beyond the end of a log that lost its tail, or was emptied. An epoch that begins right there stays: it did begin,
   * and its clients are told that it ended there instead of that nothing is known about it.
   */
  truncateBeyond(endOffset: number): boolean {
    return this.#keep((entry) => entry.startOffset <= endOffset)
  }

  #keep(isKept: (entry: EpochEntry) => boolean): boolean {
    const kept = this.#entries.filter(isKept)
    if (kept.length === this.#entries.length) return false
    this.#entries = kept
    return true
  }

  /** Forgets epochs that end at or before the new start; the one that holds it begins there now. */
  truncateFromStart(startOffset: number): boolean {
    const index = this.#entries.findLastIndex((entry) => entry.startOffset <= startOffset)
    const holder = this.#entries[index]
    if (holder === undefined || (index === 0 && holder.startOffset === startOffset)) return false
    this.#entries = [{ epoch: holder.epoch, startOffset }, ...this.#entries.slice(index + 1)]
    return true
  }

  /** Epoch of the batch that holds `offset`, or of the latest one below; −1 if unknown. */
  epochForOffset(offset: number): number {
    return this.#entries.findLast((entry) => entry.startOffset <= offset)?.epoch ?? -1
  }

  /** Where the largest epoch ≤ `leaderEpoch` ends; of the latest epoch that is the log's end. */
  endOffsetFor(leaderEpoch: number, logEndOffset: number): { readonly leaderEpoch: number; readonly endOffset: number } {
    if (leaderEpoch < 0 || this.#entries.length === 0) return UNKNOWN
    if (leaderEpoch === this.latest) return { leaderEpoch, endOffset: logEndOffset }
    const higher = this.#entries.find((entry) => entry.epoch > leaderEpoch)
    if (higher === undefined) return UNKNOWN
    const floor = this.#entries.findLast((entry) => entry.epoch <= leaderEpoch)
    return { leaderEpoch: floor?.epoch ?? leaderEpoch, endOffset: higher.startOffset }
  }
}
