/**
 * @module group/session — how members stay and how they go: heartbeats, commits, leaving, silence, closed connections (pure).
 */
import { ErrorCode } from '../wire/index.ts'
import type { GroupEvent, GroupState, Leaver, Turn } from './machine.ts'
import {
  answerJoin,
  answerSync,
  checkClaim,
  checkIdentity,
  joinError,
  removeMember,
  restartSession,
  syncError,
  withMember,
} from './membership.ts'
import { completeIfReady, prepareRebalance, rebalanceOrComplete } from './rebalance.ts'
import { dissolve } from './sync.ts'

type EventOf<T extends GroupEvent['type']> = Extract<GroupEvent, { type: T }>

/** A heartbeat keeps the member; during a rebalance it is told to join again. */
export function onHeartbeat(state: GroupState, event: EventOf<'heartbeat'>, turn: Turn): GroupState {
  const errorCode = checkClaim(state, event)
  if (errorCode !== ErrorCode.NONE) return answerHeartbeat(state, event, turn, errorCode)
  renew(state, event.memberId, turn)
  return answerHeartbeat(state, event, turn, state.phase === 'PreparingRebalance' ? ErrorCode.REBALANCE_IN_PROGRESS : ErrorCode.NONE)
}

/** Answers a heartbeat with a code and changes nothing. */
export function answerHeartbeat(state: GroupState, event: EventOf<'heartbeat'>, turn: Turn, errorCode: number): GroupState {
  turn.effects.push({ type: 'answerHeartbeat', ticket: event.ticket, errorCode })
  return state
}

/**
 * Judges an offset commit; one that is accepted in a stable or rebalancing group also keeps the member's session. Somebody
 * outside the group (no member id, generation −1) may commit only while it is empty. A transaction's commit does not depend on the
 * group's state (KIP-447), and its producer's life says nothing of the consumer's.
 */
export function onCommit(state: GroupState, event: EventOf<'commit'>, turn: Turn): GroupState {
  const errorCode = judgeCommit(state, event)
  if (errorCode === ErrorCode.NONE && state.phase !== 'Empty' && !event.isTransactional) renew(state, event.memberId, turn)
  return answerCommit(state, event, turn, errorCode)
}

/** Answers the question whether a commit is allowed. */
export function answerCommit(state: GroupState, event: EventOf<'commit'>, turn: Turn, errorCode: number): GroupState {
  turn.effects.push({ type: 'answerCommit', ticket: event.ticket, errorCode })
  return state
}

/** LeaveGroup: each one who leaves gets a code of its own (KIP-345); those who stay rebalance. */
export function onLeave(state: GroupState, event: EventOf<'leave'>, turn: Turn): GroupState {
  let next = state
  const members = event.leavers.map((leaver) => {
    const found = findLeaver(next, leaver)
    if (found.memberId !== null) next = removeMember(next, found.memberId, turn)
    return { memberId: leaver.memberId, groupInstanceId: leaver.groupInstanceId, errorCode: found.errorCode }
  })
  const gone = event.leavers.filter((_, at) => members[at]?.errorCode === ErrorCode.NONE)
  const token = next.nextToken
  // One who was only promised an id takes nothing along: nobody has to rebalance, but a rebalance may have waited for it.
  if (next.members.size === state.members.size) next = completeIfReady(next, turn)
  else next = rebalanceOrComplete(next, turn, gone.map(farewell).join(', '))
  turn.effects.push({
    type: 'answerLeave',
    ticket: event.ticket,
    answer: { errorCode: ErrorCode.NONE, members },
    token: next.nextToken > token ? token : null,
  })
  return next
}

/** LeaveGroup to a group that is gone. */
export function refuseLeave(state: GroupState, event: EventOf<'leave'>, turn: Turn): GroupState {
  const answer = { errorCode: ErrorCode.COORDINATOR_NOT_AVAILABLE, members: [] }
  turn.effects.push({ type: 'answerLeave', ticket: event.ticket, answer, token: null })
  return state
}

/** Nothing was heard of a member. One that waits for an answer of ours is excused, unless it is a newcomer whose time is up. */
export function onSessionTimeout(state: GroupState, event: EventOf<'sessionTimeout'>, turn: Turn): GroupState {
  const member = state.members.get(event.memberId)
  if (member === undefined) return completeIfReady(removeMember(state, event.memberId, turn), turn)
  if (!member.isNew && (member.joinTicket !== null || member.syncTicket !== null)) return state
  return rebalanceOrComplete(removeMember(state, member.memberId, turn), turn, `session of ${member.memberId} ended`)
}

