/** @module config/connect-config — the configuration of a Connect worker: a hub's `connect.` section, or a worker's own file. */
import { type ConfigDefinition, type ConfigOf, ConfigException, canonicalText, parseConfig } from '@millrace/sdk'
import { refuseUnsafeConnect } from './connect-unsupported.ts'
import { ConfigError } from './error.ts'
import { adminKeys } from './keys/admin.ts'
import { connectWorkerDefinition } from './keys/connect-worker.ts'
import { consumerKeys } from './keys/consumer.ts'
import { producerKeys } from './keys/producer.ts'
import { nearestName } from './nearest.ts'
import { providersOf } from './providers.ts'
import { isSecretOf } from './secret-names.ts'

/** Every key of a worker, parsed. */
export type ConnectWorkerConfig = ConfigOf<typeof connectWorkerDefinition>

/** One of the three topics that a worker keeps its data in. */
export interface StorageTopic {
  /** The key that names the topic, for messages. */
  readonly key: string
  readonly name: string
  /** For when the worker creates it; -1 leaves it to the broker. */
  readonly partitionCount: number
  /** Likewise. What nobody set is capped at the number of live brokers. */
  readonly replicationFactor: number
  readonly isReplicationFactorSet: boolean
  /** Settings of the topic, from keys such as `offset.storage.min.insync.replicas` (KIP-605). */
  readonly configs: Readonly<Record<string, string>>
}

/** An address of the REST server. */
export interface RestListener {
  /** '' is every interface. */
  readonly host: string
  /** 0: the system chooses. */
  readonly port: number
}

/** A worker's configuration. */
export interface ConnectConfig {
  readonly worker: ConnectWorkerConfig
  /**
   * What was set over the defaults of the place (not Kafka's own defaults), variables replaced: `bootstrap.servers`, converters with their
   * prefixed keys, `producer.`, `consumer.` and `admin.` keys. Clients and converters are made of it.
   */
  readonly text: Readonly<Record<string, string>>
  readonly restListeners: readonly RestListener[]
  /** This worker's name in statuses; null where it is this machine's name, or the port that the first listener came to. */
  readonly advertised: { readonly host: string | null; readonly port: number | null }
  /** `millrace.tasks.isolation` */
  readonly isolation: 'thread' | 'shared' | 'inline'
  /** Folders of plugins, as written. */
  readonly pluginPaths: readonly string[]
  /** False: `pluginPaths` is the default, and a folder that is not there is no mistake. */
  readonly isPluginPathSet: boolean
  readonly storage: { readonly config: StorageTopic; readonly offset: StorageTopic; readonly status: StorageTopic }
  /** Texts that logs must not show: values of passwords. */
  readonly secrets: readonly string[]
}

/** A configuration with what an operator should hear of. */
export interface LoadedConnectConfig {
  readonly config: ConnectConfig
  readonly notices: readonly string[]
  readonly warnings: readonly string[]
}

/** Kafka has no default for these keys; in a hub they need not be set. `bootstrapServers` is the hub's own broker. */
export function hubConnectDefaults(bootstrapServers: string): Readonly<Record<string, string>> {
  return {
    'bootstrap.servers': bootstrapServers,
    'group.id': 'connect-cluster',
    'config.storage.topic': 'connect-configs',
    'offset.storage.topic': 'connect-offsets',
    'status.storage.topic': 'connect-status',
    'key.converter': 'org.apache.kafka.connect.json.JsonConverter',
    'value.converter': 'org.apache.kafka.connect.json.JsonConverter',
    listeners: 'http://127.0.0.1:8083',
    // Not ./plugins: what lies in a folder of so common a name would be run unasked.
    'plugin.path': './millrace-plugins',
  }
}

/**
 * Parses and checks a worker's keys (without the prefix that they have in a hub's file) over the defaults of the place.
 * @throws ConfigError: a sentence for the terminal; `prefix` stands before keys in it, and in notices and warnings
 */
export function connectConfigOf(
  section: ReadonlyMap<string, string>,
  defaults: Readonly<Record<string, string>> = {},
  prefix = '',
): LoadedConnectConfig {
  const text = Object.fromEntries([...Object.entries(defaults), ...section])
  try {
    const worker = parseConfig(connectWorkerDefinition, text)
    refuseUnsafeConnect(worker, section)
    const config = configOf(worker, text, section)
    refuseSharedTopic(config)
    return {
      config,
      notices: idleNotice(section, prefix),
      warnings: [
        ...unknownKeys(section, prefix),
        ...ignoredTopicSettings(section, prefix),
        ...unknownProviders(section, prefix),
        ...exposure(config, prefix),
      ],
    }
  } catch (error) {
    throw located(error, section, prefix)
  }
}

