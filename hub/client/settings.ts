/**
 * @module client/settings — Kafka's configuration keys to options, as connectors, workers and command lines write them.
 *
 * Keys that only Java has a use for (serializers, interceptors, metrics reporters) are passed over; `ignoredKeys` names
 * them and those that nobody knows. A key whose loss would change safety or security is refused.
 */
import { type ConsumerOptions, CONSUMER_DEFAULTS, type OffsetReset } from './consumer-options.ts'
import { ClientError } from './errors.ts'
import type { ClientOptions } from './options.ts'
import type { Compression, ProducerOptions } from './producer-options.ts'

type Parse = (key: string, text: string) => unknown
type Table = Readonly<Record<string, readonly [option: string, parse: Parse]>>

/** What Kafka's `int` can hold. */
const INT_MAX = 2_147_483_647

const text: Parse = (_key, value) => value
const boolean: Parse = (key, value) => {
  const word = value.trim().toLowerCase()
  if (word === 'true' || word === 'false') return word === 'true'
  throw invalid(key, value, 'must be true or false')
}
const list: Parse = (_key, value) =>
  value
    .split(',')
    .map((item) => item.trim())
    .filter(Boolean)

function count(min: number, max = INT_MAX): Parse {
  return (key, value) => {
    const number = Number(value.trim())
    if (/^[+-]?\d+$/.test(value.trim()) && number >= min && number <= max) return number
    throw invalid(key, value, `must be a whole number from ${min} to ${max}`)
  }
}

function oneOf(values: Readonly<Record<string, unknown>>): Parse {
  return (key, value) => {
    const word = value.trim().toLowerCase()
    if (Object.hasOwn(values, word)) return values[word]
    throw invalid(key, value, `must be one of ${Object.keys(values).join(', ')}`)
  }
}

const same = (...names: string[]): Parse => oneOf(Object.fromEntries(names.map((name) => [name, name])))

const CLIENT_KEYS: Table = {
  'bootstrap.servers': ['bootstrapServers', text],
  'client.id': ['clientId', text],
  'request.timeout.ms': ['requestTimeoutMs', count(0)],
  'retry.backoff.ms': ['retryBackoffMs', count(0, Number.MAX_SAFE_INTEGER)],
  'retry.backoff.max.ms': ['retryBackoffMsMax', count(0, Number.MAX_SAFE_INTEGER)],
  'reconnect.backoff.ms': ['reconnectBackoffMs', count(0, Number.MAX_SAFE_INTEGER)],
  'reconnect.backoff.max.ms': ['reconnectBackoffMsMax', count(0, Number.MAX_SAFE_INTEGER)],
  'socket.connection.setup.timeout.ms': ['connectionSetupTimeoutMs', count(0, Number.MAX_SAFE_INTEGER)],
  'connections.max.idle.ms': ['connectionIdleMsMax', count(0, Number.MAX_SAFE_INTEGER)],
  'metadata.max.age.ms': ['metadataAgeMsMax', count(0, Number.MAX_SAFE_INTEGER)],
  'metadata.recovery.rebootstrap.trigger.ms': ['rebootstrapTriggerMs', count(0, Number.MAX_SAFE_INTEGER)],
  'default.api.timeout.ms': ['apiTimeoutMs', count(0)],
}

const PRODUCER_KEYS: Table = {
  ...CLIENT_KEYS,
  acks: ['acks', oneOf({ all: 'all', '-1': 'all', '0': 0, '1': 1 })],
  'enable.idempotence': ['idempotence', boolean],
  'transactional.id': ['transactionalId', text],
  'transaction.timeout.ms': ['transactionTimeoutMs', count(0)],
  'linger.ms': ['lingerMs', count(0, Number.MAX_SAFE_INTEGER)],
  'batch.size': ['batchSizeBytes', count(0)],
  'compression.type': ['compression', same('none', 'gzip', 'snappy', 'lz4', 'zstd')],
  'max.request.size': ['requestBytesMax', count(0)],
  'buffer.memory': ['bufferMemoryBytes', count(0, Number.MAX_SAFE_INTEGER)],
  'max.block.ms': ['blockMsMax', count(0, Number.MAX_SAFE_INTEGER)],
  'delivery.timeout.ms': ['deliveryTimeoutMs', count(0)],
  'max.in.flight.requests.per.connection': ['inFlightRequestsMax', count(1)],
  retries: ['retriesMax', count(0)],
  'partitioner.ignore.keys': ['ignoreKeys', boolean],
}

