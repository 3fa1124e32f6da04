/**
 * @module cluster/image — the metadata image as this room keeps it: the public image, plus what only the controller and snapshots need.
 */
import { PersistentMap } from './persistent-map.ts'
import type { BrokerImage, MetadataImage, PartitionImage, TopicImage } from './types.ts'

/** A partition with the fact of recovery, which a lone node never sets but may read in a log of Kafka's. */
export interface PartitionState extends PartitionImage {
  /** 0 recovered, 1 recovering after an unclean election. */
  readonly leaderRecoveryState: number
}

export interface TopicState extends TopicImage {
  readonly partitions: readonly PartitionState[]
}

export interface BrokerState extends BrokerImage {
  readonly features: readonly { readonly name: string; readonly minSupportedVersion: number; readonly maxSupportedVersion: number }[]
  readonly inControlledShutdown: boolean
}

/** Immutable, like {@link MetadataImage}. */
export interface ClusterImage extends MetadataImage {
  /** When the last record applied was appended. */
  readonly timestampMs: number
  /** Partitions of all topics. */
  readonly partitionCount: number
  readonly topicsByName: PersistentMap<TopicState>
  readonly topicsById: PersistentMap<TopicState>
  /** Topic names by collision key, see `topic-names.ts`. */
  readonly collisions: PersistentMap<readonly string[]>
  readonly brokers: ReadonlyMap<number, BrokerState>
  readonly configs: PersistentMap<ReadonlyMap<string, string>>
  /** Levels of features that this build does not support; kept for the snapshot, shown to nobody. */
  readonly otherFeatures: ReadonlyMap<string, number>
}

/** The image before the first record. */
export function emptyImage(clusterId: string, controllerId: number): ClusterImage {
  return {
    clusterId,
    controllerId,
    offset: -1,
    epoch: 0,
    timestampMs: 0,
    partitionCount: 0,
    topicsByName: PersistentMap.empty(),
    topicsById: PersistentMap.empty(),
    collisions: PersistentMap.empty(),
    brokers: new Map(),
    configs: PersistentMap.empty(),
    features: new Map(),
    otherFeatures: new Map(),
    scramCredentials: new Map(),
    nextProducerId: 0,
  }
}