function configOf(
  worker: ConnectWorkerConfig,
  text: Readonly<Record<string, string>>,
  section: ReadonlyMap<string, string>,
): ConnectConfig {
  const restListeners = worker.listeners.map(restListener)
  return {
    worker,
    text,
    restListeners,
    advertised: advertisedOf(worker, restListeners),
    isolation: worker['millrace.tasks.isolation'] as ConnectConfig['isolation'],
    pluginPaths: worker['plugin.path'] ?? [],
    isPluginPathSet: section.has('plugin.path'),
    storage: {
      config: storageTopic('config', 1, worker, section),
      offset: storageTopic('offset', worker['offset.storage.partitions'], worker, section),
      status: storageTopic('status', worker['status.storage.partitions'], worker, section),
    },
    secrets: [...section].filter(([name, value]) => value !== '' && isSecretConnectKey(name)).map(([, value]) => value),
  }
}

/** `http://host:port`, upstream's `http://:8083` too (every interface). */
function restListener(text: string): RestListener {
  const match = /^http:\/\/(?:\[([0-9a-fA-F:%.]+)\]|([^:/[\]\s]*))(?::(\d{1,5}))\/?$/i.exec(text)
  if (match === null || Number(match[3]) > 65_535) {
    throw new ConfigError({ key: 'listeners', value: text, cause: 'is not http://host:port', remedy: 'correct it' })
  }
  return { host: match[1] ?? match[2] ?? '', port: Number(match[3]) }
}

const isEverywhere = (host: string): boolean => host === '' || host === '0.0.0.0' || host === '::'

function advertisedOf(worker: ConnectWorkerConfig, listeners: readonly RestListener[]): ConnectConfig['advertised'] {
  const [first = { host: '', port: 0 }] = listeners
  return {
    host: worker['rest.advertised.host.name'] ?? (isEverywhere(first.host) ? null : first.host),
    port: worker['rest.advertised.port'] ?? (first.port === 0 ? null : first.port),
  }
}

/** What a topic's key goes with; other keys behind its prefix are settings of the topic. */
const STORAGES = {
  config: { key: 'config.storage.topic', factorKey: 'config.storage.replication.factor' },
  offset: { key: 'offset.storage.topic', factorKey: 'offset.storage.replication.factor' },
  status: { key: 'status.storage.topic', factorKey: 'status.storage.replication.factor' },
} as const

function storageTopic(
  storage: keyof typeof STORAGES,
  partitionCount: number,
  worker: ConnectWorkerConfig,
  section: ReadonlyMap<string, string>,
): StorageTopic {
  const { key, factorKey } = STORAGES[storage]
  const prefix = `${storage}.storage.`
  const notOfTheTopic = new Set<string>([key, factorKey, `${prefix}partitions`, `${prefix}cleanup.policy`])
  const settings = [...section].filter(([name]) => name.startsWith(prefix) && !notOfTheTopic.has(name))
  return {
    key,
    name: worker[key],
    partitionCount,
    replicationFactor: worker[factorKey],
    isReplicationFactorSet: section.has(factorKey),
    configs: Object.fromEntries(settings.map(([name, value]) => [name.slice(prefix.length), value])),
  }
}

/** Two stores in one topic would read each other's records. */
function refuseSharedTopic({ storage }: ConnectConfig): void {
  const topics = [storage.config, storage.offset, storage.status]
  for (const { key, name } of topics) {
    const other = topics.find((topic) => topic.key !== key && topic.name === name)
    if (other !== undefined)
      throw new ConfigError({ key, value: name, cause: `${other.key} names the same topic`, remedy: 'name three topics' })
  }
}

/** The topics are compacted whatever is set; upstream passes such a setting over too. */
function ignoredTopicSettings(section: ReadonlyMap<string, string>, prefix: string): string[] {
  const keys = Object.keys(STORAGES).map((storage) => `${storage}.storage.cleanup.policy`)
  return keys
    .filter((key) => (section.get(key)?.trim() ?? 'compact') !== 'compact')
    .map((key) => `${prefix}${key} has no effect: the topic must be compacted`)
}

/** Their variables stay as they are written, and go to connectors so. */
function unknownProviders(section: ReadonlyMap<string, string>, prefix: string): string[] {
  const noFiles = { readFile: () => Promise.reject(new Error('nothing is read here')) }
  return providersOf(section, noFiles, {}).unknown.map((name) => {
    const variable = `\${${name}:…}`
    return `${prefix}config.providers: ${name} is no provider of this version, so ${variable} is not replaced; there are file, directory and env`
  })
}

