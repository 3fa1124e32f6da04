/**
 * @module group/rebalance — from one generation to the next: who is waited for, how long, and how it ends (pure).
 */
import { ErrorCode } from '../wire/index.ts'
import { emptyGroup, metadataOf } from './machine.ts'
import type { GroupState, JoinAnswer, Storing, Turn } from './machine.ts'
import { NO_ASSIGNMENT, metadataIn, selectProtocol } from './member.ts'
import type { Member } from './member.ts'
import {
  answerJoin,
  answerSync,
  countJoined,
  everybodyJoined,
  joinError,
  moveTo,
  rebalanceTimeoutMs,
  removeMember,
  restartSession,
  syncError,
  withEachMember,
} from './membership.ts'

/** Starts a rebalance where none runs; else ends the one that runs if nobody is missing any more. */
export function rebalanceOrComplete(state: GroupState, turn: Turn, reason: string): GroupState {
  if (state.phase === 'PreparingRebalance') return completeIfReady(state, turn)
  return state.phase === 'Dead' ? state : prepareRebalance(state, turn, reason)
}

/**
 * Asks everybody to join again. Those who wait for an assignment get REBALANCE_IN_PROGRESS. An empty group's first rebalance
 * waits `group.initial.rebalance.delay.ms` for others (KIP-134); any other begins with whoever is missing.
 */
export function prepareRebalance(state: GroupState, turn: Turn, reason: string): GroupState {
  turn.effects.push({ type: 'log', message: `group ${state.groupId}: rebalance of generation ${state.generationId} (${reason})` })
  const released = state.phase === 'CompletingRebalance' ? releaseSyncs(state, turn, ErrorCode.REBALANCE_IN_PROGRESS) : state
  turn.effects.push({ type: 'cancelTimer', name: 'sync' })
  const next = { ...moveTo(released, 'PreparingRebalance', turn), pendingSyncIds: new Set<string>() }
  if (state.phase !== 'Empty') return completeOrWait(next, turn)
  const delayMs = turn.rules.initialRebalanceDelayMs
  setJoinTimer(turn, delayMs)
  return { ...next, initialDelay: { delayMs, remainingMs: Math.max(rebalanceTimeoutMs(next) - delayMs, 0), memberAdded: false } }
}

/** Ends the joining if nobody is missing; the first rebalance of a group ends by its delay only. */
export function completeIfReady(state: GroupState, turn: Turn): GroupState {
  if (state.phase !== 'PreparingRebalance' || state.initialDelay !== null || !everybodyJoined(state)) return state
  return completeJoin(state, turn)
}

/** The time to join is over: a further delay where newcomers came during the first, else whoever is there makes the generation. */
export function onJoinTimeout(state: GroupState, turn: Turn): GroupState {
  const delay = state.initialDelay
  if (delay === null || !delay.memberAdded || delay.remainingMs === 0) return completeJoin(state, turn)
  const delayMs = Math.min(turn.rules.initialRebalanceDelayMs, delay.remainingMs)
  setJoinTimer(turn, delayMs)
  return { ...state, initialDelay: { delayMs, remainingMs: Math.max(delay.remainingMs - delay.delayMs, 0), memberAdded: false } }
}

/** Answers all who wait for their assignment with an error and forgets the assignments. */
export function releaseSyncs(state: GroupState, turn: Turn, errorCode: number): GroupState {
  return withEachMember(state, (member) => {
    if (member.syncTicket !== null) restartSession(turn, member.memberId, member.sessionTimeoutMs)
    answerSync(turn, member.syncTicket, syncError(errorCode))
    return { ...member, syncTicket: null, assignment: NO_ASSIGNMENT }
  })
}

/** Asks the shell to store the group's record, and notes what hangs on the outcome. */
export function persist(state: GroupState, turn: Turn, storing: Storing): GroupState {
  const token = state.nextToken
  const metadata =
    storing.kind === 'created'
      ? metadataOf(emptyGroup(state.groupId, turn.nowMs))
      : metadataOf(state, storing.kind === 'assigned' ? storing.assignments : undefined)
  turn.effects.push({ type: 'persist', token, metadata })
  return { ...state, nextToken: token + 1, storing: new Map(state.storing).set(token, storing) }
}

