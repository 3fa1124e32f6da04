/**
 * @module test/group/next/model.property — random clients join, leave, crash, lose answers, change their minds and heart-beat in any
 * order while topics grow: no partition ever has two owners, epochs only rise, and in the end everything is dealt out.
 */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { stateOf } from '../../../hub/group/next/group.ts'
import { heartbeat } from '../../../hub/group/next/heartbeat.ts'
import { leave, onTimer } from '../../../hub/group/next/leave.ts'
import { NO_PARTITIONS, listOf } from '../../../hub/group/next/partitions.ts'
import type { TopicPartitions } from '../../../hub/group/next/partitions.ts'
import { isRefusal } from '../../../hub/group/next/turn.ts'
import { FakeGroup, joining, request } from './world.ts'

const TOPICS = ['a', 'b', 'ab'] as const

/** What happens next. */
type Happening =
  | { readonly kind: 'beat'; readonly who: number; readonly lost: boolean; readonly reports: boolean }
  | { readonly kind: 'revoke'; readonly who: number }
  | { readonly kind: 'subscribe'; readonly who: number; readonly topics: readonly string[]; readonly regex: string }
  | { readonly kind: 'leave'; readonly who: number }
  | { readonly kind: 'crash'; readonly who: number }
  | { readonly kind: 'restart'; readonly who: number }
  | { readonly kind: 'topic'; readonly name: string; readonly grows: number }
  | { readonly kind: 'pass'; readonly ms: number }

/** A client as KIP-848 has it: it gives back before it takes, and tells what it has. */
interface Client {
  readonly instanceId: string | null
  memberId: string
  epoch: number
  /** Partitions that it reads, `topicId-partition`. */
  owned: Set<string>
  /** What the coordinator wants it to have; null: nothing heard since it joined. */
  wanted: Set<string> | null
  topicNames: readonly string[]
  topicRegex: string
  isUp: boolean
  isJoined: boolean
  incarnation: number
  /** The last answer was lost: what it said is not known here. */
  says: 'all' | 'nothing'
}

const who = fc.integer({ min: 0, max: 5 })
const happening: fc.Arbitrary<Happening> = fc.oneof(
  {
    weight: 12,
    arbitrary: fc.record({
      kind: fc.constant('beat' as const),
      who,
      lost: fc.integer({ min: 0, max: 5 }).map((n) => n === 0),
      reports: fc.boolean(),
    }),
  },
  { weight: 6, arbitrary: fc.record({ kind: fc.constant('revoke' as const), who }) },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constant('subscribe' as const),
      who,
      topics: fc.subarray([...TOPICS]),
      regex: fc.constantFrom('', 'a.*', 'nothing', '[ab]'),
    }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('leave' as const), who }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('crash' as const), who }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('restart' as const), who }) },
  {
    weight: 1,
    arbitrary: fc.record({ kind: fc.constant('topic' as const), name: fc.constantFrom(...TOPICS), grows: fc.integer({ min: 0, max: 3 }) }),
  },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('pass' as const), ms: fc.constantFrom(300, 1_500, 6_000, 46_000) }) },
)

/** Six clients, two of them static, and a coordinator. */
class Model {
  readonly fake: FakeGroup
  readonly clients: Client[]
  readonly counts = new Map<string, number>([['a', 3]])
  #groupEpoch = 0
  #assignmentEpoch = 0

  constructor(assignmentIntervalMs: number, assignor: 'uniform' | 'range') {
    this.fake = new FakeGroup({ assignmentIntervalMs, assignors: [assignor] })
    this.fake.topics.set('a', 3)
    this.clients = Array.from({ length: 6 }, (_, at) => ({
      instanceId: at >= 4 ? `i${at}` : null,
      memberId: `m${at}`,
      epoch: 0,
      owned: new Set<string>(),
      wanted: null,
      topicNames: ['a'],
      topicRegex: '',
      isUp: at < 3,
      isJoined: false,
      incarnation: 0,
      says: 'all' as const,
    }))
  }

