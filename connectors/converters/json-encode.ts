/**
 * @module converters/json-encode — values as JSON text under a schema: one encoder is made per schema and kept.
 *
 * Source: `JsonConverter.convertToJson`. Text, not a tree: what upstream builds as nodes and then prints is printed at once.
 */
import {
  DataError,
  isSized,
  javaClassOf,
  javaDecimalText,
  jsonDouble,
  jsonFloat,
  jsonLimits,
  jsonString,
  type Schema,
  type Struct,
  stringifyJson,
} from '@millrace/sdk'
import { converterLimits } from './limits.ts'
import { bytesOfDecimal, daysOf, expectDecimal, logicalTypeOf, timeOf, timestampOf } from './logical-values.ts'

/** What the text depends on beside schema and value. */
export interface EncodeSettings {
  /** Decimals as numbers, else as base64 of their bytes. */
  readonly isNumeric: boolean
  /** Whether a null takes its schema's default. */
  readonly replaceNull: boolean
}

/** A value as JSON text. Throws a DataError for what does not fit the schema. */
export type Encoder = (value: unknown) => string

/** Makes encoders, one per schema. A null schema reads from the value what it is. */
export function encoderFactory(settings: EncodeSettings): (schema: Schema | null) => Encoder {
  const encoders = new WeakMap<Schema, Encoder>()
  const schemaless: Encoder = (value) => encodeSchemaless(value, 0)
  const encoderOf = (schema: Schema | null | undefined, depth: number): Encoder => {
    if (schema === null || schema === undefined) return schemaless
    let encoder = encoders.get(schema)
    if (encoder === undefined) {
      if (depth > converterLimits.schemaLevels) throw new DataError(`a schema of more than ${converterLimits.schemaLevels} levels`)
      encoder = compile(schema, settings, (inner) => encoderOf(inner, depth + 1))
      encoders.set(schema, encoder)
    }
    return encoder
  }
  return (schema) => encoderOf(schema, 0)
}

type EncoderOf = (schema: Schema | null | undefined) => Encoder

function compile(schema: Schema, settings: EncodeSettings, encoderOf: EncoderOf): Encoder {
  const encode = encodePresent(schema, settings, encoderOf)
  const { default: fallback } = schema
  if (settings.replaceNull && fallback !== undefined && fallback !== null) {
    return (value) => encode(value === null || value === undefined ? fallback : value)
  }
  if (schema.optional === true) return (value) => (value === null || value === undefined ? 'null' : encode(value))
  return (value) => {
    if (value !== null && value !== undefined) return encode(value)
    throw new DataError('Conversion error: null value for field that is required and has no default value')
  }
}

function encodePresent(schema: Schema, settings: EncodeSettings, encoderOf: EncoderOf): Encoder {
  switch (logicalTypeOf(schema)) {
    case 'Decimal':
      if (settings.isNumeric) return (value) => javaDecimalText(expectDecimal(value))
      return (value) => `"${bytesOfDecimal(schema, expectDecimal(value)).toString('base64')}"`
    case 'Date':
      return (value) => String(daysOf(value))
    case 'Time':
      return (value) => String(timeOf(value))
    case 'Timestamp':
      return (value) => String(timestampOf(value))
    default:
      return encodePlain(schema, encoderOf)
  }
}

function encodePlain(schema: Schema, encoderOf: EncoderOf): Encoder {
  const misfit = (value: unknown): never => {
    throw new DataError(`Invalid type for ${schema.type.toUpperCase()}: class ${javaClassOf(value, schema)}`)
  }
  switch (schema.type) {
    case 'int8':
      return (value) => (typeof value === 'number' && (value << 24) >> 24 === value ? String(value) : misfit(value))
    case 'int16':
      return (value) => (typeof value === 'number' && (value << 16) >> 16 === value ? String(value) : misfit(value))
    case 'int32':
      return (value) => (typeof value === 'number' && (value | 0) === value ? String(value) : misfit(value))
    case 'int64':
      return (value) => (typeof value === 'bigint' && BigInt.asIntN(64, value) === value ? String(value) : misfit(value))
    case 'float32':
      return (value) => (typeof value === 'number' ? jsonFloat(value) : misfit(value))
    case 'float64':
      return (value) => (typeof value === 'number' ? jsonDouble(value) : misfit(value))
    case 'boolean':
      return (value) => (typeof value === 'boolean' ? String(value) : misfit(value))
    case 'string':
      return (value) => (typeof value === 'string' ? jsonString(value) : misfit(value))
    case 'bytes':
      return encodeBytes
    case 'array':
      return encodeArray(encoderOf(schema.valueSchema), misfit)
    case 'map':
      return encodeMap(schema, encoderOf, misfit)
    case 'struct':
      return encodeStruct(schema, encoderOf, misfit)
  }
}

