/**
 * @module connect/passwords — what must not be shown of configurations: values of type PASSWORD by the definitions of the plugins that the
 * configuration names, and what is named like a secret where no definition knows the key (design §4). Pure.
 *
 * | a key | is judged by |
 * |---|---|
 * | `password` | the connector's definition, then the framework's |
 * | `transforms.mask.key`, `predicates.old.key` | the definition of the plugin that `transforms.mask.type` names |
 * | `value.converter.key` | that of the converter, which may be the worker's |
 * | `producer.override.sasl.jaas.config` | the client's definition |
 * | anything else | its name |
 *
 * Clients read a configuration, change it and write it back: `[hidden]` in place of a password stands for the stored one.
 */
import { adminKeys, consumerKeys, isSecretConnectKey, isVariablesOnly, producerKeys } from '../config/index.ts'
import { CONNECTOR_KINDS, resolvePlugin } from './plugins/catalog.ts'
import type { PluginDescription } from './plugins/types.ts'
import { Blotter, HIDDEN } from './provided.ts'
import { type ConfigText, ConnectRequestError } from './types.ts'
import { frameworkKeys } from './validation/connector-keys.ts'
import { converterKinds, partKinds } from './validation/framework.ts'

/** What passwords are found by. */
export interface PasswordRules {
  /** The plugins as last seen. */
  readonly plugins: () => readonly PluginDescription[]
  /** The worker's own keys: its converters are the default ones. */
  readonly workerDefaults: ConfigText
  /** Names of config providers: `${name:…}` of another is no placeholder but text. */
  readonly providers: ReadonlySet<string>
}

/** Hides passwords, and puts them back. */
export class Passwords {
  readonly #rules: PasswordRules

  constructor(rules: PasswordRules) {
    this.#rules = rules
  }

  /** A connector's configuration with `[hidden]` in place of passwords. A placeholder is none and stays. */
  shown(config: ConfigText): ConfigText {
    return this.#hidden(config, this.#keysOf(config))
  }

