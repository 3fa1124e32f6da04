/**
 * @module sdk/fitted — what plugin code gives with a schema, in the canonical form that the schema asks for (the table in sdk/values):
 * a plain object becomes a struct in the schema's order, a safe integer an INT64. What is canonical already is not copied.
 */
import { isPassword } from './config-types.ts'
import { isLong } from './java-names.ts'
import { inside, kindOf, Misfit } from './misfit.ts'
import { LogicalName, type Schema } from './schema.ts'
import { fieldIndex } from './schema-equality.ts'
import { stepOf } from './schemaless.ts'
import { dateRangeDays, dateRangeMs, isInteger } from './validate-value.ts'
import { Decimal, isDecimal, isSized, type Struct, schemaOfMade, type Value } from './values.ts'

/** The canonical form of a value that is not null. @throws Misfit where it does not fit */
export function fittedValue(schema: Schema, value: unknown): Value {
  if (schema.type === 'string' && typeof value === 'string' && schema.name !== LogicalName.Decimal) return value
  switch (schema.name) {
    case LogicalName.Decimal:
      return fittedDecimal(schema, value)
    case LogicalName.Date:
    case LogicalName.Time:
    case LogicalName.Timestamp:
      return fittedMoment(schema, value)
    default:
      return fittedPlain(schema, isSized(value) ? value.value : value)
  }
}

function wrong(schema: Schema, value: unknown): Misfit {
  const named = schema.name === undefined ? '' : ` (${schema.name})`
  return new Misfit(`got ${isPassword(value) ? 'a secret' : kindOf(value)} where the schema says ${schema.type}${named}`)
}

function fittedPlain(schema: Schema, value: unknown): Value {
  switch (schema.type) {
    case 'int8':
      return fittedInteger(schema, value, 8)
    case 'int16':
      return fittedInteger(schema, value, 16)
    case 'int32':
      return fittedInteger(schema, value, 32)
    case 'int64':
      if (typeof value === 'bigint' && isLong(value)) return value
      if (Number.isSafeInteger(value)) return BigInt(value as number)
      break
    case 'float32':
      if (typeof value === 'number') return Math.fround(value)
      break
    case 'float64':
      if (typeof value === 'number') return value
      break
    case 'boolean':
    case 'string':
      if (typeof value === schema.type) return value as boolean | string
      break
    case 'bytes':
      if (value instanceof Uint8Array) return value
      break
    case 'array':
      if (Array.isArray(value)) return fittedList(partOf(schema, 'valueSchema'), value)
      break
    case 'map':
      return fittedMap(schema, value)
    case 'struct':
      return fittedStruct(schema, value)
  }
  throw wrong(schema, value)
}

function fittedInteger(schema: Schema, value: unknown, bits: 8 | 16 | 32): number {
  if (isInteger(value, bits)) return value
  if (typeof value === 'bigint' && isInteger(Number(value), bits)) return Number(value)
  if (Number.isInteger(value) || typeof value === 'bigint')
    throw new Misfit(`a number beyond the ${bits} bits of the schema's ${schema.type}`)
  throw wrong(schema, value)
}

/** Digits that bringing a decimal to another scale may add or take away. */
const scaleStepMax = 10_000

/** Brings a decimal to the scale of its schema where that loses no digit. */
function fittedDecimal(schema: Schema, value: unknown): Decimal {
  if (!isDecimal(value)) throw wrong(schema, value)
  const scale = Number(schema.parameters?.['scale'] ?? value.scale)
  if (value.scale === scale) return value
  // Also where the schema's scale is no number.
  if (!(Math.abs(scale - value.scale) <= scaleStepMax))
    throw new Misfit(`a Decimal of scale ${value.scale} is too far from the schema's scale`)
  if (value.scale < scale) return new Decimal(value.unscaled * 10n ** BigInt(scale - value.scale), scale)
  const divisor = 10n ** BigInt(value.scale - scale)
  if (value.unscaled % divisor !== 0n) throw new Misfit(`a Decimal of scale ${value.scale} loses digits at the schema's scale ${scale}`)
  return new Decimal(value.unscaled / divisor, scale)
}

