/**
 * @module connect/tasks/topic-creation — topics that a source makes before its first record goes there (KIP-158): `topic.creation.groups`,
 * `topic.creation.<group>.include|exclude|partitions|replication.factor` and any topic setting.
 */
import { javaRegex, parseConfig, type PluginLog } from '@millrace/sdk'
import type { Admin, KafkaError, NewTopic } from '../../client/index.ts'
import type { ConfigText } from '../types.ts'
import {
  BROKER_DEFAULT,
  DEFAULT_GROUP,
  GROUP_KEYS,
  TOPIC_CREATION_PREFIX as PREFIX,
  topicGroupKeys,
} from '../validation/topic-creation-keys.ts'
import { TaskFailure } from './failure.ts'
import { listOfText, withoutPrefix } from './settings.ts'

/** What topics of a group are made with. */
export interface TopicGroup {
  readonly name: string
  matches(topic: string): boolean
  readonly partitionCount: number
  readonly replicationFactor: number
  readonly configs: Readonly<Record<string, string>>
}

/**
 * The groups in the order in which they are tried, `default` last, which takes all. Empty when the configuration has none of these keys:
 * topics are then left to the broker. Throws a ConfigException.
 */
export function topicGroups(config: ConfigText): TopicGroup[] {
  if (!Object.keys(config).some((key) => key.startsWith(PREFIX))) return []
  const defaults = { partitions: BROKER_DEFAULT, 'replication.factor': BROKER_DEFAULT }
  const fallback = topicGroup(config, DEFAULT_GROUP, defaults)
  const inherited = { partitions: fallback.partitionCount, 'replication.factor': fallback.replicationFactor }
  const names = listOfText(config['topic.creation.groups']).filter((name) => name !== DEFAULT_GROUP)
  return [...names.map((name) => topicGroup(config, name, inherited)), { ...fallback, matches: () => true }]
}

/** A group; counts that it does not say are `inherited`. */
function topicGroup(
  config: ConfigText,
  name: string,
  inherited: Readonly<Record<'partitions' | 'replication.factor', number>>,
): TopicGroup {
  const parsed: Readonly<Record<string, unknown>> = parseConfig(topicGroupKeys(name), config)
  const own = withoutPrefix(config, `${PREFIX}${name}.`)
  const count = (key: keyof typeof inherited): number =>
    own[key] === undefined ? inherited[key] : (parsed[`${PREFIX}${name}.${key}`] as number)
  const [includes, excludes] = (['include', 'exclude'] as const).map((key) => listOfText(own[key]).map((pattern) => javaRegex(pattern)))
  return {
    name,
    matches: (topic) => (includes ?? []).some((regex) => regex.matches(topic)) && !(excludes ?? []).some((regex) => regex.matches(topic)),
    partitionCount: count('partitions'),
    replicationFactor: count('replication.factor'),
    configs: Object.fromEntries(Object.entries(own).filter(([key]) => !GROUP_KEYS.has(key))),
  }
}

/** Makes topics before they are used. */
export class TopicCreation {
  readonly #groups: readonly TopicGroup[]
  readonly #admin: () => Admin
  readonly #log: PluginLog

  /** `admin` is asked for when there is something to make. */
  constructor(groups: readonly TopicGroup[], admin: () => Admin, log: PluginLog) {
    this.#groups = groups
    this.#admin = admin
    this.#log = log
  }

  /** The topic is there when this resolves. Rejects with a TaskFailure when it cannot be made; a KafkaError or ClientError is retriable. */
  async ensure(topic: string, signal: AbortSignal): Promise<void> {
    const group = this.#groups.find((one) => one.matches(topic))
    if (group === undefined || (await this.#exists(topic, signal))) return
    const [created] = await this.#admin().createTopics([newTopic(topic, group)], {}, signal)
    const error = created?.error ?? null
    if (error === null) this.#log.info(`created topic ${topic} by topic.creation group ${group.name}`)
    else if (error.retriable) throw error
    else if (error.name !== 'TOPIC_ALREADY_EXISTS') throw refused(topic, group, error)
  }

  async #exists(topic: string, signal: AbortSignal): Promise<boolean> {
    const [described] = await this.#admin().describeTopics([topic], signal)
    const error = described?.error ?? null
    // A name that cannot be is refused by the attempt to make it.
    if (error?.retriable && error.name !== 'UNKNOWN_TOPIC_OR_PARTITION') throw error
    return described !== undefined && error === null
  }
}

function newTopic(name: string, { partitionCount, replicationFactor, configs }: TopicGroup): NewTopic {
  return {
    name,
    configs,
    ...(partitionCount === BROKER_DEFAULT ? {} : { partitionCount }),
    ...(replicationFactor === BROKER_DEFAULT ? {} : { replicationFactor }),
  }
}

function refused(topic: string, group: TopicGroup, error: KafkaError): TaskFailure {
  return new TaskFailure(
    'org.apache.kafka.connect.errors.ConnectException',
    `Task failed to create new topic (name=${topic}): ${error.message}; change ${PREFIX}${group.name}.*, or create the topic`,
    { cause: error },
  )
}
