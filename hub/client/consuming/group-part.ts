/** @module client/consuming/group-part — a consumer's part in its group, by whichever protocol; and what it may subscribe to. */
import type { Cluster } from '../cluster.ts'
import { canRetry } from '../errors.ts'
import type { Committer } from '../group-offsets.ts'

/** An expression in RE2's syntax that the broker matches with whole topic names; only with group.protocol=consumer (KIP-848). */
export interface SubscriptionPattern {
  readonly pattern: string
}

/** What is subscribed: topics by name, all that match an expression here, or all that match one at the broker. */
export type Subscription = readonly string[] | RegExp | SubscriptionPattern

/** Whether the broker does the matching. */
export function isPattern(subscription: Subscription): subscription is SubscriptionPattern {
  return 'pattern' in subscription
}

/** What the consumer does for its part in the group. */
export interface GroupHooks {
  /** Commits what is to be committed, in bounded time; does not reject. */
  beforeRebalance(signal: AbortSignal): Promise<void>
  /** Wakes a poll that waits. */
  onAttention(): void
}

/** A subscribed consumer as member of its group. */
export interface GroupPart {
  /** In whose name offsets are committed. */
  readonly committer: Committer
  /** Whether a step is due before a poll may wait for records. */
  readonly needsStep: boolean
  /** Whether records may be handed out. */
  readonly mayRead: boolean
  /** Changes the subscription; takes effect at the next poll. */
  resubscribe(subscription: Subscription): void
  /** Does what is due, within a poll. Waits for the listener, never for a broker. */
  step(): Promise<void>
  /** A commit failed: the member may no longer be one. */
  noteCommitError(error: unknown): void
  /** Gives back all partitions and tells the group. */
  leave(reason: string, signal: AbortSignal | undefined): Promise<void>
}

/**
 * Names of the topics that match. Null as long as no broker has said which topics there are: its answer changes the cluster's image,
 * which wakes the poll; `onFailure` hears of one that is final.
 */
export function matchingTopics(
  cluster: Cluster,
  pattern: RegExp,
  excludeInternalTopics: boolean,
  onFailure: (error: unknown) => void,
): string[] | null {
  cluster.track('all')
  if (!cluster.knowsAllTopics) {
    cluster.refresh().catch((error: unknown) => {
      if (!canRetry(error) && !cluster.closing.aborted) onFailure(error)
    })
    return null
  }
  const names: string[] = []
  for (const { name, isInternal } of cluster.image.topics.values()) {
    // A sticky or global expression keeps its place between tests.
    pattern.lastIndex = 0
    if (pattern.test(name) && !(isInternal && excludeInternalTopics)) names.push(name)
  }
  return names
}
