/** Every recorded round of Kafka's assignors, and the user data they leave for the next rebalance. */
import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { type AssignorMember, type AssignorTopic, assignors } from '../../hub/client/assignors/index.ts'

interface Round {
  topics: Record<string, number>
  partitionRacks?: Record<string, (string | null)[]>
  members: {
    memberId: string
    groupInstanceId?: string
    rackId?: string
    topics: string[]
    ownedPartitions: [string, number][]
    generationId: number
    userDataHex: string | null
  }[]
  result: Record<string, { partitions: [string, number][] }>
}
interface Vector {
  assignor: string
  desc: string
  rounds: Round[]
}

const vectors = readFileSync(new URL('../golden/protocol/assignors-client.jsonl', import.meta.url), 'utf8')
  .trim()
  .split('\n')
  .map((line) => JSON.parse(line) as Vector)

function topicsOf(round: Round): Map<string, AssignorTopic> {
  return new Map(
    Object.entries(round.topics).map(([topic, partitionCount]) => [
      topic,
      {
        partitionCount,
        partitionRacks: (round.partitionRacks?.[topic] ?? []).map((rack) => (rack === null ? [] : [rack])),
      },
    ]),
  )
}

/** The recorder wrote owned partitions sorted; the members themselves kept them as the round before had dealt them. */
function membersOf(round: Round, before: Round | undefined): AssignorMember[] {
  return round.members.map((member) => {
    const dealt = before?.result[member.memberId]?.partitions ?? []
    const keysOf = (list: readonly [string, number][]) => new Set(list.map(([topic, partition]) => `${topic}-${partition}`))
    const same = dealt.length === member.ownedPartitions.length && keysOf([...dealt, ...member.ownedPartitions]).size === dealt.length
    return {
      ...member,
      ownedPartitions: (same ? dealt : member.ownedPartitions).map(([topic, partition]) => ({ topic, partition })),
      userData: member.userDataHex === null ? null : Buffer.from(member.userDataHex, 'hex'),
    }
  })
}

/** Range goes through the topics in the order of a Java hash map, which says nothing; all else keeps its order. */
function comparable(assignor: string, partitions: readonly [string, number][]): readonly [string, number][] {
  if (assignor !== 'range') return partitions
  return [...partitions].sort(([a, one], [b, other]) => (a < b ? -1 : a > b ? 1 : one - other))
}

const differences = (
  JSON.parse(readFileSync(new URL('../golden/differences.json', import.meta.url), 'utf8')) as {
    readonly 'assignors-client': readonly { readonly assignor: string; readonly desc: string }[]
  }
)['assignors-client']

/** Kafka's sticky assignors take an empty subscription for an equal one when they meet it first: see differences.json. */
function isDifferent({ assignor, desc }: Vector): boolean {
  return differences.some((one) => one.assignor === assignor && one.desc === desc)
}

describe('assignors equal Kafka’s', () => {
  for (const name of ['range', 'roundrobin', 'sticky', 'cooperative-sticky']) {
    it.each(vectors.filter((vector) => vector.assignor === name && !isDifferent(vector)))(`${name}: $desc`, ({ rounds }) => {
      const assignor = assignors.get(name)
      rounds.forEach((round, index) => {
        const assignment = assignor?.assign(topicsOf(round), membersOf(round, rounds[index - 1]))
        const plain = [...(assignment ?? [])].map(([memberId, partitions]): [string, unknown] => [
          memberId,
          comparable(
            name,
            partitions.map(({ topic, partition }) => [topic, partition]),
          ),
        ])
        const expected = Object.entries(round.result).map(([memberId, { partitions }]): [string, unknown] => [
          memberId,
          comparable(name, partitions),
        ])
        expect(Object.fromEntries(plain)).toEqual(Object.fromEntries(expected))
      })
    })
  }

  it.each(vectors.filter(isDifferent))('$assignor gives a member nothing that it did not ask for ($desc)', (vector) => {
    for (const round of vector.rounds) {
      const assignment = assignors.get(vector.assignor)?.assign(topicsOf(round), membersOf(round, undefined))
      for (const { memberId, topics } of round.members) {
        expect(assignment?.get(memberId)?.every(({ topic }) => topics.includes(topic))).toBe(true)
      }
    }
  })

  it('covers all four with 188 vectors', () => {
    expect(vectors).toHaveLength(188)
  })

  it.each(vectors.filter(({ assignor, rounds }) => assignor.endsWith('sticky') && rounds.length > 1))(
    '$assignor writes the user data of “$desc”',
    ({ assignor, rounds }) => {
      rounds.forEach((round, index) => {
        const before = rounds[index - 1]?.result ?? {}
        for (const member of round.members) {
          // The user data keeps the order in which the last round dealt.
          const owned =
            before[member.memberId]?.partitions.map(([topic, partition]) => ({
              topic,
              partition,
            })) ?? null
          const userData = assignors.get(assignor)?.userData(owned, member.generationId)
          expect(userData?.toString('hex') ?? null).toBe(member.userDataHex)
        }
      })
    },
  )
})
