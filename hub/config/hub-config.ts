/** @module config/hub-config — a hub's configuration from its file, the environment and the command line. */
import { ConfigException, type ConfigDefinition, parseConfig } from '@millrace/sdk'
import { connectConfigOf, hubConnectDefaults, type LoadedConnectConfig } from './connect-config.ts'
import { environmentConfig, overrideConfig } from './environment.ts'
import { ConfigError } from './error.ts'
import { parseConfigFile } from './files.ts'
import { brokerConfigDefinition } from './keys/broker.ts'
import { connectWorkerDefinition } from './keys/connect-worker.ts'
import { type Listeners, resolveListeners } from './listeners.ts'
import { nearestName } from './nearest.ts'
import { type ConfigFiles, providersOf, transformValues } from './providers.ts'
import { checkRelations } from './relations.ts'
import { isSecretOf } from './secret-names.ts'
import { SECTIONS, type Section, sectionOf } from './sections.ts'
import type { BrokerConfig } from './topic-config.ts'
import { refuseUnsafe, withoutEffect } from './unsupported.ts'

/** Where a hub's configuration comes from; later ones win: defaults < file < environment < overrides. */
export interface ConfigSources {
  readonly file?: { readonly path: string; readonly text: string }
  readonly environment?: Readonly<Record<string, string | undefined>>
  /** `key=value` texts. */
  readonly overrides?: readonly string[]
  /** For `${file:…}` and `${directory:…}`; the disk port will do. */
  readonly files?: ConfigFiles
}

/** A hub's configuration. */
export interface HubConfig extends Listeners {
  readonly nodeId: number
  readonly roles: ReadonlySet<string>
  /** Absolute or relative as written; one `memory:` means that everything stays in memory. */
  readonly logDirs: readonly string[]
  readonly isInMemory: boolean
  /** Where the metadata log lies: `metadata.log.dir` or the first of `logDirs`. */
  readonly metadataLogDir: string
  /** `millrace.log.flush.on.ack`. */
  readonly flushOnAck: 'fsync' | 'pagecache'
  /** `millrace.http.listeners`, for /metrics and /health. */
  readonly httpListeners: readonly { readonly host: string; readonly port: number }[]
  readonly logLevel: 'error' | 'warn' | 'info' | 'debug'
  /** Every key, parsed. */
  readonly broker: BrokerConfig
  /** What was set, as text, variables replaced, sections left out: the static layer of DescribeConfigs. */
  readonly given: ReadonlyMap<string, string>
  /** Keys of co-hosted parts, their prefix taken off. */
  readonly sections: Readonly<Record<Section, ReadonlyMap<string, string>>>
}

export interface LoadedConfig {
  readonly config: HubConfig
  /** What an operator should know; at most one a subject. */
  readonly notices: readonly string[]
  /** What is probably a mistake. */
  readonly warnings: readonly string[]
  /** Texts that logs must not show: passwords, and what came from providers. */
  readonly secrets: readonly string[]
}

/** Prefixes of keys that belong to a plugin or a provider, whose names we can't know. */
const OPEN_PREFIXES = ['config.providers.', 'listener.name.', 'metrics.context.', 'rsm.config.', 'rlmm.config.', 'remote.log.metadata.']

/** Reads, merges, parses and checks everything. @throws ConfigError: a sentence for the terminal; the hub must not start */
export async function loadHubConfig(sources: ConfigSources): Promise<LoadedConfig> {
  const { values: written, sourceOf } = await mergedValues(sources)
  const variables = await resolvedVariables(written, sources)
  try {
    return loadedConfig(variables, sourceOf)
  } catch (error) {
    throw error instanceof ConfigError ? error.hiding(variables.resolved) : error
  }
}

