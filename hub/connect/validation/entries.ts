/**
 * @module connect/validation/entries — one key with its outcome: between validation, which works on definitions and values, and the
 * answers of the REST API, which are texts. Pure.
 */
import { type ConfigDefinition, type ConfigKey, canonicalText, convertToString, validateConfig } from '@millrace/sdk'
import type { ConfigInfos, ConfigKeyInfo, ConfigText } from '../types.ts'

/** A key as it will be shown. */
export interface Entry {
  readonly name: string
  /** null: no definition knows the key. */
  readonly definition: ConfigKeyInfo | null
  readonly value: string | null
  readonly recommendedValues: readonly (string | null)[]
  readonly errors: readonly string[]
  readonly visible: boolean
  /** Left out unless it is wrong. */
  readonly isInternal: boolean
}

/** A key's definition, with its place in Connect's words. `prefix` stands before its name and those of its dependents. */
export function keyInfo(name: string, key: ConfigKey, prefix = ''): ConfigKeyInfo {
  return {
    name: `${prefix}${name}`,
    type: key.type,
    required: key.default === undefined,
    default_value: defaultText(key),
    importance: key.importance,
    documentation: key.documentation ?? '',
    group: key.group ?? null,
    order_in_group: key.order ?? -1,
    width: key.width ?? 'NONE',
    display_name: key.displayName ?? name,
    dependents: (key.dependents ?? []).map((dependent) => `${prefix}${dependent}`),
  }
}

/** Definitions of all keys that are for users. */
export function keyInfos(definition: ConfigDefinition): readonly ConfigKeyInfo[] {
  return Object.entries(definition)
    .filter(([, key]) => key.internal !== true)
    .map(([name, key]) => keyInfo(name, key))
}

/** Judges a configuration by a definition. With a prefix, `props` are those that had it, without it. */
export function entriesOf(definition: ConfigDefinition, props: ConfigText, prefix = ''): readonly Entry[] {
  return validateConfig(definition, props).map(({ name, value, recommendedValues, errors, visible }): Entry => {
    const key = Object.hasOwn(definition, name) ? definition[name] : undefined
    const written = Object.hasOwn(props, name) ? props[name] : undefined
    return {
      name: `${prefix}${name}`,
      definition: key === undefined ? null : keyInfo(name, key, prefix),
      value: value === null || key === undefined ? null : written === undefined ? defaultText(key) : canonicalText(written, key.type),
      recommendedValues: key === undefined ? [] : recommendedValues.map((recommended) => convertToString(recommended, key.type)),
      errors,
      visible,
      isInternal: key?.internal === true,
    }
  })
}

/** Adds errors to the entries that they name; what no entry has comes as an entry without a definition, its value from `valueText`. */
export function withIssues(
  entries: readonly Entry[],
  issues: readonly { readonly key: string; readonly message: string }[],
  valueText: (key: string) => string | null,
): readonly Entry[] {
  if (issues.length === 0) return entries
  const known = new Set(entries.map((entry) => entry.name))
  const strangers = [...new Set(issues.map((issue) => issue.key))].filter((key) => !known.has(key))
  const blank = { definition: null, recommendedValues: [], errors: [], visible: true, isInternal: false } as const
  return [...entries, ...strangers.map((name): Entry => ({ name, value: valueText(name), ...blank }))].map((entry) => {
    const messages = issues.filter((issue) => issue.key === entry.name).map((issue) => issue.message)
    return messages.length === 0 ? entry : { ...entry, errors: [...entry.errors, ...messages] }
  })
}

/**
 * One list of several: where two define the same key the later definition counts, at the place of the earlier, with the errors of both
 * (a connector may say more closely what a key of the framework is to it).
 */
export function mergeEntries(...lists: readonly (readonly Entry[])[]): readonly Entry[] {
  const merged = new Map<string, Entry>()
  for (const entry of lists.flat()) {
    const earlier = merged.get(entry.name)
    merged.set(entry.name, { ...entry, errors: [...new Set([...(earlier?.errors ?? []), ...entry.errors])] })
  }
  return [...merged.values()]
}

/** The answer. Groups stand in the order in which their first keys do. */
export function configInfosOf(name: string, entries: readonly Entry[]): ConfigInfos {
  const shown = entries.filter((entry) => !entry.isInternal || entry.errors.length > 0)
  return {
    name,
    error_count: shown.reduce((count, entry) => count + entry.errors.length, 0),
    groups: [...new Set(shown.flatMap((entry) => entry.definition?.group ?? []))],
    configs: shown.map((entry) => ({
      definition: entry.definition,
      value: {
        name: entry.name,
        value: entry.value,
        recommended_values: entry.recommendedValues,
        errors: entry.errors,
        visible: entry.visible,
      },
    })),
  }
}

function defaultText(key: ConfigKey): string | null {
  return key.default === undefined || key.default === null ? null : canonicalText(key.default, key.type)
}