/** What a member that joined is told about the current generation; the leader also gets everybody's metadata. */
export function generationAnswer(state: GroupState, memberId: string): JoinAnswer {
  const leads = state.leaderId === memberId
  return {
    ...joinError(ErrorCode.NONE, memberId),
    generationId: state.generationId,
    protocolType: state.protocolType,
    protocolName: state.protocolName,
    leaderId: state.leaderId ?? '',
    members: leads ? offersOf(state) : [],
  }
}

function offersOf(state: GroupState): JoinAnswer['members'] {
  return [...state.members.values()].map((member) => ({
    memberId: member.memberId,
    groupInstanceId: member.groupInstanceId,
    metadata: metadataIn(member, state.protocolName),
  }))
}

function setJoinTimer(turn: Turn, delayMs: number): void {
  turn.effects.push({ type: 'setTimer', name: 'join', delayMs, event: { type: 'joinTimeout' } })
}

function completeOrWait(state: GroupState, turn: Turn): GroupState {
  if (everybodyJoined(state)) return completeJoin(state, turn)
  setJoinTimer(turn, rebalanceTimeoutMs(state))
  return state
}

/**
 * Makes the next generation of those who joined. Dynamic members that did not are removed; static ones stay until their session
 * ends (KIP-345). When only absent static members are left, the joining goes on.
 */
function completeJoin(state: GroupState, turn: Turn): GroupState {
  turn.effects.push({ type: 'cancelTimer', name: 'join' })
  let next: GroupState = { ...state, initialDelay: null }
  for (const member of state.members.values()) {
    if (member.joinTicket === null && member.groupInstanceId === null) next = removeMember(next, member.memberId, turn)
  }
  if (next.members.size === 0) return becomeEmpty(next, turn)
  if (countJoined(next) === 0) {
    setJoinTimer(turn, rebalanceTimeoutMs(next))
    return next
  }
  return beginGeneration(electLeader(next), turn)
}

function becomeEmpty(state: GroupState, turn: Turn): GroupState {
  const empty = {
    ...moveTo(state, 'Empty', turn),
    generationId: state.generationId + 1,
    protocolName: null,
    leaderId: null,
    pendingSyncIds: new Set<string>(),
  }
  turn.effects.push({ type: 'log', message: `group ${state.groupId}: generation ${empty.generationId} is empty` })
  return persist(empty, turn, { kind: 'emptied' })
}

/** A leader who did not join loses the role to the first who did. */
function electLeader(state: GroupState): GroupState {
  const leader = state.leaderId === null ? undefined : state.members.get(state.leaderId)
  if (leader !== undefined && leader.joinTicket !== null) return state
  const elected = [...state.members.values()].find((member) => member.joinTicket !== null)
  return { ...state, leaderId: elected?.memberId ?? null }
}

function beginGeneration(state: GroupState, turn: Turn): GroupState {
  const begun: GroupState = {
    ...moveTo(state, 'CompletingRebalance', turn),
    generationId: state.generationId + 1,
    protocolName: selectProtocol(state.members.values()),
    pendingSyncIds: new Set(state.members.keys()),
  }
  turn.effects.push({
    type: 'log',
    message: `group ${state.groupId}: generation ${begun.generationId} with ${begun.members.size} members, leader ${begun.leaderId}`,
  })
  const answered = withEachMember(begun, (member): Member => {
    answerJoin(turn, member.joinTicket, generationAnswer(begun, member.memberId))
    restartSession(turn, member.memberId, member.sessionTimeoutMs)
    return { ...member, joinTicket: null, isNew: false, clientKnowsId: true }
  })
  const event = { type: 'syncTimeout', generationId: begun.generationId } as const
  turn.effects.push({ type: 'setTimer', name: 'sync', delayMs: rebalanceTimeoutMs(begun), event })
  return answered
}
