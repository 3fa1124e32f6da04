/** @module client/group-offsets — what a group has committed: reading and writing it, with topic names or ids as the broker knows. */
import { ErrorCode, OffsetCommit, type OffsetCommitResponse, OffsetFetch, type OffsetFetchResponse, ZERO_UUID } from '../wire/index.ts'
import type { Cluster } from './cluster.ts'
import type { Coordinators } from './coordinators.ts'
import { KafkaError, throwIfError } from './errors.ts'
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

/**
 * Commits all, or rejects with the first partition's error; retriable ones are tried again for apiTimeoutMs. Partitions that
 * the broker does not know and that metadata no longer names are gone: the others are committed, then it rejects.
 * A member whose epoch has moved on (KIP-848) tries again under the new one.
 */
export async function commitOffsets(
  cluster: Cluster,
  coordinators: Coordinators,
  groupId: string,
  offsets: readonly OffsetToCommit[],
  committer: () => Committer,
  signal: AbortSignal | undefined,
): Promise<void> {
  if (offsets.length === 0) return
  let open = offsets
  let gone: TopicPartition | null = null
  const attempt = async (bounded: AbortSignal): Promise<void> => {
    const failed = new Map<string, KafkaError>()
    for (const { topic, partition, error } of await commitCurrent(cluster, coordinators, groupId, open, committer, bounded)) {
      if (error !== null) failed.set(partitionKey(topic, partition), error)
    }
    const errorOf = (at: TopicPartition): KafkaError | undefined => failed.get(partitionKey(at.topic, at.partition))
    open = open.filter((at) => errorOf(at) !== undefined)
    // For a name the code stands among the retriable ones, since a broker may not have heard of a new topic yet.
    if (open.some((at) => isUnknown(errorOf(at)))) await cluster.refresh(bounded)
    open = open.filter((at) => {
      const isGone = isUnknown(errorOf(at)) && cluster.partition(at.topic, at.partition) === undefined
      if (isGone) gone ??= at
      return !isGone
    })
    const errors = open.flatMap((at) => errorOf(at) ?? [])
    const first = errors.find((error) => !error.retriable) ?? errors[0]
    if (first !== undefined) throw first
  }
  await cluster.retry(`OffsetCommit for group ${groupId}`, signal, attempt, (error) => coordinators.noteError(groupId, error))
  if (gone !== null) throw new KafkaError(ErrorCode.UNKNOWN_TOPIC_OR_PARTITION, null, placeOf(gone))
}

/** One attempt, but for a stale epoch: the answer to a heartbeat that tells the present one is on its way then. */
async function commitCurrent(
  cluster: Cluster,
  coordinators: Coordinators,
  groupId: string,
  offsets: readonly OffsetToCommit[],
  committer: () => Committer,
  signal: AbortSignal,
): ReturnType<typeof commitOnce> {
  for (;;) {
    const results = await commitOnce(cluster, coordinators, groupId, offsets, committer(), signal)
    const isStale = results.some(({ error }) => error?.code === ErrorCode.STALE_MEMBER_EPOCH)
    if (!isStale || committer().memberId === '') return results
    await cluster.options.world.clock.sleep(cluster.options.retryBackoffMs, signal)
  }
}

function placeOf({ topic, partition }: TopicPartition): TopicPartition {
  return { topic, partition }
}

function isUnknown(error: KafkaError | undefined): boolean {
  return error?.code === ErrorCode.UNKNOWN_TOPIC_OR_PARTITION || error?.code === ErrorCode.UNKNOWN_TOPIC_ID
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
  // The answer names topics as the question did, whatever metadata says by then.
  const ids = new Map(byTopic.map(([name]) => [name, cluster.image.topics.get(name)?.topicId ?? ZERO_UUID]))
  const names = new Map([...ids].map(([name, topicId]) => [topicId, name]))
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
        ...(version >= COMMIT_ID_VERSION ? { topicId: ids.get(name) ?? ZERO_UUID } : { name }),
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
      versionMax: names.has(ZERO_UUID) ? COMMIT_ID_VERSION - 1 : COMMIT_ID_VERSION,
    },
  )
  return response.topics.flatMap((topic) => {
    const name = topic.name || (names.get(topic.topicId) ?? '')
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
 * offsets of open transactions (KIP-447), or, as consumers do, only with brokers that can tell.
 */
export function fetchCommitted(
  coordinators: Coordinators,
  groupId: string,
  partitions: readonly TopicPartition[] | null,
  requireStable: boolean | 'where-known',
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
            requireStable: requireStable !== false,
          }
        : { groupId, topics, groups: [], requireStable: requireStable !== false && version >= FETCH_STABLE_VERSION }
    },
    (response) => committedOf(groupId, response),
    {
      signal,
      versionMax: FETCH_ID_VERSION - 1,
      versionMin: requireStable === true ? FETCH_STABLE_VERSION : partitions === null ? 2 : 1,
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
