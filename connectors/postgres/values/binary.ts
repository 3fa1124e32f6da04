/**
 * @module connector-postgres/values/binary — bytea, bit strings, and the types that are unknown here.
 *
 * Source: `binary.handling.mode`; Debezium's Bits, whose bytes are the lowest first.
 */
import { boolean, bytes as bytesSchema, type Schema, string, type Value } from '@millrace/sdk'
import type { ValueSettings } from './contract.ts'
import { asciiText, MalformedText, type TypeCodec, type TypeContext } from './type-codec.ts'

type BinaryMode = ValueSettings['binaryMode']

/** The schema of bytes in a mode. */
export function binarySchema(mode: BinaryMode): Schema {
  return mode === 'bytes' ? bytesSchema() : string()
}

function shown(value: Buffer, mode: BinaryMode): Value {
  switch (mode) {
    case 'bytes':
      return value
    case 'base64':
      return value.toString('base64')
    case 'base64-url-safe':
      // Java's encoder pads, Node's base64url does not.
      return value.toString('base64').replaceAll('+', '-').replaceAll('/', '_')
    case 'hex':
      return value.toString('hex')
  }
}

/** The codec of bytea, whose text is `\x` and hexadecimal (bytea_output hex). */
export function byteaCodec({ settings }: TypeContext): TypeCodec {
  const mode = settings.binaryMode
  const parse = (bytes: Buffer, start: number, end: number): Value => shown(bytesOfHex(bytes, start, end), mode)
  return { schema: binarySchema(mode), parse, fallback: shown(Buffer.alloc(0), mode) }
}

function bytesOfHex(bytes: Buffer, start: number, end: number): Buffer {
  if (bytes[start] !== 0x5c || bytes[start + 1] !== 0x78 || (end - start) % 2 !== 0 || end - start < 2) throw new MalformedText()
  const value = Buffer.from(asciiText(bytes, start + 2, end), 'hex')
  // It ends at the first character that is no digit.
  if (value.length !== (end - start - 2) / 2) throw new MalformedText()
  return value
}

/** The codec of a type that has no meaning here: the bytes of its text. */
export function unknownCodec(settings: ValueSettings): TypeCodec {
  const mode = settings.binaryMode
  const parse = (bytes: Buffer, start: number, end: number): Value => shown(Buffer.from(bytes.subarray(start, end)), mode)
  return { schema: binarySchema(mode), parse, fallback: shown(Buffer.alloc(0), mode) }
}

/** `length` of a bit varying without one. */
const bitCountMax = 2_147_483_647

/** Debezium's schema of bit strings. */
export function bitsSchema(modifier: number): Schema {
  const length = modifier < 0 ? bitCountMax : modifier
  return bytesSchema({ name: 'io.debezium.data.Bits', version: 1, parameters: { length: String(length) } })
}

/** The codec of bit and bit varying: a single bit is a boolean. */
export function bitCodec({ modifier }: TypeContext): TypeCodec {
  if (modifier === 1) return { schema: boolean(), parse: singleBit, fallback: false }
  return { schema: bitsSchema(modifier), parse: littleEndianBits, fallback: Buffer.alloc(0) }
}

function singleBit(bytes: Buffer, start: number, end: number): boolean {
  // A bit varying(1) may be empty.
  if (start === end) return false
  if (end - start !== 1 || (bytes[start] !== 0x30 && bytes[start] !== 0x31)) throw new MalformedText()
  return bytes[start] === 0x31
}

/** The last character is bit 0 of byte 0; bytes beyond the highest one that is not zero are left out, as `BitSet.toByteArray` does. */
function littleEndianBits(bytes: Buffer, start: number, end: number): Buffer {
  const value = Buffer.alloc(Math.ceil((end - start) / 8))
  let byteCount = 0
  for (let at = end - 1, bit = 0; at >= start; at--, bit++) {
    const digit = bytes[at]! - 0x30
    if (digit !== 0 && digit !== 1) throw new MalformedText()
    if (digit === 0) continue
    value[bit >> 3]! |= 1 << (bit & 7)
    byteCount = (bit >> 3) + 1
  }
  return value.subarray(0, byteCount)
}
