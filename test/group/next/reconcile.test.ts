/**
 * @module test/group/next/reconcile — the transition table of a member, and what each of its actions does.
 */
import { describe, expect, it } from 'vitest'
import { ErrorCode } from '../../../hub/wire/index.ts'
import { newMember } from '../../../hub/group/next/group.ts'
import type { ConsumerMember, Reconciliation } from '../../../hub/group/next/group.ts'
import type { OwnedPartitions, Partitions } from '../../../hub/group/next/partitions.ts'
import { reconcile, transitions } from '../../../hub/group/next/reconcile.ts'
import type { Action, Finding, MemberEvent, ReconcileInput } from '../../../hub/group/next/reconcile.ts'

const T = 'AAAAAAAAEoUAAAAAAAAuPQ'
const U = 'AAAAAAAAEoYAAAAAAAAuPg'

function owned(...places: readonly [topicId: string, partition: number, epoch: number][]): OwnedPartitions {
  const all = new Map<string, Map<number, number>>()
  for (const [topicId, partition, epoch] of places) all.set(topicId, (all.get(topicId) ?? new Map<number, number>()).set(partition, epoch))
  return all
}

function target(...places: readonly [topicId: string, partition: number][]): Partitions {
  const all = new Map<string, Set<number>>()
  for (const [topicId, partition] of places) all.set(topicId, (all.get(topicId) ?? new Set<number>()).add(partition))
  return all
}

function member(fields: Partial<ConsumerMember>): ConsumerMember {
  return { ...newMember('m'), memberEpoch: 5, previousMemberEpoch: 4, ...fields }
}

function input(fields: Partial<ReconcileInput>): ReconcileInput {
  return {
    assignmentEpoch: 6,
    target: target(),
    subscriptionChanged: false,
    topicIds: new Set([T, U]),
    reported: null,
    ownerOf: () => undefined,
    ...fields,
  }
}

const states: readonly Reconciliation[] = ['Stable', 'UnrevokedPartitions', 'UnreleasedPartitions', 'Unknown']
const findings: readonly Finding[] = [
  'holding nothing new',
  'holding subscription changed',
  'holding target moved',
  'holding both',
  'released nothing new',
  'released subscription changed',
  'released target moved',
  'released both',
]
const events: readonly MemberEvent[] = [...findings, 'leave', 'static leave', 'session timeout', 'rebalance timeout']

describe('the table', () => {
  it('has an action for every state and event', () => {
    const actions: readonly Action[] = ['keep', 'advance', 'trim', 'fence', 'remove', 'park']
    expect(Object.keys(transitions).sort()).toEqual([...states].sort())
    for (const state of states) {
      expect(Object.keys(transitions[state]).sort()).toEqual([...events].sort())
      for (const event of events) expect(actions).toContain(transitions[state][event])
    }
  })

  it('never lets a member that still holds what it must give back move on', () => {
    for (const finding of findings.filter((one) => one.startsWith('holding'))) {
      expect(['keep', 'trim']).toContain(transitions.UnrevokedPartitions[finding])
    }
  })

  it('removes a member that is silent, in every state, and one that is late only while it holds something back', () => {
    for (const state of states) {
      expect(transitions[state]['session timeout']).toBe('remove')
      expect(transitions[state]['rebalance timeout']).toBe(state === 'UnrevokedPartitions' ? 'remove' : 'keep')
    }
  })

  /** The member, its request and where it stands afterwards are those of the finding. */
  it.each(states.flatMap((state) => findings.map((finding) => [state, finding] as const)))(
    '%s, %s: does what it says',
    (state, finding) => {
      const holding = finding.startsWith('holding')
      const moved = finding.endsWith('target moved') || finding.endsWith('both')
      const changed = finding.endsWith('subscription changed') || finding.endsWith('both')
      const one = member({
        reconciliation: state,
        assigned: owned([T, 0, 3], [U, 0, 3]),
        pendingRevocation: state === 'UnrevokedPartitions' ? owned([T, 1, 3]) : new Map(),
      })
      const reported = holding ? null : []
      const asked = input({
        assignmentEpoch: moved ? 6 : 5,
        target: target([T, 0], [T, 2]),
        subscriptionChanged: changed,
        topicIds: new Set([T]),
        reported: state === 'Unknown' && holding ? [{ topicId: T, partitions: [0] }] : reported,
      })
      const next = reconcile(one, asked)
      switch (transitions[state][finding]) {
        case 'keep':
          expect(next).toBe(one)
          return
        case 'fence':
          expect(next).toBe(ErrorCode.FENCED_MEMBER_EPOCH)
          return
        case 'trim':
          // U is no longer wanted; T-2 is not given out by a trim.
          expect(next).toMatchObject({ memberEpoch: 5, assigned: owned([T, 0, 3]) })
          return
        case 'advance':
          // U has to go first if the member may still hold it; else T-2 comes at once.
          if (holding && state !== 'Unknown')
            expect(next).toMatchObject({ reconciliation: 'UnrevokedPartitions', pendingRevocation: owned([U, 0, 3]) })
          else
            expect(next).toMatchObject({
              reconciliation: 'Stable',
              memberEpoch: moved ? 6 : 5,
              assigned: owned([T, 0, 3], [T, 2, moved ? 6 : 5]),
            })
          return
        default:
          throw new Error(`no heartbeat ends in ${transitions[state][finding]}`)
      }
    },
  )
})

