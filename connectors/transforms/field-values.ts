/**
 * @module transforms/field-values — reading a struct's members by `replace.null.with.default` (KIP-1040), and making structs.
 */
import type { ConfigKey, Field, Struct, Value } from '@millrace/sdk'

/** The key that most transforms share. */
export const replaceNullWithDefault = {
  type: 'BOOLEAN',
  default: true,
  importance: 'MEDIUM',
  documentation: 'Whether a null in a field that has a default value becomes that default; otherwise it stays null.',
} as const satisfies ConfigKey

/** A member of a struct. */
export type FieldReader = (struct: Struct, field: Field) => Value

const orDefault: FieldReader = (struct, { name, schema }) => struct[name] ?? (schema.default as Value | undefined) ?? null
const asItIs: FieldReader = (struct, { name }) => struct[name] ?? null

/** Reads members with or without the defaults of their schemas. */
export function fieldReader(replacesNull: boolean): FieldReader {
  return replacesNull ? orDefault : asItIs
}

/** A struct to be filled in the order of its schema. */
export function emptyStruct(): Record<string, Value> {
  return Object.create(null) as Record<string, Value>
}
