/**
 * @module group/offsets-api — OffsetCommit and OffsetFetch: who may commit, what is stored, what readers see.
 */
import type { Clock } from '../io/index.ts'
import { ErrorCode, ZERO_UUID } from '../wire/index.ts'
import type { OffsetCommit, OffsetFetch, RequestOf, ResponseInput } from '../wire/index.ts'
import type { GroupConfig } from './group-config.ts'
import type { CommittedOffset } from './records.ts'
import type { GroupShard, OffsetChange } from './shard.ts'
import type { Shards } from './shards.ts'
import type { Caller } from './types.ts'

const COMMIT_WITH_GROUP_NOT_FOUND = 9
const FETCH_WITH_GROUP_ERROR = 2
const FETCH_WITH_GROUPS = 8
const DEFAULT_RETENTION = -1
const NO_OFFSET = -1
const NO_EPOCH = -1

/** What these calls need. */
export interface OffsetsContext {
  readonly shards: Shards
  readonly config: GroupConfig
  readonly clock: Clock
}

type CommitRequest = RequestOf<typeof OffsetCommit>
type CommitResponse = ResponseInput<typeof OffsetCommit>
type FetchRequest = RequestOf<typeof OffsetFetch>
type FetchResponse = ResponseInput<typeof OffsetFetch>
type FetchedGroup = NonNullable<FetchResponse['groups']>[number]
type FetchedTopic = FetchedGroup['topics'][number]
type FetchedPartition = FetchedTopic['partitions'][number]

/** What a group is asked for: topics with their partitions, or null for all. */
type Asked = readonly { readonly name: string; readonly topicId: string; readonly partitionIndexes: readonly number[] }[] | null

/** OffsetCommit. Resolves when the offsets are synced; an empty group id is allowed, as in Kafka. */
export async function offsetCommit(context: OffsetsContext, request: CommitRequest, caller: Caller): Promise<CommitResponse> {
  const shard = await context.shards.of(request.groupId)
  if (typeof shard === 'number') return commitResponse(request, () => shard)
  const refused = admitCommit(shard, request, caller)
  if (refused !== ErrorCode.NONE) return commitResponse(request, () => refused)
  const tooLarge = (metadata: string | null): boolean => (metadata?.length ?? 0) > context.config.offsetMetadataMaxBytes
  const changes = changesOf(request, context.clock.nowMs(), tooLarge)
  const written = changes.length === 0 ? ErrorCode.NONE : await shard.write(changes)
  shard.dropIfVacant(request.groupId)
  return commitResponse(request, (metadata) => (tooLarge(metadata) ? ErrorCode.OFFSET_METADATA_TOO_LARGE : written))
}

/** OffsetFetch, of one group or (version 8 and later) of many. `requireStable` waits for what is being written. */
export async function offsetFetch(context: OffsetsContext, request: FetchRequest, caller: Caller): Promise<FetchResponse> {
  if (caller.apiVersion >= FETCH_WITH_GROUPS) {
    return {
      groups: await Promise.all(request.groups.map((group) => fetchGroup(context, group.groupId, group.topics, request.requireStable))),
    }
  }
  const topics = request.topics === null ? null : request.topics.map((topic) => ({ ...topic, topicId: ZERO_UUID }))
  const { errorCode, topics: fetched } = await fetchGroup(context, request.groupId, topics, request.requireStable)
  const failed = errorCode !== undefined && errorCode !== ErrorCode.NONE
  if (caller.apiVersion >= FETCH_WITH_GROUP_ERROR)
    return { errorCode: errorCode ?? ErrorCode.NONE, topics: fetched.map(({ name = '', partitions }) => ({ name, partitions })) }
  // Version 1 has no place for the group's error: every partition carries it.
  const answered = failed ? askedTopics(topics, errorCode) : fetched
  return { topics: answered.map(({ name = '', partitions }) => ({ name, partitions })) }
}

