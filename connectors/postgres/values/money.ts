/**
 * @module connector-postgres/values/money — money: the text has a currency's sign, separators and perhaps parentheses, by `lc_monetary`.
 */
import { Decimal, decimal, float64, string, type Value } from '@millrace/sdk'
import { MalformedText, type TypeCodec, type TypeContext } from './type-codec.ts'

const COMMA = 0x2c
const POINT = 0x2e

/** The codec of money in each decimal mode. */
export function moneyCodec({ settings }: TypeContext): TypeCodec {
  const { decimalMode, moneyFractionDigits: scale } = settings
  switch (decimalMode) {
    case 'precise':
      return {
        schema: decimal(scale),
        parse: (bytes, start, end) => rescaled(amountOf(bytes, start, end), scale),
        fallback: new Decimal(0n, scale),
      }
    case 'string':
      return {
        schema: string(),
        parse: (bytes, start, end) => amountOf(bytes, start, end).toString(),
        fallback: new Decimal(0n, scale).toString(),
      }
    case 'double':
      return { schema: float64(), parse: (bytes, start, end): Value => Number(amountOf(bytes, start, end).toString()), fallback: 0 }
  }
}

/** The amount with the digits behind the point that its text has. @throws MalformedText */
function amountOf(bytes: Buffer, start: number, end: number): Decimal {
  const pointAt = decimalPoint(bytes, start, end)
  let isNegative = false
  let digits = ''
  for (let at = start; at < end; at++) {
    const byte = bytes[at]!
    if (byte >= 0x30 && byte <= 0x39) digits += String.fromCharCode(byte)
    else if (byte === 0x2d || byte === 0x28) isNegative = true
  }
  if (digits === '') throw new MalformedText()
  let scale = 0
  if (pointAt >= 0) for (let at = pointAt + 1; at < end; at++) if (bytes[at]! >= 0x30 && bytes[at]! <= 0x39) scale++
  const magnitude = BigInt(digits)
  return new Decimal(isNegative ? -magnitude : magnitude, scale)
}

/**
 * Where the fraction begins. With both separators it is the last one; one that stands there often parts thousands, and so does a single
 * comma before three digits.
 */
function decimalPoint(bytes: Buffer, start: number, end: number): number {
  let commaCount = 0
  let pointCount = 0
  let last = -1
  for (let at = start; at < end; at++) {
    if (bytes[at] === COMMA) commaCount++
    else if (bytes[at] === POINT) pointCount++
    else continue
    // A separator has digits on its right: the point of "Fr." does not part anything.
    const next = bytes[at + 1]
    if (at + 1 < end && next !== undefined && next >= 0x30 && next <= 0x39) last = at
    else if (bytes[at] === COMMA) commaCount--
    else pointCount--
  }
  if (last < 0) return -1
  if (commaCount > 0 && pointCount > 0) return last
  if (commaCount + pointCount > 1) return -1
  return bytes[last] === COMMA && digitsAfter(bytes, last, end) === 3 ? -1 : last
}

function digitsAfter(bytes: Buffer, at: number, end: number): number {
  let count = 0
  while (at + 1 + count < end && bytes[at + 1 + count]! >= 0x30 && bytes[at + 1 + count]! <= 0x39) count++
  return count
}

/** Brought to the scale, half away from zero. */
function rescaled(amount: Decimal, scale: number): Decimal {
  const step = scale - amount.scale
  if (step >= 0) return new Decimal(amount.unscaled * 10n ** BigInt(step), scale)
  const divisor = 10n ** BigInt(-step)
  const magnitude = amount.unscaled < 0n ? -amount.unscaled : amount.unscaled
  const rounded = (magnitude + divisor / 2n) / divisor
  return new Decimal(amount.unscaled < 0n ? -rounded : rounded, scale)
}
