/**
 * @module group/next/classic-members — members of the classic protocol inside a consumer group: JoinGroup, SyncGroup, Heartbeat and
 * LeaveGroup, answered at once because nobody has to wait for anybody (KIP-848) (pure).
 *
 * The coordinator assigns; to such a member it looks as if another member led the group. It is told to join again by
 * REBALANCE_IN_PROGRESS when it has to give something back or can get something.
 */
import { ErrorCode } from '../../wire/index.ts'
import type { JoinAnswer, JoinEvent, LeaveAnswer, Leaver, SyncAnswer, SyncEvent } from '../machine.ts'
import type { MemberClaim } from '../machine.ts'
import { joinError, syncError } from '../membership.ts'
import { CONSUMER_PROTOCOL_TYPE, readSubscription, writeAssignment } from './consumer-protocol.ts'
import type { ClassicSubscription } from './consumer-protocol.ts'
import type { GroupDraft } from './draft.ts'
import { updateTargets } from './epoch.ts'
import type { ConsumerGroup, ConsumerMember } from './group.ts'
import { reconcileMember, updateSubscription } from './heartbeat.ts'
import {
  claimMember,
  findMember,
  refuseIfFull,
  removeMembers,
  restartSession,
  setTimer,
  staticMember,
  subscriptionOf,
} from './membership.ts'
import { downgrade, mayDowngrade, mayDowngradeByReplacing } from './migrate.ts'
import type { Downgrade } from './migrate.ts'
import { withoutEpochs } from './partitions.ts'
import { isRefusal, refuse } from './turn.ts'
import type { Refusal, Turn } from './turn.ts'

/** A classic member joins or joins again. The group may become a classic one by it. */
export function joinClassic(
  draft: GroupDraft,
  event: JoinEvent,
  turn: Turn,
): { readonly answer: JoinAnswer; readonly downgrade: Downgrade | null } | Refusal {
  const isUnknown = event.memberId === ''
  const memberId = isUnknown ? event.newMemberId : event.memberId
  const refused = refuseJoin(draft.group, event, memberId, turn)
  if (refused !== null) return refused
  if (isUnknown && event.groupInstanceId === null && event.requiresKnownMemberId) {
    return { answer: joinError(ErrorCode.MEMBER_ID_REQUIRED, memberId), downgrade: null }
  }
  const subscription = readSubscription(event.protocols[0]?.metadata ?? Buffer.alloc(0), turn.topics)
  if (subscription === null) {
    return refuse(ErrorCode.INCONSISTENT_GROUP_PROTOCOL, `Member ${memberId}'s embedded consumer protocol is malformed.`)
  }
  const before = draft.records.length
  const replaced = staticMember(draft.group, event.groupInstanceId)
  const downgrades = replaced !== undefined && mayDowngradeByReplacing(draft.group, replaced, turn)
  const joins = event.groupInstanceId === null || isUnknown
  const instanceId = event.groupInstanceId
  const member = claimMember(draft, { memberId, instanceId, memberEpoch: -1, reported: [], isClassic: true, joins }, turn)
  if (isRefusal(member)) return member
  const changed = updateSubscription(draft, member, withJoin(member, event, subscription), turn)
  if (isRefusal(changed)) return changed
  if (downgrades) return { ...downgradeByJoin(draft, memberId, before, turn) }
  updateTargets(draft, turn)
  const updated = reconcileMember(draft, memberId, changed, subscription.owned, turn)
  if (isRefusal(updated)) return updated
  turn.timers.push({ type: 'cancel', name: `join ${memberId}` })
  restartSession(memberId, event.sessionTimeoutMs, turn)
  setTimer('sync', memberId, event.rebalanceTimeoutMs, turn)
  return { answer: joined(updated), downgrade: null }
}