describe('reconciling', () => {
  it('keeps the old epoch while something is to be given back', () => {
    const one = member({ assigned: owned([T, 0, 3], [T, 1, 3]) })
    expect(reconcile(one, input({ target: target([T, 0], [T, 2]), reported: [{ topicId: T, partitions: [0, 1] }] }))).toEqual({
      memberEpoch: 5,
      previousMemberEpoch: 5,
      reconciliation: 'UnrevokedPartitions',
      assigned: owned([T, 0, 3]),
      pendingRevocation: owned([T, 1, 3]),
    })
  })

  it('does not wait for what the member says it has not got', () => {
    const one = member({ assigned: owned([T, 0, 3], [T, 1, 3]) })
    expect(reconcile(one, input({ target: target([T, 0], [T, 2]), reported: [{ topicId: T, partitions: [0] }] }))).toEqual({
      memberEpoch: 6,
      previousMemberEpoch: 5,
      reconciliation: 'Stable',
      assigned: owned([T, 0, 3], [T, 2, 6]),
      pendingRevocation: new Map(),
    })
  })

  it('withholds what another member has, and takes the rest', () => {
    const one = member({ assigned: owned() })
    const ownerOf = (_: string, partition: number): string | undefined => (partition === 1 ? 'other' : undefined)
    const waiting = reconcile(one, input({ target: target([T, 0], [T, 1]), ownerOf }))
    expect(waiting).toMatchObject({ memberEpoch: 6, reconciliation: 'UnreleasedPartitions', assigned: owned([T, 0, 6]) })
    if (waiting === ErrorCode.FENCED_MEMBER_EPOCH) throw new Error('fenced')
    const released = reconcile({ ...one, ...waiting }, input({ target: target([T, 0], [T, 1]) }))
    expect(released).toMatchObject({ memberEpoch: 6, reconciliation: 'Stable', assigned: owned([T, 0, 6], [T, 1, 6]) })
  })

  it('gives a partition back to the member that was about to give it away', () => {
    const one = member({ reconciliation: 'UnrevokedPartitions', assigned: owned([T, 0, 3]), pendingRevocation: owned([T, 1, 3]) })
    const next = reconcile(
      one,
      input({ assignmentEpoch: 7, target: target([T, 0], [T, 1]), reported: [{ topicId: T, partitions: [0] }], ownerOf: () => 'm' }),
    )
    expect(next).toMatchObject({ memberEpoch: 7, reconciliation: 'Stable', assigned: owned([T, 0, 3], [T, 1, 7]) })
  })

  it('trims without asking for what was given back already', () => {
    const one = member({ memberEpoch: 6, assigned: owned([T, 0, 3], [U, 0, 3]) })
    const asked = input({ target: target([T, 0]), subscriptionChanged: true, topicIds: new Set([T]) })
    expect(reconcile(one, { ...asked, reported: [{ topicId: T, partitions: [0] }] })).toMatchObject({
      reconciliation: 'Stable',
      assigned: owned([T, 0, 3]),
      pendingRevocation: new Map(),
    })
    expect(reconcile(one, asked)).toMatchObject({ reconciliation: 'UnrevokedPartitions', pendingRevocation: owned([U, 0, 3]) })
  })
})
