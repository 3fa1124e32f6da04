/** @module client/assignors/sticky-equal — the sticky deal when all members want the same topics: linear, in three passes. */
import { partitionKey, type TopicPartition } from '../types.ts'
import type { StickyState } from './sticky-state.ts'
import { type Assignment, compareText, emptyAssignment } from './types.ts'

/**
 * Everybody keeps what is theirs up to the quota, then partitions go to near members, then round to whoever has room.
 * `moved` maps a partition that changes hands to its new owner.
 */
export function assignEqual(state: StickyState): {
  assignment: Assignment
  moved: Map<string, string>
} {
  return new EqualDeal(state).run()
}

class EqualDeal {
  readonly #state: StickyState
  readonly #assignment: Assignment
  readonly #moved = new Map<string, string>()
  readonly #revoked = new Set<string>()
  readonly #kept = new Set<string>()
  readonly #quotaMin: number
  readonly #quotaMax: number
  /** How many members get one more than `quotaMin`; 0 when it divides evenly. */
  readonly #overCountMax: number
  #overCount = 0
  /** Members with less than `quotaMin`. */
  #under: string[] = []
  /** Members with exactly `quotaMin` that may get one more. */
  #exact: string[] = []

  constructor(state: StickyState) {
    this.#state = state
    this.#assignment = emptyAssignment(state.members)
    let partitionCount = 0
    for (const topic of state.topics.values()) partitionCount += topic.partitionCount
    this.#quotaMin = Math.floor(partitionCount / state.members.length)
    this.#quotaMax = Math.ceil(partitionCount / state.members.length)
    this.#overCountMax = partitionCount % state.members.length
  }

  run(): { assignment: Assignment; moved: Map<string, string> } {
    for (const [memberId, owned] of this.#state.owned) this.#keepOwned(memberId, owned)
    this.#under.sort(compareText)
    this.#exact.sort(compareText)
    let undealt = this.#state.racks.scarceFirst(this.#undealt())
    if (this.#state.racks.active) undealt = undealt.filter((at) => !this.#dealNear(at))
    this.#dealRound(undealt)
    return { assignment: this.#assignment, moved: this.#moved }
  }

  #keepOwned(memberId: string, owned: readonly TopicPartition[]): void {
    const { racks, claimedTwice } = this.#state
    for (const at of owned) if (racks.mismatch(memberId, at)) this.#revoked.add(partitionKey(at.topic, at.partition))
    const mine = owned
      .filter((at) => !racks.mismatch(memberId, at) && !claimedTwice.has(partitionKey(at.topic, at.partition)))
      .sort((one, other) => one.partition - other.partition || compareText(one.topic, other.topic))
    if (mine.length < this.#quotaMin) {
      this.#keep(memberId, mine, mine.length)
      this.#under.push(memberId)
    } else if (mine.length >= this.#quotaMax && this.#overCount < this.#overCountMax) {
      this.#overCount++
      if (this.#overCount === this.#overCountMax) this.#exact = []
      this.#keep(memberId, mine, this.#quotaMax)
    } else {
      this.#keep(memberId, mine, this.#quotaMin)
      if (this.#overCount < this.#overCountMax) this.#exact.push(memberId)
    }
  }

  #keep(memberId: string, mine: readonly TopicPartition[], count: number): void {
    mine.forEach((at, index) => {
      const key = partitionKey(at.topic, at.partition)
      if (index >= count) this.#revoked.add(key)
      else {
        this.#kept.add(key)
        this.#assignment.get(memberId)?.push(at)
      }
    })
  }

  #undealt(): TopicPartition[] {
    const undealt: TopicPartition[] = []
    for (const [topic, { partitionCount }] of [...this.#state.topics].sort(([a], [b]) => compareText(a, b))) {
      for (let partition = 0; partition < partitionCount; partition++) {
        if (!this.#kept.has(partitionKey(topic, partition))) undealt.push({ topic, partition })
      }
    }
    return undealt
  }

  #nextNear = 0

  /** Gives the partition to a near member that has room; false when there is none. */
  #dealNear(at: TopicPartition): boolean {
    const index = this.#state.racks.nextNear(at, this.#under, this.#nextNear)
    const memberId = this.#under[index]
    if (memberId !== undefined) {
      const count = this.#countOf(memberId) + 1
      let next = index
      if (count >= this.#quotaMin) {
        this.#under.splice(index, 1)
        if (count < this.#quotaMax) this.#exact.push(memberId)
      } else next++
      this.#nextNear = this.#under.length === 0 ? 0 : next % this.#under.length
      this.#deal(memberId, at)
      return true
    }
    const exactIndex = this.#state.racks.nextNear(at, this.#exact, 0)
    const exactId = this.#exact[exactIndex]
    if (exactId === undefined) return false
    if (this.#countOf(exactId) + 1 === this.#quotaMax) this.#exact.splice(exactIndex, 1)
    this.#deal(exactId, at)
    return true
  }

  #dealRound(undealt: readonly TopicPartition[]): void {
    let turn = 0
    for (const at of undealt) {
      if (turn >= this.#under.length) turn = 0
      const fromUnder = this.#under.length > 0
      const memberId = fromUnder ? this.#under[turn] : this.#exact.shift()
      if (memberId === undefined) throw new Error('sticky assignment: partitions left and no member with room')
      this.#deal(memberId, at)
      if (!fromUnder) continue
      if (this.#countOf(memberId) === this.#quotaMin) {
        this.#under.splice(turn, 1)
        this.#exact.push(memberId)
      } else turn++
    }
  }

  #countOf(memberId: string): number {
    return this.#assignment.get(memberId)?.length ?? 0
  }

  #deal(memberId: string, at: TopicPartition): void {
    this.#assignment.get(memberId)?.push(at)
    const key = partitionKey(at.topic, at.partition)
    if (this.#revoked.has(key) || this.#state.claimedTwice.has(key)) this.#moved.set(key, memberId)
  }
}
