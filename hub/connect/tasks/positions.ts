/**
 * @module connect/tasks/positions — which source positions may be stored now. Pure.
 *
 * Records are sent in units that are acknowledged as a whole and in any order. A position of a source partition may be stored once every
 * unit with an earlier record of the same source partition is acknowledged: one slow unit holds up its own source partitions, no others.
 * A position that was moved without a record waits for all that was sent before it, whatever its source partition.
 *
 * ```
 *   unit      1 ✓   2 …   3 ✓                     unit 2 acknowledged:
 *   part a    10          14       a: 10 (14 waits: 12 of unit 2 comes before)      a: 14
 *   part a          12             b: 7                                             b: 7
 *   part b                7
 * ```
 * Source: `SubmittedRecords` of Kafka Connect, there record by record.
 */
import type { CommittedOffset, OffsetValue, SourceOffset, SourcePartition } from '@millrace/sdk'

/** A waiting position: after which unit it comes, and whether all units before must be acknowledged or only its own. */
interface Entry {
  readonly unit: Unit
  readonly isBarrier: boolean
  offset: SourceOffset
}

interface Partition {
  /** Its key among all. */
  readonly text: string
  readonly partition: SourcePartition
  /** Waiting, in order, from `#head` on. */
  entries: Entry[]
  head: number
  /** What may be stored and is not yet known to be. */
  storable: SourceOffset | null
}

/** Records that are acknowledged together. */
export interface Unit {
  readonly number: number
  readonly isAcknowledged: boolean
}

interface OpenUnit extends Unit {
  isAcknowledged: boolean
  readonly partitions: Set<Partition>
}

/** Consumed entries before a queue is packed. */
const PACK_ENTRY_COUNT = 64

/** Positions of one task on their way to the offsets topic. */
export class Positions {
  readonly #partitions = new Map<string, Partition>()
  /** With something to store. */
  readonly #storable = new Set<Partition>()
  /** With a barrier in their queue. */
  readonly #barred = new Set<Partition>()
  /** In order, those before `#head` acknowledged. */
  #units: OpenUnit[] = []
  #head = 0
  #nextNumber = 1
  #last: Partition | null = null

  /** Begins the next unit. */
  begin(): Unit {
    const unit: OpenUnit = { number: this.#nextNumber++, isAcknowledged: false, partitions: new Set() }
    this.#units.push(unit)
    return unit
  }

  /**
   * The latest unit has a record of this partition, after which it stands at this offset. Both are copied: a source may use one object
   * again and again.
   */
  note(unit: Unit, partition: SourcePartition, given: SourceOffset): void {
    const offset = { ...given }
    const state = this.#partition(partition)
    const tail = state.entries.at(-1)
    if (tail !== undefined && state.entries.length > state.head && tail.unit === unit && !tail.isBarrier) {
      tail.offset = offset
      return
    }
    state.entries.push({ unit, isBarrier: false, offset })
    ;(unit as OpenUnit).partitions.add(state)
  }

  /** The partition stands at this offset once all that was begun so far is acknowledged. */
  advance(partition: SourcePartition, given: SourceOffset): void {
    const offset = { ...given }
    const state = this.#partition(partition)
    const unit = this.#units.at(-1)
    const tail = state.entries.length > state.head ? state.entries.at(-1) : undefined
    if (unit === undefined || this.isIdle) {
      // Nothing is on its way, so nothing of this partition waits either.
      this.#store(state, offset)
    } else if (tail?.unit === unit && tail.isBarrier) {
      tail.offset = offset
    } else {
      state.entries.push({ unit, isBarrier: true, offset })
      this.#barred.add(state)
    }
  }

  /** Everything of the unit is delivered, filtered or tolerated. */
  acknowledge(unit: Unit): void {
    const open = unit as OpenUnit
    if (open.isAcknowledged) return
    open.isAcknowledged = true
    while (this.#units[this.#head]?.isAcknowledged) this.#head++
    for (const state of open.partitions) this.#fold(state)
    open.partitions.clear()
    for (const state of this.#barred) this.#fold(state)
    if (this.#head < PACK_ENTRY_COUNT) return
    // The last one stays: barriers refer to it.
    this.#units = this.#units.slice(Math.min(this.#head, this.#units.length - 1))
    this.#head = this.#units[0]?.isAcknowledged === true ? 1 : 0
  }

  /** Whether all units are acknowledged. */
  get isIdle(): boolean {
    return this.#head >= this.#units.length
  }

  /** The oldest unit that is not acknowledged; null when there is none. */
  get oldestOpenNumber(): number | null {
    return this.#units[this.#head]?.number ?? null
  }

  /** Source partitions with something on its way or to be stored. */
  get partitionCount(): number {
    return this.#partitions.size
  }

  /** What may be stored now and is not yet known to be. */
  storable(): CommittedOffset[] {
    return Array.from(this.#storable, ({ partition, storable }) => ({ partition, offset: storable as SourceOffset }))
  }

  /** A list that {@link storable} gave is stored; what has moved on since remains to be. */
  markStored(stored: readonly CommittedOffset[]): void {
    for (const { partition, offset } of stored) {
      const state = this.#partition(partition)
      if (state.storable !== offset) continue
      state.storable = null
      this.#storable.delete(state)
      this.#forget(state)
    }
  }

  /** A source may have a partition for every file it meets: one that rests is kept in the offsets topic only. */
  #forget(state: Partition): void {
    if (state.entries.length > 0) return
    this.#partitions.delete(state.text)
    if (this.#last === state) this.#last = null
  }

  #store(state: Partition, offset: SourceOffset): void {
    state.storable = offset
    this.#storable.add(state)
  }

  /** Takes from the front of a queue what waits no longer. */
  #fold(state: Partition): void {
    const { entries } = state
    const firstOpen = this.#units[this.#head]?.number ?? Number.POSITIVE_INFINITY
    let head = state.head
    for (; head < entries.length; head++) {
      const { unit, isBarrier, offset } = entries[head] as Entry
      if (isBarrier ? unit.number >= firstOpen : !unit.isAcknowledged) break
      this.#store(state, offset)
    }
    state.head = head
    if (head === entries.length) {
      state.entries = []
      state.head = 0
      this.#barred.delete(state)
    } else if (head >= PACK_ENTRY_COUNT) {
      state.entries = entries.slice(head)
      state.head = 0
    }
  }

  /** Sources give the same partition again and again, mostly as an object of its own: the one before is tried first. */
  #partition(partition: SourcePartition): Partition {
    if (this.#last !== null && isSame(this.#last.partition, partition)) return this.#last
    const key = partitionText(partition)
    let state = this.#partitions.get(key)
    if (state === undefined) {
      state = { text: key, partition: { ...partition }, entries: [], head: 0, storable: null }
      this.#partitions.set(key, state)
    }
    this.#last = state
    return state
  }
}

function isSame(one: SourcePartition, other: SourcePartition): boolean {
  let count = 0
  for (const name in other) {
    if (one[name] !== other[name] || one[name] === undefined) return false
    count++
  }
  for (const _name in one) count--
  return count === 0
}

/** Text that is equal for equal partitions, whatever the order of their members; 1 and 1n are one number (they are stored as one). */
function partitionText(partition: SourcePartition): string {
  const members = Object.entries(partition).sort(([one], [other]) => (one < other ? -1 : 1))
  return JSON.stringify(members.map(([name, value]) => [name, memberText(value)]))
}

function memberText(value: OffsetValue): string {
  return typeof value === 'string' ? JSON.stringify(value) : String(value)
}
