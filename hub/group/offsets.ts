/**
 * @module group/offsets — the committed offsets of one partition of `__consumer_offsets`, and those that are being written.
 *
 * An offset is visible once its record is synced. Until then its slot only counts what is under way: a tombstone must also
 * cover a commit that stands before it in the log but is not yet known to be there.
 */
import type { CommittedOffset, OffsetKey } from './records.ts'

/** One offset: what readers see, and how many appends for it have no outcome yet. */
interface Slot {
  committed: CommittedOffset | null
  underWayCount: number
}

/** An offset with its key, as iteration gives it. */
export interface StoredOffset {
  readonly key: OffsetKey
  /** Null while the first commit is under way. */
  readonly committed: CommittedOffset | null
  /** An append for it has no outcome yet. */
  readonly underWay: boolean
}

/** Offsets by group, topic, partition. */
export class OffsetStore {
  readonly #groups = new Map<string, Map<string, Map<number, Slot>>>()

  /** Groups with an offset, written or under way. */
  groupIds(): IterableIterator<string> {
    return this.#groups.keys()
  }

  /** Whether the group has an offset, written or under way. */
  hasGroup(groupId: string): boolean {
    return this.#groups.has(groupId)
  }

  /** The visible offset. */
  get(key: OffsetKey): CommittedOffset | null {
    return this.#groups.get(key.groupId)?.get(key.topic)?.get(key.partition)?.committed ?? null
  }

  /** All offsets of a group, topic by topic. */
  *ofGroup(groupId: string): Generator<StoredOffset> {
    for (const [topic, partitions] of this.#groups.get(groupId) ?? []) {
      for (const [partition, slot] of partitions) {
        yield { key: { groupId, topic, partition }, committed: slot.committed, underWay: slot.underWayCount > 0 }
      }
    }
  }

  /** An append for this offset begins; exactly one {@link settle} must follow. */
  begin(key: OffsetKey): void {
    this.#slot(key).underWayCount++
  }

  /** The append ended. `outcome`: the value that is now visible, null for a tombstone, undefined when nothing was written. */
  settle(key: OffsetKey, outcome: CommittedOffset | null | undefined): void {
    const slot = this.#slot(key)
    slot.underWayCount--
    if (outcome !== undefined) slot.committed = outcome
    this.#tidy(key, slot)
  }

  /** Puts in what the log holds; null takes out. */
  load(key: OffsetKey, value: CommittedOffset | null): void {
    const slot = this.#slot(key)
    slot.committed = value
    this.#tidy(key, slot)
  }

  #slot(key: OffsetKey): Slot {
    const topics = getOrMake(this.#groups, key.groupId, () => new Map<string, Map<number, Slot>>())
    const partitions = getOrMake(topics, key.topic, () => new Map<number, Slot>())
    return getOrMake(partitions, key.partition, () => ({ committed: null, underWayCount: 0 }))
  }

  #tidy(key: OffsetKey, slot: Slot): void {
    if (slot.committed !== null || slot.underWayCount > 0) return
    const topics = this.#groups.get(key.groupId)
    const partitions = topics?.get(key.topic)
    partitions?.delete(key.partition)
    if (partitions?.size === 0) topics?.delete(key.topic)
    if (topics?.size === 0) this.#groups.delete(key.groupId)
  }
}

function getOrMake<K, V>(map: Map<K, V>, key: K, make: () => V): V {
  const found = map.get(key)
  if (found !== undefined) return found
  const made = make()
  map.set(key, made)
  return made
}
