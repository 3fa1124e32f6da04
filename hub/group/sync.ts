/**
 * @module group/sync — SyncGroup, and what the outcome of a stored record means for those who wait (pure).
 */
import { ErrorCode } from '../wire/index.ts'
import type { GroupEvent, GroupState, Storing, SyncEvent, Turn } from './machine.ts'
import { NO_ASSIGNMENT } from './member.ts'
import type { Member } from './member.ts'
import {
  answerJoin,
  answerSync,
  checkClaim,
  joinError,
  moveTo,
  removeMember,
  replaceMember,
  restartSession,
  sessionTimer,
  syncError,
  withEachMember,
  withMember,
  withSynced,
} from './membership.ts'
import { generationAnswer, persist, prepareRebalance, releaseSyncs } from './rebalance.ts'

/** SyncGroup while the group has members. */
export function onSync(state: GroupState, event: SyncEvent, turn: Turn): GroupState {
  const errorCode = checkSync(state, event)
  const member = state.members.get(event.memberId)
  if (errorCode !== ErrorCode.NONE || member === undefined) return refuseSync(state, event, turn, errorCode)
  switch (state.phase) {
    case 'CompletingRebalance':
      return awaitAssignment(state, event, member, turn)
    case 'Stable':
      answerSync(turn, event.ticket, assignmentAnswer(state, member))
      return withSynced(state, member.memberId, turn)
    default:
      return refuseSync(state, event, turn, ErrorCode.REBALANCE_IN_PROGRESS)
  }
}

/** SyncGroup that cannot succeed. */
export function refuseSync(state: GroupState, event: SyncEvent, turn: Turn, errorCode: number): GroupState {
  answerSync(turn, event.ticket, syncError(errorCode))
  return state
}

/** Members that never sent SyncGroup are removed and the others start over. */
export function onSyncTimeout(state: GroupState, event: Extract<GroupEvent, { type: 'syncTimeout' }>, turn: Turn): GroupState {
  if (event.generationId !== state.generationId || state.pendingSyncIds.size === 0) return state
  let next = state
  for (const memberId of state.pendingSyncIds) next = removeMember(next, memberId, turn)
  return prepareRebalance(next, turn, `no SyncGroup from ${[...state.pendingSyncIds].join(', ')}`)
}

/** The record is stored, or is not. What has meanwhile been overtaken by a newer phase changes nothing. */
export function onStored(state: GroupState, event: Extract<GroupEvent, { type: 'stored' }>, turn: Turn): GroupState {
  const storing = state.storing.get(event.token)
  if (storing === undefined) return state
  const rest = new Map(state.storing)
  rest.delete(event.token)
  const next: GroupState = { ...state, storing: rest }
  switch (storing.kind) {
    case 'created':
      return event.errorCode === ErrorCode.NONE ? next : createFailed(next, event.errorCode, turn)
    case 'assigned':
      return assigned(next, storing, event.errorCode, turn)
    case 'replaced':
      return event.errorCode === ErrorCode.NONE
        ? replacementStored(next, storing, turn)
        : replacementFailed(next, storing, event.errorCode, turn)
    case 'emptied':
      // The former generation would come back after a crash and time out: nothing is lost, so this is only told.
      if (event.errorCode !== ErrorCode.NONE)
        turn.effects.push({
          type: 'log',
          message: `group ${state.groupId}: the empty generation was not stored (error ${event.errorCode})`,
        })
      return next
  }
}

function checkSync(state: GroupState, event: SyncEvent): number {
  const claim = checkClaim(state, event)
  if (claim !== ErrorCode.NONE) return claim
  // A group whose first generation has not begun has no protocol yet that one could miss.
  const differs = (claimed: string | null, actual: string | null): boolean => claimed !== null && actual !== null && claimed !== actual
  const inconsistent = differs(event.protocolType, state.protocolType) || differs(event.protocolName, state.protocolName)
  return inconsistent ? ErrorCode.INCONSISTENT_GROUP_PROTOCOL : ErrorCode.NONE
}

function assignmentAnswer(
  state: GroupState,
  member: Member,
): { errorCode: number; protocolType: string | null; protocolName: string | null; assignment: Buffer } {
  return { errorCode: ErrorCode.NONE, protocolType: state.protocolType, protocolName: state.protocolName, assignment: member.assignment }
}

