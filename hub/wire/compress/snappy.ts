/**
 * snappy, raw and in Xerial's framing: a 16-byte header (magic, version, least compatible version), then chunks of a big-endian
 * int32 length and that many bytes of raw snappy. Java's clients write the framing, librdkafka writes it raw; both are read.
 * Source: snappy's format_description.txt; org.xerial.snappy.SnappyOutputStream.
 * @module
 */
import { snappyCompress as compressRaw } from '@platformatic/wasm-utils'
import { corrupt } from '../batch-error.ts'
import { copyLiteral, copyMatch, tooLarge, wordsOf } from './plain.ts'

/** Magic `\x82SNAPPY\0`, version 1, compatible with version 1. */
const XERIAL_HEADER = Buffer.from('82534e41505059000000000100000001', 'hex')
const XERIAL_MAGIC_BYTES = 8
/** The magic's first four bytes as int32: no chunk can be that long, so a second stream behind a first one is recognised. */
const XERIAL_MAGIC_HEAD = 0x82534e41
/** Plain bytes per chunk, as Java's clients cut them. */
const CHUNK_BYTES = 32 * 1024
/** No element of the format yields more than 64 bytes for 3 (a copy with a two-byte distance). */
const EXPANSION_MAX = 22

/** `plain` in Xerial's framing. */
export function snappyCompress(plain: Buffer): Buffer {
  const parts: Buffer[] = [XERIAL_HEADER]
  for (let at = 0; at < plain.length; at += CHUNK_BYTES) {
    const chunk = compressRaw(plain.subarray(at, at + CHUNK_BYTES))
    const length = Buffer.allocUnsafe(4)
    length.writeInt32BE(chunk.length)
    parts.push(length, chunk)
  }
  return Buffer.concat(parts)
}

/** The plain bytes of a framed or raw stream. Errors: see `decompress`. */
export function snappyDecompress(input: Buffer, maxBytes: number): Buffer {
  if (!hasXerialMagic(input, 0)) {
    const output = Buffer.allocUnsafe(rawPlainBytes(input, 0, input.length, maxBytes))
    unpackRaw(input, 0, input.length, output, 0)
    return output
  }
  let plainBytes = 0
  forEachChunk(input, (from, to) => {
    plainBytes += rawPlainBytes(input, from, to, maxBytes - plainBytes)
  })
  const output = Buffer.allocUnsafe(plainBytes)
  let out = 0
  forEachChunk(input, (from, to) => {
    out = unpackRaw(input, from, to, output, out)
  })
  return output
}

/** Whether a Xerial stream begins at `at`. Raw snappy cannot begin so: its second element would copy from before the output. */
function hasXerialMagic(input: Buffer, at: number): boolean {
  return input.length - at >= XERIAL_MAGIC_BYTES && XERIAL_HEADER.compare(input, at, at + XERIAL_MAGIC_BYTES, 0, XERIAL_MAGIC_BYTES) === 0
}

/** Calls `visit` with the range of each chunk; passes over the header of each stream. */
function forEachChunk(input: Buffer, visit: (from: number, to: number) => void): void {
  let at = 0
  while (at < input.length) {
    if (input.length - at < 4) throw corrupt('snappy chunk length is cut')
    const lengthBytes = input.readUInt32BE(at)
    if (lengthBytes === XERIAL_MAGIC_HEAD) {
      if (input.length - at < XERIAL_HEADER.length) throw corrupt('snappy stream header is cut')
      if (!hasXerialMagic(input, at)) throw corrupt('snappy stream header')
      at += XERIAL_HEADER.length
      continue
    }
    at += 4
    if (lengthBytes > input.length - at) throw corrupt('snappy chunk is cut')
    visit(at, at + lengthBytes)
    at += lengthBytes
  }
}

/** Size that the raw stream in `input[from, to)` says it unpacks to; refuses one that so few bytes cannot yield. */
function rawPlainBytes(input: Buffer, from: number, to: number, maxBytes: number): number {
  let plainBytes = 0
  let scale = 1
  let at = from
  for (;;) {
    if (at === to || at - from === 5) throw corrupt('snappy length is cut')
    const byte = input[at++]!
    plainBytes += (byte & 0x7f) * scale
    scale *= 128
    if (byte < 0x80) break
  }
  if (plainBytes > (to - at) * EXPANSION_MAX) throw corrupt('snappy stream is too short for its length')
  if (plainBytes > maxBytes) throw tooLarge('snappy', maxBytes)
  return plainBytes
}

/** Little-endian number of `width` bytes. */
function littleEndian(input: Buffer, at: number, width: number): number {
  let value = input[at]!
  if (width > 1) value |= input[at + 1]! << 8
  if (width > 2) value |= input[at + 2]! << 16
  return width > 3 ? value + input[at + 3]! * 0x1000000 : value
}

/** Unpacks one raw stream to `output[start…]`; returns the position after it. */
function unpackRaw(input: Buffer, from: number, to: number, output: Buffer, start: number): number {
  const source = wordsOf(input)
  const target = wordsOf(output)
  let at = from
  let plainBytes = 0
  let scale = 1
  for (let byte = 0x80; byte >= 0x80; scale *= 128) {
    byte = input[at++]!
    plainBytes += (byte & 0x7f) * scale
  }
  const end = start + plainBytes
  let out = start
  while (at < to) {
    const tag = input[at++]!
    const kind = tag & 3
    let lengthBytes = (tag >>> 2) + 1
    const width = kind === 0 ? Math.max(0, lengthBytes - 60) : kind === 3 ? 4 : kind
    if (width > to - at) throw corrupt('snappy element is cut')
    if (kind === 0) {
      if (width > 0) lengthBytes = littleEndian(input, at, width) + 1
      at += width
      if (lengthBytes > to - at || lengthBytes > end - out) throw corrupt('snappy literal is too long')
      copyLiteral(source, at, target, out, lengthBytes)
      at += lengthBytes
    } else {
      let distanceBytes = littleEndian(input, at, width)
      if (kind === 1) {
        distanceBytes |= (tag >>> 5) << 8
        lengthBytes = ((tag >>> 2) & 7) + 4
      }
      at += width
      if (distanceBytes === 0 || distanceBytes > out - start || lengthBytes > end - out) throw corrupt('snappy copy reaches outside')
      copyMatch(target, out, distanceBytes, lengthBytes)
    }
    out += lengthBytes
  }
  if (out !== end) throw corrupt('snappy stream is shorter than its length says')
  return out
}
