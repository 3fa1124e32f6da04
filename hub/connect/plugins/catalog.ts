/**
 * @module connect/plugins/catalog — finds the plugin that a name in a configuration means. Pure.
 *
 * | a name | means |
 * |---|---|
 * | `org.apache.kafka.connect.file.FileStreamSourceConnector` | the plugin of this class |
 * | `millrace.file.Source` | the plugin with this alias |
 * | `FileStreamSourceConnector`, `FileStreamSource` | the simple name of a class or an alias, with or without `Connector` |
 * | `JsonConverter`, `Json` | likewise for converters, `Converter` being what may be left out |
 * | `ReplaceField$Value` | likewise for transformations (Kafka knows only their whole names) |
 *
 * A class wins over an alias, an alias over a simple name. A name that means two classes is refused.
 */
import type { PluginKind } from '@millrace/sdk'
import { nearestName } from '../../config/index.ts'
import type { PluginDescription } from './types.ts'

/** What a name comes to. */
export type Resolution =
  | { readonly outcome: 'found'; readonly plugin: PluginDescription }
  /** Several plugins go by this simple name; classes, sorted. */
  | { readonly outcome: 'ambiguous'; readonly candidates: readonly string[] }
  /** The outer class of `…$Key` and `…$Value`; classes, sorted. */
  | { readonly outcome: 'abstract'; readonly candidates: readonly string[] }
  /** `nearest`: the class that was probably meant. */
  | { readonly outcome: 'unknown'; readonly nearest: string | undefined }

/** Both kinds of connectors. */
export const CONNECTOR_KINDS: readonly PluginKind[] = ['source', 'sink']

/** Looks up a name among the plugins of some kinds. */
export function resolvePlugin(plugins: readonly PluginDescription[], name: string, kinds: readonly PluginKind[]): Resolution {
  const eligible = plugins.filter((plugin) => kinds.includes(plugin.kind))
  const rules: readonly ((plugin: PluginDescription) => boolean)[] = [
    (plugin) => plugin.class === name,
    (plugin) => plugin.aliases.includes(name),
    (plugin) => simpleNamesOf(plugin).has(name),
  ]
  for (const rule of rules) {
    const [plugin, ...others] = eligible.filter(rule)
    if (plugin === undefined) continue
    const candidates = [...new Set([plugin, ...others].map((candidate) => candidate.class))]
    return candidates.length === 1 ? { outcome: 'found', plugin } : { outcome: 'ambiguous', candidates: candidates.sort() }
  }
  const inner = eligible.filter((plugin) => plugin.class.startsWith(`${name}$`)).map((plugin) => plugin.class)
  if (inner.length > 0) return { outcome: 'abstract', candidates: inner.sort() }
  return { outcome: 'unknown', nearest: nearestPlugin(eligible, name) }
}

/**
 * Compares what follows the last point, since packages are long and alike and would make everything near; and of `ReplaceField$Value` only
 * what stands before the `$`, for the same reason.
 */
function nearestPlugin(plugins: readonly PluginDescription[], name: string): string | undefined {
  const [outer = '', inner] = simpleName(name).split('$')
  const classes = new Map<string, string>()
  for (const plugin of plugins) {
    for (const simple of simpleNamesOf(plugin)) {
      const [knownOuter = '', knownInner] = simple.split('$')
      if (knownInner === inner) classes.set(knownOuter, plugin.class)
    }
  }
  const nearest = nearestName(outer, classes.keys())
  return nearest === undefined ? undefined : classes.get(nearest)
}

function simpleName(name: string): string {
  return name.slice(name.lastIndexOf('.') + 1)
}

/** Why a name was refused: every {@link Resolution} but `found`. */
export type Refusal = Exclude<Resolution, { readonly outcome: 'found' }>

/** What a connector.class that is none is answered with, in the words of Kafka, which clients look for. */
export function connectorRefusal(plugins: readonly PluginDescription[], name: string, refusal: Refusal): string {
  switch (refusal.outcome) {
    case 'ambiguous':
      return `More than one connector matches alias ${name}. Please use full package and class name instead. Classes found: ${refusal.candidates.join(', ')}`
    case 'abstract':
      return abstractRefusal(refusal.candidates)
    case 'unknown': {
      const available = new Set(plugins.filter((plugin) => CONNECTOR_KINDS.includes(plugin.kind)).map((plugin) => plugin.class))
      const list = [...available].sort().join(', ')
      return `Failed to find any class that implements Connector and which name matches ${name}, available connectors are: ${list}${refusal.nearest === undefined ? '' : `; did you mean ${refusal.nearest}?`}`
    }
  }
}

/** What the name of a plugin of another kind is answered with. */
export function pluginRefusal(name: string, refusal: Refusal): string {
  switch (refusal.outcome) {
    case 'ambiguous':
      return `More than one plugin matches alias ${name}. Please use full package and class name instead. Classes found: ${refusal.candidates.join(', ')}`
    case 'abstract':
      return abstractRefusal(refusal.candidates)
    case 'unknown':
      return `Class ${name} could not be found.${refusal.nearest === undefined ? '' : ` Did you mean ${refusal.nearest}?`}`
  }
}

function abstractRefusal(candidates: readonly string[]): string {
  return `This class is abstract and cannot be created. Did you mean ${candidates.join(', ')}?`
}

/** What may be left out at the end of a simple name. */
const suffixes: Readonly<Record<PluginKind, RegExp>> = {
  source: /Connector$/,
  sink: /Connector$/,
  converter: /Converter$/,
  header_converter: /(Header)?Converter$/,
  transformation: /Transformation$/,
  predicate: /Predicate$/,
}

function simpleNamesOf(plugin: PluginDescription): ReadonlySet<string> {
  const names = new Set<string>()
  for (const name of [plugin.class, ...plugin.aliases]) {
    // Our own aliases end in words such as Source, which say nothing by themselves.
    if (name.startsWith('millrace.')) continue
    const simple = simpleName(name)
    const pruned = simple.replace(suffixes[plugin.kind], '')
    names.add(simple).add(pruned === '' ? simple : pruned)
  }
  return names
}
