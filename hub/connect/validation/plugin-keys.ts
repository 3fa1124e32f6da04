/**
 * @module connect/validation/plugin-keys — keys whose value names a plugin, and the `.plugin.version` beside each. Pure.
 */
import { type ConfigDefinition, type ConfigKey, invalidValue, type PluginKind, type Validator } from '@millrace/sdk'
import { pluginRefusal, type Resolution, resolvePlugin } from '../plugins/catalog.ts'
import type { AnyPlugin, Discovery } from '../plugins/discovery.ts'
import { meetsVersion, shownRequirement } from './versions.ts'

const kindNames: Readonly<Record<PluginKind, string>> = {
  source: 'source connector',
  sink: 'sink connector',
  converter: 'converter',
  header_converter: 'header converter',
  transformation: 'transformation',
  predicate: 'predicate',
}

/** Answers what a configuration's names mean, among the plugins of a worker. */
export interface PluginNames {
  resolve(name: string, kind: PluginKind): Resolution
  /** The plugin that a name means; undefined for none, and for a name that is null. */
  plugin(name: string | null, kind: PluginKind): AnyPlugin | undefined
  /** Classes of a kind, sorted. */
  classes(kind: PluginKind): readonly string[]
  /** Why a name is refused as a plugin of a kind; undefined when it is one. */
  refusal(key: string, name: string, kind: PluginKind): string | undefined
}

/** Names among what was discovered. */
export function pluginNames({ plugins, loaded }: Discovery): PluginNames {
  const resolve = (name: string, kind: PluginKind): Resolution => resolvePlugin(plugins, name, [kind])
  return {
    resolve,
    plugin(name, kind) {
      const resolution = name === null ? undefined : resolve(name, kind)
      return resolution?.outcome === 'found' ? loaded.get(resolution.plugin) : undefined
    },
    classes: (kind) => plugins.filter((plugin) => plugin.kind === kind).map((plugin) => plugin.class),
    refusal(key, name, kind) {
      const resolution = resolve(name, kind)
      if (resolution.outcome === 'found') return undefined
      const message = pluginRefusal(name, resolution)
      // Kafka gives this sentence alone.
      if (resolution.outcome === 'abstract') return message
      const another = plugins.find((plugin) => plugin.class === name)
      return invalidValue(key, name, another === undefined ? message : `${name} is a ${kindNames[another.kind]}, no ${kindNames[kind]}`)
    },
  }
}

/** The two keys that choose a plugin. */
export interface ChoiceOptions {
  readonly kind: PluginKind
  /** The key that names the plugin; the other one has `.plugin.version` behind it, or in place of a last `.type`. */
  readonly key: string
  readonly versionKey: string
  /** Definitions to start from. */
  readonly classKey: ConfigKey
  readonly version: ConfigKey
  /** What the configuration gives, or the default. */
  readonly chosen: string | null
  /** Whether forms hide the version while no plugin is chosen. */
  readonly hidesVersion: boolean
}

/** Definitions of a choice: what there is to choose from, what is no choice, and which versions there are. */
export function choiceKeys(names: PluginNames, options: ChoiceOptions): ConfigDefinition {
  const { kind, key, versionKey, classKey, version, chosen, hidesVersion } = options
  const plugin = names.plugin(chosen, kind)
  const classes = names.classes(kind)
  return {
    [key]: {
      ...classKey,
      validator: {
        text: `a ${kindNames[kind]}`,
        check: (name, value) => (typeof value === 'string' ? names.refusal(name, value, kind) : undefined),
      },
      recommender: { validValues: () => classes, visible: () => true },
    },
    [versionKey]: {
      ...version,
      default: plugin?.version ?? null,
      validator: versionRule(plugin),
      recommender: {
        validValues: () => (plugin === undefined ? [] : [plugin.version]),
        visible: () => plugin !== undefined || !hidesVersion,
      },
    },
  }
}

/** A requirement that the installed version of a plugin meets. */
export function versionRule(plugin: AnyPlugin | undefined): Validator {
  return {
    text: 'a version, or a range of versions',
    check: (_name, value) => (plugin === undefined || typeof value !== 'string' ? undefined : versionRefusal(plugin, value)),
  }
}

/** Kafka's sentence for a plugin of which there is no such version. */
export function versionRefusal(plugin: AnyPlugin, requirement: string): string | undefined {
  if (meetsVersion(plugin.version, requirement) === true) return undefined
  return `Plugin ${plugin.class} not found that matches the version range ${shownRequirement(requirement)}, available versions: [${plugin.version}]`
}
