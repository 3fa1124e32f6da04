/**
 * @module group/group-config — the broker settings and the limits of the group coordinator.
 */

/** Settings of the group coordinator, from the broker's configuration. */
export interface GroupConfig {
  /** `group.min.session.timeout.ms` */
  readonly minSessionTimeoutMs: number
  /** `group.max.session.timeout.ms` */
  readonly maxSessionTimeoutMs: number
  /** `group.initial.rebalance.delay.ms` */
  readonly initialRebalanceDelayMs: number
  /** `group.max.size` */
  readonly memberCountMax: number
  /** `offset.metadata.max.bytes`; like Kafka, counted in UTF-16 units. */
  readonly offsetMetadataMaxBytes: number
  /** `offsets.retention.minutes`, in ms */
  readonly offsetsRetentionMs: number
  /** `offsets.retention.check.interval.ms` */
  readonly offsetsRetentionCheckIntervalMs: number
}

/** The broker's keys that {@link GroupConfig} is made of. */
export type GroupConfigKey =
  | 'group.min.session.timeout.ms'
  | 'group.max.session.timeout.ms'
  | 'group.initial.rebalance.delay.ms'
  | 'group.max.size'
  | 'offset.metadata.max.bytes'
  | 'offsets.retention.minutes'
  | 'offsets.retention.check.interval.ms'

/** Limits that no setting of Kafka's covers. */
export interface GroupLimits {
  /** How long a newcomer may wait for the answer to its first JoinGroup before it counts as gone, ms (as in Kafka). */
  readonly newMemberJoinTimeoutMs: number
  /** Member ids that were handed out and not used yet, per group (KIP-394). */
  readonly pendingMemberCountMax: number
  /** Tombstones per batch when offsets expire or topics are deleted. */
  readonly tombstoneBatchRecordCountMax: number
}

/** The defaults of {@link GroupLimits}. */
export const GROUP_LIMITS: GroupLimits = {
  newMemberJoinTimeoutMs: 300_000,
  pendingMemberCountMax: 10_000,
  tombstoneBatchRecordCountMax: 1_000,
}

const MINUTE_MS = 60_000

/** Reads the settings by Kafka's keys; `number` gives a key's parsed value. */
export function groupConfig(number: (key: GroupConfigKey) => number): GroupConfig {
  return {
    minSessionTimeoutMs: number('group.min.session.timeout.ms'),
    maxSessionTimeoutMs: number('group.max.session.timeout.ms'),
    initialRebalanceDelayMs: number('group.initial.rebalance.delay.ms'),
    memberCountMax: number('group.max.size'),
    offsetMetadataMaxBytes: number('offset.metadata.max.bytes'),
    offsetsRetentionMs: number('offsets.retention.minutes') * MINUTE_MS,
    offsetsRetentionCheckIntervalMs: number('offsets.retention.check.interval.ms'),
  }
}
