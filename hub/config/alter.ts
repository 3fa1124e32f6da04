/**
 * @module config/alter — changes of settings while the broker runs: what they come to, or why they are refused
 * (IncrementalAlterConfigs, KIP-339; messages of Kafka 4.3.1). Pure.
 */
import { type ConfigDefinition, ConfigException, parseConfig } from '@millrace/sdk'
import { brokerRefusal } from './alter-broker.ts'
import { groupRefusal } from './alter-group.ts'
import { brokerConfigDefinition } from './keys/broker.ts'
import { groupKeys } from './keys/group.ts'
import { topicKeys } from './keys/topic.ts'
import { type BrokerConfig, parseOverrides } from './topic-config.ts'

/** Whose settings. */
export type ConfigScope = 'topic' | 'broker' | 'group'

export interface ConfigOperation {
  readonly name: string
  readonly operation: 'set' | 'delete' | 'append' | 'subtract'
  readonly value: string | null
}

/** A refusal: the name of an error of Kafka's table, and its message. */
export interface ConfigRefusal {
  readonly error: 'INVALID_CONFIG' | 'INVALID_REQUEST'
  readonly message: string
}

/** The settings after the change, with what became different: null for a key that was taken away. */
export interface ConfigChange {
  readonly config: ReadonlyMap<string, string>
  readonly changes: ReadonlyMap<string, string | null>
}

export type AlterOutcome = ConfigChange | ConfigRefusal

export interface AlterOptions {
  readonly scope: ConfigScope
  /** A broker scope for all brokers, not one: keys of single brokers are refused. Default false. */
  readonly isClusterDefault?: boolean
  /** Value of a LIST key that is not set, for append and subtract. Default: the definition's default. */
  readonly inherited?: (name: string) => string | null
  /** The broker's settings before the change: groups stay within them, and the broker's own move in steps. Without them neither is checked. */
  readonly inForce?: BrokerConfig
}

const definitions: Readonly<Record<ConfigScope, ConfigDefinition>> = { topic: topicKeys, broker: brokerConfigDefinition, group: groupKeys }

export function isRefusal(outcome: AlterOutcome): outcome is ConfigRefusal {
  return 'error' in outcome
}

/** Applies the operations to `current` and judges what comes out. */
export function incrementalAlter(
  current: ReadonlyMap<string, string>,
  operations: readonly ConfigOperation[],
  options: AlterOptions,
): AlterOutcome {
  const malformed = malformedOperation(operations)
  if (malformed !== undefined) return malformed
  const definition = definitions[options.scope]
  const config = new Map(current)
  for (const { name, operation, value } of operations) {
    if (operation === 'delete') {
      config.delete(name)
    } else if (operation === 'set') {
      config.set(name, value ?? '')
    } else if (definition[name]?.type !== 'LIST') {
      return { error: 'INVALID_CONFIG', message: notListMessage(options.scope, name, operation) }
    } else {
      const inherited = options.inherited?.(name) ?? String(definition[name]?.default ?? '')
      config.set(name, editedList(config.get(name) ?? inherited, operation, value ?? ''))
    }
  }
  return judged(current, config, options)
}

/** Replaces all settings (the old AlterConfigs): keys that are not named lose their value; null takes a value away as well. */
export function replaceConfig(
  current: ReadonlyMap<string, string>,
  entries: readonly { readonly name: string; readonly value: string | null }[],
  options: AlterOptions,
): AlterOutcome {
  const names = entries.map(({ name }) => name)
  if (new Set(names).size !== names.length) return { error: 'INVALID_REQUEST', message: 'Error due to duplicate config keys' }
  const nulls = entries.filter(({ value }) => value === null).map(({ name }) => name)
  if (nulls.length > 0) return { error: 'INVALID_REQUEST', message: `Null value not supported for : ${nulls.join(',')}` }
  return judged(current, new Map(entries.map(({ name, value }) => [name, value ?? ''])), options)
}

