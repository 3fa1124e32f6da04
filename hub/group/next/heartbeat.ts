/**
 * @module group/next/heartbeat — ConsumerGroupHeartbeat: a member joins, tells what it wants and owns, and learns what it gets (pure).
 */
import { ErrorCode } from '../../wire/index.ts'
import type { GroupDraft } from './draft.ts'
import { refreshRegexes, updateEpoch, updateTargets } from './epoch.ts'
import { JOIN_EPOCH, isReconciledTo, regexCounts, sameNames, subscribedIds } from './group.ts'
import type { ClassicMetadata, ConsumerMember, MemberSubscription } from './group.ts'
import { claimMember, progressOf, refuseIfFull, restartSession, setTimer, subscriptionOf } from './membership.ts'
import { NO_PARTITIONS, listOf, sameOwned } from './partitions.ts'
import type { TopicPartitions } from './partitions.ts'
import { reconcile } from './reconcile.ts'
import { regexFault } from './regex.ts'
import { isRefusal, refuse } from './turn.ts'
import type { HeartbeatAnswer, HeartbeatRequest, Refusal, Turn } from './turn.ts'

/** A heartbeat of a member of the new protocol; with epoch 0 it joins. */
export function heartbeat(draft: GroupDraft, request: HeartbeatRequest, turn: Turn): HeartbeatAnswer | Refusal {
  const joins = request.memberEpoch === JOIN_EPOCH
  const full = refuseIfFull(draft.group, request.memberId, turn)
  if (full !== null) return full
  const memberId = request.memberId === '' ? turn.newMemberId() : request.memberId
  const { instanceId, memberEpoch, reported } = request
  const member = claimMember(draft, { memberId, instanceId, memberEpoch, reported, isClassic: false, joins }, turn)
  if (isRefusal(member)) return member
  const subscriptionChanged = updateSubscription(draft, member, withRequest(member, request), turn)
  if (isRefusal(subscriptionChanged)) return subscriptionChanged
  updateTargets(draft, turn)
  const updated = reconcileMember(draft, memberId, subscriptionChanged, reported, turn)
  if (isRefusal(updated)) return updated
  restartSession(memberId, turn.rules.sessionTimeoutMs, turn)
  const isFull = request.rebalanceTimeoutMs !== -1 && (request.topicNames !== null || request.topicRegex !== null) && reported !== null
  const tellsAssignment = joins || isFull || !sameOwned(member.assigned, updated.assigned)
  return {
    memberId,
    memberEpoch: updated.memberEpoch,
    heartbeatIntervalMs: turn.rules.heartbeatIntervalMs,
    assignment: tellsAssignment ? listOf(updated.assigned) : null,
  }
}

/**
 * Writes what a member wants where it changed, looks expressions up and raises the epoch where that takes it. True when the member
 * subscribes to something else than before; INVALID_REGULAR_EXPRESSION for one that nobody has yet and that is none.
 */
export function updateSubscription(draft: GroupDraft, member: ConsumerMember, wanted: MemberSubscription, turn: Turn): boolean | Refusal {
  const { memberId, topicRegex: formerRegex } = member
  const regexChanged = wanted.topicRegex !== formerRegex
  if (regexChanged && wanted.topicRegex !== '' && !regexCounts(draft.group.members.values()).has(wanted.topicRegex)) {
    const fault = regexFault(wanted.topicRegex)
    if (fault !== null) return invalidRegex(wanted.topicRegex, fault)
  }
  const isNew = !draft.group.members.has(memberId)
  if (isNew || !sameSubscription(member, wanted)) draft.put({ type: 'member', memberId, value: wanted })
  if (regexChanged && formerRegex !== '' && !regexCounts(draft.group.members.values()).has(formerRegex)) {
    draft.put({ type: 'regex', regex: formerRegex, value: null })
  }
  const namesChanged = !sameNames(wanted.topicNames, member.topicNames)
  const topicsFound = refreshRegexes(draft, turn)
  updateEpoch(draft, namesChanged || regexChanged || topicsFound, turn)
  return namesChanged || regexChanged
}

