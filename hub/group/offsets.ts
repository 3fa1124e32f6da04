/**
 * @module group/offsets — the committed offsets of one partition of `__consumer_offsets`, and those that are being written.
 *
 * An offset is visible once its record is synced. Until then its slot only counts what is under way: a tombstone must also
 * cover a commit that stands before it in the log but is not yet known to be there.
 *
 * An offset that a transaction commits is pending until the transaction's marker is in the log (KIP-98): then it becomes visible, unless a
 * commit that stands behind it in the log is visible already, or it is dropped. A tombstone takes the pending ones of its key along.
 */
import type { CommittedOffset, OffsetKey } from './records.ts'

const NO_PRODUCER_ID = -1

/** One offset: what readers see, what open transactions will make of it, and how many appends for it have no outcome yet. */
interface Slot {
  committed: CommittedOffset | null
  /** Place of the committed one in the order of the log. */
  committedAt: number
  /** By producer id; null for none. */
  pending: Map<number, PendingOffset> | null
  underWayCount: number
}

/** What the transaction of a producer commits, and its place in the order of the log. */
interface PendingOffset {
  readonly value: CommittedOffset
  readonly at: number
}

/** An offset with its key, as iteration gives it. */
export interface StoredOffset {
  readonly key: OffsetKey
  /** Null while the first commit is under way, or pending. */
  readonly committed: CommittedOffset | null
  /** An append for it has no outcome yet. */
  readonly underWay: boolean
  /** An open transaction commits it. */
  readonly isPending: boolean
}

/** Offsets by group, topic, partition. What it is told happened must come in the order of the log. */
export class OffsetStore {
  readonly #groups = new Map<string, Map<string, Map<number, Slot>>>()
  /** producer id → what its open transaction commits */
  readonly #transactions = new Map<number, Map<Slot, OffsetKey>>()
  #now = 0

  /** Groups with an offset, written, pending or under way. */
  groupIds(): IterableIterator<string> {
    return this.#groups.keys()
  }

  /** Whether the group has an offset, written, pending or under way. */
  hasGroup(groupId: string): boolean {
    return this.#groups.has(groupId)
  }

  /** The visible offset. */
  get(key: OffsetKey): CommittedOffset | null {
    return this.#groups.get(key.groupId)?.get(key.topic)?.get(key.partition)?.committed ?? null
  }

  /** Whether there is such an offset, written, pending or under way. */
  holds(key: OffsetKey): boolean {
    return this.#groups.get(key.groupId)?.get(key.topic)?.has(key.partition) ?? false
  }

  /** Whether an open transaction commits this offset. */
  isPending(key: OffsetKey): boolean {
    return (this.#groups.get(key.groupId)?.get(key.topic)?.get(key.partition)?.pending ?? null) !== null
  }

  /** All offsets of a group, topic by topic. */
  *ofGroup(groupId: string): Generator<StoredOffset> {
    for (const [topic, partitions] of this.#groups.get(groupId) ?? []) {
      for (const [partition, { committed, underWayCount, pending }] of partitions) {
        yield { key: { groupId, topic, partition }, committed, underWay: underWayCount > 0, isPending: pending !== null }
      }
    }
  }

  /** An append for this offset begins; exactly one {@link settle} or {@link settlePending} must follow. */
  begin(key: OffsetKey): void {
    this.#slot(key).underWayCount++
  }

  /** The append ended. `outcome`: the value that is now visible, null for a tombstone, undefined when nothing was written. */
  settle(key: OffsetKey, outcome: CommittedOffset | null | undefined): void {
    const slot = this.#slot(key)
    slot.underWayCount--
    if (outcome !== undefined) this.#write(slot, outcome)
    this.#tidy(key, slot)
  }

  /** The append of a transaction's offset ended. `outcome`: what the transaction commits, undefined when nothing was written. */
  settlePending(key: OffsetKey, producerId: number, outcome: CommittedOffset | undefined): void {
    const slot = this.#slot(key)
    slot.underWayCount--
    if (outcome !== undefined) this.#writePending(key, slot, producerId, outcome)
    this.#tidy(key, slot)
  }

  /** A producer's transaction ended: what it commits becomes visible, or was never there. Nothing for a producer without an open one. */
  completeTransaction(producerId: number, isCommit: boolean): void {
    const slots = this.#transactions.get(producerId)
    this.#transactions.delete(producerId)
    for (const [slot, key] of slots ?? []) {
      const pending = slot.pending?.get(producerId)
      slot.pending?.delete(producerId)
      if (slot.pending?.size === 0) slot.pending = null
      // A plain commit may have come after it: the later of the two in the log stands.
      if (isCommit && pending !== undefined && (slot.committed === null || pending.at > slot.committedAt)) {
        slot.committed = pending.value
        slot.committedAt = pending.at
      }
      this.#tidy(key, slot)
    }
  }

  /** Puts in what the log holds, of a transaction when there is a producer id; null takes out. */
  load(key: OffsetKey, value: CommittedOffset | null, producerId: number): void {
    const slot = this.#slot(key)
    if (value === null || producerId === NO_PRODUCER_ID) this.#write(slot, value)
    else this.#writePending(key, slot, producerId, value)
    this.#tidy(key, slot)
  }

  #write(slot: Slot, value: CommittedOffset | null): void {
    slot.committed = value
    slot.committedAt = ++this.#now
    if (value !== null) return
    for (const producerId of slot.pending?.keys() ?? []) this.#forget(slot, producerId)
    slot.pending = null
  }

  #writePending(key: OffsetKey, slot: Slot, producerId: number, value: CommittedOffset): void {
    slot.pending ??= new Map()
    slot.pending.set(producerId, { value, at: ++this.#now })
    getOrMake(this.#transactions, producerId, () => new Map<Slot, OffsetKey>()).set(slot, key)
  }

  #forget(slot: Slot, producerId: number): void {
    const slots = this.#transactions.get(producerId)
    slots?.delete(slot)
    if (slots?.size === 0) this.#transactions.delete(producerId)
  }

  #slot(key: OffsetKey): Slot {
    const topics = getOrMake(this.#groups, key.groupId, () => new Map<string, Map<number, Slot>>())
    const partitions = getOrMake(topics, key.topic, () => new Map<number, Slot>())
    return getOrMake(partitions, key.partition, () => ({ committed: null, committedAt: 0, pending: null, underWayCount: 0 }))
  }

  #tidy(key: OffsetKey, { committed, pending, underWayCount }: Slot): void {
    if (committed !== null || pending !== null || underWayCount > 0) return
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
