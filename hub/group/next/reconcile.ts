/**
 * @module group/next/reconcile — brings a member to its target without two members ever owning a partition (KIP-848) (pure).
 *
 * ```
 *                     target moved, nothing to give back and all of it free
 *              ┌───────────────────────────────────────────────────────────────┐
 *              ▼                                                               │
 *           Stable ── something to give back ─▶ UnrevokedPartitions ── given back: see again
 *              │ ▲                                   (old epoch)               │
 *  target held │ │ all of it free                                              │ target held
 *   by another ▼ │                                                             ▼ by another
 *       UnreleasedPartitions (new epoch; takes what becomes free with each heartbeat)
 * ```
 * A member moves on only after it has given back what it has to; a new owner is told only after the former one no longer
 * reports the partition, has left or was removed.
 */
import { ErrorCode } from '../../wire/index.ts'
import type { ConsumerMember, MemberProgress, Reconciliation } from './group.ts'
import { overlaps } from './partitions.ts'
import type { OwnedPartitions, Partitions, TopicPartitions } from './partitions.ts'

/** What a heartbeat finds. `holding`: the member still reports what it has to give back (in state Unknown: anything), or reports nothing. */
export type Finding = `${'holding' | 'released'} ${'nothing new' | 'subscription changed' | 'target moved' | 'both'}`

/** What happens to a member. */
export type MemberEvent = Finding | 'leave' | 'static leave' | 'session timeout' | 'rebalance timeout'

/**
 * What becomes of it: `keep` as it is; `advance` towards the target; `trim` what it no longer subscribes to; `fence`: it must
 * come back with nothing; `remove`; `park`: it keeps its partitions while it is away.
 */
export type Action = 'keep' | 'advance' | 'trim' | 'fence' | 'remove' | 'park'

/** Every state with every event. */
export const transitions: Readonly<Record<Reconciliation, Readonly<Record<MemberEvent, Action>>>> = {
  Stable: {
    'holding nothing new': 'keep',
    'holding subscription changed': 'trim',
    'holding target moved': 'advance',
    'holding both': 'advance',
    'released nothing new': 'keep',
    'released subscription changed': 'trim',
    'released target moved': 'advance',
    'released both': 'advance',
    leave: 'remove',
    'static leave': 'park',
    'session timeout': 'remove',
    'rebalance timeout': 'keep',
  },
  UnrevokedPartitions: {
    'holding nothing new': 'keep',
    'holding subscription changed': 'trim',
    'holding target moved': 'keep',
    'holding both': 'trim',
    'released nothing new': 'advance',
    'released subscription changed': 'advance',
    'released target moved': 'advance',
    'released both': 'advance',
    leave: 'remove',
    'static leave': 'park',
    'session timeout': 'remove',
    'rebalance timeout': 'remove',
  },
  UnreleasedPartitions: {
    'holding nothing new': 'advance',
    'holding subscription changed': 'advance',
    'holding target moved': 'advance',
    'holding both': 'advance',
    'released nothing new': 'advance',
    'released subscription changed': 'advance',
    'released target moved': 'advance',
    'released both': 'advance',
    leave: 'remove',
    'static leave': 'park',
    'session timeout': 'remove',
    'rebalance timeout': 'keep',
  },
  Unknown: {
    'holding nothing new': 'fence',
    'holding subscription changed': 'fence',
    'holding target moved': 'fence',
    'holding both': 'fence',
    'released nothing new': 'advance',
    'released subscription changed': 'advance',
    'released target moved': 'advance',
    'released both': 'advance',
    leave: 'remove',
    'static leave': 'park',
    'session timeout': 'remove',
    'rebalance timeout': 'keep',
  },
}

/** What reconciling a member takes. */
export interface ReconcileInput {
  readonly assignmentEpoch: number
  readonly target: Partitions
  readonly subscriptionChanged: boolean
  /** Ids of the topics that it subscribes to and that exist. */
  readonly topicIds: ReadonlySet<string>
  /** What it reports to own; null: not reported. */
  readonly reported: TopicPartitions | null
  /** Who has a partition or has still to give it back. */
  readonly ownerOf: (topicId: string, partition: number) => string | undefined
}

/** The member's next standing, the same object when nothing changes; FENCED_MEMBER_EPOCH when it must come back with nothing. */
export function reconcile(member: ConsumerMember, input: ReconcileInput): MemberProgress | typeof ErrorCode.FENCED_MEMBER_EPOCH {
  switch (transitions[member.reconciliation][findingOf(member, input)]) {
    case 'advance':
      return advance(member, input)
    case 'trim':
      return trim(member, input)
    case 'fence':
      return ErrorCode.FENCED_MEMBER_EPOCH
    case 'keep':
    case 'remove':
    case 'park':
      return member
  }
}