/** Whether the group takes this commit; makes a simple group for one from outside (KIP-211, KIP-848 for the codes). */
function admitCommit(shard: GroupShard, request: CommitRequest, caller: Caller): number {
  const { groupId, memberId, groupInstanceId, generationIdOrMemberEpoch: generationId } = request
  if (shard.group(groupId) === undefined) {
    if (generationId >= 0)
      return caller.apiVersion >= COMMIT_WITH_GROUP_NOT_FOUND ? ErrorCode.GROUP_ID_NOT_FOUND : ErrorCode.ILLEGAL_GENERATION
    shard.ensureGroup(groupId)
  }
  return shard.judge(groupId, (ticket) => ({ type: 'commit', ticket, memberId, groupInstanceId, generationId }))
}

function changesOf(request: CommitRequest, nowMs: number, tooLarge: (metadata: string | null) => boolean): OffsetChange[] {
  const expireTimestampMs = request.retentionTimeMs === DEFAULT_RETENTION ? -1 : nowMs + request.retentionTimeMs
  return request.topics.flatMap((topic) =>
    topic.partitions.flatMap((partition): OffsetChange[] => {
      if (tooLarge(partition.committedMetadata)) return []
      const value: CommittedOffset = {
        offset: partition.committedOffset,
        leaderEpoch: partition.committedLeaderEpoch,
        metadata: partition.committedMetadata ?? '',
        commitTimestampMs: nowMs,
        expireTimestampMs,
        topicId: topic.topicId,
      }
      return [{ key: { groupId: request.groupId, topic: topic.name, partition: partition.partitionIndex }, value }]
    }),
  )
}

function commitResponse(request: CommitRequest, errorOf: (metadata: string | null) => number): CommitResponse {
  return {
    topics: request.topics.map((topic) => ({
      name: topic.name,
      topicId: topic.topicId,
      partitions: topic.partitions.map((partition) => ({
        partitionIndex: partition.partitionIndex,
        errorCode: errorOf(partition.committedMetadata),
      })),
    })),
  }
}

async function fetchGroup(context: OffsetsContext, groupId: string, asked: Asked, requireStable: boolean): Promise<FetchedGroup> {
  const shard = await context.shards.of(groupId)
  if (typeof shard === 'number') return { groupId, topics: [], errorCode: shard }
  if (requireStable) await shard.settled()
  const topics = asked === null ? allTopics(shard, groupId) : asked.map((topic) => fetchTopic(shard, groupId, topic))
  return { groupId, topics, errorCode: ErrorCode.NONE }
}

function fetchTopic(shard: GroupShard, groupId: string, topic: NonNullable<Asked>[number]): FetchedTopic {
  const partitions = topic.partitionIndexes.map((partition) => {
    const committed = shard.offsets.get({ groupId, topic: topic.name, partition })
    return fetchedPartition(partition, committed !== null && sameTopic(committed.topicId, topic.topicId) ? committed : null)
  })
  return { name: topic.name, topicId: topic.topicId, partitions }
}

/** An offset of a topic that was deleted and made again under the same name is none of the new topic's. */
function sameTopic(committedId: string, askedId: string): boolean {
  return committedId === ZERO_UUID || askedId === ZERO_UUID || committedId === askedId
}

function allTopics(shard: GroupShard, groupId: string): FetchedTopic[] {
  const topics = new Map<string, { name: string; topicId: string; partitions: FetchedPartition[] }>()
  for (const { key, committed } of shard.offsets.ofGroup(groupId)) {
    if (committed === null) continue
    const topic = topics.get(key.topic) ?? { name: key.topic, topicId: committed.topicId, partitions: [] }
    if (topic.topicId === ZERO_UUID) topic.topicId = committed.topicId
    topic.partitions.push(fetchedPartition(key.partition, committed))
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

function fetchedPartition(partitionIndex: number, committed: CommittedOffset | null): FetchedPartition {
  return {
    partitionIndex,
    committedOffset: committed?.offset ?? NO_OFFSET,
    committedLeaderEpoch: committed?.leaderEpoch ?? NO_EPOCH,
    metadata: committed?.metadata ?? '',
    errorCode: ErrorCode.NONE,
  }
}