function encodeBytes(value: unknown): string {
  if (value instanceof Uint8Array) return `"${base64(value)}"`
  throw new DataError(`Invalid type for bytes type: class ${javaClassOf(value)}`)
}

function base64(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('base64')
}

type Misfit = (value: unknown) => never

function encodeArray(encode: Encoder, misfit: Misfit): Encoder {
  return (value) => {
    if (!Array.isArray(value)) return misfit(value)
    let text = '['
    for (let at = 0; at < value.length; at++) text += at === 0 ? encode(value[at]) : `,${encode(value[at])}`
    return `${text}]`
  }
}

function encodeMap(schema: Schema, encoderOf: EncoderOf, misfit: Misfit): Encoder {
  const encodeKey = encoderOf(schema.keySchema)
  const encodeValue = encoderOf(schema.valueSchema)
  // A name in JSON is a string: maps of other keys are lists of pairs.
  const hasNames = schema.keySchema?.type === 'string'
  return (value) => {
    if (!(value instanceof Map)) return misfit(value)
    const entries: string[] = []
    for (const [key, item] of value as ReadonlyMap<unknown, unknown>) {
      const text = encodeKey(key)
      if (hasNames) entries.push(`${text === 'null' ? '"null"' : text}:${encodeValue(item)}`)
      else entries.push(`[${text},${encodeValue(item)}]`)
    }
    return hasNames ? `{${entries.join(',')}}` : `[${entries.join(',')}]`
  }
}

function encodeStruct(schema: Schema, encoderOf: EncoderOf, misfit: Misfit): Encoder {
  const fields = schema.fields ?? []
  const names = fields.map(({ name }) => name)
  const known = new Set(names)
  const heads = names.map((name, index) => `${index === 0 ? '' : ','}${jsonString(name)}:`)
  const encoders = fields.map((field) => encoderOf(field.schema))
  return (value) => {
    if (!isStructLike(value)) return misfit(value)
    const struct: Struct = value
    let memberCount = 0
    for (const name in struct) {
      if (!known.has(name)) throw new DataError('Mismatching schema.', { cause: new Error(`the schema has no field ${name}`) })
      memberCount++
    }
    // Fewer members than fields: the others are null, whatever an object's prototype may have under their names.
    const isWhole = memberCount === names.length
    let text = '{'
    for (let index = 0; index < names.length; index++) {
      const name = names[index]!
      const member = isWhole || Object.hasOwn(struct, name) ? struct[name] : null
      text += heads[index]! + encoders[index]!(member)
    }
    return `${text}}`
  }
}

/** An object without a prototype, or a plain one. */
function isStructLike(value: unknown): value is Struct {
  if (typeof value !== 'object' || value === null) return false
  const prototype: unknown = Object.getPrototypeOf(value)
  return prototype === null || prototype === Object.prototype
}

function encodeSchemaless(value: unknown, depth: number): string {
  switch (typeof value) {
    case 'string':
      return jsonString(value)
    case 'boolean':
      return String(value)
    case 'number':
      return jsonDouble(value)
    case 'bigint':
      return BigInt.asIntN(64, value) === value ? String(value) : withoutType(value)
    case 'undefined':
      return 'null'
    case 'object':
      return value === null ? 'null' : encodeObject(value, depth + 1)
    default:
      return withoutType(value)
  }
}

function encodeObject(value: object, depth: number): string {
  if (depth > jsonLimits.depth) throw new DataError(`a value of more than ${jsonLimits.depth} lists and maps inside each other`)
  if (Array.isArray(value)) return `[${value.map((element) => encodeSchemaless(element, depth)).join(',')}]`
  if (value instanceof Map) return encodeEntries([...(value as ReadonlyMap<unknown, unknown>)], depth)
  if (value instanceof Uint8Array) return `"${base64(value)}"`
  if (isSized(value)) return stringifyJson(value)
  const prototype: unknown = Object.getPrototypeOf(value)
  // A struct has a schema, and that is not the one that was given: none.
  if (prototype === null) throw new DataError('Mismatching schema.')
  return prototype === Object.prototype ? encodeEntries(Object.entries(value), depth) : withoutType(value)
}

function encodeEntries(entries: readonly (readonly [unknown, unknown])[], depth: number): string {
  if (entries.every(([key]) => typeof key === 'string')) {
    return `{${entries.map(([key, item]) => `${jsonString(key as string)}:${encodeSchemaless(item, depth)}`).join(',')}}`
  }
  return `[${entries.map(([key, item]) => `[${encodeSchemaless(key, depth)},${encodeSchemaless(item, depth)}]`).join(',')}]`
}

function withoutType(value: unknown): never {
  throw new DataError(`Java class class ${javaClassOf(value)} does not have corresponding schema type.`)
}
