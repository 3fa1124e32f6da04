/**
 * @module sdk/logical-values — the plain values under Connect's logical types: what stands in JSON, and in formats with such types of their
 * own.
 *
 * Source: `Decimal`, `Date`, `Time`, `Timestamp` of `org.apache.kafka.connect.data`.
 */
import { DataError } from './errors.ts'
import { javaClassOf } from './java-names.ts'
import { LogicalName, type Schema } from './schema.ts'
import { type Decimal, isDecimal } from './values.ts'

const DAY_MS = 86_400_000
/** A `Date` reaches this many milliseconds from 1970; beyond, values are plain numbers (sdk/values). */
const DATE_MS_MAX = 8.64e15

/** Connect's own logical types. */
export type LogicalType = keyof typeof LogicalName

const byName: ReadonlyMap<string | undefined, LogicalType> = new Map(
  (Object.keys(LogicalName) as LogicalType[]).map((type) => [LogicalName[type], type]),
)

/** The logical type of a schema, undefined where its name is none. Known by the name alone, as upstream has it. */
export function logicalTypeOf(schema: Schema): LogicalType | undefined {
  return byName.get(schema.name)
}

/**
 * The value as a Decimal of whatever scale.
 * @throws DataError for anything else
 */
export function expectDecimal(value: unknown): Decimal {
  if (isDecimal(value)) return value
  throw new DataError(`Invalid type for Decimal, expected BigDecimal but was class ${javaClassOf(value)}`)
}

/**
 * The scale that a Decimal's schema gives.
 * @throws DataError when it gives none
 */
export function decimalScaleOf(schema: Schema): number {
  const text = schema.parameters?.['scale']
  if (text === undefined) {
    // Upstream trips over parameters that are not there at all.
    const className = schema.parameters === undefined ? 'java.lang.NullPointerException' : undefined
    throw new DataError('Invalid Decimal schema: scale parameter not found.', className === undefined ? {} : { className })
  }
  if (!/^[+-]?\d{1,10}$/.test(text)) throw new DataError('Invalid scale parameter found in Decimal schema: ')
  return Number(text)
}

/**
 * Two's complement bytes of a Decimal, the highest first and as few as do, as `BigInteger.toByteArray`.
 * @throws DataError when its scale is not the schema's
 */
export function bytesOfDecimal(schema: Schema, value: Decimal): Buffer {
  const scale = decimalScaleOf(schema)
  if (value.scale !== scale) {
    throw new DataError(
      `Decimal value has mismatching scale for given Decimal schema. Schema has scale ${scale}, value has scale ${value.scale}.`,
    )
  }
  return bytesOfInteger(value.unscaled)
}

/** Up to here, and down to its negative, an integer has six bytes: amounts of money mostly do, and numbers are faster than hexadecimal text. */
const smallMax = 2n ** 47n

/** A whole number as the fewest bytes in two's complement, the highest first, as `BigInteger.toByteArray`. `number`: a safe integer. */
export function bytesOfInteger(value: number | bigint): Buffer {
  if (typeof value === 'number') return bytesOfNumber(value)
  if (value >= -smallMax && value < smallMax) return bytesOfNumber(Number(value))
  const magnitude = value < 0n ? -value - 1n : value
  const hex = magnitude.toString(16)
  const hasSpareBit = hex.length % 2 === 1 || hex.charCodeAt(0) < 0x38
  const byteCount = (hex.length >> 1) + (hasSpareBit && hex.length % 2 === 0 ? 0 : 1)
  const bits = value < 0n ? BigInt.asUintN(byteCount * 8, value).toString(16) : hex
  return Buffer.from(bits.padStart(byteCount * 2, '0'), 'hex')
}

function bytesOfNumber(value: number): Buffer {
  let byteCount = 1
  for (let limit = 128; value >= limit || value < -limit; limit *= 256) byteCount++
  const bytes = Buffer.allocUnsafe(byteCount)
  let rest = value
  for (let at = byteCount - 1; at >= 0; at--) {
    const next = Math.floor(rest / 256)
    bytes[at] = rest - next * 256
    rest = next
  }
  return bytes
}

/**
 * Days since 1970 of a Date's value.
 * @throws DataError for another type, and for a time of day in it
 */
export function daysOf(value: unknown): number {
  if (typeof value === 'number' && Number.isInteger(value) && Math.abs(value) * DAY_MS > DATE_MS_MAX) return value
  const ms = millisecondsOf(value, 'Date')
  if (ms % DAY_MS !== 0) throw new DataError('Kafka Connect Date type should not have any time fields set to non-zero values.')
  // Minus zero would print as such.
  return ms / DAY_MS + 0
}

/**
 * Milliseconds of the day of a Time's value.
 * @throws DataError for another type, and for what is not within one day
 */
export function timeOf(value: unknown): number {
  const ms = millisecondsOf(value, 'Time')
  if (ms < 0 || ms > DAY_MS) throw new DataError('Kafka Connect Time type should not have any date fields set to non-zero values.')
  return ms
}

/**
 * Milliseconds since 1970 of a Timestamp's value.
 * @throws DataError for another type
 */
export function timestampOf(value: unknown): number | bigint {
  if (typeof value === 'bigint' && BigInt.asIntN(64, value) === value) return value
  return millisecondsOf(value, 'Timestamp')
}

function millisecondsOf(value: unknown, type: LogicalType): number {
  const ms = value instanceof Date ? value.getTime() : Number.NaN
  if (Number.isNaN(ms)) throw new DataError(`Invalid type for ${type}, expected Date but was class ${javaClassOf(value)}`)
  return ms
}
