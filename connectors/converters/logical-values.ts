/**
 * @module converters/logical-values — values of Connect's logical types out of the plain values under them.
 *
 * Source: `Decimal`, `Date`, `Time`, `Timestamp` of `org.apache.kafka.connect.data`.
 */
import { DataError, Decimal, decimalScaleOf, type JsonNumber, type Schema } from '@millrace/sdk'

const DAY_MS = 86_400_000
/** A `Date` reaches this many milliseconds from 1970; beyond, values are plain numbers (sdk/values). */
const DATE_MS_MAX = 8.64e15

/**
 * A Decimal out of its bytes.
 * @throws DataError for none at all, and for a schema without a scale
 */
export function decimalOfBytes(schema: Schema, bytes: Buffer): Decimal {
  if (bytes.length === 0) throw new DataError('Zero length BigInteger', { className: 'java.lang.NumberFormatException' })
  return new Decimal(BigInt.asIntN(bytes.length * 8, BigInt(`0x${bytes.toString('hex')}`)), decimalScaleOf(schema))
}

const DECIMAL_PARTS = /^(-?)(\d+)(?:\.(\d*))?(?:[eE]([+-]?\d+))?$/

/** Digits as they stand: `12.30` has scale 2, `1.2E+3` scale −2. undefined for an exponent that no Decimal of Java's can have. */
export function decimalOfNumber(number: JsonNumber | number | bigint): Decimal | undefined {
  if (typeof number === 'bigint') return new Decimal(number, 0)
  if (typeof number === 'number') return new Decimal(BigInt(number), 0)
  const [, sign = '', whole = '', fraction = '', exponent = '0'] = DECIMAL_PARTS.exec(number.text) ?? []
  const scale = fraction.length - Number(exponent)
  if (Math.abs(scale) > 2 ** 31 - 1) return undefined
  return new Decimal(BigInt(`${sign}${whole}${fraction}`), scale)
}

/** A Date's value; the days themselves where no `Date` reaches. */
export function dateOfDays(days: number): Date | number {
  return Math.abs(days) * DAY_MS > DATE_MS_MAX ? days : new Date(days * DAY_MS)
}

/**
 * A Time's value.
 * @throws DataError for what is not within one day
 */
export function dateOfTime(ms: number): Date {
  if (ms < 0 || ms > DAY_MS) throw new DataError('Time values must use number of milliseconds greater than 0 and less than 86400000')
  return new Date(ms)
}

/** A Timestamp's value; the milliseconds themselves where no `Date` reaches. */
export function dateOfTimestamp(ms: number | bigint): Date | bigint {
  const wrapped = typeof ms === 'number' ? ms : BigInt.asIntN(64, ms)
  const near = Number(wrapped)
  return Math.abs(near) > DATE_MS_MAX ? BigInt(wrapped) : new Date(near)
}
