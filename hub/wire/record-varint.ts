/**
 * Zigzag varints of records (KIP-98 uses protocol buffers' encoding): `varint` holds an int32, `varlong` an int64 that must be
 * a safe integer. A reader leaves the position behind what it read in `varintEnd()`: two results without an object.
 * @module
 */
import { invalid } from './batch-error.ts'

let end = 0

/** Position after the varint or varlong that was read last. */
export function varintEnd(): number {
  return end
}

/** Reads an int32 at `at`. Throws BatchError if it is cut or longer than five bytes. */
export function readVarint(source: Buffer, at: number): number {
  const first = source[at]!
  if (first < 0x80) {
    end = at + 1
    return (first >>> 1) ^ -(first & 1)
  }
  return readLongVarint(source, at)
}

function readLongVarint(source: Buffer, at: number): number {
  let value = 0
  let position = at
  for (let shift = 0; shift < 35; shift += 7) {
    const byte = source[position++]
    if (byte === undefined) throw invalid('varint is cut')
    value |= (byte & 0x7f) << shift
    if (byte < 0x80) {
      end = position
      return (value >>> 1) ^ -(value & 1)
    }
  }
  throw invalid('varint is longer than 5 bytes')
}

/** Reads an int64 at `at`. Throws BatchError if it is cut, longer than ten bytes or beyond 2^53. */
export function readVarlong(source: Buffer, at: number): number {
  const first = source[at]!
  if (first < 0x80) {
    end = at + 1
    return (first >>> 1) ^ -(first & 1)
  }
  return readLongVarlong(source, at)
}

function readLongVarlong(source: Buffer, at: number): number {
  let low = 0
  let high = 0
  let scale = 1
  let position = at
  for (let count = 0; count < 10; count += 1) {
    const byte = source[position++]
    if (byte === undefined) throw invalid('varlong is cut')
    if (count < 4) low |= (byte & 0x7f) << (7 * count)
    else {
      high += (byte & 0x7f) * scale
      scale *= 128
    }
    if (byte < 0x80) {
      end = position
      // low holds 28 bits, the lowest of them the sign: 27 remain, so high may hold 26 for a safe integer.
      if (high >= 0x4000000) throw invalid('varlong is beyond 2^53')
      const magnitude = high * 0x8000000 + (low >>> 1)
      return low & 1 ? -magnitude - 1 : magnitude
    }
  }
  throw invalid('varlong is longer than 10 bytes')
}

/** Bytes of an int32 as varint. */
export function varintBytes(value: number): number {
  const zigzag = (value << 1) ^ (value >> 31)
  return ((38 - Math.clz32(zigzag | 1)) * 37) >>> 8
}

/** Bytes of a safe integer as varlong. */
export function varlongBytes(value: number): number {
  if (value === (value | 0)) return varintBytes(value)
  let magnitude = value < 0 ? -value - 1 : value
  let count = 1
  for (magnitude = Math.floor(magnitude / 64); magnitude > 0; magnitude = Math.floor(magnitude / 128)) count += 1
  return count
}

/** Writes an int32 at `at`; returns the position after it. */
export function writeVarint(target: Buffer, at: number, value: number): number {
  let zigzag = (value << 1) ^ (value >> 31)
  let position = at
  while ((zigzag & ~0x7f) !== 0) {
    target[position++] = (zigzag & 0x7f) | 0x80
    zigzag >>>= 7
  }
  target[position++] = zigzag
  return position
}

/** Writes a safe integer as varlong at `at`; returns the position after it. */
export function writeVarlong(target: Buffer, at: number, value: number): number {
  if (value === (value | 0)) return writeVarint(target, at, value)
  let magnitude = value < 0 ? -value - 1 : value
  let position = at
  target[position++] = ((magnitude % 64) << 1) | (value < 0 ? 1 : 0) | 0x80
  for (magnitude = Math.floor(magnitude / 64); magnitude >= 128; magnitude = Math.floor(magnitude / 128)) {
    target[position++] = (magnitude % 128) | 0x80
  }
  target[position++] = magnitude
  return position
}
