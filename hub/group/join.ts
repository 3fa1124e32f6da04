/**
 * @module group/join — JoinGroup in every phase of a classic group (pure).
 *
 * Order of the checks, and what each version gets, are Kafka's (KIP-345 static members, KIP-394 known member ids, KIP-814
 * skipped assignment).
 */
import { ErrorCode } from '../wire/index.ts'
import type { GroupState, JoinEvent, Turn } from './machine.ts'
import { NO_ASSIGNMENT, offersSame, selectProtocol } from './member.ts'
import type { Member } from './member.ts'
import {
  addMember,
  answerJoin,
  checkIdentity,
  countJoined,
  countStaying,
  fits,
  isStatic,
  joinError,
  removeMember,
  replaceMember,
  restartSession,
  withMember,
} from './membership.ts'
import { completeIfReady, generationAnswer, persist, prepareRebalance, rebalanceOrComplete } from './rebalance.ts'

/** JoinGroup while the group lives. */
export function onJoin(state: GroupState, event: JoinEvent, turn: Turn): GroupState {
  const refuse = (errorCode: number, memberId = event.memberId): GroupState => {
    answerJoin(turn, event.ticket, joinError(errorCode, memberId))
    return state
  }
  if (!hasRoom(state, knownId(state, event), turn)) {
    refuse(ErrorCode.GROUP_MAX_SIZE_REACHED, '')
    return completeIfReady(removeMember(state, event.memberId, turn), turn)
  }
  if (!fits(state, event.protocolType, event.protocols)) return refuse(ErrorCode.INCONSISTENT_GROUP_PROTOCOL)
  if (event.memberId === '') return joinNewcomer(state, event, turn)
  if (state.pendingMemberIds.has(event.memberId) && event.groupInstanceId === null) {
    return admit(state, event, event.memberId, turn)
  }
  const identity = checkIdentity(state, event.memberId, event.groupInstanceId)
  const member = state.members.get(event.memberId)
  if (identity !== ErrorCode.NONE || member === undefined) return refuse(identity)
  return rejoin(state, event, member, turn)
}

/** JoinGroup to a group that is gone: the client finds the coordinator again. */
export function refuseJoin(state: GroupState, event: JoinEvent, turn: Turn): GroupState {
  answerJoin(turn, event.ticket, joinError(ErrorCode.COORDINATOR_NOT_AVAILABLE, event.memberId))
  return state
}

/**
 * `group.max.size`. During a rebalance not all members are counted, so that the last to join again are refused when the limit was
 * lowered: a static member has room while fewer have joined; anybody else while fewer will stay, as static members keep their place
 * over a rebalance that they miss (KIP-345). Otherwise the members are counted.
 */
function hasRoom(state: GroupState, memberId: string, turn: Turn): boolean {
  const member = state.members.get(memberId)
  switch (state.phase) {
    case 'PreparingRebalance':
      if (member !== undefined && member.joinTicket !== null) return true
      return (member !== undefined && isStatic(member) ? countJoined(state) : countStaying(state)) < turn.rules.memberCountMax
    case 'CompletingRebalance':
    case 'Stable':
      return member !== undefined || state.members.size < turn.rules.memberCountMax
    default:
      return true
  }
}

/** The id under which the group knows who asks: a static member that returns without one still has its place. */
function knownId(state: GroupState, event: JoinEvent): string {
  if (event.memberId !== '' || event.groupInstanceId === null) return event.memberId
  return state.staticMembers.get(event.groupInstanceId) ?? ''
}

/** Somebody without a member id. */
function joinNewcomer(state: GroupState, event: JoinEvent, turn: Turn): GroupState {
  if (event.groupInstanceId !== null) {
    const formerId = state.staticMembers.get(event.groupInstanceId)
    const former = formerId === undefined ? undefined : state.members.get(formerId)
    return former === undefined ? admit(state, event, event.newMemberId, turn) : joinReturned(state, event, former, turn)
  }
  if (!event.requiresKnownMemberId) return admit(state, event, event.newMemberId, turn)
  if (state.pendingMemberIds.size >= turn.rules.pendingMemberCountMax) {
    answerJoin(turn, event.ticket, joinError(ErrorCode.GROUP_MAX_SIZE_REACHED, ''))
    return state
  }
  restartSession(turn, event.newMemberId, event.sessionTimeoutMs)
  answerJoin(turn, event.ticket, joinError(ErrorCode.MEMBER_ID_REQUIRED, event.newMemberId))
  return { ...state, pendingMemberIds: new Set(state.pendingMemberIds).add(event.newMemberId) }
}

