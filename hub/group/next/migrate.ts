/**
 * @module group/next/migrate — a group in use changes its protocol: classic to consumer when a member of the new protocol comes,
 * and back when the last one of them goes (KIP-848, `group.consumer.migration.policy`) (pure).
 */
import { ErrorCode } from '../../wire/index.ts'
import { emptyGroup } from '../machine.ts'
import type { GroupState } from '../machine.ts'
import { NO_ASSIGNMENT, metadataIn, selectProtocol } from '../member.ts'
import type { Member } from '../member.ts'
import { CONSUMER_PROTOCOL_TYPE, readAssignment, readSubscription, writeAssignment } from './consumer-protocol.ts'
import { GroupDraft } from './draft.ts'
import { allSubscribedNames, emptyConsumerGroup } from './group.ts'
import type { ConsumerGroup, ConsumerMember, MemberProgress, MemberSubscription } from './group.ts'
import { restartSession } from './membership.ts'
import { NO_PARTITIONS, NOTHING_OWNED, ownedSince, partitionsOf } from './partitions.ts'
import type { Partitions } from './partitions.ts'
import { metadataHash } from './topics.ts'
import { refuse } from './turn.ts'
import type { Refusal, Turn } from './turn.ts'

/** A consumer group has become this classic group. */
export interface Downgrade {
  readonly state: GroupState
  /** Why it has to rebalance at once; null: its assignment holds. */
  readonly rebalanceReason: string | null
}

/** Whether a classic group may become a consumer group; refused with GROUP_ID_NOT_FOUND, as in Kafka. */
export function refuseUpgrade(classic: GroupState, { rules }: Turn): Refusal | null {
  const cannot = (why: string): Refusal =>
    refuse(ErrorCode.GROUP_ID_NOT_FOUND, `Cannot upgrade classic group ${classic.groupId} to consumer group because ${why}.`)
  if (rules.migrationPolicy !== 'bidirectional' && rules.migrationPolicy !== 'upgrade') return cannot('online upgrade is disabled')
  if (classic.protocolType !== CONSUMER_PROTOCOL_TYPE) return cannot('the group does not use the consumer embedded protocol')
  if (classic.members.size > rules.memberCountMax) return cannot('the group size exceeds the consumer group maximum size')
  return null
}

/** The consumer group that a classic group becomes: same members with the same partitions, its generation as epoch. */
export function upgrade(classic: GroupState, turn: Turn): GroupDraft | Refusal {
  const refused = refuseUpgrade(classic, turn)
  if (refused !== null) return refused
  const members: { memberId: string; subscription: MemberSubscription; target: Partitions }[] = []
  for (const member of classic.members.values()) {
    const metadata = metadataIn(member, classic.protocolName ?? member.protocols[0]?.name ?? null)
    const subscription = readSubscription(metadata, turn.topics)
    const assigned = readAssignment(member.assignment, turn.topics)
    if (subscription === null || assigned === null) {
      const why = subscription === null ? 'the embedded consumer protocol is malformed' : 'an unsupported custom assignor is in use'
      return refuse(ErrorCode.GROUP_ID_NOT_FOUND, `Cannot upgrade classic group ${classic.groupId} to consumer group because ${why}.`)
    }
    const { topicNames, rackId } = subscription
    members.push({ memberId: member.memberId, subscription: fromClassic(member, topicNames, rackId), target: partitionsOf(assigned) })
  }
  return upgraded(classic, members, turn)
}

/** Whether the group without some of its members has only classic ones left and may become a classic group. */
export function mayDowngrade(group: ConsumerGroup, leavingIds: ReadonlySet<string>, { rules }: Turn): boolean {
  const staying = [...group.members.values()].filter(({ memberId }) => !leavingIds.has(memberId))
  if (staying.length === 0 || staying.some(({ classic }) => classic === null)) return false
  if (rules.migrationPolicy !== 'bidirectional' && rules.migrationPolicy !== 'downgrade') return false
  return staying.length <= rules.classicMemberCountMax
}

/** Whether the only member that is not classic comes back as one: under its instance id, in the same place. */
export function mayDowngradeByReplacing(group: ConsumerGroup, replaced: ConsumerMember, { rules }: Turn): boolean {
  if (replaced.classic !== null) return false
  for (const { memberId, classic } of group.members.values()) if (memberId !== replaced.memberId && classic === null) return false
  if (rules.migrationPolicy !== 'bidirectional' && rules.migrationPolicy !== 'downgrade') return false
  return group.members.size <= rules.classicMemberCountMax
}

/**
 * Writes the end of a consumer group and returns the classic group that takes its place: Stable in the generation of the group's
 * epoch, with the targets as assignments.
 */
