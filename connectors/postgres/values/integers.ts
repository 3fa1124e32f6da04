/**
 * @module connector-postgres/values/integers — int2, int4, int8, oid and boolean, read digit by digit without a string between.
 */
import { boolean, int16, int32, int64 } from '@millrace/sdk'
import { asciiText, MalformedText, type TypeCodec } from './type-codec.ts'

const ZERO = 0x30
const MINUS = 0x2d

/** Decimal digits that a number holds exactly, whatever they are. */
export const exactDigitCount = 15

/** A whole number of at most 15 characters, sign included. @throws MalformedText */
export function wholeNumber(bytes: Buffer, start: number, end: number): number {
  const isNegative = bytes[start] === MINUS
  const first = isNegative ? start + 1 : start
  if (first >= end || end - start > exactDigitCount) throw new MalformedText()
  let value = 0
  for (let at = first; at < end; at++) {
    const digit = bytes[at]! - ZERO
    if (!(digit >= 0 && digit <= 9)) throw new MalformedText()
    value = value * 10 + digit
  }
  return isNegative ? 0 - value : value
}

/** A whole number of 64 bits. @throws MalformedText */
export function wholeBigint(bytes: Buffer, start: number, end: number): bigint {
  if (end - start <= exactDigitCount) return BigInt(wholeNumber(bytes, start, end))
  // The digits beyond 64 bits: a sign, 19 digits.
  if (end - start > 20) throw new MalformedText()
  for (let at = bytes[start] === MINUS ? start + 1 : start; at < end; at++) {
    const digit = bytes[at]! - ZERO
    if (!(digit >= 0 && digit <= 9)) throw new MalformedText()
  }
  const value = BigInt(asciiText(bytes, start, end))
  if (BigInt.asIntN(64, value) !== value) throw new MalformedText()
  return value
}

function parseInt2(bytes: Buffer, start: number, end: number): number {
  const value = wholeNumber(bytes, start, end)
  if ((value << 16) >> 16 !== value) throw new MalformedText()
  return value
}

function parseInt4(bytes: Buffer, start: number, end: number): number {
  const value = wholeNumber(bytes, start, end)
  if ((value | 0) !== value) throw new MalformedText()
  return value
}

function parseBool(bytes: Buffer, start: number, end: number): boolean {
  const letter = bytes[start]
  if (end - start !== 1 || (letter !== 0x74 && letter !== 0x66)) throw new MalformedText()
  return letter === 0x74
}

export const int2Codec: TypeCodec = { schema: int16(), parse: parseInt2, fallback: 0 }
export const int4Codec: TypeCodec = { schema: int32(), parse: parseInt4, fallback: 0 }
/** Also of oid, which has 32 bits without a sign. */
export const int8Codec: TypeCodec = { schema: int64(), parse: wholeBigint, fallback: 0n }
export const boolCodec: TypeCodec = { schema: boolean(), parse: parseBool, fallback: false }
