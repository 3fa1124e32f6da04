/**
 * @module connect/validation/topic-creation-keys — settings of the topics that a source makes (KIP-158): `topic.creation.default.*` and
 * those of each group in `topic.creation.groups`. What else stands under a group's prefix is a setting of its topics. Pure.
 */
import { type ConfigDefinition, rule, type Validator } from '@millrace/sdk'
import { patternRefusal } from './patterns.ts'

export const TOPIC_CREATION_PREFIX = 'topic.creation.'
/** The group that takes every topic that no other one does. */
export const DEFAULT_GROUP = 'default'
/** Leaves a count to the broker. */
export const BROKER_DEFAULT = -1

function positiveOrBrokers(what: string): Validator {
  return rule(`a positive number, or -1 for the broker's default`, (value) =>
    typeof value === 'number' && value < 1 && value !== BROKER_DEFAULT
      ? `${what} must be positive, or -1 to use the broker's default`
      : undefined,
  )
}

const regexes: Validator = rule('valid regular expressions', (value) => {
  const patterns = Array.isArray(value) ? (value as readonly string[]) : []
  const [refusal] = patterns.map((pattern) => patternRefusal(pattern)).filter((why) => why !== undefined)
  return refusal === undefined ? undefined : `Invalid regex: ${refusal}`
})

const partitions = { type: 'INT', importance: 'LOW', validator: positiveOrBrokers('Number of partitions') } as const
const replicationFactor = { type: 'SHORT', importance: 'LOW', validator: positiveOrBrokers('Replication factor') } as const

const defaultGroup = { partitions, 'replication.factor': replicationFactor } satisfies ConfigDefinition
const namedGroup = {
  include: { type: 'LIST', default: '', importance: 'LOW', validator: regexes },
  exclude: { type: 'LIST', default: '', importance: 'LOW', validator: regexes },
  partitions: { ...partitions, default: BROKER_DEFAULT },
  'replication.factor': { ...replicationFactor, default: BROKER_DEFAULT },
} satisfies ConfigDefinition

/** Names in a group that are no settings of its topics. */
export const GROUP_KEYS: ReadonlySet<string> = new Set(Object.keys(namedGroup))

/** Keys of a group under their whole names: an error must say which group it is about. */
export function topicGroupKeys(group: string): ConfigDefinition {
  const definition: ConfigDefinition = group === DEFAULT_GROUP ? defaultGroup : namedGroup
  return Object.fromEntries(Object.entries(definition).map(([name, key]) => [`${TOPIC_CREATION_PREFIX}${group}.${name}`, key]))
}
