/**
 * @module group/counts — what the coordinator tells about itself for metrics: groups as they stand, and counts of what happened.
 */

/** A committed offset of a group. */
export interface OffsetFact {
  readonly topic: string
  readonly partition: number
  readonly offset: number
}

/** A group as it stands now. */
export interface GroupFacts {
  readonly groupId: string
  readonly kind: 'classic' | 'consumer'
  /** As ListGroups names it. */
  readonly state: string
  readonly memberCount: number
  /** In no order; without offsets of transactions that have not ended. */
  readonly offsets: Iterable<OffsetFact>
}

/** What happened since the coordinator was made, counted as Kafka's group-coordinator-metrics do. */
export interface GroupCounts {
  /** Generations of classic groups whose assignment was stored. */
  classicRebalanceCount: number
  /** Times that a consumer group began a new epoch. */
  consumerRebalanceCount: number
  /** Offsets that commits brought, those of transactions too. */
  offsetCommitCount: number
  offsetExpirationCount: number
  /** Offsets that OffsetDelete removed. */
  offsetDeletionCount: number
}

/** Nothing happened yet. */
export function noCounts(): GroupCounts {
  return { classicRebalanceCount: 0, consumerRebalanceCount: 0, offsetCommitCount: 0, offsetExpirationCount: 0, offsetDeletionCount: 0 }
}
