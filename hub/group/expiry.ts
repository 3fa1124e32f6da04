/**
 * @module group/expiry — which offsets have outlived their time, and which topics a group still reads.
 */
import { ConsumerProtocolSubscription, DecodeError, Reader } from '../wire/index.ts'
import type { GroupState } from './machine.ts'
import { allSubscribedNames } from './next/index.ts'
import type { ConsumerGroup } from './next/index.ts'
import { metadataIn } from './member.ts'
import type { OffsetStore, StoredOffset } from './offsets.ts'

/** The protocol type of groups whose members say in Kafka's own format what they read. */
export const CONSUMER_PROTOCOL_TYPE = 'consumer'
const VERSION_PREFIX_BYTES = 2

/** What a look at a group's offsets found. */
export interface ExpiryFindings {
  readonly expired: readonly StoredOffset[]
  /** Nothing of the group's offsets remains. */
  readonly allExpired: boolean
}

/**
 * Offsets of a group that have expired (KIP-211): with an expiry of their own, at that time; else `retentionMs` after the group
 * became empty, or, for simple consumers and for topics that a stable group no longer reads, after their commit.
 */
export function findExpired(group: GroupState, offsets: OffsetStore, nowMs: number, retentionMs: number): ExpiryFindings {
  if (!offsets.hasGroup(group.groupId)) return { expired: [], allExpired: true }
  const sinceMs = countedFrom(group)
  if (sinceMs === null) return { expired: [], allExpired: false }
  return expiredAmong(group.groupId, offsets, { sinceMs, reads: topicReader(group), nowMs, retentionMs })
}

/** Offsets of a consumer group that have expired: of topics that it does not read, counted from their commit. */
export function findExpiredOfConsumers(group: ConsumerGroup, offsets: OffsetStore, nowMs: number, retentionMs: number): ExpiryFindings {
  if (!offsets.hasGroup(group.groupId)) return { expired: [], allExpired: true }
  const names = allSubscribedNames(group)
  return expiredAmong(group.groupId, offsets, { sinceMs: (commitMs) => commitMs, reads: (topic) => names.has(topic), nowMs, retentionMs })
}

/** From when retention counts, and for which topics it does not. */
interface ExpiryRule {
  readonly sinceMs: (commitTimestampMs: number) => number
  readonly reads: (topic: string) => boolean
  readonly nowMs: number
  readonly retentionMs: number
}

function expiredAmong(groupId: string, offsets: OffsetStore, { sinceMs, reads, nowMs, retentionMs }: ExpiryRule): ExpiryFindings {
  const expired: StoredOffset[] = []
  let count = 0
  for (const stored of offsets.ofGroup(groupId)) {
    count++
    const { committed, underWay, isPending, key } = stored
    if (committed === null || underWay || isPending || reads(key.topic)) continue
    const over =
      committed.expireTimestampMs !== -1
        ? nowMs >= committed.expireTimestampMs
        : nowMs - sinceMs(committed.commitTimestampMs) >= retentionMs
    if (over) expired.push(stored)
  }
  return { expired, allExpired: expired.length === count }
}

/** From when retention counts, given an offset's commit time; null: nothing of this group expires now. */
function countedFrom(group: GroupState): ((commitTimestampMs: number) => number) | null {
  if (group.protocolType === null) return (commitMs) => commitMs
  if (group.phase === 'Empty') return (commitMs) => (group.stateTimestampMs === -1 ? commitMs : group.stateTimestampMs)
  const knowsTopics = group.phase === 'Stable' && group.protocolType === CONSUMER_PROTOCOL_TYPE && subscribedTopics(group) !== null
  return knowsTopics ? (commitMs) => commitMs : null
}

/** Whether the group reads a topic. A consumer group whose subscriptions can't be read is taken to read them all. */
export function topicReader(group: GroupState): (topic: string) => boolean {
  if (group.protocolType !== CONSUMER_PROTOCOL_TYPE || group.members.size === 0) return () => false
  const topics = subscribedTopics(group)
  return (topic) => topics === null || topics.has(topic)
}

/** Topics that any member subscribes to; null when that can't be read. Every version of the subscription begins like version 0. */
function subscribedTopics(group: GroupState): ReadonlySet<string> | null {
  const topics = new Set<string>()
  try {
    for (const member of group.members.values()) {
      const reader = new Reader(metadataIn(member, group.protocolName), VERSION_PREFIX_BYTES)
      for (const topic of ConsumerProtocolSubscription.decode(reader, 0).topics) topics.add(topic)
    }
  } catch (error) {
    if (error instanceof DecodeError) return null
    throw error
  }
  return topics
}
