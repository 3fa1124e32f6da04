/**
 * @module transforms/cast-values — one value in another type, narrowed and written as Java does: integers keep their low bits, floating point
 * numbers stop at the ends of an int or a long, texts must be numbers within range.
 */
import {
  DataError,
  type Decimal,
  isDecimal,
  isSized,
  javaClassOf,
  javaDecimalText,
  javaDoubleText,
  javaFloatText,
  LogicalName,
  parseType,
  type Schema,
  type SchemaType,
  Sized,
  type Value,
} from '@millrace/sdk'
import { wholeBits } from './decimal-bits.ts'
import { simpleDateFormat } from './simple-date-format/index.ts'

/** What can be made of a value. */
export const CAST_TARGETS = ['int8', 'int16', 'int32', 'int64', 'float32', 'float64', 'boolean', 'string'] as const
export type CastTarget = (typeof CAST_TARGETS)[number]

const CAST_SOURCES: readonly string[] = [...CAST_TARGETS, 'bytes']
const BITS = { int8: 8, int16: 16, int32: 32, int64: 64 } as const
const INT_LIMIT = 2 ** 31
const DAY_MS = 86_400_000

/** Types in the way messages list them. */
export function typeList(types: readonly string[]): string {
  return `[${types.map((type) => type.toUpperCase()).join(', ')}]`
}

/**
 * Casts a value of a schema, or one without. Numbers without a schema come out with their width.
 * @throws DataError with upstream's messages
 */
export function castTo(schema: Schema | null, value: Value, target: CastTarget): Value {
  if (value === null) return null
  requireSource(schema, value)
  const plain = isSized(value) ? unboxed(value) : value
  const isFloat = isSized(value) ? value.type === 'float32' : schema?.type === 'float32'
  if (target === 'string') return textOf(plain, isFloat, schema)
  const number = numberOf(schema, plain, target)
  if (target === 'boolean') return number.truth
  if (target === 'int64') return number.integer(BITS.int64)
  if (target === 'float64') return number.double()
  const result = target === 'float32' ? number.float() : Number(number.integer(BITS[target]))
  return schema === null ? new Sized(target, result) : result
}

/** Integers as bigint, so that a number that is left is one with a floating point. */
function unboxed({ type, value }: Sized): Value {
  return type.startsWith('int') ? BigInt(value) : value
}

function requireSource(schema: Schema | null, value: Value): void {
  const type = schema?.type ?? inferredType(value)
  if (type === undefined) {
    const className = javaClassOf(value)
    throw new DataError(`Cast transformation was passed a value of type class ${className} which is not supported by Connect's data API`)
  }
  if (CAST_SOURCES.includes(type)) return
  const supported = typeList(CAST_SOURCES)
  throw new DataError(`Cast transformation does not support casting from ${type.toUpperCase()}; supported types are ${supported}`)
}

/** The type of a value without a schema; undefined for those that need one. */
function inferredType(value: Value): SchemaType | undefined {
  const className = javaClassOf(value)
  if (className === 'java.util.HashMap') return 'map'
  if (className === 'java.util.ArrayList') return 'array'
  if (className.endsWith('.Struct')) return 'struct'
  return ['java.util.Date', 'java.math.BigDecimal', 'java.math.BigInteger', 'java.lang.Object'].includes(className) ? undefined : 'string'
}

/** A value as the numbers it can become. */
interface Castable {
  /** The low bits of the whole part. */
  integer(bits: number): bigint
  double(): number
  float(): number
  readonly truth: boolean
}

function numberOf(schema: Schema | null, value: Value, target: CastTarget): Castable {
  if (typeof value === 'boolean') return ofInteger(value ? 1n : 0n)
  if (typeof value === 'bigint') return ofInteger(value)
  if (typeof value === 'string') return ofText(value, target)
  if (isDecimal(value)) return ofDecimal(value)
  if (value instanceof Date)
    return ofInteger(BigInt(schema?.name === LogicalName.Date ? Math.floor(value.getTime() / DAY_MS) : value.getTime()))
  if (typeof value === 'number') return isWhole(schema) ? ofInteger(BigInt(value)) : ofDouble(value)
  throw new DataError(`Unexpected type in Cast transformation: class ${javaClassOf(value, schema)}`)
}

