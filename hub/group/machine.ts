/**
 * @module group/machine — the words of the classic group's state machine: state, events, effects (pure).
 *
 * `classic.ts` holds the transition table. Nothing here knows a clock, a log or a connection: time comes in with each step,
 * and everything that must happen outside goes out as an effect, to be performed in order.
 */
import { NO_ASSIGNMENT, metadataIn } from './member.ts'
import type { Member, Protocol, Ticket } from './member.ts'

/** Where a group stands; the names that DescribeGroups and ListGroups show. */
export type Phase = 'Empty' | 'PreparingRebalance' | 'CompletingRebalance' | 'Stable' | 'Dead'

/** What goes into the group's record: a generation with its members and their assignments. */
export interface GroupMetadata {
  readonly protocolType: string
  readonly generationId: number
  readonly protocolName: string | null
  readonly leaderId: string | null
  /** When the group entered its state, ms since the epoch; −1 in records of old brokers. */
  readonly stateTimestampMs: number
  readonly members: readonly MemberMetadata[]
}

/** A member inside {@link GroupMetadata}. */
interface MemberMetadata {
  readonly memberId: string
  readonly groupInstanceId: string | null
  readonly clientId: string
  readonly clientHost: string
  readonly rebalanceTimeoutMs: number
  readonly sessionTimeoutMs: number
  readonly subscription: Buffer
  readonly assignment: Buffer
}

/** A record that is being written, and what its outcome decides. */
export type Storing =
  /** The group is new. */
  | { readonly kind: 'created' }
  /** The last member left. */
  | { readonly kind: 'emptied' }
  /** The leader has assigned; the members learn it when it is stored. */
  | { readonly kind: 'assigned'; readonly generationId: number; readonly assignments: ReadonlyMap<string, Buffer> }
  /** A static member came back under a new id while the group was stable. */
  | {
      readonly kind: 'replaced'
      readonly memberId: string
      readonly previous: Member
      readonly previousLeaderId: string | null
      readonly supportsSkippingAssignment: boolean
    }

/** The first rebalance of an empty group waits for more members (`group.initial.rebalance.delay.ms`). */
interface InitialDelay {
  readonly delayMs: number
  /** What is left of the rebalance timeout for further delays. */
  readonly remainingMs: number
  /** Somebody came during this delay: one more is granted. */
  readonly memberAdded: boolean
}

/** One classic group. Immutable. */
export interface GroupState {
  readonly groupId: string
  readonly phase: Phase
  readonly stateTimestampMs: number
  readonly generationId: number
  /** `consumer`, `connect` …; null for a group that only ever committed offsets (a simple group). */
  readonly protocolType: string | null
  readonly protocolName: string | null
  readonly leaderId: string | null
  /** In order of arrival. */
  readonly members: ReadonlyMap<string, Member>
  /** instance id → member id */
  readonly staticMembers: ReadonlyMap<string, string>
  /** Ids that were handed out and not yet used (KIP-394). */
  readonly pendingMemberIds: ReadonlySet<string>
  /** Members of this generation that have not yet sent SyncGroup. */
  readonly pendingSyncIds: ReadonlySet<string>
  readonly initialDelay: InitialDelay | null
  /** token → record under way */
  readonly storing: ReadonlyMap<number, Storing>
  readonly nextToken: number
}

/** A JoinGroup request. */
export interface JoinEvent {
  readonly type: 'join'
  readonly ticket: Ticket
  /** Empty for a newcomer. */
  readonly memberId: string
  /** The id that a newcomer gets. */
  readonly newMemberId: string
  readonly groupInstanceId: string | null
  readonly clientId: string
  readonly clientHost: string
  readonly sessionTimeoutMs: number
  readonly rebalanceTimeoutMs: number
  readonly protocolType: string
  readonly protocols: readonly Protocol[]
  /** The reason that the client gave (KIP-800), or null. */
  readonly reason: string | null
  /** Version 4 and later: a newcomer must come again with the id it was given (KIP-394). */
  readonly requiresKnownMemberId: boolean
  /** Version 9 and later. */
  readonly supportsSkippingAssignment: boolean
}

