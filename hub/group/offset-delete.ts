/**
 * @module group/offset-delete — OffsetDelete: an administrator removes offsets of a group that nobody reads by (KIP-496).
 */
import { ErrorCode } from '../wire/index.ts'
import type { OffsetDelete, RequestOf, ResponseInput } from '../wire/index.ts'
import { CONSUMER_PROTOCOL_TYPE, topicReader } from './expiry.ts'
import { allSubscribedNames } from './next/index.ts'
import type { GroupShard } from './shard.ts'
import type { Shards } from './shards.ts'

/** What this call needs. */
export interface DeleteContext {
  readonly shards: Shards
}

/**
 * OffsetDelete. Topics that the group reads are refused one by one; a group of another protocol than `consumer`, whose members nobody can ask
 * what they read, as a whole while it has members. Offsets that open transactions commit go too.
 */
export async function offsetDelete(
  context: DeleteContext,
  request: RequestOf<typeof OffsetDelete>,
): Promise<ResponseInput<typeof OffsetDelete>> {
  const { groupId } = request
  const refuse = (errorCode: number): ResponseInput<typeof OffsetDelete> => ({ errorCode, throttleTimeMs: 0, topics: [] })
  if (groupId === '') return refuse(ErrorCode.INVALID_GROUP_ID)
  const shard = await context.shards.of(groupId)
  if (typeof shard === 'number') return refuse(shard)
  const reads = readerOf(shard, groupId)
  if (typeof reads === 'number') return refuse(reads)
  const changes = request.topics
    .filter(({ name }) => !reads(name))
    .flatMap(({ name, partitions }) => partitions.map(({ partitionIndex }) => ({ groupId, topic: name, partition: partitionIndex })))
    .filter((key) => shard.offsets.holds(key))
    .map((key) => ({ key, value: null }))
  shard.counts.offsetDeletionCount += changes.length
  const written = changes.length === 0 ? ErrorCode.NONE : await shard.write(changes)
  if (written !== ErrorCode.NONE) return refuse(written)
  return {
    errorCode: ErrorCode.NONE,
    throttleTimeMs: 0,
    topics: request.topics.map(({ name, partitions }) => ({
      name,
      partitions: partitions.map(({ partitionIndex }) => ({
        partitionIndex,
        errorCode: reads(name) ? ErrorCode.GROUP_SUBSCRIBED_TO_TOPIC : ErrorCode.NONE,
      })),
    })),
  }
}

/** Which topics the group reads, or the code for a group that can't be asked. */
function readerOf(shard: GroupShard, groupId: string): ((topic: string) => boolean) | number {
  const consumerGroup = shard.next.group(groupId)
  if (consumerGroup !== undefined) {
    const names = allSubscribedNames(consumerGroup)
    return (topic) => names.has(topic)
  }
  const group = shard.group(groupId)
  if (group === undefined || shard.isKeptAside(group)) return ErrorCode.GROUP_ID_NOT_FOUND
  if (group.phase !== 'Empty' && group.protocolType !== CONSUMER_PROTOCOL_TYPE) return ErrorCode.NON_EMPTY_GROUP
  return topicReader(group)
}
