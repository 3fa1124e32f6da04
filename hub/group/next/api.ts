/**
 * @module group/next/api — ConsumerGroupHeartbeat and ConsumerGroupDescribe, and the classic calls that meet a consumer group: from
 * the wire to steps and back (KIP-848).
 */
import { ErrorCode } from '../../wire/index.ts'
import type { ConsumerGroupDescribe, ConsumerGroupHeartbeat, RequestOf, ResponseInput } from '../../wire/index.ts'
import type { JoinAnswer, JoinEvent, LeaveAnswer, Leaver, MemberClaim, SyncAnswer, SyncEvent } from '../machine.ts'
import { joinError, syncError } from '../membership.ts'
import type { Caller } from '../types.ts'
import { heartbeatClassic, joinClassic, leaveClassic, syncClassic } from './classic-members.ts'
import type { ConsumerGroups } from './consumer-groups.ts'
import { describeGroup, undescribed } from './describe.ts'
import { JOIN_EPOCH, LEAVE_EPOCH, STATIC_LEAVE_EPOCH } from './group.ts'
import { heartbeat } from './heartbeat.ts'
import { leave } from './leave.ts'
import { isRefusal, refuse } from './turn.ts'
import type { HeartbeatAnswer, HeartbeatRequest, Refusal } from './turn.ts'
import type { ConsumerWorld } from './world.ts'

/** From this version on the client makes its member id (KIP-1082). */
const MEMBER_ID_BY_CLIENT = 1

/** The part of the offsets topic that serves a group, or the error code for clients. */
type ShardOf = (groupId: string) => Promise<{ readonly next: ConsumerGroups } | number>

/** What these calls need. */
export interface ConsumerApiContext {
  readonly shardOf: ShardOf
  readonly world: ConsumerWorld
}

type HeartbeatWire = RequestOf<typeof ConsumerGroupHeartbeat>

/** ConsumerGroupHeartbeat. Resolves when what it changed is stored. */
export async function consumerGroupHeartbeat(
  context: ConsumerApiContext,
  request: HeartbeatWire,
  caller: Caller,
): Promise<ResponseInput<typeof ConsumerGroupHeartbeat>> {
  const refused = judgeHeartbeat(request, caller.apiVersion, context.world)
  if (refused !== null) return heartbeatError(refused)
  const shard = await context.shardOf(request.groupId)
  if (typeof shard === 'number') return heartbeatError({ errorCode: shard, errorMessage: null })
  const answer = await beat(shard.next, request, caller)
  return isRefusal(answer) ? heartbeatError(answer) : heartbeatResponse(answer)
}

/** ConsumerGroupDescribe, in the order asked. */
export async function consumerGroupDescribe(
  context: ConsumerApiContext,
  request: RequestOf<typeof ConsumerGroupDescribe>,
): Promise<ResponseInput<typeof ConsumerGroupDescribe>> {
  const groups = await Promise.all(
    request.groupIds.map(async (groupId) => {
      if (groupId === '') return undescribed(groupId, ErrorCode.INVALID_GROUP_ID, null)
      const shard = await context.shardOf(groupId)
      if (typeof shard === 'number') return undescribed(groupId, shard, null)
      const group = shard.next.group(groupId)
      if (group !== undefined) return describeGroup(group, context.world.rules(groupId).assignors, context.world.topics())
      return undescribed(groupId, ErrorCode.GROUP_ID_NOT_FOUND, shard.next.whyAbsent(groupId))
    }),
  )
  return { throttleTimeMs: 0, groups }
}

/** JoinGroup to a consumer group. Null: the group was empty and is gone, so that a classic one can take its place. */
export async function joinConsumerGroup(next: ConsumerGroups, groupId: string, event: JoinEvent): Promise<JoinAnswer | null> {
  const answer = await next.ask(groupId, (draft, turn) => {
    if (draft.group.members.size === 0) return refuse(ErrorCode.GROUP_ID_NOT_FOUND, 'The group is empty.')
    return joinClassic(draft, event, turn)
  })
  if (!isRefusal(answer)) return answer
  if (answer.errorCode !== ErrorCode.GROUP_ID_NOT_FOUND) return joinError(answer.errorCode, event.memberId)
  // Only a newcomer makes a group: an id that nobody knows is no member's.
  if (event.memberId !== '') return joinError(ErrorCode.UNKNOWN_MEMBER_ID, event.memberId)
  const errorCode = await next.remove(groupId)
  if (errorCode === ErrorCode.NONE || errorCode === ErrorCode.GROUP_ID_NOT_FOUND) return null
  return joinError(errorCode === ErrorCode.NON_EMPTY_GROUP ? ErrorCode.COORDINATOR_LOAD_IN_PROGRESS : errorCode, event.memberId)
}

/** SyncGroup to a consumer group. */
export async function syncConsumerGroup(next: ConsumerGroups, groupId: string, event: SyncEvent): Promise<SyncAnswer> {
  const answer = await next.ask(groupId, ({ group }, turn) => ({ answer: syncClassic(group, event, turn), downgrade: null }))
  return isRefusal(answer) ? syncError(memberCode(answer)) : answer
}

