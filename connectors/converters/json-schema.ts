/**
 * @module converters/json-schema — schemas as the JSON that JsonConverter's envelope holds, and back.
 *
 * Source: `JsonConverter.asJsonSchema` and `asConnectSchema`. float32 and float64 are `float` and `double` there.
 */
import {
  DataError,
  type Field,
  type JsonEncoder,
  jsonString,
  LogicalName,
  type Schema,
  type SchemaType,
  schemaLimits,
  validateValue,
} from '@millrace/sdk'
import type { DecoderOf } from './json-decode.ts'

const jsonTypes: Readonly<Record<SchemaType, string>> = {
  int8: 'int8',
  int16: 'int16',
  int32: 'int32',
  int64: 'int64',
  float32: 'float',
  float64: 'double',
  boolean: 'boolean',
  string: 'string',
  bytes: 'bytes',
  array: 'array',
  map: 'map',
  struct: 'struct',
}
const schemaTypes: ReadonlyMap<string, SchemaType> = new Map(Object.entries(jsonTypes).map(([type, word]) => [word, type as SchemaType]))

const BUILDER_EXCEPTION = 'org.apache.kafka.connect.errors.SchemaBuilderException'

/** A schema's JSON, defaults encoded by what `encoderOf` gives. Throws a DataError for too many schemas inside each other. */
export function jsonOfSchema(schema: Schema | null | undefined, encoderOf: (schema: Schema) => JsonEncoder, depth = 0): string {
  return schema === null || schema === undefined ? 'null' : `{${membersOf(schema, encoderOf, depth).join(',')}}`
}

/** The members in upstream's order; a struct's fields have their name as a last member. */
function membersOf(schema: Schema, encoderOf: (schema: Schema) => JsonEncoder, depth: number): string[] {
  // Judged before anything is done with the levels below: a stack is shorter than a hostile schema.
  if (depth > schemaLimits.levels) throw new DataError(`a schema of more than ${schemaLimits.levels} levels`)
  const inner = depth + 1
  const members = [`"type":"${jsonTypes[schema.type]}"`]
  if (schema.type === 'array') members.push(`"items":${jsonOfSchema(schema.valueSchema, encoderOf, inner)}`)
  if (schema.type === 'map') {
    members.push(
      `"keys":${jsonOfSchema(schema.keySchema, encoderOf, inner)}`,
      `"values":${jsonOfSchema(schema.valueSchema, encoderOf, inner)}`,
    )
  }
  if (schema.type === 'struct') {
    const fields = (schema.fields ?? []).map((field) => {
      return `{${[...membersOf(field.schema, encoderOf, inner), `"field":${jsonString(field.name)}`].join(',')}}`
    })
    members.push(`"fields":[${fields.join(',')}]`)
  }
  members.push(`"optional":${schema.optional === true}`)
  if (schema.name !== undefined) members.push(`"name":${jsonString(schema.name)}`)
  if (schema.version !== undefined) members.push(`"version":${schema.version}`)
  if (schema.doc !== undefined) members.push(`"doc":${jsonString(schema.doc)}`)
  if (schema.parameters !== undefined) {
    const parameters = Object.entries(schema.parameters).map(([name, value]) => `${jsonString(name)}:${jsonString(value)}`)
    members.push(`"parameters":{${parameters.join(',')}}`)
  }
  if (schema.default !== undefined && schema.default !== null) members.push(`"default":${encoderOf(schema)(schema.default)}`)
  return members
}

type JsonObject = Readonly<Record<string, unknown>>

/**
 * The schema that parsed JSON describes; null for null. Members of a wrong type are passed over where upstream does.
 * @param decoderOf reads defaults
 * @throws DataError for what describes none
 */
export function schemaOfJson(json: unknown, decoderOf: DecoderOf): Schema | null {
  if (json === null) return null
  const type = member(json, 'type')
  if (typeof type !== 'string') throw new DataError("Schema must contain 'type' field")
  const known = schemaTypes.get(type)
  if (known === undefined) throw new DataError(`Unknown schema type: ${type}`)
  const bare: Schema = Object.freeze({ type: known, ...inside(known, json, decoderOf), ...facts(json) })
  const fallback = member(json, 'default')
  if (fallback === undefined) return bare
  const value = decoderOf(bare)(fallback)
  try {
    validateValue(bare, value)
  } catch (cause) {
    throw new DataError('Invalid default value', { className: BUILDER_EXCEPTION, cause })
  }
  return value === null ? bare : Object.freeze({ ...bare, default: value })
}

