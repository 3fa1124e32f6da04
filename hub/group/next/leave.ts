/**
 * @module group/next/leave — members that go: by their own word, by silence, or because they did not do in time what they had to (pure).
 */
import { ErrorCode } from '../../wire/index.ts'
import { removeOrDowngrade } from './classic-members.ts'
import type { GroupDraft } from './draft.ts'
import { STATIC_LEAVE_EPOCH } from './group.ts'
import { cancelTimers, findMember, parkMember, restartSession, setTimer } from './membership.ts'
import type { Downgrade } from './migrate.ts'
import { transitions } from './reconcile.ts'
import { refuse } from './turn.ts'
import type { HeartbeatAnswer, Refusal, TimerEvent, Turn } from './turn.ts'

/** ConsumerGroupHeartbeat with epoch −1, or −2 of a static member that means to come back. */
export function leave(
  draft: GroupDraft,
  { memberId, instanceId, memberEpoch }: { readonly memberId: string; readonly instanceId: string | null; readonly memberEpoch: number },
  turn: Turn,
): { readonly answer: HeartbeatAnswer; readonly downgrade: Downgrade | null } | Refusal {
  const member = findMember(draft.group, memberId, instanceId)
  if (!('memberEpoch' in member)) return member
  const answer = { memberId, memberEpoch, heartbeatIntervalMs: 0, assignment: null }
  const parks = memberEpoch === STATIC_LEAVE_EPOCH
  if (parks && instanceId === null) return refuse(ErrorCode.INVALID_REQUEST, "InstanceId can't be null.")
  if (transitions[member.reconciliation][parks ? 'static leave' : 'leave'] === 'park') {
    parkMember(draft, member)
    return { answer, downgrade: null }
  }
  return { answer, downgrade: removeOrDowngrade(draft, new Set([memberId]), turn) }
}

/** A member was silent for too long, or did not give back, join again or sync in time. */
export function onTimer(draft: GroupDraft, event: TimerEvent, turn: Turn): Downgrade | null {
  const member = draft.group.members.get(event.memberId)
  if (member === undefined) return null
  if (event.kind === 'rebalance' && event.memberEpoch !== member.memberEpoch) return null
  const action = transitions[member.reconciliation][event.kind === 'rebalance' ? 'rebalance timeout' : 'session timeout']
  return action === 'remove' ? removeOrDowngrade(draft, new Set([member.memberId]), turn) : null
}

/** The group was read from the log: sessions begin anew, and so does the time to give back. */
export function onLoaded(draft: GroupDraft, turn: Turn): void {
  for (const member of draft.group.members.values()) {
    cancelTimers(member.memberId, turn)
    restartSession(member.memberId, member.classic?.sessionTimeoutMs ?? turn.rules.sessionTimeoutMs, turn)
    if (member.reconciliation !== 'UnrevokedPartitions' || member.classic !== null) continue
    setTimer('rebalance', member.memberId, member.rebalanceTimeoutMs, turn, member.memberEpoch)
  }
}
