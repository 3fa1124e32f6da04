/**
 * @module group/admin-api — DescribeGroups, ListGroups, DeleteGroups, and the removal of offsets that nobody needs.
 */
import type { Clock } from '../io/index.ts'
import { ErrorCode, ZERO_UUID } from '../wire/index.ts'
import type { DeleteGroups, DescribeGroups, ListGroups, RequestOf, ResponseInput } from '../wire/index.ts'
import { CONSUMER_PROTOCOL_TYPE, findExpired, findExpiredOfConsumers } from './expiry.ts'
import type { GroupConfig, GroupLimits } from './group-config.ts'
import type { GroupState } from './machine.ts'
import { NO_ASSIGNMENT, metadataIn } from './member.ts'
import { stateOf } from './next/index.ts'
import type { GroupShard, OffsetChange } from './shard.ts'
import type { Shards } from './shards.ts'
import type { Caller } from './types.ts'

const DESCRIBE_WITH_NOT_FOUND = 6
const CLASSIC_TYPE = 'classic'
const CONSUMER_TYPE = 'consumer'

/** What these calls need. */
export interface AdminContext {
  readonly shards: Shards
  readonly config: GroupConfig
  readonly limits: GroupLimits
  readonly clock: Clock
}

type Described = ResponseInput<typeof DescribeGroups>['groups'][number]

/** DescribeGroups, in the order asked. A group that is not there is Dead; version 6 says so by an error (KIP-1043). */
export async function describeGroups(
  context: AdminContext,
  request: RequestOf<typeof DescribeGroups>,
  caller: Caller,
): Promise<ResponseInput<typeof DescribeGroups>> {
  const groups = await Promise.all(
    request.groups.map(async (groupId) => {
      const shard = await context.shards.of(groupId)
      if (typeof shard === 'number') return { ...undescribed(groupId), errorCode: shard }
      if (shard.next.group(groupId) !== undefined) return dead(groupId, caller, `Group ${groupId} is not a classic group.`)
      const group = shard.group(groupId)
      if (group === undefined) return dead(groupId, caller, `Group ${groupId} not found.`)
      return shard.isKeptAside(group) ? dead(groupId, caller, `Group ${groupId} is not a classic group.`) : described(group)
    }),
  )
  return { groups }
}

/** ListGroups of every partition that is here; filters ignore case, that of states blanks around them too, an empty one takes all (KIP-518, KIP-848). */
export function listGroups(context: AdminContext, request: RequestOf<typeof ListGroups>): ResponseInput<typeof ListGroups> {
  if (context.shards.isLoading()) return { errorCode: ErrorCode.COORDINATOR_LOAD_IN_PROGRESS, groups: [] }
  const states = new Set(request.statesFilter.map((state) => state.toLowerCase().trim()))
  const types = new Set(request.typesFilter.map((type) => type.toLowerCase()))
  const groups = context.shards
    .ready()
    .flatMap((shard) => [...listed(shard)])
    .filter((group) => states.size === 0 || states.has(group.groupState.toLowerCase()))
    .filter((group) => types.size === 0 || types.has(group.groupType))
  return { errorCode: ErrorCode.NONE, groups }
}

function* listed(shard: GroupShard): Generator<{ groupId: string; protocolType: string; groupState: string; groupType: string }> {
  for (const group of shard.groups()) {
    if (shard.isKeptAside(group)) continue
    const { groupId, phase } = group
    yield { groupId, protocolType: group.protocolType ?? '', groupState: phase, groupType: CLASSIC_TYPE }
  }
  for (const group of shard.next.groups()) {
    const { groupId } = group
    yield { groupId, protocolType: CONSUMER_PROTOCOL_TYPE, groupState: stateOf(group), groupType: CONSUMER_TYPE }
  }
}

/** DeleteGroups: only Empty groups go, with all their offsets, in one batch per partition. */
export async function deleteGroups(
  context: AdminContext,
  request: RequestOf<typeof DeleteGroups>,
): Promise<ResponseInput<typeof DeleteGroups>> {
  const byPartition = Map.groupBy(new Set(request.groupsNames), (groupId) => context.shards.indexOf(groupId))
  const results = await Promise.all(
    [...byPartition].map(async ([index, groupIds]) => {
      const shard = await context.shards.at(index)
      if (typeof shard === 'number') return groupIds.map((groupId) => ({ groupId, errorCode: shard }))
      return deleteFrom(shard, groupIds)
    }),
  )
  return { throttleTimeMs: 0, results: results.flat() }
}

/** Offsets of deleted topics go. A topic of the same name that was made again keeps its own. */
export async function topicsDeleted(
  context: AdminContext,
  topics: readonly { readonly name: string; readonly topicId: string }[],
): Promise<void> {
  const idsByName = new Map(topics.map((topic) => [topic.name, topic.topicId]))
  await Promise.all(
    context.shards.ready().map(async (shard) => {
      const gone: OffsetChange[] = []
      for (const groupId of shard.offsets.groupIds()) {
        for (const { key, committed } of shard.offsets.ofGroup(groupId)) {
          const topicId = idsByName.get(key.topic)
          if (topicId === undefined) continue
          const another = committed !== null && committed.topicId !== ZERO_UUID && topicId !== ZERO_UUID && committed.topicId !== topicId
          if (!another) gone.push({ key, value: null })
        }
      }
      await removeOffsets(context, shard, gone)
    }),
  )
}