const CLIENT_PREFIXES: Readonly<Record<string, ConfigDefinition>> = {
  'producer.': producerKeys,
  'consumer.': consumerKeys,
  'admin.': adminKeys,
}
/** Prefixes of keys that belong to a plugin, a topic or a provider. */
const OPEN_PREFIXES = [
  'key.converter.',
  'value.converter.',
  'header.converter.',
  'config.storage.',
  'offset.storage.',
  'status.storage.',
  'config.providers.',
  'metrics.context.',
  'listeners.https.',
  // Of the policy Allowlist, whose keys are its own (KIP-1188).
  'connector.client.config.override.allowlist',
]

/** The definition that knows a key, and the key's name in it: client keys are known under `producer.` and its like. */
function placeOf(name: string): { readonly definition: ConfigDefinition; readonly name: string; readonly prefix: string } {
  for (const [prefix, definition] of Object.entries(CLIENT_PREFIXES)) {
    if (name.startsWith(prefix) && !Object.hasOwn(connectWorkerDefinition, name))
      return { definition, name: name.slice(prefix.length), prefix }
  }
  return { definition: connectWorkerDefinition, name, prefix: '' }
}

/** Whether the value of a worker's key is a secret: of type PASSWORD, or unknown to us and named like one. */
export function isSecretConnectKey(name: string): boolean {
  const place = placeOf(name)
  return isSecretOf(place.definition, place.name)
}

function unknownKeys(section: ReadonlyMap<string, string>, prefix: string): string[] {
  return [...section.keys()].flatMap((key) => {
    const place = placeOf(key)
    if (Object.hasOwn(place.definition, place.name) || OPEN_PREFIXES.some((open) => key.startsWith(open))) return []
    const nearest = nearestName(place.name, Object.keys(place.definition))
    return `unknown setting ${prefix}${key}${nearest === undefined ? '' : `; did you mean ${prefix}${place.prefix}${nearest}?`}`
  })
}

/** Keys that mean the same whether we act on them or not: the default is all that there is. */
const ACTS_ANYWAY = new Set(['security.protocol', 'plugin.discovery'])

/** Known keys that were set and have no effect in this version: a key acts if and only if it is documented. */
function idleNotice(section: ReadonlyMap<string, string>, prefix: string): string[] {
  const idle = [...section].filter(([name, text]) => {
    const place = placeOf(name)
    const key = Object.hasOwn(place.definition, place.name) ? place.definition[place.name] : undefined
    if (key === undefined || key.documentation !== undefined || ACTS_ANYWAY.has(name)) return false
    return key.type === 'PASSWORD' || (canonicalText(key.default, key.type) ?? '') !== canonicalText(text, key.type)
  })
  const names = idle.map(([name]) => `${prefix}${name}`).sort()
  return names.length === 0 ? [] : [`these settings have no effect in this version: ${names.join(', ')}`]
}

/** Design §2: an address beyond loopback without authentication is told loudly. */
function exposure({ restListeners }: ConnectConfig, prefix: string): string[] {
  const open = restListeners.filter(({ host }) => !/^(127\.|::1$|localhost$)/i.test(host))
  if (open.length === 0) return []
  const shown = open.map(({ host, port }) => `http://${host.includes(':') ? `[${host}]` : host}:${port}`).join(', ')
  return [
    `${prefix}listeners: ${shown} can be reached from other machines and asks for no authentication: anybody there can run connectors and read their settings`,
  ]
}

/** An error about a key told under the name that stands in the file, with its value unless that is a secret. */
function located(error: unknown, section: ReadonlyMap<string, string>, prefix: string): unknown {
  if (error instanceof ConfigException) {
    const key = /configuration (\S+?):|configuration "(\S+?)"|^Configuration '(\S+?)'/.exec(error.message)?.slice(1).find(Boolean)
    return new ConfigError({ ...(key === undefined ? {} : { key: `${prefix}${key}` }), cause: error.message, remedy: 'correct the value' })
  }
  if (!(error instanceof ConfigError) || error.problem.key === undefined) return error
  const { key } = error.problem
  const value = isSecretConnectKey(key) ? undefined : (error.problem.value ?? section.get(key))
  const { value: _written, ...problem } = error.problem
  return new ConfigError({ ...problem, key: `${prefix}${key}`, ...(value === undefined ? {} : { value }) })
}
