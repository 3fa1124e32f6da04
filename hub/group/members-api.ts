/**
 * @module group/members-api — JoinGroup, SyncGroup, Heartbeat, LeaveGroup: from the wire to the state machine and back.
 *
 * What a version cannot carry is left out of its answer; what Kafka checks before it looks for the group is checked here.
 */
import type { Random } from '../io/index.ts'
import { ErrorCode } from '../wire/index.ts'
import type { Heartbeat, JoinGroup, LeaveGroup, RequestOf, ResponseInput, SyncGroup } from '../wire/index.ts'
import type { GroupConfig } from './group-config.ts'
import type { JoinAnswer, JoinEvent, LeaveAnswer, Leaver, SyncAnswer, SyncEvent } from './machine.ts'
import type { Ticket } from './member.ts'
import { joinError, syncError } from './membership.ts'
import { heartbeatConsumerGroup, joinConsumerGroup, leaveConsumerGroup, syncConsumerGroup } from './next/index.ts'
import type { GroupShard } from './shard.ts'
import type { Shards } from './shards.ts'
import type { Caller } from './types.ts'

/** Versions from which a request or an answer carries something new. */
const JOIN_WITH_REBALANCE_TIMEOUT = 1
const JOIN_WITH_KNOWN_MEMBER_ID = 4
const JOIN_WITH_NULL_PROTOCOL = 7
const JOIN_WITH_SKIPPED_ASSIGNMENT = 9
const SYNC_WITH_PROTOCOL = 5
const LEAVE_WITH_MEMBERS = 3
/** Of requests to consumer groups, which are answered without waiting for other members. */
const NO_TICKET: Ticket = 0

/** What these calls need. */
export interface MembersContext {
  readonly shards: Shards
  readonly config: GroupConfig
  readonly random: Random
}

/** JoinGroup. Resolves when the next generation begins, which may take the rebalance timeout. */
export async function joinGroup(
  context: MembersContext,
  request: RequestOf<typeof JoinGroup>,
  caller: Caller,
): Promise<ResponseInput<typeof JoinGroup>> {
  const refuse = (errorCode: number): ResponseInput<typeof JoinGroup> =>
    joinResponse(joinError(errorCode, request.memberId), caller.apiVersion)
  if (request.groupId === '') return refuse(ErrorCode.INVALID_GROUP_ID)
  const { minSessionTimeoutMs, maxSessionTimeoutMs } = context.config
  if (request.sessionTimeoutMs < minSessionTimeoutMs || request.sessionTimeoutMs > maxSessionTimeoutMs)
    return refuse(ErrorCode.INVALID_SESSION_TIMEOUT)
  const shard = await context.shards.of(request.groupId)
  if (typeof shard === 'number') return refuse(shard)
  const memberId = newMemberId(context.random, request.groupInstanceId ?? caller.clientId)
  if (shard.next.has(request.groupId)) {
    const answer = await joinConsumerGroup(shard.next, request.groupId, joinEvent(request, caller, memberId, NO_TICKET))
    if (answer !== null) return joinResponse(answer, caller.apiVersion)
  }
  // Only a newcomer makes a group: an id that nobody knows is no member's.
  if (request.memberId !== '' && shard.group(request.groupId) === undefined) return refuse(ErrorCode.UNKNOWN_MEMBER_ID)
  const answer = await join(shard, request, caller, memberId)
  return joinResponse(answer, caller.apiVersion)
}

/** SyncGroup. Resolves when the leader's assignment is stored. */
export async function syncGroup(
  context: MembersContext,
  request: RequestOf<typeof SyncGroup>,
  caller: Caller,
): Promise<ResponseInput<typeof SyncGroup>> {
  const protocolMissing = request.protocolType === null || request.protocolName === null
  if (caller.apiVersion >= SYNC_WITH_PROTOCOL && protocolMissing) return syncError(ErrorCode.INCONSISTENT_GROUP_PROTOCOL)
  if (request.groupId === '') return syncError(ErrorCode.INVALID_GROUP_ID)
  const shard = await context.shards.of(request.groupId)
  if (typeof shard === 'number') return syncError(shard)
  const event = (ticket: Ticket): SyncEvent => ({
    type: 'sync',
    ticket,
    memberId: request.memberId,
    groupInstanceId: request.groupInstanceId,
    generationId: request.generationId,
    protocolType: request.protocolType,
    protocolName: request.protocolName,
    // Copied: the request is a view into a network buffer that must not live as long as the generation.
    assignments: request.assignments.map((each) => ({ memberId: each.memberId, assignment: Buffer.from(each.assignment) })),
  })
  if (shard.next.has(request.groupId)) return syncConsumerGroup(shard.next, request.groupId, event(NO_TICKET))
  if (shard.group(request.groupId) === undefined) return syncError(ErrorCode.UNKNOWN_MEMBER_ID)
  return shard.ask<SyncAnswer>(request.groupId, caller.signal, event)
}

