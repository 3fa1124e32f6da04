/**
 * @module transforms/name-list — settings that are lists of names. Names that come twice count once (KIP-1161), an empty list is refused.
 */
import { type ConfigKey, listOf, type Validator } from '@millrace/sdk'

const strict = listOf({ emptyAllowed: false })

const names: Validator = {
  text: strict.text,
  check: (name, value, type) => strict.check(name, Array.isArray(value) ? [...new Set(value)] : value, type),
}

/** A required key of this kind. */
export function nameList(documentation: string): ConfigKey & { readonly type: 'LIST' } {
  return { type: 'LIST', validator: names, importance: 'HIGH', documentation }
}

/** The names, each once, in the order of their first mention. */
export function distinctNames(list: readonly string[]): readonly string[] {
  return [...new Set(list)]
}
