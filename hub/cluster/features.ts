/**
 * @module cluster/features — feature levels (KIP-584): what this build supports, what a new cluster begins with, and in which
 * versions records are written at a level of `metadata.version`.
 *
 * A feature is listed only when all its APIs are real. Levels of other features may stand in a log that Kafka wrote; the image carries them
 * apart (`otherFeatures`), where no client sees them.
 */

/** Range of levels of a feature. */
export interface FeatureRange {
  readonly name: string
  readonly minVersion: number
  readonly maxVersion: number
}

/** A feature with the level that a new cluster begins with; older directories keep theirs until UpdateFeatures raises it. */
interface Feature extends FeatureRange {
  readonly initialLevel: number
}

export const METADATA_VERSION = 'metadata.version'
/** A level of the quorum, not of the image: 1 is read (voters in the log, KIP-853), a new log is at 0 (voters by configuration). */
export const KRAFT_VERSION = 'kraft.version'

/** 4.3-IV0, what Kafka 4.3.1 formats a new cluster with. */
export const METADATA_VERSION_LEVEL = 30

/** `metadata.version`: from 3.3-IV3, where Kafka 4 begins. */
export const supportedFeatures: readonly Feature[] = [
  { name: KRAFT_VERSION, minVersion: 0, maxVersion: 1, initialLevel: 0 },
  { name: METADATA_VERSION, minVersion: 7, maxVersion: METADATA_VERSION_LEVEL, initialLevel: METADATA_VERSION_LEVEL },
  { name: 'transaction.version', minVersion: 0, maxVersion: 2, initialLevel: 2 },
  { name: 'group.version', minVersion: 0, maxVersion: 1, initialLevel: 1 },
]

/** Levels of `metadata.version` that brought records or fields: what is written at one cannot be read below it. */
const METADATA_CHANGED_AT = [7, 8, 11, 13, 14, 15, 17, 23, 30]

/** Whether going down from `current` to `level` of `metadata.version` could lose metadata. */
export function losesMetadata(current: number, level: number): boolean {
  return METADATA_CHANGED_AT.some((changed) => changed > level && changed <= current)
}

/** Versions of the records whose fields grew, at a level. */
export interface RecordVersions {
  readonly registerBroker: number
  readonly partition: number
  readonly partitionChange: number
}

/** Levels that brought fields: 3.4-IV0 (migration flag), 3.7-IV2 (directories), 4.0-IV1 (eligible leader replicas), 4.3-IV0 (cordoned directories). */
const LEVEL = { migrating: 8, directories: 17, eligibleLeaders: 23, cordoned: 30 } as const

/** Which versions a reader at `level` understands. Source: org.apache.kafka.server.common.MetadataVersion. */
export function recordVersions(level: number): RecordVersions {
  const partition = level >= LEVEL.eligibleLeaders ? 2 : level >= LEVEL.directories ? 1 : 0
  return { registerBroker: registerBrokerVersion(level), partition, partitionChange: partition }
}

function registerBrokerVersion(level: number): number {
  if (level >= LEVEL.cordoned) return 4
  if (level >= LEVEL.directories) return 3
  return level >= LEVEL.migrating ? 2 : 1
}
