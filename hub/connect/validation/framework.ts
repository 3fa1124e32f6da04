/**
 * @module connect/validation/framework — the framework's keys as one worker and one configuration make them: defaults of the worker, the
 * plugins that there are to choose from, and the keys of each transformation and predicate that the configuration names. Pure.
 */
import { type ConfigDefinition, type ConfigKey, type PluginKind, parseType, type Validator } from '@millrace/sdk'
import type { AnyPlugin } from '../plugins/discovery.ts'
import type { ConfigText } from '../types.ts'
import { frameworkKeys } from './connector-keys.ts'
import { choiceKeys, type PluginNames, versionRule } from './plugin-keys.ts'

/** The converter keys with the kinds of plugins that they choose. */
export const converterKinds: Readonly<Record<string, PluginKind>> = {
  'key.converter': 'converter',
  'value.converter': 'converter',
  'header.converter': 'header_converter',
}

/** A definition, and which of its keys choose a plugin (their values are shown as classes). */
export interface FrameworkDefinition {
  readonly definition: ConfigDefinition
  readonly choices: ReadonlyMap<string, PluginKind>
}

/**
 * The framework's keys for a connector. `config` is the connector's configuration and `workerDefaults` the worker's, whose converters are
 * the default ones; both empty describe the keys alone.
 */
export function frameworkDefinition(
  names: PluginNames,
  connector: AnyPlugin,
  config: ConfigText,
  workerDefaults: ConfigText,
): FrameworkDefinition {
  const definition: Record<string, ConfigKey> = { ...frameworkKeys[connector.kind === 'sink' ? 'sink' : 'source'] }
  const choices = new Map<string, PluginKind>(Object.entries(converterKinds))
  Object.assign(definition, connectorVersion(definition, connector))
  for (const [key, kind] of choices) Object.assign(definition, converterChoice(names, definition, { key, kind, config, workerDefaults }))
  for (const part of parts) {
    for (const alias of aliasesOf(part.list, config)) {
      choices.set(`${part.list}.${alias}.type`, part.kind)
      Object.assign(definition, partKeys(names, part, alias, config))
    }
  }
  return { definition, choices }
}

function connectorVersion(definition: ConfigDefinition, connector: AnyPlugin): ConfigDefinition {
  const key = required(definition, 'connector.plugin.version')
  const recommender = { validValues: () => [connector.version], visible: () => true }
  return { 'connector.plugin.version': { ...key, default: connector.version, validator: versionRule(connector), recommender } }
}

function converterChoice(
  names: PluginNames,
  definition: ConfigDefinition,
  choice: { readonly key: string; readonly kind: PluginKind; readonly config: ConfigText; readonly workerDefaults: ConfigText },
): ConfigDefinition {
  const { key, kind, config, workerDefaults } = choice
  const versionKey = `${key}.plugin.version`
  const ofWorker = workerDefaults[key] ?? null
  return choiceKeys(names, {
    kind,
    key,
    versionKey,
    classKey: { ...required(definition, key), default: names.plugin(ofWorker, kind)?.class ?? ofWorker },
    version: required(definition, versionKey),
    chosen: config[key] ?? ofWorker,
    hidesVersion: Object.hasOwn(config, key),
  })
}

/** What a chain is made of. */
interface Part {
  readonly list: 'transforms' | 'predicates'
  readonly kind: PluginKind
  readonly title: string
  /** Heading of the keys, the alias behind it. */
  readonly group: string
  /** Keys that the framework adds to those of the plugin. */
  readonly own: ConfigDefinition
}

const parts: readonly Part[] = [
  {
    list: 'transforms',
    kind: 'transformation',
    title: 'Transformation',
    group: 'Transforms',
    own: {
      predicate: {
        type: 'STRING',
        default: null,
        importance: 'MEDIUM',
        documentation: 'Alias of the predicate that decides which records are transformed.',
      },
      negate: {
        type: 'BOOLEAN',
        default: false,
        importance: 'MEDIUM',
        documentation: 'Whether those records are transformed that the predicate is not true for.',
      },
    },
  },
  { list: 'predicates', kind: 'predicate', title: 'Predicate', group: 'Predicates', own: {} },
]

/** The lists of parts with the kinds of plugins that they are. */
export const partKinds: ReadonlyMap<string, PluginKind> = new Map(parts.map(({ list, kind }) => [list, kind]))

function partKeys(names: PluginNames, part: Part, alias: string, config: ConfigText): ConfigDefinition {
  const prefix = `${part.list}.${alias}.`
  const group = `${part.group}: ${alias}`
  const chosen = config[`${prefix}type`] ?? null
  const choice = choiceKeys(names, {
    kind: part.kind,
    key: `${prefix}type`,
    versionKey: `${prefix}plugin.version`,
    classKey: { type: 'CLASS', importance: 'HIGH', group, order: 0, width: 'LONG', displayName: `${part.title} type for ${alias}` },
    version: {
      type: 'STRING',
      default: null,
      importance: 'HIGH',
      group,
      order: 1,
      width: 'LONG',
      displayName: `${part.title} version for ${alias}`,
    },
    chosen,
    hidesVersion: false,
  })
  const plugin = names.plugin(chosen, part.kind)
  return plugin === undefined ? choice : { ...choice, ...embedded({ ...plugin.config, ...part.own }, prefix, group) }
}

/** A plugin's keys under a prefix, by name, behind the two that choose it. Rules speak of the plugin's own names, as in Kafka. */
function embedded(definition: ConfigDefinition, prefix: string, group: string): ConfigDefinition {
  const byName = Object.entries(definition).sort(([one], [other]) => (one < other ? -1 : 1))
  return Object.fromEntries(
    byName.map(([name, key], index): [string, ConfigKey] => {
      const { validator, recommender, dependents, ...facts } = key
      const inner: ConfigKey = { ...facts, group, order: index + 2, displayName: key.displayName ?? name }
      return [
        `${prefix}${name}`,
        {
          ...inner,
          ...(validator === undefined ? {} : { validator: embeddedValidator(validator, prefix) }),
          ...(recommender === undefined ? {} : { recommender: embeddedRecommender(recommender, prefix) }),
          ...(dependents === undefined ? {} : { dependents: dependents.map((dependent) => `${prefix}${dependent}`) }),
        },
      ]
    }),
  )
}

function embeddedValidator(validator: Validator, prefix: string): Validator {
  return { text: validator.text, check: (name, value, type) => validator.check(name.slice(prefix.length), value, type) }
}

function embeddedRecommender(recommender: NonNullable<ConfigKey['recommender']>, prefix: string): NonNullable<ConfigKey['recommender']> {
  const inner = (parsed: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> =>
    Object.fromEntries(
      Object.entries(parsed)
        .filter(([name]) => name.startsWith(prefix))
        .map(([name, value]) => [name.slice(prefix.length), value]),
    )
  return {
    validValues: (name, parsed) => recommender.validValues(name.slice(prefix.length), inner(parsed)),
    visible: (name, parsed) => recommender.visible(name.slice(prefix.length), inner(parsed)),
  }
}

/** The names in a list of a configuration, each once. */
export function aliasesOf(list: string, config: ConfigText): readonly string[] {
  const aliases = parseType(list, config[list] ?? '', 'LIST') ?? []
  return [...new Set(aliases)].filter((alias) => alias !== '')
}

function required(definition: ConfigDefinition, name: string): ConfigKey {
  const key = definition[name]
  if (key === undefined) throw new Error(`${name} is no key of the framework`)
  return key
}
