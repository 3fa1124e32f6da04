/**
 * @module cluster/features — feature levels (KIP-584): what this build supports, what a new cluster begins with, and in which
 * versions records are written at a level of `metadata.version`.
 *
 * A feature is finalised only when all its APIs are real, so a new cluster finalises `metadata.version` alone. Levels of other
 * features may stand in a log that Kafka wrote; the image carries them apart (`otherFeatures`), where no client sees them.
 */

/** Range of levels of a feature. */
export interface FeatureRange {
  readonly name: string
  readonly minVersion: number
  readonly maxVersion: number
}

export const METADATA_VERSION = 'metadata.version'

/** 4.3-IV0, what Kafka 4.3.1 formats a new cluster with. */
export const METADATA_VERSION_LEVEL = 30

/**
 * `metadata.version`: from 3.3-IV3, where Kafka 4 begins, to 4.3-IV0. `kraft.version` (KIP-853) is a level of the quorum, not of the
 * image: 1 is read (voters in the log), a new log is at 0 (voters by configuration).
 */
export const supportedFeatures: readonly FeatureRange[] = [
  { name: 'kraft.version', minVersion: 0, maxVersion: 1 },
  { name: METADATA_VERSION, minVersion: 7, maxVersion: METADATA_VERSION_LEVEL },
]

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
