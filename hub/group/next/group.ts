/**
 * @module group/next/group — what a consumer group of KIP-848 is made of (pure).
 *
 * ```
 *   group epoch       rises with every change of members, subscriptions or topics
 *   assignment epoch  the group epoch for which the targets were dealt out; Assigning while it lags behind
 *   member epoch      the assignment epoch to which a member has come; Reconciling while one lags behind
 * ```
 * A group is what its records say, folded in their order (`draft.ts`); the same fold makes it at load and while it lives.
 */
import type { Protocol } from '../member.ts'
import { NOTHING_OWNED } from './partitions.ts'
import type { OwnedPartitions, Partitions } from './partitions.ts'
import type { Topics } from './topics.ts'

/** How far a member has come with its target, see `reconcile.ts`. `Unknown`: written by a newer version. */
export type Reconciliation = 'Stable' | 'UnrevokedPartitions' | 'UnreleasedPartitions' | 'Unknown'

/** Epoch of a member that joins. */
export const JOIN_EPOCH = 0
/** Epoch of a member that leaves. */
export const LEAVE_EPOCH = -1
/** Epoch of a static member that leaves and means to come back. */
export const STATIC_LEAVE_EPOCH = -2

/** What a member of the classic protocol brought along (online migration). */
export interface ClassicMetadata {
  readonly sessionTimeoutMs: number
  readonly protocols: readonly Protocol[]
}

/** Who a member is and what it wants. */
export interface MemberSubscription {
  readonly instanceId: string | null
  readonly rackId: string | null
  readonly clientId: string
  readonly clientHost: string
  /** Without repetitions, in order. */
  readonly topicNames: readonly string[]
  /** Empty: none. */
  readonly topicRegex: string
  readonly rebalanceTimeoutMs: number
  /** Null: leaves the choice to others. */
  readonly serverAssignor: string | null
  /** Null for members of the new protocol. */
  readonly classic: ClassicMetadata | null
}

/** Where a member stands. */
export interface MemberProgress {
  readonly memberEpoch: number
  readonly previousMemberEpoch: number
  readonly reconciliation: Reconciliation
  readonly assigned: OwnedPartitions
  /** To be given back; nobody else gets them before. */
  readonly pendingRevocation: OwnedPartitions
}

/** A member. Immutable. */
export interface ConsumerMember extends MemberSubscription, MemberProgress {
  readonly memberId: string
}

/** Topics that a regular expression stands for. */
export interface ResolvedRegex {
  /** In order. */
  readonly topicNames: readonly string[]
  /** Version of the metadata in which it was looked up. */
  readonly version: number
  readonly timestampMs: number
}

/** A consumer group. */
export interface ConsumerGroup {
  readonly groupId: string
  readonly groupEpoch: number
  /** Hash over the topics that it subscribes to (KIP-1101). */
  readonly metadataHash: bigint
  readonly assignmentEpoch: number
  /** When the targets were dealt out; 0: never. */
  readonly assignmentTimestampMs: number
  /** In order of arrival. */
  readonly members: ReadonlyMap<string, ConsumerMember>
  /** instance id → member id */
  readonly staticMembers: ReadonlyMap<string, string>
  /** member id → what it shall have */
  readonly targets: ReadonlyMap<string, Partitions>
  readonly regexes: ReadonlyMap<string, ResolvedRegex>
  /** topic id → partition → member that has it or has still to give it back */
  readonly owners: ReadonlyMap<string, ReadonlyMap<number, string>>
  /** The deprecated record of partition counts stands in the log. */
  readonly hasPartitionMetadata: boolean
  /** The topics for which hash and regular expressions were last looked at; not in the log. */
  readonly seenTopics: Topics | null
}

/** Names that ConsumerGroupDescribe and ListGroups show. */
export type GroupStateName = 'Empty' | 'Assigning' | 'Reconciling' | 'Stable'

/** Epoch of group and assignment before the first member: the first one makes it 2, as in Kafka. */
const FIRST_EPOCH = 1

