/**
 * @module group/offset-fetch — OffsetFetch: what readers see of a group's offsets.
 */
import { ErrorCode, ZERO_UUID } from '../wire/index.ts'
import type { OffsetFetch, RequestOf, ResponseInput } from '../wire/index.ts'
import { judgeFetch } from './next/index.ts'
import type { CommittedOffset } from './records.ts'
import type { GroupShard } from './shard.ts'
import type { Shards } from './shards.ts'
import type { Caller } from './types.ts'

const FETCH_WITH_GROUP_ERROR = 2
const FETCH_WITH_GROUPS = 8
const NO_OFFSET = -1
const NO_EPOCH = -1

/** What this call needs. */
export interface FetchContext {
  readonly shards: Shards
}

type FetchRequest = RequestOf<typeof OffsetFetch>
type FetchResponse = ResponseInput<typeof OffsetFetch>
type FetchedGroup = NonNullable<FetchResponse['groups']>[number]
type FetchedTopic = FetchedGroup['topics'][number]
type FetchedPartition = FetchedTopic['partitions'][number]

/** What a group is asked for: topics with their partitions, or null for all. */
type Asked = readonly { readonly name: string; readonly topicId: string; readonly partitionIndexes: readonly number[] }[] | null

/** Of which group, and by which of its members (KIP-848: null and −1 for none). */
interface FetchClaim {
  readonly groupId: string
  readonly memberId: string | null
  readonly memberEpoch: number
}

/**
 * OffsetFetch, of one group or (version 8 and later) of many. `requireStable` waits for what is being written, and refuses what an open
 * transaction is about to change (KIP-447).
 */
export async function offsetFetch(context: FetchContext, request: FetchRequest, caller: Caller): Promise<FetchResponse> {
  if (caller.apiVersion >= FETCH_WITH_GROUPS) {
    return {
      groups: await Promise.all(request.groups.map((group) => fetchGroup(context, group, group.topics, request.requireStable))),
    }
  }
  const topics = request.topics === null ? null : request.topics.map((topic) => ({ ...topic, topicId: ZERO_UUID }))
  const { errorCode, topics: fetched } = await fetchGroup(context, fromOutside(request.groupId), topics, request.requireStable)
  const failed = errorCode !== undefined && errorCode !== ErrorCode.NONE
  if (caller.apiVersion >= FETCH_WITH_GROUP_ERROR)
    return { errorCode: errorCode ?? ErrorCode.NONE, topics: fetched.map(({ name = '', partitions }) => ({ name, partitions })) }
  // Version 1 has no place for the group's error: every partition carries it.
  const answered = failed ? askedTopics(topics, errorCode) : fetched
  return { topics: answered.map(({ name = '', partitions }) => ({ name, partitions })) }
}

async function fetchGroup(context: FetchContext, by: FetchClaim, asked: Asked, requireStable: boolean): Promise<FetchedGroup> {
  const { groupId, memberId, memberEpoch } = by
  const shard = await context.shards.of(groupId)
  if (typeof shard === 'number') return { groupId, topics: [], errorCode: shard }
  const consumerGroup = shard.next.group(groupId)
  const refused = consumerGroup === undefined ? ErrorCode.NONE : judgeFetch(consumerGroup, memberId, memberEpoch)
  if (refused !== ErrorCode.NONE) return { groupId, topics: [], errorCode: refused }
  if (requireStable) await shard.settled()
  const topics =
    asked === null ? allTopics(shard, groupId, requireStable) : asked.map((topic) => fetchTopic(shard, groupId, topic, requireStable))
  return { groupId, topics, errorCode: ErrorCode.NONE }
}

function fromOutside(groupId: string): FetchClaim {
  return { groupId, memberId: null, memberEpoch: -1 }
}

function fetchTopic(shard: GroupShard, groupId: string, topic: NonNullable<Asked>[number], requireStable: boolean): FetchedTopic {
  const partitions = topic.partitionIndexes.map((partition) => {
    const key = { groupId, topic: topic.name, partition }
    if (requireStable && shard.offsets.isPending(key)) return unstablePartition(partition)
    const committed = shard.offsets.get(key)
    return fetchedPartition(partition, committed !== null && sameTopic(committed.topicId, topic.topicId) ? committed : null)
  })
  return { name: topic.name, topicId: topic.topicId, partitions }
}

/** An offset of a topic that was deleted and made again under the same name is none of the new topic's. */
function sameTopic(committedId: string, askedId: string): boolean {
  return committedId === ZERO_UUID || askedId === ZERO_UUID || committedId === askedId
}

function allTopics(shard: GroupShard, groupId: string, requireStable: boolean): FetchedTopic[] {
  const topics = new Map<string, { name: string; topicId: string; partitions: FetchedPartition[] }>()
  for (const { key, committed, isPending } of shard.offsets.ofGroup(groupId)) {
    if (committed === null) continue
    const topic = topics.get(key.topic) ?? { name: key.topic, topicId: committed.topicId, partitions: [] }
    if (topic.topicId === ZERO_UUID) topic.topicId = committed.topicId
    topic.partitions.push(requireStable && isPending ? unstablePartition(key.partition) : fetchedPartition(key.partition, committed))
    topics.set(key.topic, topic)
  }
  for (const topic of topics.values()) topic.partitions.sort((a, b) => a.partitionIndex - b.partitionIndex)
  return [...topics.values()]
}

function askedTopics(asked: Asked, errorCode: number): FetchedTopic[] {
  return (asked ?? []).map((topic) => ({
    name: topic.name,
    topicId: topic.topicId,
    partitions: topic.partitionIndexes.map((partition) => ({ ...fetchedPartition(partition, null), errorCode })),
  }))
}

function unstablePartition(partitionIndex: number): FetchedPartition {
  return { ...fetchedPartition(partitionIndex, null), errorCode: ErrorCode.UNSTABLE_OFFSET_COMMIT }
}

function fetchedPartition(partitionIndex: number, committed: CommittedOffset | null): FetchedPartition {
  return {
    partitionIndex,
    committedOffset: committed?.offset ?? NO_OFFSET,
    committedLeaderEpoch: committed?.leaderEpoch ?? NO_EPOCH,
    metadata: committed?.metadata ?? '',
    errorCode: ErrorCode.NONE,
  }
}
