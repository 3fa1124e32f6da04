/**
 * @module cluster/decision — what an operation of the controller is: a pure function from an image and a request to records and outcomes.
 *
 * The image that it decides on already has everything decided before, committed or not, so two requests never both make the same topic.
 */
import { ErrorCode } from '../wire/index.ts'
import { METADATA_VERSION, METADATA_VERSION_LEVEL, type RecordVersions, recordVersions } from './features.ts'
import type { BrokerState, ClusterImage } from './image.ts'
import type { ClusterLimits } from './limits.ts'
import type { Outcome } from './types.ts'

/** Static settings that new topics take, from the node's configuration. */
export interface ClusterSettings {
  /** `num.partitions` */
  readonly partitionCount: number
  /** `default.replication.factor` */
  readonly replicationFactor: number
  /** False when nobody set it: then it is capped at the live brokers. */
  readonly replicationFactorSet: boolean
  /** `min.insync.replicas`, for the bootstrap records. */
  readonly minInsyncReplicas: number
  /** What the node was started with, by key: what changes of its settings, and of groups', are measured against. */
  readonly given: ReadonlyMap<string, string>
}

/** What decisions may look at beside the request. */
export interface Circumstances {
  readonly image: ClusterImage
  readonly nodeId: number
  readonly settings: ClusterSettings
  readonly limits: ClusterLimits
  readonly newId: () => string
  readonly randomFloat: () => number
}

/** Framed records of one batch (none: nothing changes) and the answers that hold once they are committed. */
export interface Decision<T> {
  readonly records: readonly Buffer[]
  readonly outcomes: readonly T[]
}

/** Something refused, in Kafka's words. */
export interface Problem {
  readonly errorCode: number
  readonly errorMessage: string | null
}

export const SUCCESS: Outcome = { errorCode: ErrorCode.NONE, errorMessage: null }

export function problem(errorCode: number, errorMessage: string | null): Problem {
  return { errorCode, errorMessage }
}

/** Whether a broker may lead. */
export function isActive(broker: BrokerState | undefined): boolean {
  return broker !== undefined && !broker.fenced && !broker.inControlledShutdown
}

/** Refuses a configuration value that is too long for a record (the count is of UTF-16 units, the word is Kafka's). */
export function tooLongProblem({ configValueLengthMax }: ClusterLimits): Problem {
  const message = `The configuration value cannot be added because it exceeds the maximum value size of ${configValueLengthMax} bytes.`
  return problem(ErrorCode.INVALID_CONFIG, message)
}

/** Versions in which records are to be written under the image's `metadata.version`. */
export function versionsOf(image: ClusterImage): RecordVersions {
  return recordVersions(image.features.get(METADATA_VERSION) ?? METADATA_VERSION_LEVEL)
}