/** A Date, or the number of the underlying type where it lies beyond the range of dates. */
function fittedMoment(schema: Schema, value: unknown): Value {
  if (value instanceof Date && !Number.isNaN(value.getTime())) return value
  if (schema.name === LogicalName.Timestamp && ((typeof value === 'bigint' && isLong(value)) || Number.isSafeInteger(value))) {
    const ms = BigInt(value as bigint | number)
    return ms > dateRangeMs || ms < -dateRangeMs ? ms : new Date(Number(ms))
  }
  if (schema.name === LogicalName.Date && isInteger(value, 32) && Math.abs(value) > dateRangeDays) return value
  throw wrong(schema, value)
}

function partOf(schema: Schema, part: 'keySchema' | 'valueSchema'): Schema {
  const found = schema[part]
  if (found === undefined) throw new Misfit(`the schema is a ${schema.type} without a ${part}`)
  return found
}

/** A member of something, where null may stand only if the schema allows it or has a default. */
function fittedMember(schema: Schema, value: unknown): Value {
  if (value !== null && value !== undefined) return fittedValue(schema, value)
  if (schema.optional === true || (schema.default !== undefined && schema.default !== null)) return null
  throw new Misfit(`nothing there, and the schema's ${schema.type} is not optional`)
}

function fittedList(schema: Schema, list: readonly unknown[]): Value {
  let copy: Value[] | undefined
  for (let at = 0; at < list.length; at++) {
    try {
      const element = fittedMember(schema, list[at])
      if (copy !== undefined) copy.push(element)
      else if (!Object.is(element, list[at])) copy = [...(list.slice(0, at) as Value[]), element]
    } catch (thrown) {
      throw inside(at, thrown)
    }
  }
  return copy ?? (list as readonly Value[])
}

function fittedMap(schema: Schema, value: unknown): Value {
  const isMap = value instanceof Map
  if (!isMap && !isMembers(value)) throw wrong(schema, value)
  const [keySchema, valueSchema] = [partOf(schema, 'keySchema'), partOf(schema, 'valueSchema')]
  const copy = new Map<Value, Value>()
  let isChanged = !isMap
  for (const [key, entry] of isMap ? (value as ReadonlyMap<unknown, unknown>) : Object.entries(value)) {
    try {
      const [newKey, newEntry] = [fittedMember(keySchema, key), fittedMember(valueSchema, entry)]
      isChanged ||= !Object.is(newKey, key) || !Object.is(newEntry, entry)
      copy.set(newKey, newEntry)
    } catch (thrown) {
      throw inside(stepOf(key), thrown)
    }
  }
  return isChanged ? copy : (value as ReadonlyMap<Value, Value>)
}

/** Whether an object is there for its members: plain, without prototype, or a row of a driver's own class. */
function isMembers(value: unknown): value is Readonly<Record<string, unknown>> {
  if (typeof value !== 'object' || value === null || isDecimal(value) || isPassword(value)) return false
  return Object.prototype.toString.call(value) === '[object Object]'
}

function fittedStruct(schema: Schema, value: unknown): Value {
  if (!isMembers(value)) throw wrong(schema, value)
  if (schemaOfMade(value) === schema) return value as Struct
  const fields = fieldIndex(schema)
  const names = Object.keys(value)
  let isCanonical = Object.getPrototypeOf(value) === null && names.length === fields.size
  const struct = Object.create(null) as Record<string, Value>
  let at = 0
  for (const [name, field] of fields) {
    try {
      const given = Object.hasOwn(value, name) ? value[name] : null
      const member = fittedMember(field.schema, given)
      isCanonical &&= names[at] === name && Object.is(member, given)
      struct[name] = member
    } catch (thrown) {
      throw inside(name, thrown)
    }
    at++
  }
  if (isCanonical) return value as Readonly<Record<string, Value>>
  const stranger = names.find((name) => !fields.has(name))
  if (stranger !== undefined) throw inside(stranger, new Misfit('the schema has no field of this name'))
  return struct
}
