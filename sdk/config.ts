/**
 * @module sdk/config — the definition of a configuration, said once: it gives the parser, the TypeScript type, the
 * documentation and the forms. Vocabulary and semantics of Kafka's `ConfigDef`.
 *
 * ```ts
 * const definition = defineConfig({
 *   topic: { type: 'STRING', importance: 'HIGH', documentation: 'The topic to write to.' },
 *   'batch.size': { type: 'INT', default: 2000, validator: atLeast(1), importance: 'LOW' },
 * })
 * type Settings = ConfigOf<typeof definition> // { topic: string; 'batch.size': number }
 * const settings = parseConfig(definition, { topic: 'lines' })
 * ```
 */
import {
  ConfigException,
  type ConfigType,
  type ConfigValueByType,
  isConfigException,
  type ParseOptions,
  parseType,
} from './config-types.ts'
import type { Validator } from './validators.ts'

export type Importance = 'HIGH' | 'MEDIUM' | 'LOW'
export type Width = 'NONE' | 'SHORT' | 'MEDIUM' | 'LONG'

/** Suggests values that depend on other values, and hides what does not apply. Called with the parsed values, null where one is wrong. */
export interface Recommender {
  validValues(name: string, parsed: Readonly<Record<string, unknown>>): readonly unknown[]
  visible(name: string, parsed: Readonly<Record<string, unknown>>): boolean
}

/** One key. Without `default` it is required; `default: null` means that the value may be absent. */
export interface ConfigKey {
  readonly type: ConfigType
  /** As text (parsed like a user's), or as the value itself. */
  readonly default?: string | number | boolean | readonly string[] | null
  readonly importance: Importance
  readonly validator?: Validator
  readonly documentation?: string
  /** Heading under which forms show the key. */
  readonly group?: string
  /** Place within the group. */
  readonly order?: number
  readonly width?: Width
  readonly displayName?: string
  /** Keys whose recommendation or visibility depends on this one. */
  readonly dependents?: readonly string[]
  readonly recommender?: Recommender
  /** Not for users: left out of documentation and descriptions. */
  readonly internal?: boolean
}

/** All keys by name, in the order in which they are parsed and shown. */
export type ConfigDefinition = Readonly<Record<string, ConfigKey>>

/** What a value is after parsing; null where the default is null. */
export type ConfigValueOf<K extends ConfigKey> = K extends { readonly default: null }
  ? ConfigValueByType[K['type']] | null
  : ConfigValueByType[K['type']]

/** The type of a parsed configuration. */
export type ConfigOf<D extends ConfigDefinition> = { readonly [Name in keyof D]: ConfigValueOf<D[Name]> }

/** The outcome for one key, as forms and Connect's validation show it. */
export interface ConfigValue {
  readonly name: string
  readonly value: unknown
  readonly recommendedValues: readonly unknown[]
  readonly errors: readonly string[]
  readonly visible: boolean
}

/**
 * Takes a definition and keeps its literal types. Every default must parse and pass its own validator.
 * @throws ConfigException when one does not
 */
export function defineConfig<const D extends ConfigDefinition>(definition: D): D {
  for (const [name, key] of Object.entries<ConfigKey>(definition)) {
    if (key.default === undefined) continue
    const parsed = parseType(name, key.default, key.type)
    const message = key.validator?.check(name, parsed, key.type)
    // LIST keys with a null default may carry a rule that refuses null: it holds for what users write.
    if (message !== undefined && !(key.type === 'LIST' && key.default === null)) throw new ConfigException(message)
  }
  return definition
}

/**
 * Parses `props` (unknown keys are ignored). A key that is there with null is null, not its default.
 * @throws ConfigException for the first key, in the definition's order, that is missing or wrong
 */
export function parseConfig<D extends ConfigDefinition>(
  definition: D,
  props: Readonly<Record<string, unknown>>,
  options: ParseOptions = {},
): ConfigOf<D> {
  const strangers = undefinedDependents(definition)
  if (strangers.length > 0) {
    throw new ConfigException(`Some configurations in are referred in the dependents, but not defined: ${strangers.join(', ')}`)
  }
  const parsed: Record<string, unknown> = {}
  for (const [name, key] of Object.entries<ConfigKey>(definition)) {
    parsed[name] = parseKey(name, key, props, options)
    const message = key.validator?.check(name, parsed[name], key.type)
    if (message !== undefined && Object.hasOwn(props, name)) throw new ConfigException(message)
  }
  return parsed as ConfigOf<D>
}

/** Parses and judges every key; nothing is thrown, each key carries its errors, recommendations and visibility. */
export function validateConfig(
  definition: ConfigDefinition,
  props: Readonly<Record<string, unknown>>,
  options: ParseOptions = {},
): readonly ConfigValue[] {
  const parsed: Record<string, unknown> = {}
  const outcomes = new Map<string, { value: unknown; errors: string[]; recommendedValues: readonly unknown[]; visible: boolean }>()
  for (const [name, key] of Object.entries(definition)) {
    const errors: string[] = []
    let value: unknown = null
    try {
      value = parseKey(name, key, props, options)
    } catch (error) {
      if (!isConfigException(error)) throw error
      errors.push(error.message)
    }
    const message = key.validator?.check(name, value, key.type)
    const isDefault = !Object.hasOwn(props, name) && key.default !== undefined
    if (message !== undefined && !isDefault) errors.push(message)
    parsed[name] = value
    outcomes.set(name, { value, errors, recommendedValues: [], visible: true })
  }
  for (const name of undefinedDependents(definition)) {
    const errors = [`${name} is referred in the dependents, but not defined.`]
    outcomes.set(name, { value: null, errors, recommendedValues: [], visible: true })
  }
  for (const [name, key] of Object.entries(definition)) {
    const outcome = outcomes.get(name)
    if (key.recommender === undefined || outcome === undefined) continue
    try {
      outcome.recommendedValues = key.recommender.validValues(name, parsed)
      outcome.visible = key.recommender.visible(name, parsed)
    } catch (error) {
      if (!isConfigException(error)) throw error
      outcome.errors.push(error.message)
    }
  }
  return [...outcomes].map(([name, outcome]) => ({ name, ...outcome }))
}

function parseKey(name: string, key: ConfigKey, props: Readonly<Record<string, unknown>>, options: ParseOptions): unknown {
  if (Object.hasOwn(props, name)) {
    const parsed = parseType(name, props[name], key.type, options)
    return key.validator?.isDistinct === true && Array.isArray(parsed) ? [...new Set(parsed)] : parsed
  }
  if (key.default === undefined) throw new ConfigException(`Missing required configuration "${name}" which has no default value.`)
  return parseType(name, key.default, key.type)
}

function undefinedDependents(definition: ConfigDefinition): string[] {
  const dependents = Object.values(definition).flatMap((key) => key.dependents ?? [])
  return [...new Set(dependents)].filter((name) => !Object.hasOwn(definition, name))
}
