/** @module txn/partitions — the partitions that take part in a transaction. Sets are never changed, only made anew. Pure. */

/** A partition by name. */
export interface TopicPartition {
  readonly topic: string
  readonly partition: number
}

/** Partition numbers by topic name; no topic is without a number. */
export type PartitionSet = ReadonlyMap<string, ReadonlySet<number>>

export const NO_PARTITIONS: PartitionSet = new Map()

export function hasPartition(set: PartitionSet, { topic, partition }: TopicPartition): boolean {
  return set.get(topic)?.has(partition) ?? false
}

/** `set` and `added` together. */
export function withPartitions(set: PartitionSet, added: readonly TopicPartition[]): PartitionSet {
  const joined = new Map<string, Set<number>>()
  for (const [topic, partitions] of set) joined.set(topic, new Set(partitions))
  for (const { topic, partition } of added) {
    const partitions = joined.get(topic)
    if (partitions === undefined) joined.set(topic, new Set([partition]))
    else partitions.add(partition)
  }
  return joined
}

/** One by one. */
export function* partitionsOf(set: PartitionSet): Generator<TopicPartition> {
  for (const [topic, partitions] of set) for (const partition of partitions) yield { topic, partition }
}