function loadedConfig(variables: Awaited<ReturnType<typeof resolvedVariables>>, sourceOf: SourceOf): LoadedConfig {
  const { values, unresolved, resolved, unknownProviders } = variables
  const sections = { connect: sectionOf(values, 'connect'), registry: sectionOf(values, 'registry'), console: sectionOf(values, 'console') }
  const given = new Map([...values].filter(([key]) => !SECTIONS.some((section) => key.startsWith(`${section}.`))))
  const broker = located(sourceOf, given, () => parseConfig(brokerConfigDefinition, Object.fromEntries(given)))
  const config = located(sourceOf, given, () => {
    checkRelations(broker)
    const listeners = resolveListeners(broker, given.has('listener.security.protocol.map'))
    refuseUnsafe(broker, given, listeners.listeners)
    return hubConfigOf(broker, given, listeners, sections)
  })
  const connect = config.roles.has('connect') ? located(sourceOf, given, () => hostedConnect(config)) : undefined
  return {
    config,
    notices: [...noticesOf(given, sections, config), ...(connect?.notices ?? [])],
    warnings: [...unknownKeys(given), ...providerWarnings(unresolved, unknownProviders), ...exposure(config), ...(connect?.warnings ?? [])],
    secrets: [...resolved, ...passwordsIn(given), ...(connect?.config.secrets ?? [])],
  }
}

/** The co-hosted worker's section, checked before anything starts. Its broker's port may not be known yet; nothing here depends on it. */
function hostedConnect({ listeners, sections }: HubConfig): LoadedConnectConfig {
  const { host, port } = listeners.find(({ isController }) => !isController) ?? { host: '', port: 0 }
  return connectConfigOf(sections.connect, hubConnectDefaults(`${host}:${port}`), 'connect.')
}

type SourceOf = ReadonlyMap<string, string>

async function mergedValues(sources: ConfigSources): Promise<{ values: Map<string, string>; sourceOf: SourceOf }> {
  const { file, environment = {}, overrides = [] } = sources
  const layers: (readonly [string, Map<string, string>])[] = [
    ...(file === undefined ? [] : [[file.path, await parseConfigFile(file.path, file.text)] as const]),
    ['environment', environmentConfig(environment)],
    ['--override', overrideConfig(overrides)],
  ]
  const values = new Map<string, string>()
  const sourceOf = new Map<string, string>()
  for (const [source, layer] of layers) {
    for (const [key, value] of layer) {
      values.set(key, value)
      sourceOf.set(key, source)
    }
  }
  return { values, sourceOf }
}

const NO_FILES: ConfigFiles = {
  readFile: (path) => Promise.reject(new Error(`cannot read ${path} here`)),
}

async function resolvedVariables(written: Map<string, string>, sources: ConfigSources) {
  const { providers, unknown } = providersOf(written, sources.files ?? NO_FILES, sources.environment ?? {})
  try {
    return { ...(await transformValues(written, providers)), unknownProviders: unknown }
  } catch (error) {
    const cause = `a variable cannot be read: ${(error as Error).message}`
    throw new ConfigError({ cause, remedy: 'make the file of the provider readable, or write the value itself' })
  }
}

/** Runs a step; an error about a key is told with the source and the value of that key. */
function located<T>(sourceOf: SourceOf, given: ReadonlyMap<string, string>, step: () => T): T {
  try {
    return step()
  } catch (error) {
    if (error instanceof ConfigException) {
      const key = /configuration (\S+?):|configuration "(\S+?)"|^Configuration '(\S+?)'/.exec(error.message)?.slice(1).find(Boolean)
      const source = key === undefined ? undefined : sourceOf.get(key)
      throw new ConfigError({ ...(source === undefined ? {} : { source }), cause: error.message, remedy: 'correct the value' })
    }
    if (!(error instanceof ConfigError) || error.problem.key === undefined || error.problem.source !== undefined) throw error
    const source = sourceOf.get(error.problem.key)
    const value = isSecretKey(error.problem.key) ? undefined : (error.problem.value ?? given.get(error.problem.key))
    throw new ConfigError({ ...error.problem, ...(source === undefined ? {} : { source }), ...(value === undefined ? {} : { value }) })
  }
}