  /**
   * A task's configuration likewise. Its plan may have put a password anywhere, into an address of its own making: what is not said
   * openly by the connector's configuration is gone through for it.
   */
  shownTask(task: ConfigText, connector: ConfigText): ConfigText {
    const blotter = new Blotter()
    blotter.add(this.valuesOf(connector, task))
    const blotted = Object.entries(task).map(([key, value]) => [key, value === connector[key] ? value : blotter.text(value)])
    const keys = [this.#keysOf(connector), this.#keysOf(task)]
    return this.#hidden(Object.fromEntries(blotted) as ConfigText, (key) => keys.some((isPassword) => isPassword(key)))
  }

  /** All passwords in some configurations that belong together, also as a plugin gets them, without the blanks around. */
  valuesOf(...configs: readonly ConfigText[]): readonly string[] {
    const keys = configs.map((config) => this.#keysOf(config))
    return configs.flatMap((config) =>
      Object.entries(config)
        .filter(([key, value]) => keys.some((isPassword) => isPassword(key)) && !this.#isPlaceholder(value))
        .flatMap(([, value]) => [value, value.trim()]),
    )
  }

  /**
   * A configuration that was asked for, the stored passwords in place of `[hidden]`. Not where the key has become one whose value is shown:
   * by another plugin's name one could read it. One without a class comes back as it is: it is refused as a whole, by its text.
   * @throws ConnectRequestError 400 where no password is stored
   */
  restored(config: ConfigText, stored: ConfigText | undefined): ConfigText {
    if (config['connector.class'] === undefined || !standsForPasswords(config)) return config
    const isPassword = this.#keysOf(config)
    const wasPassword = this.#keysOf(stored ?? {})
    const entries = Object.entries(config).map(([key, value]) => {
      if (value !== HIDDEN) return [key, value]
      const before = stored !== undefined && Object.hasOwn(stored, key) ? stored[key] : undefined
      if (isPassword(key) && before !== undefined) return [key, before]
      if (isPassword(key) || (before !== undefined && before !== HIDDEN && wasPassword(key))) throw notShown(key)
      return [key, value]
    })
    return Object.fromEntries(entries) as ConfigText
  }

  #hidden(config: ConfigText, isPassword: (key: string) => boolean): ConfigText {
    const shown = ([key, value]: readonly [string, string]): string => (isPassword(key) && !this.#isPlaceholder(value) ? HIDDEN : value)
    return Object.fromEntries(Object.entries(config).map((entry) => [entry[0], shown(entry)]))
  }

  #isPlaceholder(value: string): boolean {
    return isVariablesOnly(value, this.#rules.providers)
  }

  /** Which keys of a configuration hold passwords. */
  #keysOf(config: ConfigText): (key: string) => boolean {
    const places = placesOf(config, this.#rules)
    return (key) => {
      let known = false
      let rest = key
      for (const { prefix, types } of places) {
        if (!key.startsWith(prefix) || key.length === prefix.length) continue
        const name = key.slice(prefix.length)
        if (name.length < rest.length) rest = name
        if (!Object.hasOwn(types, name)) continue
        if (types[name] === 'PASSWORD') return true
        known = true
      }
      // Groups of topics have what names they like.
      return !known && !key.startsWith('topic.creation.') && isSecretConnectKey(rest)
    }
  }
}

/** Whether a configuration says `[hidden]` of a key. */
export function standsForPasswords(config: Readonly<Record<string, string | null>>): boolean {
  return Object.values(config).includes(HIDDEN)
}

function notShown(key: string): ConnectRequestError {
  const remedy = `write the password or a \${file:…} placeholder`
  return new ConnectRequestError(400, `the value of ${key} is ${HIDDEN}, which stands for a password that is not shown; ${remedy}`)
}

/** Keys with a prefix and the definition that they are of. */
interface Place {
  readonly prefix: string
  readonly types: Readonly<Record<string, string>>
}

const typesOf = (definition: Readonly<Record<string, { readonly type: string }>>): Readonly<Record<string, string>> =>
  Object.fromEntries(Object.entries(definition).map(([name, { type }]) => [name, type]))

const clients: readonly Place[] = [
  { prefix: 'producer.override.', types: typesOf(producerKeys) },
  { prefix: 'consumer.override.', types: typesOf(consumerKeys) },
  { prefix: 'admin.override.', types: typesOf(adminKeys) },
]
const framework = { source: typesOf(frameworkKeys.source), sink: typesOf(frameworkKeys.sink) }

/** What every transformation and predicate has beside its own keys. */
const PART_TYPES = { type: 'CLASS', 'plugin.version': 'STRING', predicate: 'STRING', negate: 'BOOLEAN' } as const

function placesOf(config: ConfigText, rules: PasswordRules): readonly Place[] {
  const plugins = rules.plugins()
  const plugin = (name: string | undefined, kinds: readonly PluginDescription['kind'][]): PluginDescription | undefined => {
    const resolution = name === undefined ? undefined : resolvePlugin(plugins, name.trim(), kinds)
    return resolution?.outcome === 'found' ? resolution.plugin : undefined
  }
  const connector = plugin(config['connector.class'], CONNECTOR_KINDS)
  const converters = Object.entries(converterKinds).map(([key, kind]): Place => {
    const chosen = plugin(config[key] ?? rules.workerDefaults[key], [kind])
    return { prefix: `${key}.`, types: { 'plugin.version': 'STRING', ...chosen?.configTypes } }
  })
  // Also those that the lists do not name: what was taken out of use still stands there.
  const parts = Object.entries(config).flatMap(([key, name]): readonly Place[] => {
    const kind = key.endsWith('.type') ? partKinds.get(key.slice(0, key.indexOf('.'))) : undefined
    const prefix = key.slice(0, -'type'.length)
    return kind === undefined ? [] : [{ prefix, types: { ...PART_TYPES, ...plugin(name, [kind])?.configTypes } }]
  })
  const own = { ...(connector?.kind === 'sink' ? framework.sink : framework.source), ...connector?.configTypes }
  return [{ prefix: '', types: own }, ...converters, ...parts, ...clients]
}
