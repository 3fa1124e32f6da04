/** @module config/describe — settings with where their values come from, as DescribeConfigs tells them (KIP-226, KIP-569). */
import { type ConfigDefinition, type ConfigKey, type ConfigType, canonicalText, convertToString } from '@millrace/sdk'
import { updateMode } from './dynamic.ts'
import { brokerConfigDefinition } from './keys/broker.ts'
import { groupKeys } from './keys/group.ts'
import { topicKeys } from './keys/topic.ts'
import { type BrokerConfig, brokerSynonyms, topicDefaults, topicSynonyms } from './topic-config.ts'

/** Where a value comes from, with the protocol's number (`DescribeConfigs` configSource). */
export const ConfigSource = {
  DYNAMIC_TOPIC_CONFIG: 1,
  DYNAMIC_BROKER_CONFIG: 2,
  DYNAMIC_DEFAULT_BROKER_CONFIG: 3,
  STATIC_BROKER_CONFIG: 4,
  DEFAULT_CONFIG: 5,
  DYNAMIC_BROKER_LOGGER_CONFIG: 6,
  DYNAMIC_CLIENT_METRICS_CONFIG: 7,
  DYNAMIC_GROUP_CONFIG: 8,
} as const
export type ConfigSource = (typeof ConfigSource)[keyof typeof ConfigSource]

/** The protocol's number of a type (`DescribeConfigs` configType); 0 is unknown. */
export const configTypeNumber: Readonly<Record<ConfigType, number>> = {
  BOOLEAN: 1,
  STRING: 2,
  INT: 3,
  SHORT: 4,
  LONG: 5,
  DOUBLE: 6,
  LIST: 7,
  CLASS: 8,
  PASSWORD: 9,
}

/** A value that would hold if the stronger ones were not there. */
export interface ConfigSynonym {
  readonly name: string
  /** null for a secret. */
  readonly value: string | null
  readonly source: ConfigSource
}

/** One setting. */
export interface ConfigEntry {
  readonly name: string
  /** null for a secret, and where there is no value. */
  readonly value: string | null
  readonly source: ConfigSource
  /** undefined for a key that nobody defined; it counts as a secret. */
  readonly type: ConfigType | undefined
  readonly isSensitive: boolean
  readonly readOnly: boolean
  /** The strongest first. */
  readonly synonyms: readonly ConfigSynonym[]
  readonly documentation: string
}

/** What a broker was given, as text by key. */
export interface BrokerSources {
  /** Set for this broker while it runs. */
  readonly dynamic: ReadonlyMap<string, string>
  /** Set for all brokers while they run. */
  readonly dynamicDefault: ReadonlyMap<string, string>
  /** From file, environment and command line. */
  readonly static: ReadonlyMap<string, string>
}

const broker: ConfigDefinition = brokerConfigDefinition
const topic: ConfigDefinition = topicKeys
const group: ConfigDefinition = groupKeys

/**
 * All settings of a topic, sorted by name. `overrides`: the topic's own; `brokerConfig`: the broker's values in force.
 * A broker value under a weaker name (`log.retention.hours` for `log.retention.ms`) gives the value, but no synonym: so
 * does Kafka, whose list begins at the name that the topic key stands for.
 */
export function describeTopicConfig(
  overrides: ReadonlyMap<string, string>,
  brokerConfig: BrokerConfig,
  sources: BrokerSources,
): ConfigEntry[] {
  const defaults = topicDefaults(brokerConfig)
  return described(topic, (name, key) => {
    const own = overrides.get(name)
    const brokerKey = topicSynonyms[name]
    const inherited = brokerKey === undefined ? [] : synonymsOf(brokerKey, sources)
    const value = own === undefined ? (inherited[0]?.value ?? longText(defaults[name], key)) : canonicalText(own, key.type)
    const synonyms = own === undefined ? inherited : [{ name, value, source: ConfigSource.DYNAMIC_TOPIC_CONFIG }, ...inherited]
    return { value, synonyms, readOnly: false }
  })
}

/** All settings of this broker, sorted by name, those that nobody defined too (as secrets). */
export function describeBrokerConfig(brokerConfig: BrokerConfig, sources: BrokerSources): ConfigEntry[] {
  const given = new Set([...sources.static.keys(), ...sources.dynamicDefault.keys(), ...sources.dynamic.keys()])
  const strangers = [...given].filter((name) => !Object.hasOwn(broker, name))
  const unknown = strangers.map((name): ConfigEntry => {
    const source = synonymsOf(name, sources)[0]?.source ?? ConfigSource.STATIC_BROKER_CONFIG
    const synonyms = [{ name, value: null, source }]
    return {
      name,
      value: null,
      source,
      type: undefined,
      isSensitive: true,
      readOnly: updateMode(name) === 'read-only',
      synonyms,
      documentation: '',
    }
  })
  const known = described(broker, (name, key) => {
    const synonyms = synonymsOf(name, sources)
    const parsed = brokerConfig[name as keyof BrokerConfig]
    return { value: synonyms[0]?.value ?? longText(parsed, key), synonyms, readOnly: updateMode(name) === 'read-only' }
  })
  return [...known, ...unknown].sort(byName)
}

