/** A group under pure steps, with topics and time in the test's hand. */
import { GroupDraft } from '../../../hub/group/next/draft.ts'
import type { ConsumerRecord } from '../../../hub/group/next/draft.ts'
import { emptyConsumerGroup } from '../../../hub/group/next/group.ts'
import type { ConsumerGroup } from '../../../hub/group/next/group.ts'
import { TopicMatcher } from '../../../hub/group/next/regex.ts'
import type { TopicFacts, Topics } from '../../../hub/group/next/topics.ts'
import type { ConsumerWorld } from '../../../hub/group/next/world.ts'
import { isRefusal } from '../../../hub/group/next/turn.ts'
import type { ConsumerRules, HeartbeatRequest, Refusal, TimerEffect, TimerEvent, Turn } from '../../../hub/group/next/turn.ts'

export const RULES: ConsumerRules = {
  sessionTimeoutMs: 45_000,
  heartbeatIntervalMs: 5_000,
  assignmentIntervalMs: 0,
  memberCountMax: 2_147_483_647,
  classicMemberCountMax: 2_147_483_647,
  assignors: ['uniform', 'range'],
  migrationPolicy: 'bidirectional',
  regexRefreshIntervalMs: 600_000,
  regexRefreshMinIntervalMs: 1_000,
}

/** Topics with ids of their own, which may grow. */
export class FakeTopics {
  #counts = new Map<string, { readonly topicId: string; readonly partitionCount: number }>()
  #now: Topics | null = null
  #version = 0
  #idCount = 0

  set(name: string, partitionCount: number, id?: string): void {
    const topicId = id ?? this.#counts.get(name)?.topicId ?? fakeTopicId(++this.#idCount)
    this.#counts.set(name, { topicId, partitionCount })
    this.#now = null
  }

  delete(name: string): void {
    this.#counts.delete(name)
    this.#now = null
  }

  /** The topics as they are now. */
  now(): Topics {
    if (this.#now !== null) return this.#now
    const facts = new Map(
      [...this.#counts].map(([name, { topicId, partitionCount }]): [string, TopicFacts] => [
        name,
        { topicId, name, partitionCount, racksOf: () => [] },
      ]),
    )
    const ids = new Map([...facts.values()].map((topic) => [topic.topicId, topic]))
    this.#now = {
      version: ++this.#version,
      byName: (name) => facts.get(name),
      byId: (topicId) => ids.get(topicId),
      names: () => facts.keys(),
    }
    return this.#now
  }
}

export function fakeTopicId(number: number): string {
  const bytes = Buffer.alloc(16)
  bytes.writeUInt32BE(0x1000, 4)
  bytes.writeUInt32BE(number, 12)
  return bytes.toString('base64url')
}

/** Runs steps one by one, each stored at once, and keeps everything that went into the log. */
export class FakeGroup {
  group: ConsumerGroup
  nowMs = 1_000
  rules: ConsumerRules
  readonly topics = new FakeTopics()
  readonly log: ConsumerRecord[] = []
  readonly timers = new Map<string, { readonly dueMs: number; readonly event: TimerEvent }>()
  #memberCount = 0

  constructor(rules: Partial<ConsumerRules> = {}, groupId = 'g') {
    this.group = emptyConsumerGroup(groupId)
    this.rules = { ...RULES, ...rules }
  }

  /** One step; what a refused one wrote is taken back. */
  step<A>(run: (draft: GroupDraft, turn: Turn) => A | Refusal): A | Refusal {
    const draft = new GroupDraft(this.group)
    const timers: TimerEffect[] = []
    const topics = this.topics.now()
    const matcher = new TopicMatcher(topics)
    const result = run(draft, {
      nowMs: this.nowMs,
      rules: this.rules,
      topics,
      matchTopics: (regex) => matcher.match(regex),
      newMemberId: () => `made-${++this.#memberCount}`,
      timers,
    })
    if (isRefusal(result)) return result
    this.group = draft.group
    this.log.push(...draft.records)
    for (const effect of timers) {
      if (effect.type === 'cancel') this.timers.delete(effect.name)
      else if (!effect.ifAbsent || !this.timers.has(effect.name)) {
        this.timers.set(effect.name, { dueMs: this.nowMs + effect.delayMs, event: effect.event })
      }
    }
    return result
  }

  /** Lets time pass; returns the timers that ran out, in order. */
  pass(ms: number): TimerEvent[] {
    this.nowMs += ms
    const due = [...this.timers].filter(([, timer]) => timer.dueMs <= this.nowMs).sort(([, a], [, b]) => a.dueMs - b.dueMs)
    for (const [name] of due) this.timers.delete(name)
    return due.map(([, { event }]) => event)
  }

  /** The group that its log makes. */
  replayed(): ConsumerGroup {
    const draft = new GroupDraft(emptyConsumerGroup(this.group.groupId))
    for (const record of this.log) draft.replay(record)
    return draft.group
  }
}

/** A heartbeat that leaves everything out. */
export function request(memberId: string, memberEpoch: number, fields: Partial<HeartbeatRequest> = {}): HeartbeatRequest {
  return {
    memberId,
    memberEpoch,
    instanceId: null,
    rackId: null,
    rebalanceTimeoutMs: -1,
    topicNames: null,
    topicRegex: null,
    serverAssignor: null,
    reported: null,
    clientId: 'client',
    clientHost: '/127.0.0.1',
    ...fields,
  }
}

/** A heartbeat that joins. */
export function joining(memberId: string, topicNames: readonly string[], fields: Partial<HeartbeatRequest> = {}): HeartbeatRequest {
  return request(memberId, 0, { rebalanceTimeoutMs: 5_000, topicNames, reported: [], ...fields })
}

/** The world of a coordinator under test: topics in the test's hand, one rule for all groups. */
export function fakeWorld(topics: FakeTopics = new FakeTopics(), rules: () => Partial<ConsumerRules> = () => ({})): ConsumerWorld {
  let memberCount = 0
  let matcher: TopicMatcher | null = null
  return {
    rules: () => ({ ...RULES, ...rules() }),
    topics: () => topics.now(),
    matchTopics: (regex) => {
      if (matcher?.topics !== topics.now()) matcher = new TopicMatcher(topics.now())
      return matcher.match(regex)
    },
    newMemberId: () => `made-${++memberCount}`,
  }
}
