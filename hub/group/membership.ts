/**
 * @module group/membership — who is in a classic group: adding, removing, replacing, and checking who claims to be whom (pure).
 *
 * Every unanswered request of a member that goes is answered here, so that no ticket is lost with its member.
 */
import { ErrorCode } from '../wire/index.ts'
import type { GroupState, JoinAnswer, MemberClaim, Phase, SyncAnswer, TimerName, Turn } from './machine.ts'
import { NO_ASSIGNMENT, commonProtocols } from './member.ts'
import type { Member, Protocol, Ticket } from './member.ts'

/** An answer to JoinGroup that carries only an error. */
export function joinError(errorCode: number, memberId: string): JoinAnswer {
  return { errorCode, memberId, generationId: -1, protocolType: null, protocolName: null, leaderId: '', skipAssignment: false, members: [] }
}

/** An answer to SyncGroup that carries only an error. */
export function syncError(errorCode: number): SyncAnswer {
  return { errorCode, protocolType: null, protocolName: null, assignment: NO_ASSIGNMENT }
}

/** Answers a JoinGroup, if one waits. */
export function answerJoin(turn: Turn, ticket: Ticket | null, answer: JoinAnswer): void {
  if (ticket !== null) turn.effects.push({ type: 'answerJoin', ticket, answer })
}

/** Answers a SyncGroup, if one waits. */
export function answerSync(turn: Turn, ticket: Ticket | null, answer: SyncAnswer): void {
  if (ticket !== null) turn.effects.push({ type: 'answerSync', ticket, answer })
}

/** The name of a member's session timer. */
export function sessionTimer(memberId: string): TimerName {
  return `session ${memberId}`
}

/** Counts the member's session from now. */
export function restartSession(turn: Turn, memberId: string, timeoutMs: number): void {
  turn.effects.push({ type: 'setTimer', name: sessionTimer(memberId), delayMs: timeoutMs, event: { type: 'sessionTimeout', memberId } })
}

/** The group in another phase, from now on. */
export function moveTo(state: GroupState, phase: Phase, turn: Turn): GroupState {
  return { ...state, phase, stateTimestampMs: turn.nowMs }
}

/** The group with one member put in (or changed). */
export function withMember(state: GroupState, member: Member): GroupState {
  return { ...state, members: new Map(state.members).set(member.memberId, member) }
}

/** The group with every member changed alike. */
export function withEachMember(state: GroupState, change: (member: Member) => Member): GroupState {
  return { ...state, members: new Map([...state.members].map(([id, member]) => [id, change(member)])) }
}

/** A set without one of its elements. */
function without<T>(from: ReadonlySet<T>, gone: T): ReadonlySet<T> {
  if (!from.has(gone)) return from
  const rest = new Set(from)
  rest.delete(gone)
  return rest
}

/** Takes a newcomer in. The first one gives the group its protocol type and leads it. */
export function addMember(state: GroupState, member: Member, protocolType: string): GroupState {
  const first = state.members.size === 0
  return {
    ...withMember(state, member),
    protocolType: first ? protocolType : state.protocolType,
    leaderId: state.leaderId ?? member.memberId,
    staticMembers:
      member.groupInstanceId === null ? state.staticMembers : new Map(state.staticMembers).set(member.groupInstanceId, member.memberId),
    pendingMemberIds: without(state.pendingMemberIds, member.memberId),
  }
}

/** A member need not be waited for to send SyncGroup any more; with the last one the waiting ends. */
export function withSynced(state: GroupState, memberId: string, turn: Turn): GroupState {
  if (!state.pendingSyncIds.has(memberId)) return state
  if (state.pendingSyncIds.size === 1) turn.effects.push({ type: 'cancelTimer', name: 'sync' })
  return { ...state, pendingSyncIds: without(state.pendingSyncIds, memberId) }
}

/**
 * Takes a member (or an id not yet used) out, stops its session, and answers what it still waits for with UNKNOWN_MEMBER_ID,
 * so that a client that lives joins again. The next in order of arrival leads when the leader goes.
 */