function hubConfigOf(
  broker: BrokerConfig,
  given: ReadonlyMap<string, string>,
  listeners: Listeners,
  sections: HubConfig['sections'],
): HubConfig {
  // log.dir counts where log.dirs is not set (ours has a default, Kafka's has none).
  const logDirs = given.has('log.dirs') || !given.has('log.dir') ? broker['log.dirs'] : broker['log.dir']
  const isInMemory = logDirs.includes('memory:')
  if (isInMemory && logDirs.length > 1) {
    throw new ConfigError({
      key: 'log.dirs',
      value: logDirs.join(','),
      cause: 'memory: stands alone',
      remedy: 'name memory: or directories, not both',
    })
  }
  return {
    ...listeners,
    nodeId: broker['node.id'],
    roles: new Set(broker['process.roles']),
    logDirs,
    isInMemory,
    metadataLogDir: broker['metadata.log.dir'] ?? logDirs[0] ?? '',
    flushOnAck: broker['millrace.log.flush.on.ack'] as HubConfig['flushOnAck'],
    httpListeners: broker['millrace.http.listeners'].map(httpListener),
    logLevel: broker['millrace.log.level'] as HubConfig['logLevel'],
    broker,
    given,
    sections,
  }
}

function httpListener(text: string): { host: string; port: number } {
  const match = /^http:\/\/(?:\[([0-9a-fA-F:%.]+)\]|([^:/]*)):(\d{1,5})\/?$/.exec(text)
  if (match === null || Number(match[3]) > 65_535) {
    throw new ConfigError({ key: 'millrace.http.listeners', value: text, cause: 'is not http://host:port', remedy: 'correct it' })
  }
  return { host: match[1] ?? match[2] ?? '', port: Number(match[3]) }
}

function noticesOf(given: ReadonlyMap<string, string>, sections: HubConfig['sections'], config: HubConfig): string[] {
  const idle = withoutEffect(given)
  const unhosted = SECTIONS.filter((section) => sections[section].size > 0 && !config.roles.has(section))
  return [
    ...(idle.length === 0 ? [] : [`these settings have no effect in this version: ${idle.join(', ')}`]),
    ...unhosted.map((section) => `the settings under ${section}. have no effect: process.roles does not name ${section}`),
  ]
}

function unknownKeys(given: ReadonlyMap<string, string>): string[] {
  const known = Object.keys(brokerConfigDefinition)
  const hosted = Object.keys(connectWorkerDefinition)
  const strangers = [...given.keys()].filter((key) => !known.includes(key) && !OPEN_PREFIXES.some((prefix) => key.startsWith(prefix)))
  return strangers.map((key) => {
    const nearest = hosted.includes(key) ? `connect.${key}` : nearestName(key, known)
    return `unknown setting ${key}${nearest === undefined ? '' : `; did you mean ${nearest}?`}`
  })
}

function providerWarnings(unresolved: readonly string[], unknownProviders: readonly string[]): string[] {
  return [
    ...unresolved.map((text) => `no provider has a value for ${text}; the text is taken as it stands`),
    ...unknownProviders.map(
      (name) => `config.providers: ${name} is none of FileConfigProvider, DirectoryConfigProvider, EnvVarConfigProvider`,
    ),
  ]
}

/** Design §2: a listener beyond loopback without authentication is told loudly. */
function exposure(config: HubConfig): string[] {
  const open = config.listeners.filter(({ host }) => !/^(127\.|::1$|localhost$)/.test(host))
  if (open.length === 0) return []
  const names = open.map(({ name, host, port }) => `${name}://${host}:${port}`).join(', ')
  return [`${names} can be reached from other machines and asks for no authentication: anybody there can read and change everything`]
}

function passwordsIn(given: ReadonlyMap<string, string>): string[] {
  return [...given].filter(([name]) => isSecretKey(name)).map(([, text]) => text)
}

/** Whether a key's value is a secret: of type PASSWORD, also under a listener's prefix, or named like one. */
export function isSecretKey(name: string): boolean {
  const definition: ConfigDefinition = brokerConfigDefinition
  const bare = name.replace(/^listener\.name\.([^.]+\.(?:[a-z0-9-]+\.)?)?/, '')
  return isSecretOf(definition, !Object.hasOwn(definition, name) && Object.hasOwn(definition, bare) ? bare : name)
}