/** Brings a member as near to its target as it may come now. */
export function reconcileMember(
  draft: GroupDraft,
  memberId: string,
  subscriptionChanged: boolean,
  reported: TopicPartitions | null,
  turn: Turn,
): ConsumerMember | Refusal {
  const { group } = draft
  const member = group.members.get(memberId)
  if (member === undefined) throw new Error(`member ${memberId} of group ${group.groupId} is reconciled before it is one`)
  if (!subscriptionChanged && isReconciledTo(member, group.assignmentEpoch)) return member
  const next = reconcile(member, {
    assignmentEpoch: group.assignmentEpoch,
    target: group.targets.get(memberId) ?? NO_PARTITIONS,
    subscriptionChanged,
    topicIds: subscribedIds(group, member, turn.topics),
    reported,
    ownerOf: (topicId, partition) => group.owners.get(topicId)?.get(partition),
  })
  if (next === ErrorCode.FENCED_MEMBER_EPOCH) {
    return refuse(next, 'The consumer group member is in an unknown state. The member must abandon all its partitions and rejoin.')
  }
  const updated = { ...member, ...next }
  if (sameProgress(member, updated)) return member
  draft.put({ type: 'progress', memberId, value: progressOf(updated) })
  if (updated.classic !== null) return updated
  if (updated.reconciliation === 'UnrevokedPartitions') {
    setTimer('rebalance', memberId, updated.rebalanceTimeoutMs, turn, updated.memberEpoch)
  } else {
    turn.timers.push({ type: 'cancel', name: `rebalance ${memberId}` })
  }
  return updated
}

/** What the member wants after this request; fields that the request leaves out stay. */
function withRequest(member: ConsumerMember, request: HeartbeatRequest): MemberSubscription {
  return {
    ...subscriptionOf(member),
    instanceId: request.instanceId ?? member.instanceId,
    rackId: request.rackId ?? member.rackId,
    rebalanceTimeoutMs: request.rebalanceTimeoutMs === -1 ? member.rebalanceTimeoutMs : request.rebalanceTimeoutMs,
    serverAssignor: request.serverAssignor ?? member.serverAssignor,
    topicNames: request.topicNames === null ? member.topicNames : [...new Set(request.topicNames)].sort(),
    topicRegex: request.topicRegex ?? member.topicRegex,
    clientId: request.clientId,
    clientHost: request.clientHost,
    classic: null,
  }
}

function sameSubscription(member: MemberSubscription, wanted: MemberSubscription): boolean {
  return (
    member.instanceId === wanted.instanceId &&
    member.rackId === wanted.rackId &&
    member.clientId === wanted.clientId &&
    member.clientHost === wanted.clientHost &&
    member.topicRegex === wanted.topicRegex &&
    member.rebalanceTimeoutMs === wanted.rebalanceTimeoutMs &&
    member.serverAssignor === wanted.serverAssignor &&
    sameNames(member.topicNames, wanted.topicNames) &&
    sameClassic(member.classic, wanted.classic)
  )
}

function sameClassic(a: ClassicMetadata | null, b: ClassicMetadata | null): boolean {
  if (a === null || b === null) return a === b
  if (a.sessionTimeoutMs !== b.sessionTimeoutMs || a.protocols.length !== b.protocols.length) return false
  return a.protocols.every(({ name, metadata }, at) => b.protocols[at]?.name === name && metadata.equals(b.protocols[at].metadata))
}

function sameProgress(a: ConsumerMember, b: ConsumerMember): boolean {
  return (
    a.memberEpoch === b.memberEpoch &&
    a.previousMemberEpoch === b.previousMemberEpoch &&
    a.reconciliation === b.reconciliation &&
    sameOwned(a.assigned, b.assigned) &&
    sameOwned(a.pendingRevocation, b.pendingRevocation)
  )
}

function invalidRegex(regex: string, fault: string): Refusal {
  return refuse(ErrorCode.INVALID_REGULAR_EXPRESSION, `SubscribedTopicRegex \`${regex}\` is not a valid regular expression: ${fault}.`)
}
