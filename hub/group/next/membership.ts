/**
 * @module group/next/membership — who a member is: joining, coming back, leaving, being removed (KIP-848, static members) (pure).
 */
import { ErrorCode } from '../../wire/index.ts'
import { bumpEpoch } from './epoch.ts'
import type { GroupDraft } from './draft.ts'
import { JOIN_EPOCH, STATIC_LEAVE_EPOCH, newMember, regexCounts } from './group.ts'
import type { ConsumerGroup, ConsumerMember, MemberProgress, MemberSubscription } from './group.ts'
import { NOTHING_OWNED, NO_PARTITIONS, ownedSince, within, withoutEpochs } from './partitions.ts'
import type { TopicPartitions } from './partitions.ts'
import { refuse } from './turn.ts'
import type { Refusal, TimerKind, Turn } from './turn.ts'

const TIMER_KINDS: readonly TimerKind[] = ['session', 'rebalance', 'join', 'sync']

/** Who speaks, and how. */
export interface Claim {
  readonly memberId: string
  readonly instanceId: string | null
  readonly memberEpoch: number
  readonly reported: TopicPartitions | null
  /** Speaks the classic protocol: its epoch is judged elsewhere. */
  readonly isClassic: boolean
  /** May be new. */
  readonly joins: boolean
}

/** The subscription of a member alone. */
export function subscriptionOf(member: ConsumerMember): MemberSubscription {
  const { instanceId, rackId, clientId, clientHost, topicNames, topicRegex, rebalanceTimeoutMs, serverAssignor, classic } = member
  return { instanceId, rackId, clientId, clientHost, topicNames, topicRegex, rebalanceTimeoutMs, serverAssignor, classic }
}

/** The standing of a member alone. */
export function progressOf(member: ConsumerMember): MemberProgress {
  const { memberEpoch, previousMemberEpoch, reconciliation, assigned, pendingRevocation } = member
  return { memberEpoch, previousMemberEpoch, reconciliation, assigned, pendingRevocation }
}

/** GROUP_MAX_SIZE_REACHED for a newcomer to a full group. */
export function refuseIfFull(group: ConsumerGroup, memberId: string, { rules }: Turn): Refusal | null {
  if (group.members.size < rules.memberCountMax || group.members.has(memberId)) return null
  return refuse(ErrorCode.GROUP_MAX_SIZE_REACHED, `The consumer group has reached its maximum capacity of ${rules.memberCountMax} members.`)
}

/** The member that speaks, as it stands or new. A static member that comes back under another id takes its place at once. */
export function claimMember(draft: GroupDraft, claim: Claim, turn: Turn): ConsumerMember | Refusal {
  return claim.instanceId === null ? claimDynamic(draft.group, claim) : claimStatic(draft, claim, claim.instanceId, turn)
}

/** A member by instance id, or by member id alone; UNKNOWN_MEMBER_ID, or FENCED_INSTANCE_ID when another id holds the instance. */
export function findMember(group: ConsumerGroup, memberId: string, instanceId: string | null): ConsumerMember | Refusal {
  if (instanceId === null) return group.members.get(memberId) ?? unknownMember(group, memberId)
  const existing = staticMember(group, instanceId)
  if (existing === undefined) return refuse(ErrorCode.UNKNOWN_MEMBER_ID, `Instance id ${instanceId} is unknown.`)
  if (existing.memberId === memberId) return existing
  return refuse(
    ErrorCode.FENCED_INSTANCE_ID,
    `Static member ${memberId} with instance id ${instanceId} was fenced by member ${existing.memberId}.`,
  )
}

/** The member that holds an instance id. */
export function staticMember(group: ConsumerGroup, instanceId: string | null): ConsumerMember | undefined {
  const memberId = instanceId === null ? undefined : group.staticMembers.get(instanceId)
  return memberId === undefined ? undefined : group.members.get(memberId)
}

/** A static member is away and means to come back: it keeps its partitions until its session ends (epoch −2). */
export function parkMember(draft: GroupDraft, member: ConsumerMember): void {
  draft.put({
    type: 'progress',
    memberId: member.memberId,
    value: {
      ...progressOf(member),
      memberEpoch: STATIC_LEAVE_EPOCH,
      // Whoever comes back under this instance id gets an epoch of its own for each partition.
      assigned: ownedSince(withoutEpochs(member.assigned), 0),
      pendingRevocation: NOTHING_OWNED,
    },
  })
}