/** What is set for all brokers while they run (the resource with the empty name), sorted by name. */
export function describeBrokerDefaults(dynamicDefault: ReadonlyMap<string, string>): ConfigEntry[] {
  const none = new Map<string, string>()
  const entries = [...dynamicDefault.keys()].sort().map((name): ConfigEntry => {
    const key = broker[name]
    const all = synonymsOf(name, { dynamic: none, dynamicDefault, static: none })
    const synonyms = all.filter(({ source }) => source === ConfigSource.DYNAMIC_DEFAULT_BROKER_CONFIG)
    return {
      name,
      value: synonyms[0]?.value ?? null,
      source: ConfigSource.DYNAMIC_DEFAULT_BROKER_CONFIG,
      type: key?.type,
      isSensitive: isSecret(key),
      readOnly: updateMode(name) === 'read-only',
      synonyms,
      documentation: key?.documentation ?? '',
    }
  })
  return entries
}

/** All settings of a group, sorted by name; what it does not set comes from the broker key with `group.` before its name. */
export function describeGroupConfig(overrides: ReadonlyMap<string, string>, sources: BrokerSources): ConfigEntry[] {
  return described(group, (name, key) => {
    const own = overrides.get(name)
    const brokerKey = `group.${name}`
    const fallback: ConfigSynonym = { name, value: canonicalText(key.default, key.type), source: ConfigSource.DEFAULT_CONFIG }
    const inherited = Object.hasOwn(broker, brokerKey) ? synonymsOf(brokerKey, sources) : [fallback]
    const value = own === undefined ? (inherited[0]?.value ?? null) : canonicalText(own, key.type)
    const synonyms = own === undefined ? inherited : [{ name, value, source: ConfigSource.DYNAMIC_GROUP_CONFIG }, ...inherited]
    return { value, synonyms, readOnly: false }
  })
}

/** A broker key's values from the strongest to the weakest, beginning with the key's own name. */
function synonymsOf(name: string, sources: BrokerSources): ConfigSynonym[] {
  const names = brokerSynonyms(name)
  const layers = [
    [sources.dynamic, ConfigSource.DYNAMIC_BROKER_CONFIG],
    [sources.dynamicDefault, ConfigSource.DYNAMIC_DEFAULT_BROKER_CONFIG],
    [sources.static, ConfigSource.STATIC_BROKER_CONFIG],
  ] as const
  const all: ConfigSynonym[] = []
  for (const [values, source] of layers) {
    for (const synonym of names) {
      const text = values.get(synonym)
      if (text !== undefined) all.push({ name: synonym, value: shownText(text, broker[synonym]), source })
    }
  }
  for (const synonym of names) {
    const value = shownText(broker[synonym]?.default, broker[synonym])
    const hasDefault = broker[synonym]?.default !== undefined && broker[synonym]?.default !== null
    if (hasDefault) all.push({ name: synonym, value, source: ConfigSource.DEFAULT_CONFIG })
  }
  const from = all.findIndex((synonym) => synonym.name === name)
  return from < 0 ? [] : all.slice(from)
}

interface Described {
  readonly value: string | null
  readonly synonyms: readonly ConfigSynonym[]
  readonly readOnly: boolean
}

function described(definition: ConfigDefinition, describe: (name: string, key: ConfigKey) => Described): ConfigEntry[] {
  const entries: ConfigEntry[] = []
  for (const [name, key] of Object.entries(definition)) {
    if (key.internal === true) continue
    const { value, synonyms, readOnly } = describe(name, key)
    entries.push({
      name,
      value: isSecret(key) ? null : value,
      source: synonyms[0]?.source ?? ConfigSource.DEFAULT_CONFIG,
      type: key.type,
      isSensitive: isSecret(key),
      readOnly,
      synonyms,
      documentation: key.documentation ?? '',
    })
  }
  return entries.sort(byName)
}

function isSecret(key: ConfigKey | undefined): boolean {
  return key === undefined || key.type === 'PASSWORD'
}

function shownText(value: unknown, key: ConfigKey | undefined): string | null {
  return key === undefined || key.type === 'PASSWORD' ? null : canonicalText(value, key.type)
}

/** A parsed value as text; the number that stands for Long.MAX_VALUE as what it stands for. */
function longText(value: unknown, key: ConfigKey): string | null {
  if (key.type === 'LONG' && value === Number.MAX_SAFE_INTEGER) return '9223372036854775807'
  return convertToString(value, key.type)
}

function byName(one: ConfigEntry, other: ConfigEntry): number {
  return one.name < other.name ? -1 : one.name > other.name ? 1 : 0
}