/** Checks the settings that a topic is created with; undefined when they may stand. */
export function checkTopicConfig(entries: readonly { readonly name: string; readonly value: string | null }[]): ConfigRefusal | undefined {
  const nulls = entries.filter(({ value }) => value === null).map(({ name }) => name)
  if (nulls.length > 0) return { error: 'INVALID_CONFIG', message: `Null value not supported for topic configs: ${nulls.join(',')}` }
  return refusalOf(new Map(entries.map(({ name, value }) => [name, value ?? ''])), { scope: 'topic' })
}

function notListMessage(scope: ConfigScope, name: string, operation: 'append' | 'subtract'): string {
  if (scope !== 'broker') return `Can't ${operation.toUpperCase()} to key ${name} because its type is not LIST.`
  if (!Object.hasOwn(definitions.broker, name)) return `Unknown config name: ${name}`
  return `Config value ${operation} is not allowed for config key: ${name}`
}

function malformedOperation(operations: readonly ConfigOperation[]): ConfigRefusal | undefined {
  const names = operations.map(({ name }) => name)
  if (new Set(names).size !== names.length) return { error: 'INVALID_REQUEST', message: 'Error due to duplicate config keys' }
  const nulls = operations.filter(({ operation, value }) => operation !== 'delete' && value === null).map(({ name }) => name)
  return nulls.length === 0 ? undefined : { error: 'INVALID_REQUEST', message: `Null value not supported for : ${nulls.join(',')}` }
}

/** The comma text with elements added that it lacks, or without those that it has. */
function editedList(text: string, operation: 'append' | 'subtract', value: string): string {
  const parts = text.split(',').filter((part) => part !== '')
  const given = value.split(',')
  if (operation === 'subtract') return parts.filter((part) => !given.includes(part)).join(',')
  return [...parts, ...new Set(given.filter((part) => !parts.includes(part)))].join(',')
}

function judged(current: ReadonlyMap<string, string>, config: ReadonlyMap<string, string>, options: AlterOptions): AlterOutcome {
  const changes = new Map<string, string | null>()
  for (const [name, value] of config) if (current.get(name) !== value) changes.set(name, value)
  for (const name of current.keys()) if (!config.has(name)) changes.set(name, null)
  return refusalOf(config, options) ?? { config, changes }
}

function refusalOf(config: ReadonlyMap<string, string>, options: AlterOptions): ConfigRefusal | undefined {
  try {
    if (options.scope === 'broker') {
      const { isClusterDefault = false, inForce } = options
      const message = brokerRefusal(config, { isClusterDefault, inForce })
      return message === undefined ? undefined : { error: 'INVALID_REQUEST', message }
    }
    const definition = definitions[options.scope]
    for (const name of config.keys()) {
      if (Object.hasOwn(definition, name)) continue
      return { error: 'INVALID_CONFIG', message: `Unknown ${options.scope} config name: ${name}` }
    }
    parseConfig(definition, Object.fromEntries(config))
    if (options.scope === 'topic') return topicConflict(config)
    const message = options.inForce === undefined ? undefined : groupRefusal(config, options.inForce)
    return message === undefined ? undefined : { error: 'INVALID_CONFIG', message }
  } catch (error) {
    if (!(error instanceof ConfigException)) throw error
    // A wrong value of a broker key is an invalid request (KAFKA-13609 keeps that for compatibility).
    return { error: options.scope === 'broker' ? 'INVALID_REQUEST' : 'INVALID_CONFIG', message: error.message }
  }
}

function topicConflict(config: ReadonlyMap<string, string>): ConfigRefusal | undefined {
  const values = parseOverrides(config)
  if (values['remote.storage.enable'] === true) {
    const message = 'Tiered Storage functionality is disabled in the broker. Topic cannot be configured with remote log storage.'
    return { error: 'INVALID_CONFIG', message }
  }
  const least = values['min.compaction.lag.ms']
  const most = values['max.compaction.lag.ms']
  if (least === undefined || most === undefined || least <= most) return undefined
  const message = `conflict topic config setting min.compaction.lag.ms (${least}) > max.compaction.lag.ms (${most})`
  return { error: 'INVALID_CONFIG', message }
}
