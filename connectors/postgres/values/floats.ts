/**
 * @module connector-postgres/values/floats — float4 and float8: the shortest digits that name the number (extra_float_digits 1), `NaN`,
 * `Infinity`, `-Infinity`.
 */
import { float32, float64 } from '@millrace/sdk'
import { asciiText, MalformedText, type TypeCodec } from './type-codec.ts'

const ZERO = 0x30
const POINT = 0x2e
const MINUS = 0x2d

/** Powers of ten that a double holds exactly. */
const powers = [1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15]

/** The double nearest to the decimal in the text. @throws MalformedText */
export function doubleOf(bytes: Buffer, start: number, end: number): number {
  const isNegative = bytes[start] === MINUS
  const first = isNegative ? start + 1 : start
  // Of at most 15 digits both the whole and the power of ten are exact, so that one division rounds once: to the nearest.
  if (end - first > 16 || first >= end) return slowDouble(bytes, start, end)
  let whole = 0
  let pointAt = -1
  for (let at = first; at < end; at++) {
    const byte = bytes[at]!
    const digit = byte - ZERO
    if (digit >= 0 && digit <= 9) whole = whole * 10 + digit
    else if (byte === POINT && pointAt < 0) pointAt = at
    else return slowDouble(bytes, start, end)
  }
  if (pointAt < 0 ? end - first > 15 : end - first === 1) return slowDouble(bytes, start, end)
  const magnitude = pointAt < 0 ? whole : whole / powers[end - pointAt - 1]!
  return isNegative ? -magnitude : magnitude
}

const NUMBER = /^-?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?$/

function slowDouble(bytes: Buffer, start: number, end: number): number {
  const text = asciiText(bytes, start, end)
  if (text === 'NaN') return Number.NaN
  if (text === 'Infinity') return Number.POSITIVE_INFINITY
  if (text === '-Infinity') return Number.NEGATIVE_INFINITY
  if (!NUMBER.test(text)) throw new MalformedText()
  return Number(text)
}

export const float8Codec: TypeCodec = { schema: float64(), parse: doubleOf, fallback: 0 }
export const float4Codec: TypeCodec = {
  schema: float32(),
  parse: (bytes, start, end) => Math.fround(doubleOf(bytes, start, end)),
  fallback: 0,
}
