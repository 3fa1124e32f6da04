/**
 * @module sdk/json-encode — values as JSON text under a schema: one encoder is made per schema and kept. For converters, and for sinks that
 * write JSON.
 *
 * ```ts
 * const encoderOf = jsonEncoderFactory({ isNumeric: false, replaceNull: true })
 * encoderOf(record.valueSchema)(record.value)    // '{"id":9223372036854775807,"at":1769860800000}'
 * ```
 * Source: `JsonConverter.convertToJson`. Text, not a tree: what upstream builds as nodes and then prints is printed at once.
 */
import { DataError } from './errors.ts'
import { jsonDouble, jsonFloat, jsonLimits, jsonString, stringifyJson } from './exact-json.ts'
import { javaClassOf } from './java-names.ts'
import { javaDecimalText } from './java-numbers.ts'
import { bytesOfDecimal, daysOf, expectDecimal, logicalTypeOf, timeOf, timestampOf } from './logical-values.ts'
import { type Schema, schemaLimits } from './schema.ts'
import { isSized, isStruct, type Struct, schemaOfMade } from './values.ts'

/** What the text depends on beside schema and value. */
export interface JsonEncodeSettings {
  /** Decimals as numbers, else as base64 of their bytes. */
  readonly isNumeric: boolean
  /** Whether a null takes its schema's default. */
  readonly replaceNull: boolean
}

/** A value as JSON text. Throws a DataError for what does not fit the schema. */
export type JsonEncoder = (value: unknown) => string

/** Makes encoders, one per schema. A null schema reads from the value what it is. */
export function jsonEncoderFactory(settings: JsonEncodeSettings): (schema: Schema | null) => JsonEncoder {
  const encoders = new WeakMap<Schema, JsonEncoder>()
  const schemaless: JsonEncoder = (value) => encodeSchemaless(value, 0)
  const encoderOf = (schema: Schema | null | undefined, depth: number): JsonEncoder => {
    if (schema === null || schema === undefined) return schemaless
    let encoder = encoders.get(schema)
    if (encoder === undefined) {
      if (depth > schemaLimits.levels) throw new DataError(`a schema of more than ${schemaLimits.levels} levels`)
      encoder = compile(schema, settings, (inner) => encoderOf(inner, depth + 1))
      encoders.set(schema, encoder)
    }
    return encoder
  }
  return (schema) => encoderOf(schema, 0)
}

type EncoderOf = (schema: Schema | null | undefined) => JsonEncoder

function compile(schema: Schema, settings: JsonEncodeSettings, encoderOf: EncoderOf): JsonEncoder {
  const encode = encodePresent(schema, settings, encoderOf)
  const encodeNothing = nothingEncoder(schema, settings, encode)
  return (value) => (value === null || value === undefined ? encodeNothing() : encode(value))
}

/** What stands for a null: the default where there is one, else null where that is allowed. */
function nothingEncoder(schema: Schema, settings: JsonEncodeSettings, encode: JsonEncoder): () => string {
  const { default: fallback } = schema
  if (settings.replaceNull && fallback !== undefined && fallback !== null) return () => encode(fallback)
  if (schema.optional === true) return () => 'null'
  return () => {
    throw new DataError('Conversion error: null value for field that is required and has no default value')
  }
}