/** Parks the request; the leader's brings the assignments, which are stored before anybody learns them. */
function awaitAssignment(state: GroupState, event: SyncEvent, member: Member, turn: Turn): GroupState {
  answerSync(turn, member.syncTicket, syncError(ErrorCode.REBALANCE_IN_PROGRESS))
  const parked = withSynced(withMember(state, { ...member, syncTicket: event.ticket }), member.memberId, turn)
  if (state.leaderId !== member.memberId) return parked
  const assignments = new Map(event.assignments.map((each) => [each.memberId, each.assignment]))
  return persist(parked, turn, { kind: 'assigned', generationId: state.generationId, assignments })
}

function assigned(state: GroupState, storing: Extract<Storing, { kind: 'assigned' }>, errorCode: number, turn: Turn): GroupState {
  if (state.phase !== 'CompletingRebalance' || storing.generationId !== state.generationId) return state
  if (errorCode !== ErrorCode.NONE) {
    return prepareRebalance(releaseSyncs(state, turn, errorCode), turn, `the assignment was not stored (error ${errorCode})`)
  }
  return withEachMember(moveTo(state, 'Stable', turn), (member) => {
    const given = { ...member, assignment: storing.assignments.get(member.memberId) ?? NO_ASSIGNMENT, syncTicket: null }
    if (member.syncTicket !== null) restartSession(turn, member.memberId, member.sessionTimeoutMs)
    answerSync(turn, member.syncTicket, assignmentAnswer(state, given))
    return given
  })
}

/** The member learns the current generation; version 9 also tells a leader that it leads, and that it need not assign (KIP-814). */
function replacementStored(state: GroupState, storing: Extract<Storing, { kind: 'replaced' }>, turn: Turn): GroupState {
  const member = state.members.get(storing.memberId)
  if (state.phase !== 'Stable' || member === undefined) return state
  const answer = generationAnswer(state, member.memberId)
  // Its session may have ended, and been excused, while the record was under way.
  restartSession(turn, member.memberId, member.sessionTimeoutMs)
  if (storing.supportsSkippingAssignment) {
    answerJoin(turn, member.joinTicket, { ...answer, skipAssignment: state.leaderId === member.memberId })
  } else {
    // Older clients would assign anew if they learned that they lead; they are shown the former leader.
    answerJoin(turn, member.joinTicket, { ...answer, leaderId: storing.previousLeaderId ?? '', members: [] })
  }
  return withMember(state, { ...member, joinTicket: null })
}

function replacementFailed(state: GroupState, storing: Extract<Storing, { kind: 'replaced' }>, errorCode: number, turn: Turn): GroupState {
  const member = state.members.get(storing.memberId)
  if (member === undefined || (state.phase !== 'Stable' && member.joinTicket === null)) return state
  answerJoin(turn, member.joinTicket, joinError(errorCode, ''))
  const reverted = replaceMember(state, { ...member, joinTicket: null }, storing.previous, turn)
  restartSession(turn, storing.previous.memberId, storing.previous.sessionTimeoutMs)
  return reverted
}

/** A group that never was: those who wait try again elsewhere or later. */
function createFailed(state: GroupState, errorCode: number, turn: Turn): GroupState {
  if (state.generationId > 0) return state
  for (const member of state.members.values()) answerJoin(turn, member.joinTicket, joinError(errorCode, ''))
  return dissolve(state, turn)
}

/** The group dies: no timer, no member stays. Whoever still waits must have been answered. */
export function dissolve(state: GroupState, turn: Turn): GroupState {
  turn.effects.push({ type: 'cancelTimer', name: 'join' }, { type: 'cancelTimer', name: 'sync' })
  for (const memberId of [...state.members.keys(), ...state.pendingMemberIds])
    turn.effects.push({ type: 'cancelTimer', name: sessionTimer(memberId) })
  return {
    ...moveTo(state, 'Dead', turn),
    members: new Map(),
    staticMembers: new Map(),
    pendingMemberIds: new Set(),
    pendingSyncIds: new Set(),
    initialDelay: null,
    storing: new Map(),
    leaderId: null,
  }
}
