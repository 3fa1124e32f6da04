/**
 * @module group/next/world — what consumer groups see of the cluster: settings, topics, and where new ids come from.
 */
import type { MetadataImage } from '../../cluster/index.ts'
import type { Random } from '../../io/index.ts'
import { assignors } from './assignors.ts'
import { TopicMatcher } from './regex.ts'
import type { TopicFacts, Topics } from './topics.ts'
import type { ConsumerRules, MigrationPolicy } from './turn.ts'

/** The world as a group's steps see it. */
export interface ConsumerWorld {
  /** The settings of a group, its own over the broker's. */
  rules(groupId: string): ConsumerRules
  topics(): Topics
  matchTopics(regex: string): readonly string[]
  newMemberId(): string
}

/** The broker's keys for consumer groups. */
export interface ConsumerGroupSettings {
  readonly 'group.consumer.session.timeout.ms': number
  readonly 'group.consumer.min.session.timeout.ms': number
  readonly 'group.consumer.max.session.timeout.ms': number
  readonly 'group.consumer.heartbeat.interval.ms': number
  readonly 'group.consumer.min.heartbeat.interval.ms': number
  readonly 'group.consumer.max.heartbeat.interval.ms': number
  readonly 'group.consumer.assignment.interval.ms': number
  readonly 'group.consumer.min.assignment.interval.ms': number
  readonly 'group.consumer.max.assignment.interval.ms': number
  readonly 'group.consumer.max.size': number
  readonly 'group.max.size': number
  readonly 'group.consumer.assignors': readonly string[]
  readonly 'group.consumer.migration.policy': string
  readonly 'group.consumer.regex.refresh.interval.ms': number
}

/** Not sooner than that after a look-up are all expressions of a group looked up again because topics came. */
const REGEX_REFRESH_MIN_INTERVAL_MS = 1_000

/** The class names under which Kafka knows its assignors. */
const classNames: ReadonlyMap<string, string> = new Map([
  ['org.apache.kafka.coordinator.group.assignor.UniformAssignor', 'uniform'],
  ['org.apache.kafka.coordinator.group.assignor.RangeAssignor', 'range'],
])

/** The world of a broker; `image` and `settings` give what is in force. Throws for an assignor that does not exist. */
export function consumerWorld(image: () => MetadataImage, settings: () => ConsumerGroupSettings, random: Random): ConsumerWorld {
  let matcher = new TopicMatcher(topicsOf(image()))
  let seen = { topics: image().topicsByName, brokers: image().brokers }
  const topics = (): Topics => {
    const { topicsByName, brokers } = image()
    if (topicsByName !== seen.topics || brokers !== seen.brokers) {
      seen = { topics: topicsByName, brokers }
      matcher = new TopicMatcher(topicsOf(image()))
    }
    return matcher.topics
  }
  assignorNames(settings())
  return {
    rules: (groupId) => rulesOf(settings(), image().configs.get(`group:${groupId}`)),
    topics,
    matchTopics: (regex) => {
      topics()
      return matcher.match(regex)
    },
    newMemberId: () => random.uuid(),
  }
}

function rulesOf(settings: ConsumerGroupSettings, own: ReadonlyMap<string, string> | undefined): ConsumerRules {
  // A value of the group that the broker's bounds no longer allow counts as the nearest one that they do.
  const bounded = (name: 'session.timeout.ms' | 'heartbeat.interval.ms' | 'assignment.interval.ms'): number => {
    const text = own?.get(`consumer.${name}`)
    if (text === undefined) return settings[`group.consumer.${name}`]
    return Math.min(Math.max(Number(text), settings[`group.consumer.min.${name}`]), settings[`group.consumer.max.${name}`])
  }
  return {
    sessionTimeoutMs: bounded('session.timeout.ms'),
    heartbeatIntervalMs: bounded('heartbeat.interval.ms'),
    assignmentIntervalMs: bounded('assignment.interval.ms'),
    memberCountMax: settings['group.consumer.max.size'],
    classicMemberCountMax: settings['group.max.size'],
    assignors: assignorNames(settings),
    migrationPolicy: policyOf(settings['group.consumer.migration.policy']),
    regexRefreshIntervalMs: settings['group.consumer.regex.refresh.interval.ms'],
    regexRefreshMinIntervalMs: REGEX_REFRESH_MIN_INTERVAL_MS,
  }
}

function assignorNames(settings: ConsumerGroupSettings): string[] {
  return settings['group.consumer.assignors'].map((given) => {
    const name = classNames.get(given) ?? given
    if (!assignors.has(name))
      throw new Error(`group.consumer.assignors names ${given}, which is not one of ${[...assignors.keys()].join(', ')}`)
    return name
  })
}

function policyOf(text: string): MigrationPolicy {
  const policy = text.toLowerCase()
  return policy === 'bidirectional' || policy === 'upgrade' || policy === 'downgrade' ? policy : 'disabled'
}

type TopicState = NonNullable<ReturnType<MetadataImage['topicsByName']['get']>>

const factsOfTopics = new WeakMap<TopicState, { readonly brokers: MetadataImage['brokers']; readonly facts: TopicFacts }>()

function topicsOf(image: MetadataImage): Topics {
  const facts = (topic: TopicState | undefined): TopicFacts | undefined => {
    if (topic === undefined) return undefined
    const known = factsOfTopics.get(topic)
    if (known?.brokers === image.brokers) return known.facts
    const made = factsOf(topic, image.brokers)
    factsOfTopics.set(topic, { brokers: image.brokers, facts: made })
    return made
  }
  return {
    version: image.offset,
    byName: (name) => facts(image.topicsByName.get(name)),
    byId: (topicId) => facts(image.topicsById.get(topicId)),
    names: () => image.topicsByName.keys(),
  }
}

function factsOf(topic: TopicState, brokers: MetadataImage['brokers']): TopicFacts {
  return {
    topicId: topic.topicId,
    name: topic.name,
    partitionCount: topic.partitions.length,
    racksOf: (partition) => (topic.partitions[partition]?.replicas ?? []).flatMap((brokerId) => brokers.get(brokerId)?.rack ?? []),
  }
}
