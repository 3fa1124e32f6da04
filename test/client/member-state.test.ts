/** A member of a KIP-848 group: its states, and what changes hands. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  differenceOf,
  isInGroup,
  MEMBER_TABLE,
  type MemberEvent,
  type MemberStatus,
  nextStatus,
  type OwnedPartition,
  shareOf,
} from '../../hub/client/consuming/member-state.ts'

const statuses = Object.keys(MEMBER_TABLE) as MemberStatus[]
const events = Object.keys(MEMBER_TABLE.stable) as MemberEvent[]

describe('the states of a member', () => {
  it('have an answer to every event that can happen', () => {
    const impossible = statuses.flatMap((status) =>
      events.filter((event) => MEMBER_TABLE[status][event] === null).map((event) => `${status} ${event}`),
    )
    expect(impossible).toEqual([
      'joining owned',
      'joining released',
      'reconciling released',
      'acknowledging released',
      'stable owned',
      'stable released',
    ])
    expect(() => nextStatus('stable', 'owned')).toThrow('a member that is stable has no owned')
  })

  it('come back into the group only by joining again', () => {
    for (const status of statuses) {
      for (const event of events) {
        const next = MEMBER_TABLE[status][event]
        if (next === null || !isInGroup(next) || isInGroup(status)) continue
        expect([event, next]).toEqual(['released', 'joining'])
      }
      expect(MEMBER_TABLE[status].leave).toBe('left')
    }
  })

  it('follow a whole life', () => {
    const life: readonly MemberEvent[] = [
      'target',
      'owned',
      'target',
      'owned',
      'steady',
      'fenced',
      'target',
      'released',
      'steady',
      'expired',
      'leave',
    ]
    let status: MemberStatus = 'joining'
    const seen = life.map((event) => (status = nextStatus(status, event)))
    expect(seen).toEqual([
      'reconciling',
      'acknowledging',
      'reconciling',
      'acknowledging',
      'stable',
      'fenced',
      'fenced',
      'joining',
      'stable',
      'stale',
      'left',
    ])
  })
})

const topics = ['a', 'b', 'c', 'd']
const partitions = fc.uniqueArray(fc.record({ topicId: fc.constantFrom(...topics), partition: fc.nat(4) }), {
  selector: ({ topicId, partition }) => `${topicId}${partition}`,
})
const named = (list: readonly { topicId: string; partition: number }[]): OwnedPartition[] =>
  list.map(({ topicId, partition }) => ({ topicId, topic: `topic ${topicId}`, partition }))

describe('what changes hands', () => {
  it('leads from what is owned to the target, as far as names are known', () => {
    fc.assert(
      fc.property(partitions, partitions, fc.subarray(topics), (before, after, known) => {
        const owned = named(before)
        const target = shareOf(named(after))
        const difference = differenceOf(owned, target, (topicId) => (known.includes(topicId) ? `topic ${topicId}` : undefined))
        const isNamed = ({ topicId }: { topicId: string }) => known.includes(topicId) || owned.some((at) => at.topicId === topicId)
        const key = ({ topicId, partition }: { topicId: string; partition: number }) => `${topicId}${partition}`
        expect(difference.next.map(key).sort()).toEqual(after.filter(isNamed).map(key).sort())
        expect(difference.unknownIds.toSorted()).toEqual([...new Set(after.filter((at) => !isNamed(at)).map((at) => at.topicId))].sort())
        const kept = owned.map(key).filter((one) => !difference.revoked.map(key).includes(one))
        expect([...kept, ...difference.added.map(key)].sort()).toEqual(difference.next.map(key).sort())
        expect(difference.added.map(key).filter((one) => kept.includes(one))).toEqual([])
      }),
    )
  })

  it('reads the same in every order', () => {
    const one = named([
      { topicId: 'a', partition: 2 },
      { topicId: 'b', partition: 0 },
      { topicId: 'a', partition: 1 },
    ])
    expect(shareOf(one)).toEqual(shareOf(one.toReversed()))
  })
})
