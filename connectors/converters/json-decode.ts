/**
 * @module converters/json-decode — parsed JSON as values under a schema: one decoder is made per schema and kept.
 *
 * What comes in is what `parseJson` gives: whole numbers as `number` or `bigint`, others as `number` or, where the schema asks for it, as
 * `JsonNumber`. Where JSON and schema disagree upstream takes what its JSON library happens to give (the text "x" is the INT32 0, a
 * number is no text and so null); so do we. Three differences: what is no list is refused where a list is due, not read as an empty one; −0.0
 * keeps its sign; a struct may have a default, which upstream writes and then refuses to read.
 *
 * Source: `JsonConverter.convertToConnect`.
 */
import {
  DataError,
  JsonNumber,
  jsonLimits,
  logicalTypeOf,
  type Schema,
  schemaLimits,
  structMaker,
  type Value,
  validateValue,
} from '@millrace/sdk'
import { base64Bytes } from './base64.ts'
import { dateOfDays, dateOfTime, dateOfTimestamp, decimalOfBytes, decimalOfNumber } from './logical-values.ts'

/** Parsed JSON as a value; null for null and what is not there. Throws a DataError. */
export type Decoder = (json: unknown) => Value
/** The decoder of a schema. */
export type DecoderOf = (schema: Schema) => Decoder

/** Makes decoders, one per schema. `replaceNull`: whether a null takes its schema's default. */
export function decoderFactory(replaceNull: boolean): DecoderOf {
  const decoders = new WeakMap<Schema, Decoder>()
  const misfits: Misfits = { count: 0 }
  const decoderOf = (schema: Schema, depth: number): Decoder => {
    let decoder = decoders.get(schema)
    if (decoder === undefined) {
      if (depth > schemaLimits.levels) throw new DataError(`a schema of more than ${schemaLimits.levels} levels`)
      decoder = compile(schema, replaceNull, misfits, (inner) => decoderOf(inner, depth + 1))
      decoders.set(schema, decoder)
    }
    return decoder
  }
  return (schema) => decoderOf(schema, 0)
}

/** Counts what became null for its type: a struct, unlike a list, may not hold such a null where its field is required. */
interface Misfits {
  count: number
}

function compile(schema: Schema, replaceNull: boolean, misfits: Misfits, decoderOf: DecoderOf): Decoder {
  const decode = decodePresent(schema, misfits, decoderOf)
  const fallback = replaceNull && schema.default !== undefined ? (schema.default as Value) : null
  if (fallback !== null || schema.optional === true) return (json) => (json === null ? fallback : decode(json))
  return (json) => {
    if (json !== null) return decode(json)
    throw new DataError(`Invalid null value for required ${schema.type.toUpperCase()} field`)
  }
}

function decodePresent(schema: Schema, misfits: Misfits, decoderOf: DecoderOf): Decoder {
  switch (logicalTypeOf(schema)) {
    case 'Decimal':
      return (json) => decodeDecimal(schema, json)
    case 'Date':
      return (json) => dateOfDays(expectInt(json, 'Date'))
    case 'Time':
      return (json) => dateOfTime(expectInt(json, 'Time'))
    case 'Timestamp':
      return (json) => {
        if (Number.isSafeInteger(json) || typeof json === 'bigint') return dateOfTimestamp(json as number | bigint)
        throw new DataError(`Invalid type for Timestamp, underlying representation should be integral but was ${nodeType(json)}`)
      }
    default:
      return decodePlain(schema, misfits, decoderOf)
  }
}

function expectInt(json: unknown, type: 'Date' | 'Time'): number {
  if (typeof json === 'number' && (json | 0) === json) return json
  throw new DataError(`Invalid type for ${type}, underlying representation should be integer but was ${nodeType(json)}`)
}

function decodeDecimal(schema: Schema, json: unknown): Value {
  if (isNumber(json)) {
    const decimal = decimalOfNumber(json)
    if (decimal !== undefined) return decimal
    throw new DataError('Invalid number for Decimal field: its exponent is beyond 32 bits')
  }
  if (typeof json === 'string') {
    try {
      return decimalOfBytes(schema, base64Bytes(json))
    } catch (cause) {
      throw new DataError('Invalid bytes for Decimal field', { cause })
    }
  }
  const type = nodeType(json)
  throw new DataError(`Invalid type for Decimal, underlying representation should be numeric or bytes but was ${type}`)
}

function decodePlain(schema: Schema, misfits: Misfits, decoderOf: DecoderOf): Decoder {
  switch (schema.type) {
    case 'int8':
      return (json) => (intOf(json) << 24) >> 24
    case 'int16':
      return (json) => (intOf(json) << 16) >> 16
    case 'int32':
      return intOf
    case 'int64':
      return longOf
    case 'float32':
      return (json) => Math.fround(doubleOf(json))
    case 'float64':
      return doubleOf
    case 'boolean':
      return (json) => json === true
    case 'string':
      return (json) => (typeof json === 'string' ? json : misfit(misfits))
    case 'bytes':
      return (json) => (typeof json === 'string' ? decodeBytes(json) : misfit(misfits))
    case 'array':
      return decodeArray(schema, decoderOf)
    case 'map':
      return decodeMap(schema, decoderOf)
    case 'struct':
      return decodeStruct(schema, misfits, decoderOf)
  }
}