  happen(happening: Happening): void {
    if (happening.kind === 'topic') this.#grow(happening.name, happening.grows)
    else if (happening.kind === 'pass') this.#pass(happening.ms)
    else this.#act(happening)
    this.check()
  }

  check(): void {
    const owners = new Map<string, string>()
    for (const client of this.clients) {
      for (const place of client.owned) {
        expect(owners.get(place), `${place} is owned by ${client.memberId} too`).toBeUndefined()
        owners.set(place, client.memberId)
      }
    }
    const { group } = this.fake
    expect(group.groupEpoch).toBeGreaterThanOrEqual(this.#groupEpoch)
    expect(group.assignmentEpoch).toBeGreaterThanOrEqual(this.#assignmentEpoch)
    expect(group.assignmentEpoch).toBeLessThanOrEqual(group.groupEpoch)
    this.#groupEpoch = group.groupEpoch
    this.#assignmentEpoch = group.assignmentEpoch
    // Nobody reads what the coordinator does not know to be his.
    for (const { topicId, partitions } of [...this.clients].flatMap((client) => toList(client.owned))) {
      for (const partition of partitions) expect(group.owners.get(topicId)?.has(partition)).toBe(true)
    }
    const replayed = this.fake.replayed()
    expect({ ...replayed, seenTopics: null }).toEqual({ ...group, seenTopics: null })
  }

  /** Everybody who is up goes on until nothing changes any more. */
  settle(): void {
    for (let round = 0; round < 30; round++) {
      this.#pass(2_000)
      for (const client of this.clients) {
        if (!client.isUp) continue
        this.#revoke(client)
        this.#beat(client, false, true)
      }
      this.check()
    }
    // Whoever is gone has been silent for longer than its session by now.
    const { group } = this.fake
    const up = this.clients.filter(({ isUp }) => isUp)
    expect(group.members.size).toBe(up.length)
    expect(stateOf(group)).toBe(up.length === 0 ? 'Empty' : 'Stable')
    const wanted = new Set(up.flatMap((client) => this.#names(client)))
    const expected = [...wanted].reduce((sum, name) => sum + (this.counts.get(name) ?? 0), 0)
    expect(up.reduce((sum, { owned }) => sum + owned.size, 0)).toBe(expected)
  }

  #names({ topicNames, topicRegex }: Client): string[] {
    const matched = topicRegex === '' ? [] : [...this.counts.keys()].filter((name) => new RegExp(`^(?:${topicRegex})$`).test(name))
    return [...topicNames, ...matched]
  }

  #grow(name: string, grows: number): void {
    const count = (this.counts.get(name) ?? 1) + grows
    this.counts.set(name, count)
    this.fake.topics.set(name, count)
  }

  #pass(ms: number): void {
    for (const event of this.fake.pass(ms)) {
      this.fake.step((draft, turn) => onTimer(draft, event, turn))
      if (this.fake.group.members.has(event.memberId)) continue
      // A client that was not heard of for that long has noticed it by itself and reads nothing any more.
      for (const client of this.clients) if (client.memberId === event.memberId) this.#forget(client)
    }
  }

  #act(happening: Exclude<Happening, { kind: 'topic' } | { kind: 'pass' }>): void {
    const client = this.clients[happening.who]
    if (client === undefined) return
    if (happening.kind === 'restart') {
      if (!client.isUp) this.#restart(client)
      return
    }
    if (!client.isUp) return
    switch (happening.kind) {
      case 'beat':
        this.#beat(client, happening.lost, happening.reports)
        return
      case 'revoke':
        this.#revoke(client)
        return
      case 'subscribe':
        client.topicNames = [...happening.topics]
        client.topicRegex = happening.regex
        return
      case 'leave':
        this.#leave(client)
        return
      case 'crash':
        client.isUp = false
        client.owned.clear()
    }
  }