/** compression.<codec>.level: only the one of the chosen codec counts. */
const LEVELS: Readonly<Record<string, Parse>> = {
  gzip: count(-1, 9),
  lz4: count(1, 17),
  zstd: count(-131_072, 22),
}

const CONSUMER_KEYS: Table = {
  ...CLIENT_KEYS,
  'group.id': ['groupId', text],
  'group.protocol': ['groupProtocol', same('classic', 'consumer')],
  'group.remote.assignor': ['groupRemoteAssignor', text],
  'group.instance.id': ['groupInstanceId', text],
  'auto.offset.reset': ['offsetReset', offsetReset],
  'enable.auto.commit': ['autoCommit', boolean],
  'auto.commit.interval.ms': ['autoCommitIntervalMs', count(0)],
  'session.timeout.ms': ['sessionTimeoutMs', count(0)],
  'heartbeat.interval.ms': ['heartbeatIntervalMs', count(0)],
  'max.poll.interval.ms': ['pollIntervalMsMax', count(1)],
  'max.poll.records': ['pollRecordsMax', count(1)],
  'fetch.min.bytes': ['fetchBytesMin', count(0)],
  'fetch.max.wait.ms': ['fetchWaitMsMax', count(0)],
  'fetch.max.bytes': ['fetchBytesMax', count(0)],
  'max.partition.fetch.bytes': ['partitionFetchBytesMax', count(0)],
  'isolation.level': ['isolation', same('read_uncommitted', 'read_committed')],
  'partition.assignment.strategy': ['assignors', assignorNames],
  'check.crcs': ['checkCrcs', boolean],
  'client.rack': ['rackId', text],
  'allow.auto.create.topics': ['autoCreateTopics', boolean],
  'exclude.internal.topics': ['excludeInternalTopics', boolean],
}

/** Values other than these would be a promise that we don't keep. */
const ONLY: Readonly<Record<string, readonly string[]>> = {
  'security.protocol': ['plaintext'],
  'transaction.two.phase.commit.enable': ['false'],
}

/** Options of an admin or any client from Kafka's keys. Throws a ClientError of kind `config` that names all that is wrong. */
export function clientOptionsFrom(config: Readonly<Record<string, string>>): ClientOptions {
  return { bootstrapServers: '', ...optionsFrom(CLIENT_KEYS, config) }
}

/** As {@link clientOptionsFrom}; an admin has no keys beyond those of all clients. */
export const adminOptionsFrom = clientOptionsFrom

/** Options of a producer from Kafka's keys. Errors as {@link clientOptionsFrom}. */
export function producerOptionsFrom(config: Readonly<Record<string, string>>): ProducerOptions {
  const options: ProducerOptions = {
    bootstrapServers: '',
    ...optionsFrom(PRODUCER_KEYS, config),
  }
  const level = compressionLevel(options.compression ?? 'none', config)
  return level === undefined ? options : { ...options, compressionLevel: level }
}

/** Options of a consumer from Kafka's keys. Errors as {@link clientOptionsFrom}. */
export function consumerOptionsFrom(config: Readonly<Record<string, string>>): ConsumerOptions {
  return { bootstrapServers: '', ...optionsFrom(CONSUMER_KEYS, config) }
}