/** Removes expired offsets, and groups that are empty and have none. */
export async function removeExpired(context: AdminContext, shard: GroupShard): Promise<void> {
  const nowMs = context.clock.nowMs()
  const changes: OffsetChange[] = []
  const goneGroupIds: string[] = []
  for (const group of shard.groups()) {
    if (shard.isKeptAside(group)) continue
    const { expired, allExpired } = findExpired(group, shard.offsets, nowMs, context.config.offsetsRetentionMs)
    changes.push(...expired.map(({ key }) => ({ key, value: null })))
    if (allExpired && group.phase === 'Empty' && group.pendingMemberIds.size === 0 && group.storing.size === 0)
      goneGroupIds.push(group.groupId)
  }
  const removed: Promise<number>[] = []
  for (const group of shard.next.groups()) {
    const { expired, allExpired } = findExpiredOfConsumers(group, shard.offsets, nowMs, context.config.offsetsRetentionMs)
    if (allExpired && group.members.size === 0) removed.push(shard.removeConsumerGroup(group.groupId))
    else changes.push(...expired.map(({ key }) => ({ key, value: null })))
  }
  shard.counts.offsetExpirationCount += changes.length
  const batchMax = context.limits.tombstoneBatchRecordCountMax
  const written = removeOffsets(context, shard, changes)
  for (let at = 0; at < goneGroupIds.length; at += batchMax) removed.push(shard.remove(goneGroupIds.slice(at, at + batchMax), []))
  await Promise.all([written, ...removed])
}

function undescribed(groupId: string): Described {
  return { errorCode: ErrorCode.NONE, groupId, groupState: '', protocolType: '', protocolData: '', members: [] }
}

/** A group that is not there; version 6 says why. */
function dead(groupId: string, caller: Caller, why: string): Described {
  const shown = { ...undescribed(groupId), groupState: 'Dead' }
  if (caller.apiVersion < DESCRIBE_WITH_NOT_FOUND) return shown
  return { ...shown, errorCode: ErrorCode.GROUP_ID_NOT_FOUND, errorMessage: why }
}

/** Protocol and metadata are shown of a stable group only: else they are about to change. */
function described(group: GroupState): Described {
  const stable = group.phase === 'Stable'
  return {
    errorCode: ErrorCode.NONE,
    groupId: group.groupId,
    groupState: group.phase,
    protocolType: group.protocolType ?? '',
    protocolData: stable ? (group.protocolName ?? '') : '',
    members: [...group.members.values()].map((member) => ({
      memberId: member.memberId,
      groupInstanceId: member.groupInstanceId,
      clientId: member.clientId,
      clientHost: member.clientHost,
      memberMetadata: stable ? metadataIn(member, group.protocolName) : NO_ASSIGNMENT,
      memberAssignment: member.assignment,
    })),
  }
}

async function deleteFrom(shard: GroupShard, groupIds: readonly string[]): Promise<{ groupId: string; errorCode: number }[]> {
  const consumerGroupIds = groupIds.filter((groupId) => shard.next.group(groupId) !== undefined)
  const removed = await Promise.all(
    consumerGroupIds.map(async (groupId) => ({ groupId, errorCode: await shard.removeConsumerGroup(groupId) })),
  )
  const judged = groupIds
    .filter((groupId) => !consumerGroupIds.includes(groupId))
    .map((groupId) => {
      const group = shard.group(groupId)
      if (group === undefined || shard.isKeptAside(group)) return { groupId, errorCode: ErrorCode.GROUP_ID_NOT_FOUND }
      return { groupId, errorCode: group.phase === 'Empty' ? ErrorCode.NONE : ErrorCode.NON_EMPTY_GROUP }
    })
  const going = judged.flatMap(({ groupId, errorCode }) => (errorCode === ErrorCode.NONE ? [groupId] : []))
  if (going.length === 0) return [...removed, ...judged]
  const changes = going.flatMap((groupId) => [...shard.offsets.ofGroup(groupId)].map(({ key }) => ({ key, value: null })))
  const written = await shard.remove(going, changes)
  return [
    ...removed,
    ...judged.map(({ groupId, errorCode }) => ({ groupId, errorCode: errorCode === ErrorCode.NONE ? written : errorCode })),
  ]
}

/** Writes tombstones in batches. A group that loses its last offset so stays until it expires, as in Kafka. */
async function removeOffsets(context: AdminContext, shard: GroupShard, changes: readonly OffsetChange[]): Promise<void> {
  const batchMax = context.limits.tombstoneBatchRecordCountMax
  const batches: Promise<number>[] = []
  for (let at = 0; at < changes.length; at += batchMax) batches.push(shard.write(changes.slice(at, at + batchMax)))
  await Promise.all(batches)
}
