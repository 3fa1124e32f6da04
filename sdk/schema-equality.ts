/**
 * @module sdk/schema-equality — comparing schemas by content, and reading the fields of structs, as `ConnectSchema` and `Struct` do.
 */
import { DataError } from './errors.ts'
import type { Field, Schema } from './schema.ts'
import { valuesEqual } from './value-equality.ts'
import type { Struct, Value } from './values.ts'

/** Whether two schemas say the same: type, name, version, doc, default, parameters, and all that is inside, in order. */
export function schemasEqual(a: Schema | null | undefined, b: Schema | null | undefined): boolean {
  if (a === b) return true
  if (a === null || b === null || a === undefined || b === undefined) return (a ?? null) === (b ?? null)
  return (
    a.type === b.type &&
    (a.optional ?? false) === (b.optional ?? false) &&
    a.name === b.name &&
    a.version === b.version &&
    a.doc === b.doc &&
    valuesEqual((a.default ?? null) as Value, (b.default ?? null) as Value) &&
    parametersEqual(a.parameters, b.parameters) &&
    schemasEqual(a.keySchema, b.keySchema) &&
    schemasEqual(a.valueSchema, b.valueSchema) &&
    fieldsEqual(a.fields, b.fields)
  )
}

type Parameters = Schema['parameters']

function parametersEqual(a: Parameters = {}, b: Parameters = {}): boolean {
  if (a === b) return true
  const names = Object.keys(a)
  return names.length === Object.keys(b).length && names.every((name) => Object.hasOwn(b, name) && a[name] === b[name])
}

function fieldsEqual(a: readonly Field[] = [], b: readonly Field[] = []): boolean {
  if (a === b) return true
  return a.length === b.length && a.every((field, at) => field.name === b[at]?.name && schemasEqual(field.schema, b[at].schema))
}

const indexes = new WeakMap<Schema, ReadonlyMap<string, Field>>()

/**
 * The fields of a struct's schema by name; made once per schema.
 * @throws DataError for a schema that is no struct's
 */
export function fieldIndex(schema: Schema): ReadonlyMap<string, Field> {
  let index = indexes.get(schema)
  if (index === undefined) {
    if (schema.type !== 'struct') throw new DataError('Cannot look up fields on non-struct type')
    index = new Map((schema.fields ?? []).map((field) => [field.name, field]))
    indexes.set(schema, index)
  }
  return index
}

/**
 * The field of this name; undefined where there is none.
 * @throws DataError for a schema that is no struct's
 */
export function fieldOf(schema: Schema, name: string): Field | undefined {
  return fieldIndex(schema).get(name)
}

/**
 * A member of a struct, as `Struct.get`: null or absent gives the default of the field's schema, null where there is none.
 * @throws DataError "x is not a valid field name" for a name that the schema does not have
 */
export function getField(schema: Schema, struct: Struct, name: string): Value {
  const field = fieldOf(schema, name)
  if (field === undefined) throw new DataError(`${name} is not a valid field name`)
  return struct[name] ?? (field.schema.default as Value | undefined) ?? null
}
