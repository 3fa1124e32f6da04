/** @module connect/validation/converter-entries — keys of the converters that a connector names itself: `value.converter.schemas.enable` … Pure. */
import type { ConfigText } from '../types.ts'
import { type Entry, entriesOf } from './entries.ts'
import { converterKinds } from './framework.ts'
import type { PluginNames } from './plugin-keys.ts'

/** Judges the keys of each converter that `config` names; those of the worker were judged at its start. */
export function converterEntries(names: PluginNames, config: ConfigText): readonly Entry[] {
  return Object.entries(converterKinds).flatMap(([key, kind]) => {
    const plugin = names.plugin(config[key] ?? null, kind)
    if (plugin === undefined) return []
    // What the runtime tells a converter by itself: whether it is one of keys, values or headers.
    const use = { 'converter.type': key.slice(0, key.indexOf('.')) }
    return entriesOf(plugin.config, { ...use, ...withPrefix(config, `${key}.`) }, `${key}.`)
  })
}

/** The keys that have a prefix, without it. */
export function withPrefix(config: ConfigText, prefix: string): ConfigText {
  return Object.fromEntries(
    Object.entries(config)
      .filter(([name]) => name.startsWith(prefix) && name.length > prefix.length)
      .map(([name, value]) => [name.slice(prefix.length), value]),
  )
}