/** Removes members with all their records and timers; the group's epoch rises. */
export function removeMembers(draft: GroupDraft, memberIds: readonly string[], turn: Turn): void {
  const before = regexCounts(draft.group.members.values())
  for (const memberId of memberIds) putTombstones(draft, memberId)
  const after = regexCounts(draft.group.members.values())
  for (const regex of before.keys()) if (!after.has(regex)) draft.put({ type: 'regex', regex, value: null })
  bumpEpoch(draft, turn)
  for (const memberId of memberIds) cancelTimers(memberId, turn)
}

/** Stops every timer of a member. */
export function cancelTimers(memberId: string, turn: Turn): void {
  for (const kind of TIMER_KINDS) turn.timers.push({ type: 'cancel', name: `${kind} ${memberId}` })
}

/** Counts the member's session from now. */
export function restartSession(memberId: string, timeoutMs: number, turn: Turn): void {
  setTimer('session', memberId, timeoutMs, turn)
}

/** Sets a timer of a member anew. */
export function setTimer(kind: TimerKind, memberId: string, delayMs: number, turn: Turn, memberEpoch = 0, ifAbsent = false): void {
  turn.timers.push({ type: 'set', name: `${kind} ${memberId}`, delayMs, event: { kind, memberId, memberEpoch }, ifAbsent })
}

function claimDynamic(group: ConsumerGroup, claim: Claim): ConsumerMember | Refusal {
  const member = group.members.get(claim.memberId)
  if (member === undefined) return claim.joins ? newMember(claim.memberId) : unknownMember(group, claim.memberId)
  return refuseEpoch(member, claim) ?? member
}

function claimStatic(draft: GroupDraft, claim: Claim, instanceId: string, turn: Turn): ConsumerMember | Refusal {
  const existing = staticMember(draft.group, instanceId)
  if (!claim.joins) {
    const found = findMember(draft.group, claim.memberId, instanceId)
    return 'memberEpoch' in found ? (refuseEpoch(found, claim) ?? found) : found
  }
  if (existing === undefined) return draft.group.members.get(claim.memberId) ?? newMember(claim.memberId)
  if (!claim.isClassic && existing.classic === null && existing.memberEpoch !== STATIC_LEAVE_EPOCH) {
    return refuse(
      ErrorCode.UNRELEASED_INSTANCE_ID,
      `Static member ${claim.memberId} with instance id ${instanceId} cannot join the group because the instance id is owned by ${existing.memberId} member.`,
    )
  }
  cancelTimers(existing.memberId, turn)
  return replaceMember(draft, existing, claim.memberId)
}

/** Puts a static member in the place of the one it was under its former id: same target, same partitions, epoch 0. */
function replaceMember(draft: GroupDraft, former: ConsumerMember, memberId: string): ConsumerMember {
  const target = draft.group.targets.get(former.memberId) ?? NO_PARTITIONS
  const member: ConsumerMember = { ...former, memberId, memberEpoch: JOIN_EPOCH, previousMemberEpoch: JOIN_EPOCH }
  putTombstones(draft, former.memberId)
  draft.put({ type: 'member', memberId, value: subscriptionOf(member) })
  draft.put({ type: 'target', memberId, value: target })
  draft.put({ type: 'progress', memberId, value: progressOf(member) })
  return member
}

function putTombstones(draft: GroupDraft, memberId: string): void {
  draft.put({ type: 'progress', memberId, value: null })
  draft.put({ type: 'target', memberId, value: null })
  draft.put({ type: 'member', memberId, value: null })
}

function unknownMember(group: ConsumerGroup, memberId: string): Refusal {
  return refuse(ErrorCode.UNKNOWN_MEMBER_ID, `Member ${memberId} is not a member of group ${group.groupId}.`)
}

/**
 * FENCED_MEMBER_EPOCH for a member that is not where the group knows it. One step behind is allowed to a member whose last answer
 * was lost: it speaks of the epoch before and of no partition that it does not own.
 */
function refuseEpoch(member: ConsumerMember, claim: Claim): Refusal | null {
  if (claim.isClassic || claim.memberEpoch === JOIN_EPOCH || claim.memberEpoch === member.memberEpoch) return null
  const lostAnswer =
    claim.memberEpoch < member.memberEpoch &&
    claim.memberEpoch === member.previousMemberEpoch &&
    claim.reported !== null &&
    within(claim.reported, member.assigned)
  if (lostAnswer) return null
  const size = claim.memberEpoch > member.memberEpoch ? 'greater' : 'smaller'
  return refuse(
    ErrorCode.FENCED_MEMBER_EPOCH,
    `The consumer group member has a ${size} member epoch (${claim.memberEpoch}) than the one known by the group coordinator (${member.memberEpoch}). The member must abandon all its partitions and rejoin.`,
  )
}