function encodePresent(schema: Schema, settings: JsonEncodeSettings, encoderOf: EncoderOf): JsonEncoder {
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

function encodePlain(schema: Schema, encoderOf: EncoderOf): JsonEncoder {
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

/** A longer text is seldom the same again, and would be kept for nothing. */
const rememberedLengthMax = 128
const rememberedStructLengthMax = 4_096

/**
 * A member with its name before it. The same time, table or name comes again and again in one field: comparing is cheaper than printing,
 * and one string is joined to others faster than two. Only of what cannot change nor look equal when it is not (0 and −0).
 */
function namedEncoder(head: string, encode: JsonEncoder): JsonEncoder {
  let latest: unknown = namedEncoder
  let text = ''
  let isFlat = false
  return (value) => {
    if (value === latest) {
      // To V8 a joined string is a tree; asking for a character makes it one piece, which pays only for what is used again.
      if (!isFlat) isFlat = text.charCodeAt(0) > 0
      return text
    }
    const encoded = head + encode(value)
    if (encoded.length <= rememberedLengthMax && isConstant(value)) {
      latest = value
      text = encoded
      isFlat = false
    }
    return encoded
  }
}

function isConstant(value: unknown): boolean {
  return value === null || typeof value === 'string' || typeof value === 'bigint' || typeof value === 'boolean'
}

function encodeBytes(value: unknown): string {
  if (value instanceof Uint8Array) return `"${base64(value)}"`
  throw new DataError(`Invalid type for bytes type: class ${javaClassOf(value)}`)
}

function base64(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('base64')
}

type Misfit = (value: unknown) => never

function encodeArray(encode: JsonEncoder, misfit: Misfit): JsonEncoder {
  return (value) => {
    if (!Array.isArray(value)) return misfit(value)
    let text = '['
    for (let at = 0; at < value.length; at++) text += at === 0 ? encode(value[at]) : `,${encode(value[at])}`
    return `${text}]`
  }
}

function encodeMap(schema: Schema, encoderOf: EncoderOf, misfit: Misfit): JsonEncoder {
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

function encodeStruct(schema: Schema, encoderOf: EncoderOf, misfit: Misfit): JsonEncoder {
  const fields = schema.fields ?? []
  const names = fields.map(({ name }) => name)
  const known = new Set(names)
  const heads = names.map((name, index) => `${index === 0 ? '' : ','}${jsonString(name)}:`)
  const encoders = fields.map((field) => encoderOf(field.schema))
  const encodeMade = rememberingStruct(madeEncoder(names, heads, encoders))
  return (value) => {
    if (typeof value === 'object' && value !== null && schemaOfMade(value) === schema) return encodeMade(value as Struct)
    if (!isStruct(value)) return misfit(value)
    const struct: Struct = value
    // Fewer members than fields: the others are null, whatever an object's prototype may have under their names.
    const isWhole = knownCount(struct, known) === names.length
    let text = '{'
    for (let index = 0; index < names.length; index++) {
      const name = names[index]!
      const member = isWhole || Object.hasOwn(struct, name) ? struct[name] : null
      text += heads[index]! + encoders[index]!(member)
    }
    return `${text}}`
  }
}

/**
 * For the structs of the schema's own maker: they have all members and no others. Names and calls as literals of a function of its own are
 * what V8 can look up once; a loop over names looks each of them up again.
 */
function madeEncoder(names: readonly string[], heads: readonly string[], encoders: readonly JsonEncoder[]): (struct: Struct) => string {
  if (names.length === 0) return () => '{}'
  const parameters = names.map((_, index) => `e${index}`)
  const parts = names.map((name, index) => `e${index}(s[${JSON.stringify(name)}])`)
  // oxlint-disable-next-line typescript/no-implied-eval -- names stand in it as string literals only
  const make = new Function(...parameters, `return (s) => '{'+${parts.join('+')}+'}'`) as (
    ...of: readonly JsonEncoder[]
  ) => (s: Struct) => string
  return make(...encoders.map((encode, index) => namedEncoder(heads[index]!, encode)))
}

/** One struct may be part of many records: it is printed once. What a maker made does not change. */
function rememberingStruct(encode: (struct: Struct) => string): (struct: Struct) => string {
  let latest: Struct | null = null
  let text = ''
  return (struct) => {
    if (struct === latest) return text
    const encoded = encode(struct)
    latest = encoded.length <= rememberedStructLengthMax ? struct : null
    text = latest === null ? '' : encoded
    return encoded
  }
}

function knownCount(struct: Struct, known: ReadonlySet<string>): number {
  let memberCount = 0
  for (const name in struct) {
    if (!known.has(name)) throw new DataError('Mismatching schema.', { cause: new Error(`the schema has no field ${name}`) })
    memberCount++
  }
  return memberCount
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
  if (Array.isArray(value)) return encodeElements(value, depth)
  if (value instanceof Map) return encodeEntries(value as ReadonlyMap<unknown, unknown>, depth)
  if (value instanceof Uint8Array) return `"${base64(value)}"`
  if (isSized(value)) return stringifyJson(value)
  const prototype: unknown = Object.getPrototypeOf(value)
  // A struct has a schema, and that is not the one that was given: none.
  if (prototype === null || schemaOfMade(value) !== undefined) throw new DataError('Mismatching schema.')
  return prototype === Object.prototype ? encodeEntries(new Map(Object.entries(value)), depth) : withoutType(value)
}

function encodeElements(list: readonly unknown[], depth: number): string {
  let text = '['
  for (let at = 0; at < list.length; at++) text += at === 0 ? encodeSchemaless(list[at], depth) : `,${encodeSchemaless(list[at], depth)}`
  return `${text}]`
}

/** Where all keys are names an object, else a list of pairs. */
function encodeEntries(map: ReadonlyMap<unknown, unknown>, depth: number): string {
  let text = '{'
  for (const [key, item] of map) {
    if (typeof key !== 'string') return encodePairs(map, depth)
    text += `${text === '{' ? '' : ','}${jsonString(key)}:${encodeSchemaless(item, depth)}`
  }
  return `${text}}`
}

function encodePairs(map: ReadonlyMap<unknown, unknown>, depth: number): string {
  const pairs = Array.from(map, ([key, item]) => `[${encodeSchemaless(key, depth)},${encodeSchemaless(item, depth)}]`)
  return `[${pairs.join(',')}]`
}

function withoutType(value: unknown): never {
  throw new DataError(`Java class class ${javaClassOf(value)} does not have corresponding schema type.`)
}