/** A classic member asks for its assignment: at once, or REBALANCE_IN_PROGRESS when there is a newer one. */
export function syncClassic(group: ConsumerGroup, event: SyncEvent, turn: Turn): SyncAnswer {
  const member = findClassic(group, event)
  if (typeof member === 'number') return syncError(member)
  const [protocol] = member.classic?.protocols ?? []
  const typeDiffers = event.protocolType !== null && event.protocolType !== CONSUMER_PROTOCOL_TYPE
  const nameDiffers = event.protocolName !== null && event.protocolName !== protocol?.name
  if (typeDiffers || nameDiffers) return syncError(ErrorCode.INCONSISTENT_GROUP_PROTOCOL)
  if (group.assignmentEpoch > member.memberEpoch && member.reconciliation !== 'UnrevokedPartitions') {
    awaitJoin(member, turn)
    return syncError(ErrorCode.REBALANCE_IN_PROGRESS)
  }
  turn.timers.push({ type: 'cancel', name: `sync ${member.memberId}` })
  restartSession(member.memberId, member.classic?.sessionTimeoutMs ?? turn.rules.sessionTimeoutMs, turn)
  const { protocolType, protocolName } = event
  const assignment = writeAssignment(withoutEpochs(member.assigned), protocol?.metadata ?? Buffer.alloc(0), turn.topics)
  return { errorCode: ErrorCode.NONE, protocolType, protocolName, assignment }
}

/** A classic member lives; it has to join again when its target moved, when it must give back, or when what it waits for is free. */
export function heartbeatClassic(group: ConsumerGroup, claim: MemberClaim, turn: Turn): number {
  const member = findClassic(group, claim)
  if (typeof member === 'number') return member
  restartSession(member.memberId, member.classic?.sessionTimeoutMs ?? turn.rules.sessionTimeoutMs, turn)
  const mustRejoin =
    member.memberEpoch < group.assignmentEpoch ||
    member.reconciliation === 'UnrevokedPartitions' ||
    (member.reconciliation === 'UnreleasedPartitions' && !waitsForOthers(group, member))
  if (!mustRejoin) return ErrorCode.NONE
  awaitJoin(member, turn)
  return ErrorCode.REBALANCE_IN_PROGRESS
}

/** LeaveGroup, also by an administrator and also of members of the new protocol. Each leaver gets a code of its own. */
export function leaveClassic(
  draft: GroupDraft,
  leavers: readonly Leaver[],
  turn: Turn,
): { readonly answer: LeaveAnswer; readonly downgrade: Downgrade | null } {
  const leavingIds = new Set<string>()
  const members = leavers.map(({ memberId, groupInstanceId }) => {
    const byInstance = groupInstanceId !== null && memberId === ''
    const found = byInstance
      ? (staticMember(draft.group, groupInstanceId) ?? refuse(ErrorCode.UNKNOWN_MEMBER_ID, ''))
      : findMember(draft.group, memberId, groupInstanceId)
    if (!('memberEpoch' in found)) return { memberId, groupInstanceId, errorCode: found.errorCode }
    leavingIds.add(found.memberId)
    return { memberId, groupInstanceId, errorCode: ErrorCode.NONE }
  })
  return { answer: { errorCode: ErrorCode.NONE, members }, downgrade: removeOrDowngrade(draft, leavingIds, turn) }
}

/** Removes members; where only classic ones are left, the group becomes a classic one that rebalances. */
export function removeOrDowngrade(draft: GroupDraft, leavingIds: ReadonlySet<string>, turn: Turn): Downgrade | null {
  if (leavingIds.size === 0) return null
  if (mayDowngrade(draft.group, leavingIds, turn)) {
    const state = downgrade(draft, { leavingIds, joining: null }, turn)
    return { state, rebalanceReason: 'the last member of the consumer protocol left' }
  }
  removeMembers(draft, [...leavingIds], turn)
  return null
}

