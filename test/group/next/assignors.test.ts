/**
 * @module test/group/next/assignors — the server-side assignors against what Kafka's classes gave, and what must hold for any group.
 */
import { readFileSync } from 'node:fs'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { Assignor, AssignorMember } from '../../../hub/group/next/assignor.ts'
import { assignors } from '../../../hub/group/next/assignors.ts'
import { NO_PARTITIONS, listOf, samePartitions } from '../../../hub/group/next/partitions.ts'
import type { Partitions } from '../../../hub/group/next/partitions.ts'

/** member → target */
type Dealt = ReadonlyMap<string, Partitions>

/** topic → partitions */
type ByName = Readonly<Record<string, readonly number[]>>

interface Round {
  readonly topics: Readonly<Record<string, { readonly id: string; readonly partitions: number }>>
  readonly members: readonly {
    readonly memberId: string
    readonly groupInstanceId?: string
    readonly subscribed: readonly string[]
    readonly current: ByName
  }[]
  readonly subscriptionType: 'HOMOGENEOUS' | 'HETEROGENEOUS'
  readonly result: Readonly<Record<string, ByName>>
}

interface Vector {
  readonly assignor: string
  readonly desc: string
  readonly rounds: readonly Round[]
}

const vectors = readFileSync(new URL('../../golden/protocol/assignors-server.jsonl', import.meta.url), 'utf8')
  .trim()
  .split('\n')
  .map((line) => JSON.parse(line) as Vector)

function assignorNamed(name: string): Assignor {
  const assignor = assignors.get(name)
  if (assignor === undefined) throw new Error(`no assignor ${name}`)
  return assignor
}

/** What a member had, in the order in which the round before dealt it: the recorder wrote it sorted. */
function formerTarget(member: Round['members'][number], idOf: (name: string) => string, before: Dealt | undefined): Partitions {
  const recorded = new Map(Object.entries(member.current).map(([name, partitions]) => [idOf(name), new Set(partitions)]))
  const dealt = before?.get(member.memberId)
  return dealt !== undefined && samePartitions(dealt, recorded) ? dealt : recorded
}

/** Deals a round out. */
function play(assignor: Assignor, round: Round, before: Dealt | undefined): Dealt {
  const idOf = (name: string): string => round.topics[name]?.id ?? ''
  const counts = new Map(Object.values(round.topics).map(({ id, partitions }) => [id, partitions]))
  const members = round.members
    .map(
      (member): AssignorMember => ({
        memberId: member.memberId,
        instanceId: member.groupInstanceId ?? null,
        topicIds: new Set(member.subscribed.filter((name) => name in round.topics).map(idOf)),
        target: formerTarget(member, idOf, before),
      }),
    )
    .sort((a, b) => (a.memberId < b.memberId ? -1 : 1))
  return assignor({
    members,
    isHomogeneous: round.subscriptionType === 'HOMOGENEOUS',
    partitionCount: (topicId) => counts.get(topicId) ?? 0,
  })
}

/** An assignment by topic name. */
function named(round: Round, dealt: Dealt): Record<string, ByName> {
  const nameOf = new Map(Object.entries(round.topics).map(([name, { id }]) => [id, name]))
  return Object.fromEntries(
    [...dealt].map(([memberId, target]) => [
      memberId,
      Object.fromEntries(listOf(target).map(({ topicId, partitions }) => [nameOf.get(topicId) ?? topicId, partitions])),
    ]),
  )
}

describe('server-side assignors', () => {
  for (const { assignor, desc, rounds } of vectors) {
    it(`${assignor}: ${desc}`, () => {
      let before: Dealt | undefined
      for (const round of rounds) {
        before = play(assignorNamed(assignor), round, before)
        expect(named(round, before)).toEqual(round.result)
      }
    })
  }

  it('are covered by 94 vectors', () => {
    expect(vectors).toHaveLength(94)
  })
})

/** A group whose topics and members come and go. */
const groups = fc.record({
  topics: fc.array(fc.integer({ min: 0, max: 7 }), { minLength: 1, maxLength: 5 }),
  rounds: fc.array(
    fc.array(fc.record({ id: fc.integer({ min: 0, max: 9 }), topics: fc.subarray([0, 1, 2, 3, 4]) }), { minLength: 1, maxLength: 8 }),
    { minLength: 1, maxLength: 4 },
  ),
  isHomogeneous: fc.boolean(),
})

function topicIdOf(index: number): string {
  const bytes = Buffer.alloc(16)
  bytes.writeInt32BE(index + 1, 12)
  return bytes.toString('base64url')
}

/** Deals rounds to random members and looks at each. */
function playRandom(
  assignor: Assignor,
  { topics, rounds, isHomogeneous }: { topics: number[]; rounds: { id: number; topics: number[] }[][]; isHomogeneous: boolean },
  look: (members: readonly AssignorMember[], dealt: Dealt) => void,
): void {
  const counts = new Map(topics.map((count, index) => [topicIdOf(index), count]))
  let before: Dealt = new Map()
  for (const round of rounds) {
    const unique = [...new Map(round.map((member) => [member.id, member])).values()].sort((a, b) => a.id - b.id)
    const subscribed = (wanted: readonly number[]): Set<string> =>
      new Set(wanted.filter((index) => index < topics.length).map((index) => topicIdOf(index)))
    const members = unique.map(
      ({ id, topics: wanted }): AssignorMember => ({
        memberId: `m${id}`,
        instanceId: null,
        topicIds: subscribed(isHomogeneous ? (unique[0]?.topics ?? []) : wanted),
        target: before.get(`m${id}`) ?? NO_PARTITIONS,
      }),
    )
    before = assignor({ members, isHomogeneous, partitionCount: (topicId) => counts.get(topicId) ?? 0 })
    look(members, before)
  }
}

describe.each(['uniform', 'range'])('%s, whatever the group', (name) => {
  it('gives every partition of a subscribed topic to exactly one of its subscribers', () => {
    fc.assert(
      fc.property(groups, (group) => {
        playRandom(assignorNamed(name), group, (members, dealt) => {
          const owners = new Map<string, string>()
          for (const { memberId, topicIds } of members) {
            for (const { topicId, partitions } of listOf(dealt.get(memberId) ?? NO_PARTITIONS)) {
              expect(topicIds.has(topicId)).toBe(true)
              for (const partition of partitions) {
                expect(owners.has(`${topicId}-${partition}`)).toBe(false)
                owners.set(`${topicId}-${partition}`, memberId)
              }
            }
          }
          const wanted = new Set(members.flatMap(({ topicIds }) => [...topicIds]))
          expect(owners.size).toBe(group.topics.reduce((sum, count, index) => sum + (wanted.has(topicIdOf(index)) ? count : 0), 0))
        })
      }),
    )
  })
})

it('uniform: members that subscribe alike differ by one partition at most', () => {
  fc.assert(
    fc.property(groups, (group) => {
      playRandom(assignorNamed('uniform'), { ...group, isHomogeneous: true }, (members, dealt) => {
        const loads = members.map(
          ({ memberId }) => listOf(dealt.get(memberId) ?? NO_PARTITIONS).flatMap(({ partitions }) => partitions).length,
        )
        expect(Math.max(...loads) - Math.min(...loads)).toBeLessThanOrEqual(1)
      })
    }),
  )
})