/** Heartbeat to a consumer group. */
export async function heartbeatConsumerGroup(next: ConsumerGroups, groupId: string, claim: MemberClaim): Promise<number> {
  const answer = await next.ask(groupId, ({ group }, turn) => ({ answer: heartbeatClassic(group, claim, turn), downgrade: null }))
  return isRefusal(answer) ? memberCode(answer) : answer
}

/** LeaveGroup to a consumer group. */
export async function leaveConsumerGroup(next: ConsumerGroups, groupId: string, leavers: readonly Leaver[]): Promise<LeaveAnswer> {
  const answer = await next.ask(groupId, (draft, turn) => leaveClassic(draft, leavers, turn))
  return isRefusal(answer) ? { errorCode: memberCode(answer), members: [] } : answer
}

/** A group that is gone has no members. */
function memberCode({ errorCode }: Refusal): number {
  return errorCode === ErrorCode.GROUP_ID_NOT_FOUND ? ErrorCode.UNKNOWN_MEMBER_ID : errorCode
}

function beat(next: ConsumerGroups, request: HeartbeatWire, caller: Caller): Promise<HeartbeatAnswer | Refusal> {
  const { groupId, memberId, instanceId, memberEpoch } = request
  if (memberEpoch === LEAVE_EPOCH || memberEpoch === STATIC_LEAVE_EPOCH) {
    return next.ask(groupId, (draft, turn) => leave(draft, { memberId, instanceId, memberEpoch }, turn))
  }
  const wanted: HeartbeatRequest = {
    memberId,
    memberEpoch,
    instanceId,
    rackId: request.rackId,
    rebalanceTimeoutMs: request.rebalanceTimeoutMs,
    topicNames: request.subscribedTopicNames,
    topicRegex: request.subscribedTopicRegex,
    serverAssignor: request.serverAssignor,
    reported: request.topicPartitions,
    clientId: caller.clientId,
    clientHost: caller.clientHost,
  }
  const ask = memberEpoch === JOIN_EPOCH ? next.askOrMake.bind(next) : next.ask.bind(next)
  return ask(groupId, (draft, turn) => {
    const answer = heartbeat(draft, wanted, turn)
    return isRefusal(answer) ? answer : { answer, downgrade: null }
  })
}

/** What Kafka checks before it looks for the group. */
function judgeHeartbeat(request: HeartbeatWire, apiVersion: number, world: ConsumerWorld): Refusal | null {
  const { memberEpoch } = request
  const invalid = (why: string): Refusal => refuse(ErrorCode.INVALID_REQUEST, why)
  const needsMemberId = apiVersion >= MEMBER_ID_BY_CLIENT || memberEpoch > 0 || memberEpoch === LEAVE_EPOCH
  if (needsMemberId && isBlank(request.memberId)) return invalid("MemberId can't be empty.")
  if (isBlank(request.groupId)) return invalid("GroupId can't be empty.")
  if (isBlank(request.instanceId)) return invalid("InstanceId can't be empty.")
  if (isBlank(request.rackId)) return invalid("RackId can't be empty.")
  if (memberEpoch === JOIN_EPOCH) {
    if (request.rebalanceTimeoutMs === -1) return invalid('RebalanceTimeoutMs must be provided in first request.')
    if (request.topicPartitions?.length !== 0) return invalid('TopicPartitions must be empty when (re-)joining.')
    if (request.subscribedTopicNames === null && request.subscribedTopicRegex === null)
      return invalid('Either SubscribedTopicNames or SubscribedTopicRegex must be non-null when (re-)joining.')
  }
  if (memberEpoch === STATIC_LEAVE_EPOCH && request.instanceId === null) return invalid("InstanceId can't be null.")
  if (memberEpoch < STATIC_LEAVE_EPOCH) return invalid('MemberEpoch is invalid.')
  const { assignors } = world.rules(request.groupId)
  if (request.serverAssignor === null || assignors.includes(request.serverAssignor)) return null
  const supported = assignors.join(', ')
  return refuse(
    ErrorCode.UNSUPPORTED_ASSIGNOR,
    `ServerAssignor ${request.serverAssignor} is not supported. Supported assignors: ${supported}.`,
  )
}

function isBlank(text: string | null): boolean {
  return text !== null && text.trim() === ''
}

function heartbeatError({ errorCode, errorMessage }: { readonly errorCode: number; readonly errorMessage: string | null }) {
  return { throttleTimeMs: 0, errorCode, errorMessage, memberId: null, memberEpoch: 0, heartbeatIntervalMs: 0, assignment: null }
}

function heartbeatResponse(answer: HeartbeatAnswer): ResponseInput<typeof ConsumerGroupHeartbeat> {
  const { memberId, memberEpoch, heartbeatIntervalMs, assignment } = answer
  return {
    throttleTimeMs: 0,
    errorCode: ErrorCode.NONE,
    errorMessage: null,
    memberId,
    memberEpoch,
    heartbeatIntervalMs,
    assignment:
      assignment === null
        ? null
        : { topicPartitions: assignment.map(({ topicId, partitions }) => ({ topicId, partitions: [...partitions] })) },
  }
}
