/**
 * @module connector-postgres/values/decimals — numeric in its three modes. Exact digits all the way, save where doubles are asked for.
 *
 * Source: Debezium's VariableScaleDecimal (numeric without a scale) and Connect's Decimal with `connect.decimal.precision`.
 */
import {
  bytesOfInteger,
  bytes as bytesSchema,
  Decimal,
  decimal,
  float64,
  int32,
  type Schema,
  string,
  struct,
  structMaker,
  type Value,
} from '@millrace/sdk'
import { doubleOf } from './floats.ts'
import { exactDigitCount } from './integers.ts'
import { asciiText, MalformedText, type TypeCodec, type TypeContext } from './type-codec.ts'

const ZERO = 0x30
const POINT = 0x2e
const MINUS = 0x2d

/** Sign and length of a varlena header, which `atttypmod` of numeric counts in. */
const HEADER_BYTES = 4

/** A plain decimal: its digits as one whole number, a `number` where that is exact, and how many of them stand behind the point. */
interface Digits {
  whole: number | bigint
  scale: number
}

const DECIMAL = /^-?\d+(?:\.\d+)?$/

/** Reads a plain decimal into `into`. @throws MalformedText, also for NaN and the infinities */
function readDigits(bytes: Buffer, start: number, end: number, into: Digits): void {
  const isNegative = bytes[start] === MINUS
  const first = isNegative ? start + 1 : start
  if (end - first > exactDigitCount) {
    readManyDigits(bytes, start, end, into)
    return
  }
  let whole = 0
  let pointAt = -1
  for (let at = first; at < end; at++) {
    const byte = bytes[at]!
    const digit = byte - ZERO
    if (digit >= 0 && digit <= 9) whole = whole * 10 + digit
    else if (byte === POINT && pointAt < 0) pointAt = at
    else throw new MalformedText()
  }
  if (first >= end || pointAt === first || pointAt === end - 1) throw new MalformedText()
  into.whole = isNegative ? 0 - whole : whole
  into.scale = pointAt < 0 ? 0 : end - pointAt - 1
}

function readManyDigits(bytes: Buffer, start: number, end: number, into: Digits): void {
  const text = asciiText(bytes, start, end)
  if (!DECIMAL.test(text)) throw new MalformedText()
  const point = text.indexOf('.')
  into.scale = point < 0 ? 0 : text.length - point - 1
  into.whole = BigInt(point < 0 ? text : text.slice(0, point) + text.slice(point + 1))
}

/** Whether it is NaN or an infinity, which no decimal can be. */
function isSpecial(bytes: Buffer, start: number, end: number): boolean {
  const last = bytes[end - 1]
  // N of NaN, y of Infinity and -Infinity.
  if (last !== 0x4e && last !== 0x79) return false
  const text = asciiText(bytes, start, end)
  return text === 'NaN' || text === 'Infinity' || text === '-Infinity'
}

/** The codec of numeric: its precision and scale come from the modifier, −1 is numeric without either. */
export function numericCodec({ modifier, isOptional, settings }: TypeContext): TypeCodec {
  const packed = modifier - HEADER_BYTES
  const precision = modifier < 0 ? 0 : (packed >> 16) & 0xffff
  // A negative scale is eleven bits in two's complement to the server; Debezium and its JDBC driver take them as they are.
  const scale = modifier < 0 ? 0 : packed & 0x7ff
  if (settings.decimalMode === 'double') return { schema: float64(), parse: doubleOf, fallback: 0 }
  if (settings.decimalMode === 'string') return textCodec(modifier < 0 ? null : scale)
  return modifier < 0 ? variableScaleCodec(isOptional, settings.unavailablePlaceholder) : fixedScaleCodec(precision, scale)
}

const specialWords: Readonly<Record<string, string>> = { NaN: 'NAN', Infinity: 'POSITIVE_INFINITY', '-Infinity': 'NEGATIVE_INFINITY' }

/** @param scale null: the digits stay as they are */
function textCodec(scale: number | null): TypeCodec {
  const digits: Digits = { whole: 0, scale: 0 }
  const parse = (bytes: Buffer, start: number, end: number): string => {
    const text = asciiText(bytes, start, end)
    if (isSpecial(bytes, start, end)) return specialWords[text]!
    readDigits(bytes, start, end, digits)
    return scale === null || digits.scale === scale ? text : decimalTextOf(unscaledAt(digits, scale), scale)
  }
  return { schema: string(), parse, fallback: decimalTextOf(0n, scale ?? 0) }
}

/** Plain digits: a scale of up to 2047 is written out. */
function decimalTextOf(unscaled: bigint, scale: number): string {
  return new Decimal(unscaled, scale).toString()
}

/** The digits at another scale. @throws MalformedText where digits other than zero would be lost, which a default's expression may have */
function unscaledAt({ whole, scale }: Digits, target: number): bigint {
  if (scale <= target) return scale === target ? BigInt(whole) : BigInt(whole) * 10n ** BigInt(target - scale)
  const divisor = 10n ** BigInt(scale - target)
  const unscaled = BigInt(whole)
  if (unscaled % divisor !== 0n) throw new MalformedText()
  return unscaled / divisor
}

function fixedScaleCodec(precision: number, scale: number): TypeCodec {
  const schema = decimal(scale, { parameters: { 'connect.decimal.precision': String(precision) } })
  const digits: Digits = { whole: 0, scale: 0 }
  const parse = (bytes: Buffer, start: number, end: number): Value => {
    if (isSpecial(bytes, start, end)) return null
    readDigits(bytes, start, end, digits)
    return new Decimal(unscaledAt(digits, scale), scale)
  }
  return { schema, parse, fallback: new Decimal(0n, scale) }
}

/** Debezium's struct of a decimal whose scale differs from row to row. */
function variableScaleSchema(isOptional: boolean): Schema {
  return struct(
    { scale: int32(), value: bytesSchema() },
    {
      name: 'io.debezium.data.VariableScaleDecimal',
      version: 1,
      doc: 'Variable scaled decimal',
      ...(isOptional ? { optional: true } : {}),
    },
  )
}

function variableScaleCodec(isOptional: boolean, placeholder: Buffer): TypeCodec {
  const schema = variableScaleSchema(isOptional)
  const make = structMaker(schema)
  const digits: Digits = { whole: 0, scale: 0 }
  const parse = (bytes: Buffer, start: number, end: number): Value => {
    if (isSpecial(bytes, start, end)) return null
    readDigits(bytes, start, withoutZeros(bytes, start, end), digits)
    return make([digits.scale, bytesOfInteger(digits.whole)])
  }
  return { schema, parse, fallback: make([0, Buffer.from([0])]), unavailable: make([0, placeholder]) }
}

/** The end without the zeros that end a fraction, and without its point where nothing else is left of it: the scale is the smallest. */
function withoutZeros(bytes: Buffer, start: number, end: number): number {
  let last = end - 1
  while (last > start && bytes[last] === ZERO) last--
  if (bytes[last] === POINT) return last
  for (let at = last; at > start; at--) if (bytes[at] === POINT) return last + 1
  return end
}