/**
 * The connection of a waiting request closed. A newcomer that never learned its id can't come back and is removed at once;
 * any other has its session timeout to do so, and does not count as joined meanwhile (else a generation would be dealt to ghosts).
 */
export function onDisconnected(state: GroupState, event: EventOf<'disconnected'>, turn: Turn): GroupState {
  for (const member of state.members.values()) {
    if (member.syncTicket === event.ticket) {
      answerSync(turn, member.syncTicket, syncError(ErrorCode.REBALANCE_IN_PROGRESS))
      renew(state, member.memberId, turn)
      return withMember(state, { ...member, syncTicket: null })
    }
    if (member.joinTicket !== event.ticket) continue
    if (member.isNew && !member.clientKnowsId) {
      return rebalanceOrComplete(removeMember(state, member.memberId, turn), turn, `the connection of newcomer ${member.memberId} closed`)
    }
    answerJoin(turn, member.joinTicket, joinError(ErrorCode.REBALANCE_IN_PROGRESS, member.memberId))
    renew(state, member.memberId, turn)
    return withMember(state, { ...member, joinTicket: null })
  }
  return state
}

/** Sessions begin anew after a load; a group over `group.max.size` rebalances, so that members commit before some are refused. */
export function onLoaded(state: GroupState, turn: Turn): GroupState {
  for (const member of state.members.values()) renew(state, member.memberId, turn)
  const over = state.members.size > turn.rules.memberCountMax
  return over ? prepareRebalance(state, turn, `${state.members.size} members are over group.max.size`) : state
}

/** The group ends here: whoever waits is told why, NOT_COORDINATOR to find another or REBALANCE_IN_PROGRESS to join again. */
export function onUnloaded(state: GroupState, turn: Turn, errorCode: number = ErrorCode.NOT_COORDINATOR): GroupState {
  for (const member of state.members.values()) {
    answerJoin(turn, member.joinTicket, joinError(errorCode, member.memberId))
    answerSync(turn, member.syncTicket, syncError(errorCode))
  }
  return dissolve(state, turn)
}

function renew(state: GroupState, memberId: string, turn: Turn): void {
  const member = state.members.get(memberId)
  if (member !== undefined) restartSession(turn, memberId, member.sessionTimeoutMs)
}

function judgeCommit(state: GroupState, claim: EventOf<'commit'>): number {
  if (claim.generationId < 0 && state.phase === 'Empty') return ErrorCode.NONE
  const fromOutside = claim.generationId < 0 && claim.memberId === '' && claim.groupInstanceId === null
  // Producers that don't speak of members (TxnOffsetCommit before version 3) fence each other by their epochs.
  if (fromOutside) return claim.isTransactional ? ErrorCode.NONE : ErrorCode.UNKNOWN_MEMBER_ID
  const errorCode = checkClaim(state, claim)
  if (errorCode !== ErrorCode.NONE) return errorCode
  // The member knows the new generation but not yet its partitions: what it commits is of the old ones.
  return state.phase === 'CompletingRebalance' && !claim.isTransactional ? ErrorCode.REBALANCE_IN_PROGRESS : ErrorCode.NONE
}

function findLeaver(state: GroupState, leaver: Leaver): { memberId: string | null; errorCode: number } {
  if (leaver.memberId === '') {
    const memberId = leaver.groupInstanceId === null ? undefined : state.staticMembers.get(leaver.groupInstanceId)
    return memberId === undefined ? { memberId: null, errorCode: ErrorCode.UNKNOWN_MEMBER_ID } : { memberId, errorCode: ErrorCode.NONE }
  }
  if (state.pendingMemberIds.has(leaver.memberId)) return { memberId: leaver.memberId, errorCode: ErrorCode.NONE }
  const errorCode = checkIdentity(state, leaver.memberId, leaver.groupInstanceId)
  return { memberId: errorCode === ErrorCode.NONE ? leaver.memberId : null, errorCode }
}

function farewell(leaver: Leaver): string {
  return `${leaver.memberId === '' ? leaver.groupInstanceId : leaver.memberId} leaves; client reason: ${leaver.reason ?? 'not provided'}`
}
