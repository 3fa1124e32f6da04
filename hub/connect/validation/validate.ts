/**
 * @module connect/validation/validate — judges the whole configuration of a connector:
 *
 * ```
 *   framework's keys + transforms + predicates → rules between them ┐
 *   the plugin's keys → the plugin's own check                      ├→ one list → placeholders put back → ConfigInfos
 *   converters' keys, clients' overrides                            ┘
 * ```
 */
import { type ConfigCheck, type ConfigDefinition, type ConfigIssue, type PluginKind, parseConfig } from '@millrace/sdk'
import { isSecretKey } from '../../config/index.ts'
import { CONNECTOR_KINDS, connectorRefusal, resolvePlugin } from '../plugins/catalog.ts'
import type { AnyPlugin, Discovery } from '../plugins/discovery.ts'
import type { ValidateRequest } from '../plugins/types.ts'
import { type ConfigInfos, type ConfigText, ConnectRequestError } from '../types.ts'
import { converterEntries } from './converter-entries.ts'
import { configInfosOf, type Entry, entriesOf, mergeEntries, withIssues } from './entries.ts'
import { frameworkDefinition } from './framework.ts'
import { overrideEntries } from './override-entries.ts'
import { type PluginNames, pluginNames, versionRefusal } from './plugin-keys.ts'
import { redactEntries, redactor } from './redaction.ts'
import { sinkIssues, sourceIssues } from './rules.ts'
import { topicCreationEntries } from './topic-creation-entries.ts'

export interface ValidationContext {
  readonly discovery: Discovery
  /** The worker's own keys: default converters, the policy for overrides. */
  readonly workerDefaults: ConfigText
  /** Aborts the plugin's own check. */
  readonly signal: AbortSignal
}

/** @throws ConnectRequestError 400 when `connector.class` is missing or means no connector */
export async function validateConnector(request: ValidateRequest, context: ValidationContext): Promise<ConfigInfos> {
  const { config, written } = request
  const { discovery, workerDefaults } = context
  const connector = connectorOf(discovery, request)
  const kind = connector.kind === 'sink' ? 'sink' : 'source'
  const names = pluginNames(discovery)
  const { definition, choices } = frameworkDefinition(names, connector, config, workerDefaults)
  const framework = asClasses(names, choices, entriesOf(definition, config))
  const topics = kind === 'source' ? topicCreationEntries(config, workerDefaults) : []
  const own = entriesOf(connector.config, config)
  const issues = [
    ...versionIssues(connector, config),
    ...(kind === 'sink' ? sinkIssues(config) : sourceIssues(config)),
    ...(own.every((entry) => entry.errors.length === 0) ? await ownIssues(connector, config, context.signal) : []),
  ]
  const entries = withIssues(
    mergeEntries(framework, topics, own, converterEntries(names, config), overrideEntries(kind, config, workerDefaults)),
    issues,
    (key) => (Object.hasOwn(config, key) && !isSecretKey(key) ? (config[key] ?? null) : null),
  )
  return configInfosOf(written['connector.class'] ?? connector.class, redactEntries(entries, request))
}

function connectorOf(discovery: Discovery, request: ValidateRequest): AnyPlugin {
  const { config, written } = request
  const name = config['connector.class']
  if (name === undefined) {
    throw new ConnectRequestError(400, `Connector config ${shownConfig(written)} contains no connector type`)
  }
  const resolution = resolvePlugin(discovery.plugins, name, CONNECTOR_KINDS)
  const plugin = resolution.outcome === 'found' ? discovery.loaded.get(resolution.plugin) : undefined
  if (plugin !== undefined) return plugin
  if (resolution.outcome === 'found') throw new Error(`${resolution.plugin.class} is described but not loaded`)
  throw new ConnectRequestError(400, redactor(request)(connectorRefusal(discovery.plugins, name, resolution)))
}

/** As Java prints a map, sorted; secrets hidden, since the user's whole configuration stands in an error. */
function shownConfig(written: ConfigText): string {
  const shown = Object.entries(written).map(([name, value]) => `${name}=${isSecretKey(name) ? '[hidden]' : value}`)
  return `{${shown.sort().join(', ')}}`
}

/** Shows what a plugin-choosing key means instead of how it was said; nothing where it means nothing. */
function asClasses(names: PluginNames, choices: ReadonlyMap<string, PluginKind>, entries: readonly Entry[]): readonly Entry[] {
  return entries.map((entry) => {
    const kind = choices.get(entry.name)
    if (kind === undefined || entry.value === null) return entry
    const resolution = names.resolve(entry.value, kind)
    if (resolution.outcome === 'found') return { ...entry, value: resolution.plugin.class }
    return resolution.outcome === 'abstract' ? entry : { ...entry, value: null }
  })
}

/** A version that is not there is said of the class as well, as Kafka does: together they name the plugin. */
function versionIssues(connector: AnyPlugin, config: ConfigText): readonly ConfigIssue[] {
  const requirement = config['connector.plugin.version']
  const message = requirement === undefined ? undefined : versionRefusal(connector, requirement)
  return message === undefined ? [] : [{ key: 'connector.class', message }]
}

/** What the plugin says of keys that are right by themselves. What it throws is an answer too: it stands beside the class. */
async function ownIssues(connector: AnyPlugin, config: ConfigText, signal: AbortSignal): Promise<readonly ConfigIssue[]> {
  const check = (connector as { readonly validate?: ConfigCheck<ConfigDefinition> }).validate
  if (check === undefined) return []
  // A driver's error may quote the address that it was given, the password in it.
  const passwords = Object.keys(config).filter(
    (name) => Object.hasOwn(connector.config, name) && connector.config[name]?.type === 'PASSWORD',
  )
  const hide = redactor({ config: {}, written: {}, secrets: passwords.map((name) => (config[name] ?? '').trim()) })
  try {
    const issues = await check(parseConfig(connector.config, config), { properties: config, signal })
    return issues.map(({ key, message }) => ({ key, message: hide(message) }))
  } catch (error) {
    signal.throwIfAborted()
    const message = error instanceof Error ? error.message : String(error)
    return [{ key: 'connector.class', message: `${connector.class} could not check the configuration: ${hide(message)}` }]
  }
}
