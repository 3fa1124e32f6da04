/**
 * @module sdk/validate-value — whether a value fits a schema, with the messages of Kafka Connect's `ConnectSchema.validateValue` and
 * `Struct.validate`.
 */
import { DataError } from './errors.ts'
import { isLong, javaClassOf } from './java-names.ts'
import { LogicalName, type Schema } from './schema.ts'
import { fieldIndex } from './schema-equality.ts'
import { isDecimal, isStruct } from './values.ts'

/** Beyond this many milliseconds from 1970 there is no `Date`. */
export const dateRangeMs = 8.64e15
/** The same in days. */
export const dateRangeDays = 1e8

/**
 * Checks a value in its canonical form (the table in sdk/values), everything inside it too.
 * @param name field or other name that messages give; undefined: they say "value"
 * @throws DataError in upstream's words
 */
export function validateValue(schema: Schema, value: unknown, name?: string): void {
  check(schema, value, name === undefined ? 'value' : `field: "${name}"`)
}

function check(schema: Schema, value: unknown, location: string): void {
  if (value === null || value === undefined) {
    if (schema.optional === true) return
    throw new DataError(`Invalid value: null used for required ${location}, schema type: ${schema.type.toUpperCase()}`)
  }
  if (!hasTypeOf(schema, value)) {
    const named = schema.name === undefined ? '' : ` "${schema.name}"`
    const className = javaClassOf(value, schema)
    throw new DataError(`Invalid Java object for schema${named} with type ${schema.type.toUpperCase()}: class ${className} for ${location}`)
  }
  if (schema.type === 'array' || schema.type === 'map' || schema.type === 'struct') checkInside(schema, value, location)
}

function checkInside(schema: Schema, value: unknown, location: string): void {
  if (schema.type === 'struct') {
    checkStruct(schema, value as Readonly<Record<string, unknown>>)
  } else if (schema.type === 'array') {
    const inside = `element of array ${location}`
    const elementSchema = present(schema.valueSchema, inside)
    for (const element of value as readonly unknown[]) check(elementSchema, element, inside)
  } else {
    const keySchema = present(schema.keySchema, `key of map ${location}`)
    const valueSchema = present(schema.valueSchema, `value of map ${location}`)
    for (const [key, entry] of value as ReadonlyMap<unknown, unknown>) {
      check(keySchema, key, `key of map ${location}`)
      check(valueSchema, entry, `value of map ${location}`)
    }
  }
}

/** A struct of ours carries no schema: what upstream finds by comparing schemas shows here as a member that no field has. */
function checkStruct(schema: Schema, struct: Readonly<Record<string, unknown>>): void {
  const fields = fieldIndex(schema)
  for (const name of Object.keys(struct)) if (!fields.has(name)) throw new DataError('Struct schemas do not match.')
  for (const [name, field] of fields) {
    const value = Object.hasOwn(struct, name) ? struct[name] : null
    const isNothing = value === null || value === undefined
    if (isNothing && field.schema.default !== undefined && field.schema.default !== null) continue
    check(field.schema, value, `field: "${name}"`)
  }
}

function present(schema: Schema | undefined, location: string): Schema {
  if (schema === undefined) throw new DataError(`No schema defined for ${location}`)
  return schema
}

/** The value's own type, without what is inside. A logical type is known by its name alone, as upstream does. */
function hasTypeOf(schema: Schema, value: unknown): boolean {
  switch (schema.name) {
    case LogicalName.Decimal:
      return isDecimal(value)
    case LogicalName.Date:
      return isDate(value) || (isInteger(value, 32) && Math.abs(value) > dateRangeDays)
    case LogicalName.Time:
      return isDate(value)
    case LogicalName.Timestamp:
      return isDate(value) || (typeof value === 'bigint' && isLong(value) && (value > dateRangeMs || value < -dateRangeMs))
    default:
      return hasPlainType(schema, value)
  }
}

function hasPlainType(schema: Schema, value: unknown): boolean {
  switch (schema.type) {
    case 'int8':
      return isInteger(value, 8)
    case 'int16':
      return isInteger(value, 16)
    case 'int32':
      return isInteger(value, 32)
    case 'int64':
      return typeof value === 'bigint' && isLong(value)
    case 'float32':
    case 'float64':
      return typeof value === 'number'
    case 'boolean':
    case 'string':
      return typeof value === schema.type
    case 'bytes':
      return value instanceof Uint8Array
    case 'array':
      return Array.isArray(value)
    case 'map':
      return value instanceof Map
    case 'struct':
      return isStruct(value)
  }
}

function isDate(value: unknown): boolean {
  return value instanceof Date && !Number.isNaN(value.getTime())
}

/** Whether a value is a whole number of so many bits, signed. */
export function isInteger(value: unknown, bits: 8 | 16 | 32): value is number {
  if (typeof value !== 'number' || !Number.isInteger(value)) return false
  const limit = 2 ** (bits - 1)
  return value >= -limit && value < limit
}
