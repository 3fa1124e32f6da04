/**
 * @module group/next/partitions — sets of partitions by topic id, as consumer groups keep them (pure).
 *
 * Always in one order, topics by id and partitions by number, so that equal sets are written as equal bytes.
 */

/** Partitions by topic id. No topic has an empty set. */
export type Partitions = ReadonlyMap<string, ReadonlySet<number>>

/** Partitions that a member owns, by topic id, each with the epoch at which it got it (KIP-1251). No topic has an empty map. */
export type OwnedPartitions = ReadonlyMap<string, ReadonlyMap<number, number>>

/** Topics with their partitions, as they stand in requests, answers and records. */
export type TopicPartitions = readonly { readonly topicId: string; readonly partitions: readonly number[] }[]

/** No partition. */
export const NO_PARTITIONS: Partitions = new Map()
/** No partition owned. */
export const NOTHING_OWNED: OwnedPartitions = new Map()

/** Reads a list; a topic that is named twice has the partitions of both. */
export function partitionsOf(list: TopicPartitions): Partitions {
  const sets = new Map<string, Set<number>>()
  for (const { topicId, partitions } of list) {
    const set = sets.get(topicId) ?? new Set()
    for (const partition of partitions) set.add(partition)
    if (set.size > 0) sets.set(topicId, set)
  }
  return sets
}

/** Topics in the order of their ids, partitions in the order of their numbers. */
export function listOf(sets: Partitions | OwnedPartitions): { topicId: string; partitions: number[] }[] {
  return [...sets]
    .map(([topicId, partitions]) => ({ topicId, partitions: [...partitions.keys()].sort((a, b) => a - b) }))
    .sort((a, b) => (a.topicId < b.topicId ? -1 : 1))
}

/** The partitions without their epochs. */
export function withoutEpochs(owned: OwnedPartitions): Partitions {
  return new Map([...owned].map(([topicId, epochs]) => [topicId, new Set(epochs.keys())]))
}

/** The partitions, all got at one epoch. */
export function ownedSince(sets: Partitions, epoch: number): OwnedPartitions {
  return new Map([...sets].map(([topicId, partitions]) => [topicId, new Map([...partitions].map((partition) => [partition, epoch]))]))
}

/** Whether both hold the same partitions. */
export function samePartitions(a: Partitions, b: Partitions): boolean {
  if (a.size !== b.size) return false
  for (const [topicId, partitions] of a) {
    const others = b.get(topicId)
    if (others?.size !== partitions.size) return false
    for (const partition of partitions) if (!others.has(partition)) return false
  }
  return true
}

/** Whether both hold the same partitions since the same epochs. */
export function sameOwned(a: OwnedPartitions, b: OwnedPartitions): boolean {
  if (a.size !== b.size) return false
  for (const [topicId, epochs] of a) {
    const others = b.get(topicId)
    if (others?.size !== epochs.size) return false
    for (const [partition, epoch] of epochs) if (others.get(partition) !== epoch) return false
  }
  return true
}

/** Whether some partition of the list is among those. */
export function overlaps(list: TopicPartitions, owned: OwnedPartitions): boolean {
  return list.some(({ topicId, partitions }) => {
    const epochs = owned.get(topicId)
    return epochs !== undefined && partitions.some((partition) => epochs.has(partition))
  })
}

/** Whether every partition of the list is among those. */
export function within(list: TopicPartitions, owned: OwnedPartitions): boolean {
  return list.every(({ topicId, partitions }) => {
    const epochs = owned.get(topicId)
    return epochs !== undefined && partitions.every((partition) => epochs.has(partition))
  })
}