/** Takes a newcomer in and rebalances. It cannot send heartbeats before its answer, so a longer timeout guards it. */
function admit(state: GroupState, event: JoinEvent, memberId: string, turn: Turn): GroupState {
  const member: Member = {
    ...offerOf(event),
    memberId,
    groupInstanceId: event.groupInstanceId,
    clientId: event.clientId,
    clientHost: event.clientHost,
    assignment: NO_ASSIGNMENT,
    isNew: true,
    clientKnowsId: event.memberId !== '' || event.groupInstanceId !== null,
    joinTicket: event.ticket,
    syncTicket: null,
  }
  const delay = state.initialDelay
  const added = addMember({ ...state, initialDelay: delay === null ? null : { ...delay, memberAdded: true } }, member, event.protocolType)
  restartSession(turn, memberId, turn.rules.newMemberJoinTimeoutMs)
  return rebalanceOrComplete(added, turn, because(event, `member ${memberId} joins`))
}

/** A member that the group knows joins again. */
function rejoin(state: GroupState, event: JoinEvent, member: Member, turn: Turn): GroupState {
  const same = offersSame(member, event.protocols)
  // A leader who joins a stable group again wants a rebalance (the topics changed, not its metadata); for any other member the
  // same offer again means that the answer to the first one was lost.
  const current = state.phase === 'CompletingRebalance' || (state.phase === 'Stable' && state.leaderId !== member.memberId)
  if (same && current) {
    answerJoin(turn, event.ticket, generationAnswer(state, member.memberId))
    return state
  }
  const why = state.phase === 'PreparingRebalance' ? 'joins again' : same ? 'leads and joins again' : 'changed its metadata'
  return rebalanceOrComplete(updateMember(state, event, member, turn), turn, because(event, `member ${member.memberId} ${why}`))
}

/**
 * A static member that restarted (KIP-345): it gets a new id in the place of the former one. In a stable group whose protocol
 * stays the same nobody else notices: the record is stored and the member gets the current generation.
 */
function joinReturned(state: GroupState, event: JoinEvent, former: Member, turn: Turn): GroupState {
  const successor: Member = {
    ...former,
    memberId: event.newMemberId,
    clientId: event.clientId,
    clientHost: event.clientHost,
    isNew: false,
    clientKnowsId: true,
    joinTicket: null,
    syncTicket: null,
  }
  const replaced = updateMember(replaceMember(state, former, successor, turn), event, successor, turn)
  restartSession(turn, successor.memberId, event.sessionTimeoutMs)
  const why = because(event, `static member ${event.groupInstanceId} returns as ${successor.memberId}`)
  switch (state.phase) {
    case 'Stable':
      if (selectProtocol(replaced.members.values()) !== state.protocolName) return prepareRebalance(replaced, turn, why)
      turn.effects.push({ type: 'log', message: `group ${state.groupId}: ${why}; no rebalance` })
      return persist(replaced, turn, {
        kind: 'replaced',
        memberId: successor.memberId,
        previous: { ...former, joinTicket: null, syncTicket: null },
        previousLeaderId: state.leaderId,
        supportsSkippingAssignment: event.supportsSkippingAssignment,
      })
    case 'CompletingRebalance':
      // The leader may already assign to the former id: only a new generation can reach the new one.
      return prepareRebalance(replaced, turn, why)
    default:
      return completeIfReady(replaced, turn)
  }
}

/** Takes over a new offer and parks the request; an older one of the same member is told to come again. */
function updateMember(state: GroupState, event: JoinEvent, member: Member, turn: Turn): GroupState {
  answerJoin(turn, member.joinTicket, joinError(ErrorCode.REBALANCE_IN_PROGRESS, member.memberId))
  return withMember(state, { ...member, ...offerOf(event), joinTicket: event.ticket })
}

function offerOf(event: JoinEvent): Pick<Member, 'protocols' | 'rebalanceTimeoutMs' | 'sessionTimeoutMs'> {
  return { protocols: event.protocols, rebalanceTimeoutMs: event.rebalanceTimeoutMs, sessionTimeoutMs: event.sessionTimeoutMs }
}

function because(event: JoinEvent, what: string): string {
  return `${what}; client reason: ${event.reason === null || event.reason === '' ? 'not provided' : event.reason}`
}
