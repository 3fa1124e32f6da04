/**
 * @module client/assignors/sticky-mixed — the sticky deal when members want different topics.
 *
 * Everybody keeps what is theirs, the rest goes to whoever has least, and then single partitions move from the fuller to
 * the emptier hand while that improves the balance. A result that is no better than before is thrown away.
 */
import { partitionKey, type TopicPartition } from '../types.ts'
import { PartitionMoves } from './sticky-moves.ts'
import type { StickyState } from './sticky-state.ts'
import { type Assignment, compareText } from './types.ts'

/** The assignment; members that nothing can be given have an empty hand. */
export function assignMixed(state: StickyState): Assignment {
  return new MixedDeal(state).run()
}

class MixedDeal {
  readonly #state: StickyState
  #hands: Map<string, TopicPartition[]>
  #ownerOf = new Map<string, string>()
  /** Members that take part, the emptiest hand first. */
  #order: string[] = []
  readonly #moves = new PartitionMoves()
  /** Second newest owner, of an older generation. */
  readonly #previousOwner = new Map<string, { memberId: string; generationId: number }>()
  readonly #wantersOf = new Map<string, string[]>()
  readonly #wishOf = new Map<string, string[]>()
  #revoked = false

  constructor(state: StickyState) {
    this.#state = state
    this.#hands = state.owned
    for (const topic of state.topics.keys()) this.#wantersOf.set(topic, [])
    for (const { memberId, topics } of state.members) {
      const wish = topics.filter((topic) => state.topics.has(topic))
      this.#wishOf.set(memberId, wish)
      for (const topic of wish) this.#wantersOf.get(topic)?.push(memberId)
    }
    for (const [memberId, hand] of this.#hands) for (const at of hand) this.#ownerOf.set(keyOf(at), memberId)
  }

  run(): Assignment {
    this.#notePreviousOwners()
    const kept = this.#keepOwned()
    const all = this.#allPartitions()
    const undealt = all.filter((at) => !kept.has(keyOf(at)))
    this.#order = [...this.#hands.keys()]
    this.#sortOrder()
    this.#balance(all, undealt)
    return this.#hands
  }

  #notePreviousOwners(): void {
    const { claims, generationIdMax } = this.#state
    for (const [memberId, claim] of claims) {
      const generationId = claim.generationId ?? -1
      if (generationId >= generationIdMax) continue
      for (const at of claim.partitions) {
        const known = this.#previousOwner.get(keyOf(at))
        if (known === undefined || generationId > known.generationId) {
          this.#previousOwner.set(keyOf(at), { memberId, generationId })
        }
      }
    }
  }

  /** Takes from each hand what its member no longer wants or what stands in another rack. */
  #keepOwned(): Set<string> {
    const kept = new Set<string>()
    for (const { memberId, topics } of this.#state.members) {
      const hand = this.#hands.get(memberId) ?? []
      const mine = hand.filter((at) => topics.includes(at.topic) && !this.#state.racks.mismatch(memberId, at))
      if (mine.length < hand.length) this.#revoked = true
      hand.splice(0, hand.length, ...mine)
      for (const at of mine) kept.add(keyOf(at))
    }
    return kept
  }

  /** Topics that few members want come first, since they have the least choice. */
  #allPartitions(): TopicPartition[] {
    const count = (topic: string): number => this.#wantersOf.get(topic)?.length ?? 0
    const topics = [...this.#state.topics].sort(([a], [b]) => count(a) - count(b) || compareText(a, b))
    return topics.flatMap(([topic, { partitionCount }]) =>
      Array.from({ length: partitionCount }, (_, partition) => ({
        topic,
        partition,
      })),
    )
  }