function findingOf(member: ConsumerMember, input: ReconcileInput): Finding {
  const holds =
    member.reconciliation === 'Unknown'
      ? input.reported === null || input.reported.length > 0
      : stillHolds(input.reported, member.pendingRevocation)
  const moved = member.memberEpoch !== input.assignmentEpoch
  const news = input.subscriptionChanged ? (moved ? 'both' : 'subscription changed') : moved ? 'target moved' : 'nothing new'
  return `${holds ? 'holding' : 'released'} ${news}`
}

/** A member that does not say what it owns may still own anything. */
function stillHolds(reported: TopicPartitions | null, pending: OwnedPartitions): boolean {
  return reported === null || overlaps(reported, pending)
}

function advance(member: ConsumerMember, input: ReconcileInput): MemberProgress {
  const { assignmentEpoch, reported } = input
  const { assigned, revoked } = split(member.assigned, (topicId, partition) => wants(input, topicId, partition))
  const memberEpoch = member.reconciliation === 'Unknown' ? assignmentEpoch : member.memberEpoch
  if (revoked.size > 0 && stillHolds(reported, revoked)) {
    return {
      memberEpoch,
      previousMemberEpoch: member.memberEpoch,
      reconciliation: 'UnrevokedPartitions',
      assigned,
      pendingRevocation: revoked,
    }
  }
  const missing = takeFree(member, assigned, input)
  return {
    memberEpoch: assignmentEpoch,
    previousMemberEpoch: member.memberEpoch,
    reconciliation: missing === 0 ? 'Stable' : 'UnreleasedPartitions',
    assigned,
    pendingRevocation: new Map(),
  }
}

function wants({ target, topicIds }: ReconcileInput, topicId: string, partition: number): boolean {
  return topicIds.has(topicId) && target.get(topicId)?.has(partition) === true
}

/** Adds what the target has and nobody else holds; returns how many somebody does. */
function takeFree(member: ConsumerMember, assigned: Map<string, Map<number, number>>, input: ReconcileInput): number {
  let missingCount = 0
  for (const [topicId, partitions] of input.target) {
    if (!input.topicIds.has(topicId)) continue
    const epochs = assigned.get(topicId) ?? new Map<number, number>()
    for (const partition of partitions) {
      if (epochs.has(partition)) continue
      const owner = input.ownerOf(topicId, partition)
      if (owner === undefined || owner === member.memberId) epochs.set(partition, input.assignmentEpoch)
      else missingCount++
    }
    if (epochs.size > 0) assigned.set(topicId, epochs)
  }
  return missingCount
}

/** Takes topics away that the member no longer subscribes to, without moving to another epoch. */
function trim(member: ConsumerMember, { topicIds, reported }: ReconcileInput): MemberProgress {
  const { assigned, revoked } = split(member.assigned, (topicId) => topicIds.has(topicId))
  if (revoked.size === 0) return member
  const pendingRevocation = new Map([...member.pendingRevocation].map(([topicId, epochs]) => [topicId, new Map(epochs)]))
  for (const [topicId, epochs] of revoked) {
    pendingRevocation.set(topicId, new Map([...(pendingRevocation.get(topicId) ?? []), ...epochs]))
  }
  const { memberEpoch, reconciliation } = member
  const stays = { memberEpoch, previousMemberEpoch: memberEpoch, assigned }
  if (stillHolds(reported, pendingRevocation)) return { ...stays, reconciliation: 'UnrevokedPartitions', pendingRevocation }
  return { ...stays, reconciliation, pendingRevocation: member.pendingRevocation }
}

/** Parts what a member owns by what it keeps. */
function split(
  owned: OwnedPartitions,
  keeps: (topicId: string, partition: number) => boolean,
): { assigned: Map<string, Map<number, number>>; revoked: Map<string, Map<number, number>> } {
  const assigned = new Map<string, Map<number, number>>()
  const revoked = new Map<string, Map<number, number>>()
  for (const [topicId, epochs] of owned) {
    for (const [partition, epoch] of epochs) {
      const side = keeps(topicId, partition) ? assigned : revoked
      const partitions = side.get(topicId) ?? new Map<number, number>()
      side.set(topicId, partitions.set(partition, epoch))
    }
  }
  return { assigned, revoked }
}