/** Keys of `config` that have no effect on this kind of client, for a warning. */
export function ignoredKeys(kind: 'producer' | 'consumer' | 'admin', config: Readonly<Record<string, string>>): readonly string[] {
  const table = kind === 'producer' ? PRODUCER_KEYS : kind === 'consumer' ? CONSUMER_KEYS : CLIENT_KEYS
  const level = /^compression\.(gzip|lz4|zstd)\.level$/
  return Object.keys(config).filter(
    (key) => !Object.hasOwn(table, key) && !Object.hasOwn(ONLY, key) && !(kind === 'producer' && level.test(key)),
  )
}

function optionsFrom(table: Table, config: Readonly<Record<string, string>>): Record<string, unknown> {
  const problems: string[] = []
  const options: Record<string, unknown> = {}
  for (const [key, value] of Object.entries(config)) {
    const only = ONLY[key]
    if (only !== undefined && !only.includes(value.trim().toLowerCase())) {
      problems.push(`${key}: ${value} is not supported, only ${only.join(', ')}`)
      continue
    }
    if (/^sasl\.(jaas\.config|mechanism)$/.test(key) && value !== '') problems.push(`${key}: this client has no SASL`)
    const entry = Object.hasOwn(table, key) ? table[key] : undefined
    if (entry === undefined) continue
    try {
      options[entry[0]] = entry[1](key, value)
    } catch (error) {
      if (!(error instanceof ClientError)) throw error
      problems.push(error.message)
    }
  }
  if (problems.length > 0) throw new ClientError('config', problems.join('; '))
  return options
}

function compressionLevel(compression: Compression, config: Readonly<Record<string, string>>): number | undefined {
  const parse = LEVELS[compression]
  const key = `compression.${compression}.level`
  const value = config[key]
  if (parse === undefined || value === undefined) return undefined
  const level = parse(key, value) as number
  // Kafka's gzip level -1 is the codec's own default.
  return compression === 'gzip' && level === -1 ? undefined : level
}

function offsetReset(key: string, value: string): OffsetReset {
  const word = value.trim().toLowerCase()
  if (word === 'earliest' || word === 'latest' || word === 'none') return word
  const sinceMs = word.startsWith('by_duration:') ? durationMs(value.trim().slice('by_duration:'.length)) : null
  if (sinceMs !== null) return { sinceMs }
  throw invalid(key, value, 'must be earliest, latest, none or by_duration:PnDTnHnMn.nS')
}

/** An ISO-8601 duration of days and smaller, as java.time.Duration reads it, in ms; null for anything else and below 0. */
function durationMs(iso: string): number | null {
  const match = /^P(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?(?:(\d+(?:\.\d{1,9})?)S)?)?$/i.exec(iso)
  if (match === null || /T$/i.test(iso) || iso.length < 3) return null
  const [days, hours, minutes, seconds] = match.slice(1).map((part) => Number(part ?? 0)) as [number, number, number, number]
  return Math.floor((((days * 24 + hours) * 60 + minutes) * 60 + seconds) * 1000)
}

/** Protocol names, or names of Kafka's classes with or without their package. */
function assignorNames(key: string, value: string): readonly string[] {
  const classes: Readonly<Record<string, string>> = {
    RangeAssignor: 'range',
    RoundRobinAssignor: 'roundrobin',
    StickyAssignor: 'sticky',
    CooperativeStickyAssignor: 'cooperative-sticky',
  }
  const names = (list(key, value) as string[]).map((name) => {
    const plain = name.replace(/^class /, '').replace(/^org\.apache\.kafka\.clients\.consumer\./, '')
    return classes[plain] ?? plain
  })
  const unknown = names.find((name) => !Object.values(classes).includes(name))
  if (unknown !== undefined) throw invalid(key, value, `knows no assignor ${unknown}`)
  return names.length > 0 ? names : CONSUMER_DEFAULTS.assignors
}

function invalid(key: string, value: string, rule: string): ClientError {
  return new ClientError('config', `${key}: "${value}" ${rule}`)
}
