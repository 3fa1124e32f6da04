/**
 * @module group/next/turn — the words of a step of a consumer group: what comes in, what goes out (pure).
 */
import type { ErrorCode } from '../../wire/index.ts'
import type { Topics } from './topics.ts'
import type { TopicPartitions } from './partitions.ts'

/** When classic groups may become consumer groups and back while they are in use. */
export type MigrationPolicy = 'bidirectional' | 'upgrade' | 'downgrade' | 'disabled'

/** Settings that a group obeys; those of the group itself already put over the broker's. */
export interface ConsumerRules {
  readonly sessionTimeoutMs: number
  readonly heartbeatIntervalMs: number
  /** Least time between two target assignments. */
  readonly assignmentIntervalMs: number
  readonly memberCountMax: number
  /** `group.max.size`: what a group may have that becomes a classic one. */
  readonly classicMemberCountMax: number
  /** Names of the assignors in order; the first is the default. */
  readonly assignors: readonly string[]
  readonly migrationPolicy: MigrationPolicy
  /** All regular expressions are looked up again after that time, whatever happened to the topics. */
  readonly regexRefreshIntervalMs: number
  /** …and not sooner after the last look-up than this, when topics came. */
  readonly regexRefreshMinIntervalMs: number
}

/** Name of a timer of a member. */
export type ConsumerTimer = `${TimerKind} ${string}`
/** What a timer is for: `join` and `sync` guard members of the classic protocol. */
export type TimerKind = 'session' | 'rebalance' | 'join' | 'sync'

/** What must happen to timers once the records of the step are stored. */
export type TimerEffect =
  | {
      readonly type: 'set'
      readonly name: ConsumerTimer
      readonly delayMs: number
      readonly event: TimerEvent
      /** A running timer of that name goes on. */
      readonly ifAbsent: boolean
    }
  | { readonly type: 'cancel'; readonly name: ConsumerTimer }

/** A timer ran out. */
export interface TimerEvent {
  readonly kind: TimerKind
  readonly memberId: string
  /** Of the member when the timer was set. */
  readonly memberEpoch: number
}

/** One step: the time, the world, and the timers so far. */
export interface Turn {
  readonly nowMs: number
  readonly rules: ConsumerRules
  readonly topics: Topics
  /** Names of the topics that a valid regular expression matches; an empty list for one that is not valid. */
  readonly matchTopics: (regex: string) => readonly string[]
  readonly newMemberId: () => string
  readonly timers: TimerEffect[]
}

/** A protocol error with the text for the client. */
export interface Refusal {
  readonly errorCode: Exclude<number, typeof ErrorCode.NONE>
  readonly errorMessage: string
}

/** Whether a result is a refusal. */
export function isRefusal(result: unknown): result is Refusal {
  return typeof result === 'object' && result !== null && 'errorMessage' in result && 'errorCode' in result && result.errorMessage !== null
}

/** Makes a refusal. */
export function refuse(errorCode: number, errorMessage: string): Refusal {
  return { errorCode, errorMessage }
}

/** ConsumerGroupHeartbeat of a member that joins or stays. */
export interface HeartbeatRequest {
  readonly memberId: string
  readonly memberEpoch: number
  readonly instanceId: string | null
  readonly rackId: string | null
  /** −1: as before. */
  readonly rebalanceTimeoutMs: number
  readonly topicNames: readonly string[] | null
  readonly topicRegex: string | null
  readonly serverAssignor: string | null
  readonly reported: TopicPartitions | null
  readonly clientId: string
  readonly clientHost: string
}

/** Answer to ConsumerGroupHeartbeat. */
export interface HeartbeatAnswer {
  readonly memberId: string
  readonly memberEpoch: number
  readonly heartbeatIntervalMs: number
  /** Null: as the member knows it. An empty list takes everything away. */
  readonly assignment: TopicPartitions | null
}