function isWhole(schema: Schema | null): boolean {
  return schema?.type.startsWith('int') === true
}

function ofInteger(value: bigint): Castable {
  return { integer: (bits) => BigInt.asIntN(bits, value), double: () => Number(value), float: () => floatOf(value), truth: value !== 0n }
}

/** The nearest 32-bit float; two roundings in a row could miss it, so what the first one drops leaves a trace. */
function floatOf(value: bigint): number {
  const dropped = 11n
  if (BigInt.asIntN(54, value) === value) return Math.fround(Number(value))
  const kept = (value >> dropped) | ((value & ((1n << dropped) - 1n)) === 0n ? 0n : 1n)
  return Math.fround(Number(kept) * 2 ** Number(dropped))
}

function ofDouble(value: number): Castable {
  const whole = Number.isNaN(value) ? 0 : Math.trunc(value)
  const integer = (bits: number): bigint => {
    if (bits === BITS.int64) return whole >= 2 ** 63 ? 2n ** 63n - 1n : whole < -(2 ** 63) ? -(2n ** 63n) : BigInt(whole)
    return BigInt.asIntN(bits, BigInt(Math.min(Math.max(whole, -INT_LIMIT), INT_LIMIT - 1)))
  }
  return { integer, double: () => value, float: () => Math.fround(value), truth: whole !== 0 }
}

function ofDecimal(value: Decimal): Castable {
  const double = (): number => Number(`${value.unscaled}e${-value.scale}`)
  return {
    integer: (bits) => wholeBits(value, bits),
    double,
    float: () => Math.fround(double()),
    truth: wholeBits(value, BITS.int64) !== 0n,
  }
}

function ofText(text: string, target: CastTarget): Castable {
  const outOfRange = (): never => {
    throw new DataError(`Value (${text}) was out of range for requested data type`)
  }
  const integer = (bits: number): bigint => {
    if (!/^[+-]?\d+$/.test(text)) return outOfRange()
    const value = BigInt(text.replace(/^\+/, ''))
    return BigInt.asIntN(bits, value) === value ? value : outOfRange()
  }
  const double = (): number => {
    try {
      return parseType(target, text, 'DOUBLE') ?? outOfRange()
    } catch {
      return outOfRange()
    }
  }
  return { integer, double, float: () => Math.fround(double()), truth: text.toLowerCase() === 'true' }
}

const [TIME, DATE, TIMESTAMP] = ["HH:mm:ss.SSS'Z'", 'yyyy-MM-dd', "yyyy-MM-dd'T'HH:mm:ss.SSS'Z'"].map(simpleDateFormat)

/** A moment in the shortest form that holds it: anything before the second day is taken for a time of day. */
function dateText(value: Date): string {
  const ms = value.getTime()
  const format = ms < DAY_MS ? TIME : ms % DAY_MS === 0 ? DATE : TIMESTAMP
  return format?.format(BigInt(ms)) ?? ''
}

function textOf(value: Value, isFloat: boolean, schema: Schema | null): string {
  if (typeof value === 'number')
    return isWhole(schema) || Number.isNaN(value) ? String(value) : isFloat ? javaFloatText(value) : javaDoubleText(value)
  if (value instanceof Date) return dateText(value)
  if (value instanceof Uint8Array) return Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString('base64')
  if (isDecimal(value)) return javaDecimalText(value)
  if (typeof value === 'string' || typeof value === 'boolean' || typeof value === 'bigint') return String(value)
  throw new DataError(`Unexpected type in Cast transformation: class ${javaClassOf(value, schema)}`)
}