/** Who speaks, in which generation. */
export interface MemberClaim {
  readonly memberId: string
  readonly groupInstanceId: string | null
  readonly generationId: number
}

/** A SyncGroup request. */
export interface SyncEvent extends MemberClaim {
  readonly type: 'sync'
  readonly ticket: Ticket
  /** Null before version 5: not checked. */
  readonly protocolType: string | null
  readonly protocolName: string | null
  readonly assignments: readonly { readonly memberId: string; readonly assignment: Buffer }[]
}

/** One who leaves: by member id, or by instance id alone (an administrator's removal). */
export interface Leaver {
  readonly memberId: string
  readonly groupInstanceId: string | null
  readonly reason: string | null
}

/** What can happen to a group. */
export type GroupEvent =
  | JoinEvent
  | SyncEvent
  | (MemberClaim & { readonly type: 'heartbeat'; readonly ticket: Ticket })
  | (MemberClaim & { readonly type: 'commit'; readonly ticket: Ticket; readonly isTransactional: boolean })
  | { readonly type: 'leave'; readonly ticket: Ticket; readonly leavers: readonly Leaver[] }
  /** The group is new and has somebody in it: its record is due. */
  | { readonly type: 'created' }
  /** The outcome of a `persist` effect: 0, or the error code that clients get. */
  | { readonly type: 'stored'; readonly token: number; readonly errorCode: number }
  | { readonly type: 'joinTimeout' }
  | { readonly type: 'syncTimeout'; readonly generationId: number }
  | { readonly type: 'sessionTimeout'; readonly memberId: string }
  /** The connection of an unanswered request closed. */
  | { readonly type: 'disconnected'; readonly ticket: Ticket }
  /** The group was read from the log; its members' sessions begin anew. */
  | { readonly type: 'loaded' }
  /** The group is to be removed; taken only when it is Empty. */
  | { readonly type: 'deleted' }
  /** The coordinator gives the group up. */
  | { readonly type: 'unloaded' }
  /** The group becomes a consumer group of KIP-848: whoever waits joins again, into that one. */
  | { readonly type: 'upgraded' }
  /** The group was a consumer group until now: its members join again. */
  | { readonly type: 'downgraded'; readonly reason: string }

/** Name of a group's timer; setting one replaces the one of the same name. */
export type TimerName = 'join' | 'sync' | `session ${string}`

/** Answer to JoinGroup. */
export interface JoinAnswer {
  readonly errorCode: number
  readonly memberId: string
  readonly generationId: number
  readonly protocolType: string | null
  readonly protocolName: string | null
  readonly leaderId: string
  readonly skipAssignment: boolean
  readonly members: readonly { readonly memberId: string; readonly groupInstanceId: string | null; readonly metadata: Buffer }[]
}

/** Answer to SyncGroup. */
export interface SyncAnswer {
  readonly errorCode: number
  readonly protocolType: string | null
  readonly protocolName: string | null
  readonly assignment: Buffer
}

/** Answer to LeaveGroup. */
export interface LeaveAnswer {
  readonly errorCode: number
  readonly members: readonly { readonly memberId: string; readonly groupInstanceId: string | null; readonly errorCode: number }[]
}

/** What the shell must do, in order. */
export type GroupEffect =
  | { readonly type: 'answerJoin'; readonly ticket: Ticket; readonly answer: JoinAnswer }
  | { readonly type: 'answerSync'; readonly ticket: Ticket; readonly answer: SyncAnswer }
  | { readonly type: 'answerHeartbeat'; readonly ticket: Ticket; readonly errorCode: number }
  | { readonly type: 'answerCommit'; readonly ticket: Ticket; readonly errorCode: number }
  /** With a token: only when that record is stored; its error replaces the answer. */
  | { readonly type: 'answerLeave'; readonly ticket: Ticket; readonly answer: LeaveAnswer; readonly token: number | null }
  | { readonly type: 'setTimer'; readonly name: TimerName; readonly delayMs: number; readonly event: GroupEvent }
  | { readonly type: 'cancelTimer'; readonly name: TimerName }
  /** Append the group's record; its outcome comes back as `stored` with the token. */
  | { readonly type: 'persist'; readonly token: number; readonly metadata: GroupMetadata }
  | { readonly type: 'log'; readonly message: string }

