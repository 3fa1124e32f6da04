/**
 * @module log/epochs — which leader epoch begins at which offset (KIP-101): the answer to OffsetForLeaderEpoch. Pure; the log keeps the file.
 * Source: org.apache.kafka.storage.internals.epoch.LeaderEpochFileCache.
 */
import type { EpochEntry } from './checkpoints.ts'

/** Answer when nothing is known about an epoch. */
const UNKNOWN = { leaderEpoch: -1, endOffset: -1 } as const

/** Leader epochs of one log, oldest first. */
export class LeaderEpochs {
  #entries: EpochEntry[] = []

  get entries(): readonly EpochEntry[] {
    return this.#entries
  }

  /** −1 when empty. */
  get latest(): number {
    return this.#entries.at(-1)?.epoch ?? -1
  }

  reset(entries: readonly EpochEntry[]): void {
    this.#entries = [...entries]
  }

  /** A batch of `epoch` begins at `startOffset`. Returns whether that is a new epoch. Epochs that do not grow are ignored, −1 too. */
  assign(epoch: number, startOffset: number): boolean {
    if (epoch <= this.latest) return false
    this.#entries.push({ epoch, startOffset })
    return true
  }

  /** Forgets what begins at or beyond the end of a cut log. Returns whether anything did. */
  truncateFromEnd(endOffset: number): boolean {
    const kept = this.#entries.filter((entry) => entry.startOffset < endOffset)
    const changed = kept.length < this.#entries.length
    this.#entries = kept
    return changed
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