/** Heartbeat. While its partition loads every member is taken to live. */
export async function heartbeat(context: MembersContext, request: RequestOf<typeof Heartbeat>): Promise<ResponseInput<typeof Heartbeat>> {
  if (request.groupId === '') return { errorCode: ErrorCode.INVALID_GROUP_ID }
  const shard = await context.shards.of(request.groupId)
  if (typeof shard === 'number') return { errorCode: shard === ErrorCode.COORDINATOR_LOAD_IN_PROGRESS ? ErrorCode.NONE : shard }
  const { memberId, groupInstanceId, generationId } = request
  if (shard.next.has(request.groupId)) {
    return { errorCode: await heartbeatConsumerGroup(shard.next, request.groupId, { memberId, groupInstanceId, generationId }) }
  }
  if (shard.group(request.groupId) === undefined) return { errorCode: ErrorCode.UNKNOWN_MEMBER_ID }
  return { errorCode: shard.judge(request.groupId, (ticket) => ({ type: 'heartbeat', ticket, memberId, groupInstanceId, generationId })) }
}

/** LeaveGroup. Resolves when a group that it emptied is stored as empty. */
export async function leaveGroup(
  context: MembersContext,
  request: RequestOf<typeof LeaveGroup>,
  caller: Caller,
): Promise<ResponseInput<typeof LeaveGroup>> {
  if (request.groupId === '') return { errorCode: ErrorCode.INVALID_GROUP_ID }
  const leavers: Leaver[] =
    caller.apiVersion >= LEAVE_WITH_MEMBERS
      ? request.members.map(({ memberId, groupInstanceId, reason }) => ({ memberId, groupInstanceId, reason }))
      : [{ memberId: request.memberId, groupInstanceId: null, reason: null }]
  const shard = await context.shards.of(request.groupId)
  if (typeof shard === 'number') return { errorCode: shard }
  if (shard.next.has(request.groupId)) {
    return leaveResponse(await leaveConsumerGroup(shard.next, request.groupId, leavers), caller.apiVersion)
  }
  if (shard.group(request.groupId) === undefined) {
    const members = leavers.map(({ memberId, groupInstanceId }) => ({ memberId, groupInstanceId, errorCode: ErrorCode.UNKNOWN_MEMBER_ID }))
    return leaveResponse({ errorCode: ErrorCode.NONE, members }, caller.apiVersion)
  }
  const answer = await shard.ask<LeaveAnswer>(request.groupId, caller.signal, (ticket) => ({ type: 'leave', ticket, leavers }))
  return leaveResponse(answer, caller.apiVersion)
}

/** A new id: what the member calls itself and a random UUID in its standard form, as Kafka makes them. */
function newMemberId(random: Random, name: string): string {
  const bytes = random.bytes(16)
  bytes.writeUInt8((bytes.readUInt8(6) & 0x0f) | 0x40, 6)
  bytes.writeUInt8((bytes.readUInt8(8) & 0x3f) | 0x80, 8)
  const hex = bytes.toString('hex')
  return `${name}-${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`
}

function join(shard: GroupShard, request: RequestOf<typeof JoinGroup>, caller: Caller, memberId: string): Promise<JoinAnswer> {
  const isNew = shard.ensureGroup(request.groupId)
  const answer = shard.ask<JoinAnswer>(request.groupId, caller.signal, (ticket) => joinEvent(request, caller, memberId, ticket))
  if (isNew) {
    shard.dropIfVacant(request.groupId)
    shard.dispatch(request.groupId, { type: 'created' })
  }
  return answer
}

function joinEvent(request: RequestOf<typeof JoinGroup>, caller: Caller, memberId: string, ticket: Ticket): JoinEvent {
  return {
    type: 'join',
    ticket,
    memberId: request.memberId,
    newMemberId: memberId,
    groupInstanceId: request.groupInstanceId,
    clientId: caller.clientId,
    clientHost: caller.clientHost,
    sessionTimeoutMs: request.sessionTimeoutMs,
    rebalanceTimeoutMs: caller.apiVersion >= JOIN_WITH_REBALANCE_TIMEOUT ? request.rebalanceTimeoutMs : request.sessionTimeoutMs,
    protocolType: request.protocolType,
    protocols: request.protocols.map((each) => ({ name: each.name, metadata: Buffer.from(each.metadata) })),
    reason: request.reason,
    requiresKnownMemberId: caller.apiVersion >= JOIN_WITH_KNOWN_MEMBER_ID,
    supportsSkippingAssignment: caller.apiVersion >= JOIN_WITH_SKIPPED_ASSIGNMENT,
  }
}

function joinResponse(answer: JoinAnswer, apiVersion: number): ResponseInput<typeof JoinGroup> {
  const { leaderId, skipAssignment, protocolName, members, ...rest } = answer
  return {
    ...rest,
    protocolName: apiVersion >= JOIN_WITH_NULL_PROTOCOL ? protocolName : (protocolName ?? ''),
    leader: leaderId,
    ...(apiVersion >= JOIN_WITH_SKIPPED_ASSIGNMENT ? { skipAssignment } : {}),
    members: [...members],
  }
}

function leaveResponse(answer: LeaveAnswer, apiVersion: number): ResponseInput<typeof LeaveGroup> {
  if (apiVersion >= LEAVE_WITH_MEMBERS) return { errorCode: answer.errorCode, members: [...answer.members] }
  return { errorCode: answer.errorCode === ErrorCode.NONE ? (answer.members[0]?.errorCode ?? ErrorCode.NONE) : answer.errorCode }
}
