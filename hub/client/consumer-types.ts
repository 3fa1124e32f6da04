/** @module client/consumer-types — what a consumer can be asked to do. */
import type { ConsumerRecords } from './consumer-records.ts'
import type { Subscription } from './consuming/group-part.ts'
import type { OffsetToCommit } from './group-offsets.ts'
import type { CommittedOffset, GroupMetadata, TopicPartition } from './types.ts'

/** Where a partition was found to stand in time. */
export interface OffsetAndTimestamp extends TopicPartition {
  /** First offset whose record is as young as asked; -1: there is none. */
  readonly offset: number
  readonly timestampMs: number
  readonly leaderEpoch: number
}

/** Records out of topics. One call at a time, but for `wakeup`, `pause`, `resume` and `close`. */
export interface Consumer extends AsyncIterable<ConsumerRecords> {
  /** Joins the group for these topics, or all that match, at the next poll. Replaces an earlier subscription. */
  subscribe(topics: Subscription): void
  /** Reads just these partitions, outside of group management. */
  assign(partitions: readonly TopicPartition[]): void
  /** Gives up subscription or assignment, and leaves the group. */
  unsubscribe(signal?: AbortSignal): Promise<void>
  /** What is assigned now. */
  assignment(): readonly TopicPartition[]
  /**
   * Records as soon as there are some, none when `timeoutMs` has passed. Positions move past what is returned; with autoCommit
   * they are committed by later polls. Listeners are called in here. Rejects with a KafkaError or ClientError; the consumer
   * may go on after it.
   */
  poll(timeoutMs: number, signal?: AbortSignal): Promise<ConsumerRecords>
  /** Makes the poll that waits now, or the next one, return at once. */
  wakeup(): void
  seek(at: TopicPartition, offset: number, leaderEpoch?: number): void
  seekToBeginning(partitions?: readonly TopicPartition[]): void
  seekToEnd(partitions?: readonly TopicPartition[]): void
  /** Next offset that poll will return; looks it up when it is not known yet. */
  position(at: TopicPartition, signal?: AbortSignal): Promise<number>
  /** What the group has committed; partitions without are absent. */
  committed(partitions: readonly TopicPartition[], signal?: AbortSignal): Promise<readonly (TopicPartition & CommittedOffset)[]>
  /** Commits these offsets, or the positions of all that is assigned. */
  commit(offsets?: readonly OffsetToCommit[], signal?: AbortSignal): Promise<void>
  /** Who this consumer is in its group, for a transactional producer that commits offsets in its name. */
  groupMetadata(): GroupMetadata
  /** First offset at or after a time (ms since 1970). */
  offsetsForTimes(
    times: readonly (TopicPartition & { readonly timestampMs: number })[],
    signal?: AbortSignal,
  ): Promise<readonly OffsetAndTimestamp[]>
  beginningOffsets(partitions: readonly TopicPartition[], signal?: AbortSignal): Promise<readonly OffsetAndTimestamp[]>
  /** The end; under read_committed the last stable offset. */
  endOffsets(partitions: readonly TopicPartition[], signal?: AbortSignal): Promise<readonly OffsetAndTimestamp[]>
  /** Stops handing out records of these partitions; the member stays in its group. */
  pause(partitions: readonly TopicPartition[]): void
  resume(partitions: readonly TopicPartition[]): void
  paused(): readonly TopicPartition[]
  /** Records between position and end as the last fetch saw them; -1 before the first one. */
  lag(at: TopicPartition): number
  /** Commits (with autoCommit), leaves the group and ends. */
  close(signal?: AbortSignal): Promise<void>
}
