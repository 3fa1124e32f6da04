/** @module client/assignors/racks — which members sit in the rack of a partition's replicas (KIP-881, sticky assignors). */
import { partitionKey, type TopicPartition } from '../types.ts'
import { type AssignorMember, type AssignorTopic, racksMatter } from './types.ts'

/** Rack knowledge of one assignment; empty (and without effect) when racks don't matter. */
export class RackMap {
  readonly #memberRacks = new Map<string, string>()
  readonly #partitionRacks: ReadonlyMap<string, ReadonlySet<string>>
  /** Members in the racks of a partition; filled as soon as some member has a rack. */
  readonly #nearCounts = new Map<string, number>()
  readonly active: boolean

  constructor(topics: ReadonlyMap<string, AssignorTopic>, members: readonly AssignorMember[]) {
    const byRack = new Map<string, number>()
    for (const { rackId } of members) {
      if (rackId) byRack.set(rackId, (byRack.get(rackId) ?? 0) + 1)
    }
    const racksOf = byRack.size === 0 ? new Map<string, ReadonlySet<string>>() : replicaRacks(topics)
    this.active = racksMatter(new Set(byRack.keys()), racksOf)
    this.#partitionRacks = this.active ? racksOf : new Map()
    if (this.active) for (const { memberId, rackId } of members) if (rackId) this.#memberRacks.set(memberId, rackId)
    for (const [key, racks] of racksOf) {
      let nearCount = 0
      for (const rack of racks) nearCount += byRack.get(rack) ?? 0
      this.#nearCounts.set(key, nearCount)
    }
  }

  mismatch(memberId: string, { topic, partition }: TopicPartition): boolean {
    const rack = this.#memberRacks.get(memberId)
    return rack !== undefined && !(this.#partitionRacks.get(partitionKey(topic, partition))?.has(rack) ?? false)
  }

  /** True when the member has a rack and a replica stands in it. */
  near(memberId: string, { topic, partition }: TopicPartition): boolean {
    const rack = this.#memberRacks.get(memberId)
    return rack !== undefined && (this.#partitionRacks.get(partitionKey(topic, partition))?.has(rack) ?? false)
  }

  /** Partitions with the fewest near members first, since they have the least choice. */
  scarceFirst(partitions: readonly TopicPartition[]): TopicPartition[] {
    const countOf = (at: TopicPartition): number => this.#nearCounts.get(partitionKey(at.topic, at.partition)) ?? 0
    return [...partitions].sort((one, other) => countOf(one) - countOf(other))
  }

  /** Index in `memberIds`, looking round from `from`, of the next member near the partition; -1 for none. */
  nextNear(at: TopicPartition, memberIds: readonly string[], from: number): number {
    for (let step = 0; step < memberIds.length; step++) {
      const index = (from + step) % memberIds.length
      const memberId = memberIds[index]
      if (memberId !== undefined && this.near(memberId, at)) return index
    }
    return -1
  }
}

function replicaRacks(topics: ReadonlyMap<string, AssignorTopic>): Map<string, ReadonlySet<string>> {
  const racks = new Map<string, ReadonlySet<string>>()
  for (const [topic, { partitionCount, partitionRacks }] of topics) {
    for (let partition = 0; partition < partitionCount; partition++) {
      racks.set(partitionKey(topic, partition), new Set(partitionRacks?.[partition] ?? []))
    }
  }
  return racks
}