function member(json: unknown, name: string): unknown {
  return isObject(json) && Object.hasOwn(json, name) ? json[name] : undefined
}

function isObject(json: unknown): json is JsonObject {
  return typeof json === 'object' && json !== null && Object.getPrototypeOf(json) === Object.prototype
}

/** The first error that upstream would find is the one that is thrown: inner schemas come before the own facts. */
function inside(type: SchemaType, json: unknown, decoderOf: DecoderOf): Partial<Schema> {
  if (type === 'array') {
    const items = member(json, 'items')
    if (items === undefined || items === null) throw new DataError('Array schema did not specify the element type')
    return { valueSchema: schemaOfJson(items, decoderOf)! }
  }
  if (type === 'map') {
    const keys = member(json, 'keys')
    if (keys === undefined) throw new DataError('Map schema did not specify the key type')
    const values = member(json, 'values')
    if (values === undefined) throw new DataError('Map schema did not specify the value type')
    const keySchema = schemaOfJson(keys, decoderOf)
    const valueSchema = schemaOfJson(values, decoderOf)
    return { ...(keySchema === null ? {} : { keySchema }), ...(valueSchema === null ? {} : { valueSchema }) }
  }
  return type === 'struct' ? { fields: fieldsOf(json, decoderOf) } : {}
}

function fieldsOf(json: unknown, decoderOf: DecoderOf): readonly Field[] {
  const fields = member(json, 'fields')
  if (!Array.isArray(fields)) throw new DataError('Struct schema\'s "fields" argument is not an array.')
  const names = new Set<string>()
  const list = fields.map((field: unknown): Field => {
    const name = member(field, 'field')
    if (typeof name !== 'string') throw new DataError("Struct schema's field name not specified properly")
    const schema = schemaOfJson(field, decoderOf)!
    if (name === '') throw new DataError('fieldName cannot be null.', { className: BUILDER_EXCEPTION })
    if (names.has(name)) {
      throw new DataError(`Cannot create field because of field name duplication ${name}`, { className: BUILDER_EXCEPTION })
    }
    names.add(name)
    return Object.freeze({ name, schema })
  })
  return Object.freeze(list)
}

function facts(json: unknown): Partial<Schema> {
  const name = member(json, 'name')
  const version = member(json, 'version')
  const doc = member(json, 'doc')
  const parameters = member(json, 'parameters')
  return {
    ...(member(json, 'optional') === true ? { optional: true } : {}),
    ...(typeof name === 'string' ? { name } : {}),
    ...(isWhole(version) ? { version: Number(BigInt.asIntN(32, BigInt(version))) } : {}),
    ...(typeof doc === 'string' ? { doc } : {}),
    ...(isObject(parameters) && Object.keys(parameters).length > 0 ? { parameters: parametersOf(parameters) } : {}),
  }
}

/** What had neither point nor exponent. */
function isWhole(value: unknown): value is number | bigint {
  return typeof value === 'bigint' || Number.isSafeInteger(value)
}

function parametersOf(json: JsonObject): Readonly<Record<string, string>> {
  const entries = Object.entries(json).map(([name, value]): [string, string] => {
    if (typeof value !== 'string') throw new DataError('Schema parameters must have string values.')
    return [name, value]
  })
  return Object.freeze(Object.fromEntries(entries))
}

/** Whether the digits of numbers count, or that they have a point: a payload under this schema is then read number by number. */
export function needsExactNumbers(schema: Schema | null | undefined): boolean {
  if (schema === null || schema === undefined) return false
  const { name } = schema
  if (name === LogicalName.Decimal || name === LogicalName.Date || name === LogicalName.Time || name === LogicalName.Timestamp) return true
  return (
    needsExactNumbers(schema.keySchema) ||
    needsExactNumbers(schema.valueSchema) ||
    (schema.fields ?? []).some((field) => needsExactNumbers(field.schema))
  )
}