/** A group that nobody has joined. */
export function emptyConsumerGroup(groupId: string): ConsumerGroup {
  return {
    groupId,
    groupEpoch: FIRST_EPOCH,
    metadataHash: 0n,
    assignmentEpoch: FIRST_EPOCH,
    assignmentTimestampMs: 0,
    members: new Map(),
    staticMembers: new Map(),
    targets: new Map(),
    regexes: new Map(),
    owners: new Map(),
    hasPartitionMetadata: false,
    seenTopics: null,
  }
}

/** A member of which nothing is known yet. */
export function newMember(memberId: string): ConsumerMember {
  return {
    memberId,
    instanceId: null,
    rackId: null,
    clientId: '',
    clientHost: '',
    topicNames: [],
    topicRegex: '',
    rebalanceTimeoutMs: -1,
    serverAssignor: null,
    classic: null,
    memberEpoch: JOIN_EPOCH,
    previousMemberEpoch: -1,
    reconciliation: 'Stable',
    assigned: NOTHING_OWNED,
    pendingRevocation: NOTHING_OWNED,
  }
}

/** The member has come to the target of that epoch and holds all of it. */
export function isReconciledTo(member: ConsumerMember, assignmentEpoch: number): boolean {
  return member.reconciliation === 'Stable' && member.memberEpoch === assignmentEpoch
}

/** Where the group stands. */
export function stateOf(group: ConsumerGroup): GroupStateName {
  if (group.members.size === 0) return 'Empty'
  if (group.groupEpoch > group.assignmentEpoch) return 'Assigning'
  for (const member of group.members.values()) if (!isReconciledTo(member, group.assignmentEpoch)) return 'Reconciling'
  return 'Stable'
}

/** Names of the topics that a member subscribes to, by name or by a resolved expression. */
export function subscribedNames(group: ConsumerGroup, member: ConsumerMember): readonly string[] {
  const resolved = member.topicRegex === '' ? undefined : group.regexes.get(member.topicRegex)
  if (resolved === undefined || resolved.topicNames.length === 0) return member.topicNames
  if (member.topicNames.length === 0) return resolved.topicNames
  return [...new Set([...member.topicNames, ...resolved.topicNames])]
}

/** Ids of the topics that a member subscribes to and that exist. An expression that is not resolved stands for none. */
export function subscribedIds(group: ConsumerGroup, member: ConsumerMember, topics: Topics): ReadonlySet<string> {
  return new Set(subscribedNames(group, member).flatMap((name) => topics.byName(name)?.topicId ?? []))
}

/** How many members subscribe to each regular expression. */
export function regexCounts(members: Iterable<ConsumerMember>): Map<string, number> {
  const counts = new Map<string, number>()
  for (const { topicRegex } of members) if (topicRegex !== '') counts.set(topicRegex, (counts.get(topicRegex) ?? 0) + 1)
  return counts
}

/** Names of all topics that the group subscribes to. */
export function allSubscribedNames(group: ConsumerGroup): ReadonlySet<string> {
  const names = new Set<string>()
  for (const { topicNames } of group.members.values()) for (const name of topicNames) names.add(name)
  for (const regex of regexCounts(group.members.values()).keys()) {
    for (const name of group.regexes.get(regex)?.topicNames ?? []) names.add(name)
  }
  return names
}

/** Whether all members subscribe alike: to the same names and no expression, or to one expression and no names. */
export function isHomogeneous(group: ConsumerGroup): boolean {
  const [first] = group.members.values()
  if (first === undefined) return true
  for (const member of group.members.values()) {
    if (member.topicRegex !== first.topicRegex || (member.topicRegex !== '' && member.topicNames.length > 0)) return false
    if (!sameNames(member.topicNames, first.topicNames)) return false
  }
  return true
}

/** Whether two lists in order are equal. */
export function sameNames(a: readonly string[], b: readonly string[]): boolean {
  return a === b || (a.length === b.length && a.every((name, at) => name === b[at]))
}
