/**
 * @module config/alter-broker — what a broker's settings may be changed to while it runs (KIP-226). Pure.
 * Source of the rules and messages: answers of Apache Kafka 4.3.1, and its DynamicBrokerConfig.
 */
import { type ConfigDefinition, parseType } from '@millrace/sdk'
import { updateMode } from './dynamic.ts'
import { brokerConfigDefinition } from './keys/broker.ts'
import type { BrokerConfig } from './topic-config.ts'

/** Keys that Kafka changes while it runs and this version does not: where it listens, whom it trusts, what it loads. Changes are refused, not forgotten. */
const FIXED_HERE = new Set([
  'config.providers',
  'cordoned.log.dirs',
  'listener.security.protocol.map',
  'listeners',
  'max.connection.creation.rate',
  'metric.reporters',
  'principal.builder.class',
])
const SECURITY = /^(ssl|sasl)\./
const LISTENER_PREFIX = /^listener\.name\.[^.]+\./

/** Threads of Kafka's that a change may at most double and at most halve. There are none of them here; the rule is the same. */
const THREAD_COUNTS = new Set([
  'background.threads',
  'num.io.threads',
  'num.network.threads',
  'num.recovery.threads.per.data.dir',
  'num.replica.fetchers',
  'remote.log.manager.copier.thread.pool.size',
  'remote.log.manager.expiration.thread.pool.size',
  'remote.log.manager.follower.thread.pool.size',
  'remote.log.reader.threads',
])
const CLEANER_THREADS = 'log.cleaner.threads'
/** Bytes that a thread of the cleaner needs to remember keys. */
const CLEANER_BYTES_MIN = 1024 * 1024

export interface BrokerChange {
  /** For all brokers, not one: keys of single brokers are refused. */
  readonly isClusterDefault: boolean
  /** What held before; undefined where nobody knows, then rules that compare with it don't apply. */
  readonly inForce: BrokerConfig | undefined
}

/**
 * Why `config` may not be set, undefined when it may. Keys that nobody defined are taken, as in Kafka, where plugins may know them.
 * @throws ConfigException for a value that does not parse
 */
export function brokerRefusal(config: ReadonlyMap<string, string>, change: BrokerChange): string | undefined {
  const names = [...config.keys()]
  const refuse = (reason: string, refused: readonly string[]): string | undefined =>
    refused.length === 0 ? undefined : `${reason}: [${refused.join(', ')}]`
  return (
    refuse('Cannot update these configs dynamically', names.filter(isFixed)) ??
    refuse(
      'These security configs can be dynamically updated only per-listener using the listener prefix',
      names.filter((name) => isKnown(name) && name.startsWith('ssl.')),
    ) ??
    refuse(
      'Cannot update these configs at default cluster level, broker id must be specified',
      change.isClusterDefault ? names.filter((name) => isKnown(name) && updateMode(name) === 'per-broker') : [],
    ) ??
    refuse('Cannot update these configs dynamically', names.filter(isFixedHere)) ??
    valuesRefusal(config, change)
  )
}

function isKnown(name: string): boolean {
  return Object.hasOwn(brokerConfigDefinition, name.replace(LISTENER_PREFIX, ''))
}

function isFixed(name: string): boolean {
  return isKnown(name) && updateMode(name) === 'read-only'
}

function isFixedHere(name: string): boolean {
  const bare = name.replace(LISTENER_PREFIX, '')
  return isKnown(name) && (bare !== name || FIXED_HERE.has(bare) || SECURITY.test(bare))
}

function valuesRefusal(config: ReadonlyMap<string, string>, { inForce }: BrokerChange): string | undefined {
  const definition: ConfigDefinition = brokerConfigDefinition
  const values = new Map<string, unknown>()
  for (const [name, text] of config) {
    const key = definition[name]
    if (key === undefined) continue
    const parsed = parseType(name, text, key.type)
    const value = key.validator?.isDistinct === true && Array.isArray(parsed) ? [...new Set(parsed)] : parsed
    const refusal = key.validator?.check(name, value, key.type)
    if (refusal !== undefined) return refusal
    values.set(name, value)
  }
  const settingOf = (name: keyof BrokerConfig): unknown => values.get(name) ?? inForce?.[name] ?? definition[name]?.default
  for (const [name, value] of values) {
    const refusal = threadRefusal(name, value, inForce) ?? connectionRefusal(name, value, settingOf)
    if (refusal !== undefined) return refusal
  }
  const threads = Number(settingOf(CLEANER_THREADS))
  if (values.has('log.cleaner.dedupe.buffer.size') && Number(values.get('log.cleaner.dedupe.buffer.size')) / threads < CLEANER_BYTES_MIN)
    return 'requirement failed: log.cleaner.dedupe.buffer.size must be at least 1MB per cleaner thread.'
  return undefined
}

function threadRefusal(name: string, value: unknown, inForce: BrokerConfig | undefined): string | undefined {
  const current = inForce?.[name as keyof BrokerConfig]
  if (typeof value !== 'number' || typeof current !== 'number' || value === current) return undefined
  const wrapped = (reason: string): string =>
    `Invalid value org.apache.kafka.common.config.ConfigException: ${reason} for configuration Invalid dynamic configuration`
  if (name === CLEANER_THREADS) {
    if (value < 1) return wrapped('Log cleaner threads cannot be reduced below 1')
    if (value < Math.floor(current / 2))
      return wrapped(`Log cleaner threads cannot be reduced to less than half the current value ${current}`)
    return value > current * 2
      ? wrapped(`Log cleaner threads cannot be increased to more than double the current value ${current}`)
      : undefined
  }
  if (!THREAD_COUNTS.has(name)) return undefined
  const failed = `Dynamic thread count update validation failed for ${name}=${value}`
  if (value < Math.floor(current / 2)) return wrapped(`${failed}, value should be at least half the current value ${current}`)
  return value > current * 2 ? wrapped(`${failed}, value should not be greater than double the current value ${current}`) : undefined
}

function connectionRefusal(name: string, value: unknown, settingOf: (name: keyof BrokerConfig) => unknown): string | undefined {
  if (name === 'max.connections' && Number(value) <= 0) {
    return `Invalid value org.apache.kafka.common.config.ConfigException: Invalid max.connections ${String(value)} for configuration Invalid dynamic configuration`
  }
  if (name === 'max.connections.per.ip' && value === 0 && settingOf('max.connections.per.ip.overrides') === '')
    return 'requirement failed: max.connections.per.ip can be set to zero only if max.connections.per.ip.overrides property is set.'
  if (name !== 'max.connections.per.ip.overrides') return undefined
  for (const pair of String(value).split(',')) {
    const colon = pair.lastIndexOf(':')
    const count = pair.slice(colon + 1).trim()
    if (pair.trim() !== '' && !/^[+-]?\d+$/.test(count)) return `For input string: "${count}"`
    if (pair.trim() !== '' && pair.slice(0, Math.max(0, colon)).trim() === '') return `${pair.trim()} names no host`
  }
  return undefined
}
