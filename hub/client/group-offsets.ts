/** @module client/group-offsets — what a group has committed: reading and writing it, with topic names or ids as the broker knows. */
import { ErrorCode, OffsetCommit, type OffsetCommitResponse, OffsetFetch, type OffsetFetchResponse, ZERO_UUID } from '../wire/index.ts'
import type { Cluster } from './cluster.ts'
import type { Coordinators } from './coordinators.ts'
import { KafkaError, throwIfError } from './errors.ts'
import { hasTopicId, topicNameOf } from './metadata.ts'
import { type CommittedOffset, partitionKey, type TopicPartition } from './types.ts'

/** First versions with topic ids (KIP-848). */
const COMMIT_ID_VERSION = 10
const FETCH_ID_VERSION = 10
/** First OffsetFetch version that takes several groups. */
const FETCH_GROUPS_VERSION = 8
/** First OffsetFetch version with requireStable (KIP-447). */
const FETCH_STABLE_VERSION = 7

/** An offset to commit. */
export interface OffsetToCommit extends TopicPartition {
  /** Next offset to read. */
  readonly offset: number
  /** Epoch of the record before it. Default: unknown. */
  readonly leaderEpoch?: number | undefined
  readonly metadata?: string | undefined
}

/** In whose name offsets are committed; generation -1 and no member id: nobody's, allowed while the group has no members. */
export interface Committer {
  readonly generationId: number
  readonly memberId: string
  readonly groupInstanceId: string | null
}

export const SIMPLE_COMMITTER: Committer = {
  generationId: -1,
  memberId: '',
  groupInstanceId: null,
}

/** Commits all, or rejects with the first partition's error; retriable ones are tried again for apiTimeoutMs. */
export async function commitOffsets(
  cluster: Cluster,
  coordinators: Coordinators,
  groupId: string,
  offsets: readonly OffsetToCommit[],
  committer: Committer,
  signal: AbortSignal | undefined,
): Promise<void> {
  if (offsets.length === 0) return
  await cluster.retry(
    `OffsetCommit for group ${groupId}`,
    signal,
    async (bounded) => {
      for (const { error } of await commitOnce(cluster, coordinators, groupId, offsets, committer, bounded)) {
        if (error !== null) throw error
      }
    },
    (error) => {
      coordinators.noteError(groupId, error)
      if (error instanceof KafkaError && error.code === ErrorCode.UNKNOWN_TOPIC_ID) cluster.invalidate()
    },
  )
}

/** One attempt; a result per partition. */
export async function commitOnce(
  cluster: Cluster,
  coordinators: Coordinators,
  groupId: string,
  offsets: readonly OffsetToCommit[],
  { generationId, memberId, groupInstanceId }: Committer,
  signal: AbortSignal | undefined,
): Promise<{ topic: string; partition: number; error: KafkaError | null }[]> {
  const byTopic = [...Map.groupBy(offsets, ({ topic }) => topic)]
  const idOf = (name: string): string => cluster.image.topics.get(name)?.topicId ?? ZERO_UUID
  const response: OffsetCommitResponse = await coordinators.ask(
    groupId,
    'control',
    OffsetCommit,
    (version) => ({
      groupId,
      generationIdOrMemberEpoch: generationId,
      memberId,
      groupInstanceId,
      topics: byTopic.map(([name, parts]) => ({
        ...(version >= COMMIT_ID_VERSION ? { topicId: idOf(name) } : { name }),
        partitions: parts.map((part) => ({
          partitionIndex: part.partition,
          committedOffset: part.offset,
          committedLeaderEpoch: part.leaderEpoch ?? -1,
          committedMetadata: part.metadata ?? '',
        })),
      })),
    }),
    {
      signal,
      versionMax: byTopic.every(([name]) => hasTopicId(cluster.image.topics.get(name))) ? COMMIT_ID_VERSION : COMMIT_ID_VERSION - 1,
    },
  )
  return response.topics.flatMap((topic) => {
    const name = topic.name || (topicNameOf(cluster.image, topic.topicId) ?? '')
    return topic.partitions.map(({ partitionIndex, errorCode }) => ({
      topic: name,
      partition: partitionIndex,
      error:
        errorCode === 0
          ? null
          : new KafkaError(errorCode, null, {
              topic: name,
              partition: partitionIndex,
              groupId,
            }),
    }))
  })
}

/**
 * What the group committed, by partition; those without are absent. `partitions` null: all there are. `requireStable`: wait for
 * offsets of open transactions (KIP-447).
 */
export function fetchCommitted(
  coordinators: Coordinators,
  groupId: string,
  partitions: readonly TopicPartition[] | null,
  requireStable: boolean,
  signal: AbortSignal | undefined,
): Promise<Map<string, TopicPartition & CommittedOffset>> {
  const byTopic = partitions === null ? null : [...Map.groupBy(partitions, ({ topic }) => topic)]
  return coordinators.retry(
    groupId,
    OffsetFetch,
    (version) => {
      // Names serve here: topic ids would only spare the broker a look-up, and lose offsets of topics unknown to us.
      const topics =
        byTopic?.map(([name, parts]) => ({
          name,
          partitionIndexes: parts.map(({ partition }) => partition),
        })) ?? null
      return version >= FETCH_GROUPS_VERSION
        ? {
            groupId: '',
            topics: [],
            groups: [{ groupId, topics }],
            requireStable,
          }
        : { groupId, topics, groups: [], requireStable }
    },
    (response) => committedOf(groupId, response),
    {
      signal,
      versionMax: FETCH_ID_VERSION - 1,
      versionMin: requireStable ? FETCH_STABLE_VERSION : partitions === null ? 2 : 1,
    },
  )
}

function committedOf(groupId: string, response: OffsetFetchResponse): Map<string, TopicPartition & CommittedOffset> {
  const group = response.groups.find((one) => one.groupId === groupId) ?? response
  throwIfError(group.errorCode, null, { groupId })
  const committed = new Map<string, TopicPartition & CommittedOffset>()
  for (const { name: topic, partitions } of group.topics) {
    for (const { partitionIndex: partition, committedOffset, committedLeaderEpoch, metadata, errorCode } of partitions) {
      throwIfError(errorCode, null, { topic, partition, groupId })
      if (committedOffset < 0) continue
      committed.set(partitionKey(topic, partition), {
        topic,
        partition,
        offset: committedOffset,
        leaderEpoch: committedLeaderEpoch,
        metadata: metadata ?? '',
      })
    }
  }
  return committed
}