/** Settings that the machine obeys. */
export interface GroupRules {
  readonly initialRebalanceDelayMs: number
  /** `group.max.size` */
  readonly memberCountMax: number
  /** Ids handed out and not used yet, per group. */
  readonly pendingMemberCountMax: number
  /** How long a newcomer may wait for its first answer. */
  readonly newMemberJoinTimeoutMs: number
}

/** One step under way: the time, the rules, and the effects so far. */
export interface Turn {
  readonly nowMs: number
  readonly rules: GroupRules
  readonly effects: GroupEffect[]
}

/** A group that nobody has joined, at `nowMs`. */
export function emptyGroup(groupId: string, nowMs: number): GroupState {
  return {
    groupId,
    phase: 'Empty',
    stateTimestampMs: nowMs,
    generationId: 0,
    protocolType: null,
    protocolName: null,
    leaderId: null,
    members: new Map(),
    staticMembers: new Map(),
    pendingMemberIds: new Set(),
    pendingSyncIds: new Set(),
    initialDelay: null,
    storing: new Map(),
    nextToken: 0,
  }
}

/** A group as its record says: Stable with members, else Empty. Each member offers the one protocol that was chosen. */
export function groupFromMetadata(groupId: string, metadata: GroupMetadata): GroupState {
  const members = metadata.members.map(
    (member): Member => ({
      memberId: member.memberId,
      groupInstanceId: member.groupInstanceId,
      clientId: member.clientId,
      clientHost: member.clientHost,
      rebalanceTimeoutMs: member.rebalanceTimeoutMs === -1 ? member.sessionTimeoutMs : member.rebalanceTimeoutMs,
      sessionTimeoutMs: member.sessionTimeoutMs,
      protocols: [{ name: metadata.protocolName ?? '', metadata: member.subscription }],
      assignment: member.assignment,
      isNew: false,
      clientKnowsId: true,
      joinTicket: null,
      syncTicket: null,
    }),
  )
  return {
    ...emptyGroup(groupId, metadata.stateTimestampMs),
    phase: members.length === 0 ? 'Empty' : 'Stable',
    generationId: metadata.generationId,
    protocolType: metadata.protocolType === '' ? null : metadata.protocolType,
    protocolName: metadata.protocolName,
    leaderId: metadata.leaderId,
    members: new Map(members.map((member) => [member.memberId, member])),
    staticMembers: new Map(
      members.flatMap((member) => (member.groupInstanceId === null ? [] : [[member.groupInstanceId, member.memberId] as const])),
    ),
  }
}

/** The record of a group: its generation with the assignments given, else those that stand. */
export function metadataOf(state: GroupState, assignments?: ReadonlyMap<string, Buffer>): GroupMetadata {
  return {
    protocolType: state.protocolType ?? '',
    generationId: state.generationId,
    protocolName: state.protocolName,
    leaderId: state.leaderId,
    stateTimestampMs: state.stateTimestampMs,
    members: [...state.members.values()].map((member) => ({
      memberId: member.memberId,
      groupInstanceId: member.groupInstanceId,
      clientId: member.clientId,
      clientHost: member.clientHost,
      rebalanceTimeoutMs: member.rebalanceTimeoutMs,
      sessionTimeoutMs: member.sessionTimeoutMs,
      subscription: metadataIn(member, state.protocolName),
      assignment: assignments?.get(member.memberId) ?? (assignments === undefined ? member.assignment : NO_ASSIGNMENT),
    })),
  }
}