export function removeMember(state: GroupState, memberId: string, turn: Turn): GroupState {
  const member = state.members.get(memberId)
  if (member === undefined && !state.pendingMemberIds.has(memberId)) return state
  turn.effects.push({ type: 'cancelTimer', name: sessionTimer(memberId) })
  if (member === undefined) return { ...state, pendingMemberIds: without(state.pendingMemberIds, memberId) }
  answerJoin(turn, member.joinTicket, joinError(ErrorCode.UNKNOWN_MEMBER_ID, ''))
  answerSync(turn, member.syncTicket, syncError(ErrorCode.UNKNOWN_MEMBER_ID))
  const members = new Map(state.members)
  members.delete(memberId)
  const staticMembers = new Map(state.staticMembers)
  if (member.groupInstanceId !== null) staticMembers.delete(member.groupInstanceId)
  const [successor] = members.keys()
  return {
    ...withSynced(state, memberId, turn),
    members,
    staticMembers,
    leaderId: state.leaderId === memberId ? (successor ?? null) : state.leaderId,
    pendingMemberIds: without(state.pendingMemberIds, memberId),
  }
}

/**
 * Puts a static member in the place of the one that it was under its former id (KIP-345): same assignment, same leadership.
 * Whoever still waits under the former id is fenced.
 */
export function replaceMember(state: GroupState, former: Member, member: Member, turn: Turn): GroupState {
  answerJoin(turn, former.joinTicket, joinError(ErrorCode.FENCED_INSTANCE_ID, former.memberId))
  answerSync(turn, former.syncTicket, syncError(ErrorCode.FENCED_INSTANCE_ID))
  turn.effects.push({ type: 'cancelTimer', name: sessionTimer(former.memberId) })
  const members = new Map([...state.members].map(([id, each]) => (id === former.memberId ? [member.memberId, member] : [id, each])))
  const staticMembers = new Map(state.staticMembers)
  if (member.groupInstanceId !== null) staticMembers.set(member.groupInstanceId, member.memberId)
  return {
    ...withSynced(state, former.memberId, turn),
    members,
    staticMembers,
    leaderId: state.leaderId === former.memberId ? member.memberId : state.leaderId,
  }
}

/** Whether the claim to be a member holds: 0, UNKNOWN_MEMBER_ID, or FENCED_INSTANCE_ID when the instance lives under another id. */
export function checkIdentity(state: GroupState, memberId: string, groupInstanceId: string | null): number {
  if (groupInstanceId !== null) {
    const current = state.staticMembers.get(groupInstanceId)
    if (current === undefined) return ErrorCode.UNKNOWN_MEMBER_ID
    if (current !== memberId) return ErrorCode.FENCED_INSTANCE_ID
  }
  return state.members.has(memberId) ? ErrorCode.NONE : ErrorCode.UNKNOWN_MEMBER_ID
}

/** {@link checkIdentity}, and that the member speaks of this generation (else ILLEGAL_GENERATION). */
export function checkClaim(state: GroupState, claim: MemberClaim): number {
  const identity = checkIdentity(state, claim.memberId, claim.groupInstanceId)
  if (identity !== ErrorCode.NONE) return identity
  return claim.generationId === state.generationId ? ErrorCode.NONE : ErrorCode.ILLEGAL_GENERATION
}

/** Whether a member with this offer fits: some protocol that all members share. An empty group takes any offer that is one. */
export function fits(state: GroupState, protocolType: string, protocols: readonly Protocol[]): boolean {
  if (state.phase === 'Empty') return protocolType !== '' && protocols.length > 0
  if (state.protocolType !== protocolType) return false
  if (state.members.size === 0) return protocols.length > 0
  const common = commonProtocols(state.members.values())
  return protocols.some((protocol) => common.has(protocol.name))
}

/** Members that wait for the next generation. */
export function countJoined(state: GroupState): number {
  let count = 0
  for (const member of state.members.values()) if (member.joinTicket !== null) count++
  return count
}

/** A member with a group.instance.id (KIP-345). */
export function isStatic(member: Member): boolean {
  return member.groupInstanceId !== null
}

/** Members that the next generation will have if nobody else joins: those that wait for it, and static ones even if they miss it. */
export function countStaying(state: GroupState): number {
  let count = 0
  for (const member of state.members.values()) if (member.joinTicket !== null || isStatic(member)) count++
  return count
}

/** Whether nobody is missing: every member has joined again and every id handed out was used. */
export function everybodyJoined(state: GroupState): boolean {
  return state.pendingMemberIds.size === 0 && countJoined(state) === state.members.size
}

/** How long a rebalance may take: the longest that any member asks for. */
export function rebalanceTimeoutMs(state: GroupState): number {
  let longestMs = 0
  for (const member of state.members.values()) longestMs = Math.max(longestMs, member.rebalanceTimeoutMs)
  return longestMs
}