function refuseJoin(group: ConsumerGroup, event: JoinEvent, memberId: string, turn: Turn): Refusal | null {
  if (turn.rules.migrationPolicy === 'disabled') {
    const why = `Cannot join the consumer group ${group.groupId} with the classic protocol because the group migration is disabled.`
    return refuse(ErrorCode.INCONSISTENT_GROUP_PROTOCOL, why)
  }
  const full = refuseIfFull(group, memberId, turn)
  if (full !== null) return full
  if (fits(group, event)) return null
  return refuse(ErrorCode.INCONSISTENT_GROUP_PROTOCOL, `Member ${memberId}'s protocols are not supported.`)
}

/** Some protocol that every classic member of the group has. */
function fits(group: ConsumerGroup, { protocolType, protocols }: JoinEvent): boolean {
  if (protocolType !== CONSUMER_PROTOCOL_TYPE || protocols.length === 0) return false
  const classic = [...group.members.values()].flatMap((member) => member.classic ?? [])
  return protocols.some(({ name }) => classic.every((member) => member.protocols.some((protocol) => protocol.name === name)))
}

function withJoin(member: ConsumerMember, event: JoinEvent, { topicNames, rackId }: ClassicSubscription) {
  return {
    ...subscriptionOf(member),
    instanceId: event.groupInstanceId ?? member.instanceId,
    rackId: rackId ?? member.rackId,
    rebalanceTimeoutMs: event.rebalanceTimeoutMs === -1 ? member.rebalanceTimeoutMs : event.rebalanceTimeoutMs,
    topicNames,
    topicRegex: '',
    clientId: event.clientId,
    clientHost: event.clientHost,
    classic: { sessionTimeoutMs: event.sessionTimeoutMs, protocols: event.protocols },
  }
}

/** The static member that came back was the last one of the new protocol. */
function downgradeByJoin(draft: GroupDraft, memberId: string, recordCount: number, turn: Turn) {
  const { group } = draft
  const joining = group.members.get(memberId)
  if (joining === undefined) throw new Error(`member ${memberId} of group ${group.groupId} has no record`)
  const isStale = group.assignmentEpoch < group.groupEpoch
  const updated = isStale ? joining : reconcileMember(draft, memberId, false, null, turn)
  const answer = joined(isRefusal(updated) ? joining : updated)
  // Nothing of the join is written: the classic group's record holds all of it.
  draft.rewind(recordCount)
  const state = downgrade(draft, { leavingIds: new Set(), joining }, turn)
  return { answer, downgrade: { state, rebalanceReason: isStale ? 'downgraded with a stale assignment' : null } }
}

function joined(member: ConsumerMember): JoinAnswer {
  return {
    ...joinError(ErrorCode.NONE, member.memberId),
    generationId: member.memberEpoch,
    protocolType: CONSUMER_PROTOCOL_TYPE,
    protocolName: member.classic?.protocols[0]?.name ?? null,
  }
}

function findClassic(group: ConsumerGroup, claim: MemberClaim): ConsumerMember | number {
  const member = findMember(group, claim.memberId, claim.groupInstanceId)
  if (!('memberEpoch' in member)) return member.errorCode
  if (member.classic === null) return ErrorCode.UNKNOWN_MEMBER_ID
  return member.memberEpoch === claim.generationId ? member : ErrorCode.ILLEGAL_GENERATION
}

function awaitJoin(member: ConsumerMember, turn: Turn): void {
  setTimer('join', member.memberId, member.rebalanceTimeoutMs, turn, member.memberEpoch, true)
}

/** Whether everything that a member lacks of its target is still held by others. */
function waitsForOthers(group: ConsumerGroup, member: ConsumerMember): boolean {
  for (const [topicId, partitions] of group.targets.get(member.memberId) ?? []) {
    for (const partition of partitions) {
      if (member.assigned.get(topicId)?.has(partition) === true) continue
      if (group.owners.get(topicId)?.has(partition) === true) return true
    }
  }
  return false
}