export function downgrade(
  draft: GroupDraft,
  { leavingIds, joining }: { readonly leavingIds: ReadonlySet<string>; readonly joining: ConsumerMember | null },
  turn: Turn,
): GroupState {
  const { group } = draft
  const staying: { member: ConsumerMember; target: Partitions }[] = []
  for (const member of group.members.values()) {
    if (leavingIds.has(member.memberId)) continue
    const replaces = joining !== null && joining.instanceId !== null && joining.instanceId === member.instanceId
    staying.push({ member: replaces ? joining : member, target: group.targets.get(member.memberId) ?? NO_PARTITIONS })
  }
  putGroupTombstones(draft)
  const members = staying.map(({ member }) => toClassic(member))
  const protocolName = selectProtocol(members)
  const assigned = members.map((member, at) => ({
    ...member,
    assignment: writeAssignment(staying[at]?.target ?? NO_PARTITIONS, metadataIn(member, protocolName), turn.topics),
  }))
  return {
    ...emptyGroup(group.groupId, turn.nowMs),
    phase: 'Stable',
    generationId: group.groupEpoch,
    protocolType: CONSUMER_PROTOCOL_TYPE,
    protocolName,
    leaderId: assigned[0]?.memberId ?? null,
    members: new Map(assigned.map((member) => [member.memberId, member])),
    staticMembers: new Map(
      assigned.flatMap((member) => (member.groupInstanceId === null ? [] : [[member.groupInstanceId, member.memberId] as const])),
    ),
  }
}

/** Tombstones of everything that the group has in the log, in Kafka's order. */
export function putGroupTombstones(draft: GroupDraft): void {
  const memberIds = [...draft.group.members.keys()]
  for (const memberId of memberIds) draft.put({ type: 'progress', memberId, value: null })
  for (const memberId of memberIds) draft.put({ type: 'target', memberId, value: null })
  draft.put({ type: 'assignment', value: null })
  for (const memberId of memberIds) draft.put({ type: 'member', memberId, value: null })
  for (const regex of [...draft.group.regexes.keys()]) draft.put({ type: 'regex', regex, value: null })
  draft.put({ type: 'partitionMetadata', value: null })
  draft.put({ type: 'group', value: null })
}

function upgraded(
  classic: GroupState,
  members: readonly { readonly memberId: string; readonly subscription: MemberSubscription; readonly target: Partitions }[],
  turn: Turn,
): GroupDraft {
  const epoch = classic.generationId
  const draft = new GroupDraft({ ...emptyConsumerGroup(classic.groupId), groupEpoch: epoch, assignmentEpoch: epoch })
  for (const { memberId, subscription } of members) draft.put({ type: 'member', memberId, value: subscription })
  const hash = metadataHash(allSubscribedNames(draft.group), turn.topics)
  draft.put({ type: 'group', value: { groupEpoch: epoch, metadataHash: hash } })
  for (const { memberId, target } of members) draft.put({ type: 'target', memberId, value: target })
  draft.put({ type: 'assignment', value: { assignmentEpoch: epoch, assignmentTimestampMs: 0 } })
  for (const { memberId, subscription, target } of members) {
    const value: MemberProgress = {
      memberEpoch: epoch,
      previousMemberEpoch: epoch,
      reconciliation: 'Stable',
      assigned: ownedSince(target, epoch),
      pendingRevocation: NOTHING_OWNED,
    }
    draft.put({ type: 'progress', memberId, value })
    restartSession(memberId, subscription.classic?.sessionTimeoutMs ?? turn.rules.sessionTimeoutMs, turn)
  }
  return draft
}

function fromClassic(member: Member, topicNames: readonly string[], rackId: string | null): MemberSubscription {
  return {
    instanceId: member.groupInstanceId,
    rackId,
    clientId: member.clientId,
    clientHost: member.clientHost,
    topicNames,
    topicRegex: '',
    rebalanceTimeoutMs: member.rebalanceTimeoutMs,
    serverAssignor: null,
    classic: { sessionTimeoutMs: member.sessionTimeoutMs, protocols: member.protocols },
  }
}

function toClassic(member: ConsumerMember): Member {
  return {
    memberId: member.memberId,
    groupInstanceId: member.instanceId,
    clientId: member.clientId,
    clientHost: member.clientHost,
    rebalanceTimeoutMs: member.rebalanceTimeoutMs,
    sessionTimeoutMs: member.classic?.sessionTimeoutMs ?? 0,
    protocols: member.classic?.protocols ?? [],
    assignment: NO_ASSIGNMENT,
    isNew: false,
    clientKnowsId: true,
    joinTicket: null,
    syncTicket: null,
  }
}