  #restart(client: Client): void {
    client.isUp = true
    client.incarnation++
    client.memberId = `${client.memberId.split('.')[0]}.${client.incarnation}`
    this.#forget(client)
  }

  #forget(client: Client): void {
    client.owned.clear()
    client.wanted = null
    client.epoch = 0
    client.isJoined = false
  }

  #leave(client: Client): void {
    const { memberId, instanceId } = client
    const memberEpoch = instanceId === null ? -1 : -2
    this.fake.step((draft, turn) => leave(draft, { memberId, instanceId, memberEpoch }, turn))
    client.isUp = false
    this.#forget(client)
  }

  /** It stops to read what it shall not have any more. */
  #revoke(client: Client): void {
    for (const place of client.owned) if (client.wanted?.has(place) !== true) client.owned.delete(place)
    this.#take(client)
  }

  /** It begins to read what it shall have, once it has given the rest back. */
  #take(client: Client): void {
    if (client.wanted === null || [...client.owned].some((place) => client.wanted?.has(place) !== true)) return
    client.owned = new Set(client.wanted)
  }

  #beat(client: Client, lost: boolean, reports: boolean): void {
    const { memberId, instanceId, topicNames, topicRegex } = client
    const isFirst = client.epoch === 0
    if (isFirst && client.isJoined) this.#forget(client)
    const tellsAll = reports || client.says === 'all'
    const fields = {
      instanceId,
      topicNames,
      topicRegex,
      rebalanceTimeoutMs: tellsAll ? 5_000 : -1,
      reported: tellsAll ? toList(client.owned) : null,
    }
    const before = this.fake.group
    const ownersBefore = new Map([...before.owners].map(([topicId, partitions]) => [topicId, new Map(partitions)]))
    const beat = isFirst ? joining(memberId, topicNames, { ...fields, reported: [] }) : request(memberId, client.epoch, fields)
    const answer = this.fake.step((draft, turn) => heartbeat(draft, beat, turn))
    if (!isRefusal(answer)) this.#checkTaken(answer.memberId, ownersBefore)
    client.says = lost ? 'all' : 'nothing'
    if (lost) return
    if (isRefusal(answer)) {
      // Fenced, unknown, or the instance is still taken: it starts over with nothing.
      this.#forget(client)
      client.says = 'all'
      return
    }
    client.isJoined = true
    client.epoch = answer.memberEpoch
    if (answer.assignment !== null) client.wanted = toSet(answer.assignment)
    this.#take(client)
  }

  /** A member has all of its target that nobody else held, unless it has to give back first. */
  #checkTaken(memberId: string, ownersBefore: ReadonlyMap<string, ReadonlyMap<number, string>>): void {
    const { group } = this.fake
    const member = group.members.get(memberId)
    if (member === undefined || member.reconciliation === 'UnrevokedPartitions') return
    for (const { topicId, partitions } of listOf(group.targets.get(memberId) ?? NO_PARTITIONS)) {
      const subscribed = [...member.topicNames, ...(group.regexes.get(member.topicRegex)?.topicNames ?? [])]
      if (!subscribed.some((name) => this.fake.topics.now().byName(name)?.topicId === topicId)) continue
      for (const partition of partitions) {
        const held = ownersBefore.get(topicId)?.get(partition)
        if (held === undefined || held === memberId) expect(member.assigned.get(topicId)?.has(partition)).toBe(true)
      }
    }
  }
}

function toSet(list: TopicPartitions): Set<string> {
  return new Set(list.flatMap(({ topicId, partitions }) => partitions.map((partition) => `${topicId} ${partition}`)))
}

function toList(places: ReadonlySet<string>): TopicPartitions {
  const byTopic = Map.groupBy(places, (place) => place.split(' ')[0] ?? '')
  return [...byTopic].map(([topicId, all]) => ({ topicId, partitions: all.map((place) => Number(place.split(' ')[1])) }))
}

describe('a consumer group, whatever happens', () => {
  it.each(['uniform', 'range'] as const)('never has two owners and settles (%s)', (assignor) => {
    fc.assert(
      fc.property(fc.array(happening, { maxLength: 120 }), fc.constantFrom(0, 1_000), (happenings, assignmentIntervalMs) => {
        const model = new Model(assignmentIntervalMs, assignor)
        for (const one of happenings) model.happen(one)
        model.settle()
      }),
      { numRuns: process.env['MILLRACE_LONG'] === undefined ? 150 : 5_000 },
    )
  })
})