  #balance(all: readonly TopicPartition[], undealt: readonly TopicPartition[]): void {
    const fresh = this.#countOf(this.#order.at(-1) ?? '') === 0
    let rest = undealt
    if (this.#state.racks.active) rest = undealt.filter((at) => !this.#dealToEmptiest(at, true))
    for (const at of rest) this.#dealToEmptiest(at, false)

    const contested = (at: TopicPartition): boolean => (this.#wantersOf.get(at.topic)?.length ?? 0) >= 2
    const fixed = new Map<string, TopicPartition[]>()
    for (const memberId of this.#wishOf.keys()) {
      if (this.#canTakePart(memberId, contested)) continue
      fixed.set(memberId, this.#hands.get(memberId) ?? [])
      this.#hands.delete(memberId)
      this.#order = this.#order.filter((id) => id !== memberId)
    }
    const before = new Map([...this.#hands].map(([memberId, hand]) => [memberId, [...hand]]))
    // Without anything revoked, moving only what is new may already do.
    if (!this.#revoked) this.#reassign(undealt.filter(contested))
    const moved = this.#reassign(all.filter(contested))
    if (!fresh && moved && balanceScore(this.#hands) >= balanceScore(before)) this.#hands = before
    for (const [memberId, hand] of fixed) this.#hands.set(memberId, hand)
  }

  #dealToEmptiest(at: TopicPartition, nearOnly: boolean): boolean {
    const taker = this.#order.find((memberId) => this.#wants(memberId, at.topic) && !(nearOnly && this.#state.racks.mismatch(memberId, at)))
    if (taker === undefined) return false
    this.#hands.get(taker)?.push(at)
    this.#ownerOf.set(keyOf(at), taker)
    this.#sortOrder()
    return true
  }

  #canTakePart(memberId: string, contested: (at: TopicPartition) => boolean): boolean {
    return this.#countOf(memberId) < this.#countMax(memberId) || (this.#hands.get(memberId) ?? []).some(contested)
  }

  #reassign(partitions: readonly TopicPartition[]): boolean {
    let movedAny = false
    for (let modified = true; modified; ) {
      modified = false
      for (const at of partitions) {
        if (this.#balanced()) break
        const taker = this.#betterOwner(at)
        if (taker === null) continue
        this.#move(this.#moves.actualMove(at, this.#ownerOf.get(keyOf(at)) ?? '', taker), taker)
        movedAny = true
        modified = true
      }
    }
    return movedAny
  }

  /** Who should have the partition instead; null when nobody's hand is emptier by two. */
  #betterOwner(at: TopicPartition): string | null {
    const owner = this.#ownerOf.get(keyOf(at)) ?? ''
    const tooMany = (other: string): boolean => this.#countOf(owner) > this.#countOf(other) + 1
    const previous = this.#previousOwner.get(keyOf(at))
    if (previous !== undefined && this.#hands.has(previous.memberId) && tooMany(previous.memberId)) return previous.memberId
    const wanters = this.#wantersOf.get(at.topic) ?? []
    if (!wanters.some(tooMany)) return null
    return this.#order.find((memberId) => this.#wants(memberId, at.topic)) ?? null
  }

  #move(at: TopicPartition, taker: string): void {
    const owner = this.#ownerOf.get(keyOf(at)) ?? ''
    this.#moves.record(at, owner, taker)
    const hand = this.#hands.get(owner) ?? []
    hand.splice(
      hand.findIndex((other) => keyOf(other) === keyOf(at)),
      1,
    )
    this.#hands.get(taker)?.push(at)
    this.#ownerOf.set(keyOf(at), taker)
    this.#sortOrder()
  }

  #balanced(): boolean {
    if (this.#countOf(this.#order[0] ?? '') >= this.#countOf(this.#order.at(-1) ?? '') - 1) return true
    const ownerNow = new Map<string, string>()
    for (const [memberId, hand] of this.#hands) for (const at of hand) ownerNow.set(keyOf(at), memberId)
    for (const memberId of this.#order) {
      const count = this.#countOf(memberId)
      if (count === this.#countMax(memberId)) continue
      for (const topic of this.#wishOf.get(memberId) ?? []) {
        const partitionCount = this.#state.topics.get(topic)?.partitionCount ?? 0
        for (let partition = 0; partition < partitionCount; partition++) {
          const owner = ownerNow.get(partitionKey(topic, partition))
          if (owner !== undefined && owner !== memberId && count + 1 < this.#countOf(owner)) return false
        }
      }
    }
    return true
  }

  #countOf(memberId: string): number {
    return this.#hands.get(memberId)?.length ?? 0
  }

  #countMax(memberId: string): number {
    let count = 0
    for (const topic of this.#wishOf.get(memberId) ?? []) count += this.#state.topics.get(topic)?.partitionCount ?? 0
    return count
  }

  #wants(memberId: string, topic: string): boolean {
    return this.#wishOf.get(memberId)?.includes(topic) ?? false
  }

  #sortOrder(): void {
    this.#order.sort((one, other) => this.#countOf(one) - this.#countOf(other) || compareText(one, other))
  }
}

function keyOf({ topic, partition }: TopicPartition): string {
  return partitionKey(topic, partition)
}

/** Sum of the differences of all pairs of hands; 0 is perfect. */
function balanceScore(hands: ReadonlyMap<string, readonly TopicPartition[]>): number {
  const counts = [...hands.values()].map((hand) => hand.length)
  let score = 0
  counts.forEach((count, index) => {
    for (const other of counts.slice(index + 1)) score += Math.abs(count - other)
  })
  return score
}