function misfit(misfits: Misfits): null {
  misfits.count++
  return null
}

function decodeBytes(text: string): Buffer {
  try {
    return base64Bytes(text)
  } catch (cause) {
    throw new DataError('Invalid bytes field', { cause })
  }
}

/** The low 32 bits of a number without its fraction, 0 for anything else. */
function intOf(json: unknown): number {
  if (typeof json === 'number') return json | 0
  if (typeof json === 'bigint') return Number(BigInt.asIntN(32, json))
  return json instanceof JsonNumber ? Number(BigInt.asIntN(32, wholePart(json))) : 0
}

/** The low 64 bits, likewise. */
function longOf(json: unknown): bigint {
  if (typeof json === 'number') return Number.isFinite(json) ? BigInt.asIntN(64, BigInt(Math.trunc(json))) : 0n
  if (typeof json === 'bigint') return BigInt.asIntN(64, json)
  return json instanceof JsonNumber ? BigInt.asIntN(64, wholePart(json)) : 0n
}

function wholePart(json: JsonNumber): bigint {
  const decimal = decimalOfNumber(json)
  if (decimal === undefined || decimal.scale > jsonLimits.numberChars) return 0n
  if (decimal.scale > 0) return decimal.unscaled / 10n ** BigInt(decimal.scale)
  // 10^64 has no bit set below the 64th: what is larger still need not be worked out.
  return decimal.scale <= -64 ? 0n : decimal.unscaled * 10n ** BigInt(-decimal.scale)
}

function doubleOf(json: unknown): number {
  if (typeof json === 'number') return json
  if (typeof json === 'bigint') return Number(json)
  return json instanceof JsonNumber ? Number(json.text) : 0
}

function decodeArray(schema: Schema, decoderOf: DecoderOf): Decoder {
  const decode = decoderOf(schema.valueSchema!)
  return (json) => {
    if (!Array.isArray(json)) throw new DataError(`Arrays should be encoded as JSON arrays, but found ${nodeType(json)}`)
    const list: Value[] = []
    for (const element of json as readonly unknown[]) list.push(decode(element))
    return list
  }
}

function decodeMap(schema: Schema, decoderOf: DecoderOf): Decoder {
  const { keySchema, valueSchema } = schema
  const decodeKey: Decoder = keySchema === undefined ? asIs : decoderOf(keySchema)
  const decodeValue: Decoder = valueSchema === undefined ? asIs : decoderOf(valueSchema)
  if (keySchema?.type === 'string') {
    return (json) => {
      if (!isObject(json)) throw new DataError(`Maps with string fields should be encoded as JSON objects, but found ${nodeType(json)}`)
      const map = new Map<Value, Value>()
      for (const key of Object.keys(json)) map.set(key, decodeValue(json[key]))
      return map
    }
  }
  return (json) => {
    if (!Array.isArray(json)) {
      throw new DataError(`Maps with non-string fields should be encoded as JSON array of tuples, but found ${nodeType(json)}`)
    }
    const map = new Map<Value, Value>()
    for (const entry of json as readonly unknown[]) {
      if (!Array.isArray(entry)) throw new DataError(`Found invalid map entry instead of array tuple: ${nodeType(entry)}`)
      if (entry.length !== 2) throw new DataError(`Found invalid map entry, expected length 2 but found :${entry.length}`)
      map.set(decodeKey(entry[0]), decodeValue(entry[1]))
    }
    return map
  }
}

/** A map's member under the schema null, which JSON can describe and nothing of ours writes. */
function asIs(): never {
  throw new DataError('a map whose keys or values have the schema null cannot be read')
}

function decodeStruct(schema: Schema, misfits: Misfits, decoderOf: DecoderOf): Decoder {
  const fields = schema.fields ?? []
  const decoders = fields.map((field) => decoderOf(field.schema))
  // Parsed objects have a prototype whose members must not pass for theirs.
  const isOwnSure = fields.map(({ name }) => !(name in Object.prototype))
  const make = structMaker(schema)
  return (json) => {
    if (!isObject(json)) throw new DataError(`Structs should be encoded as JSON objects, but found ${nodeType(json)}`)
    const members: Value[] = []
    for (let index = 0; index < fields.length; index++) {
      const { name, schema: fieldSchema } = fields[index]!
      const member = isOwnSure[index] === true || Object.hasOwn(json, name) ? (json[name] ?? null) : null
      const misfitCount = misfits.count
      const value = decoders[index]!(member)
      if (misfits.count !== misfitCount) validateValue(fieldSchema, value, name)
      members.push(value)
    }
    return make(members)
  }
}

function isNumber(json: unknown): json is number | bigint | JsonNumber {
  return typeof json === 'number' || typeof json === 'bigint' || json instanceof JsonNumber
}

function isObject(json: unknown): json is Readonly<Record<string, unknown>> {
  return typeof json === 'object' && json !== null && !Array.isArray(json) && !(json instanceof JsonNumber)
}

/** Jackson's word for what JSON holds. MISSING: an empty text. */
export function nodeType(json: unknown): string {
  if (json === undefined) return 'MISSING'
  if (json === null) return 'NULL'
  if (isNumber(json)) return 'NUMBER'
  if (Array.isArray(json)) return 'ARRAY'
  return (typeof json).toUpperCase()
}
