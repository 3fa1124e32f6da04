/**
 * Decoder of lz4 frames. A first pass over headers and tokens computes the exact size of the output and refuses what does not
 * fit; only then is memory taken, once, and filled. Reads everything the format has except dictionaries: linked blocks, stored
 * blocks, block and content checksums, content size, skippable and concatenated frames.
 * Source: lz4 Frame Format 1.6.4, lz4 Block Format; KIP-57 for the header checksum.
 * @module
 */
import { corrupt } from '../batch-error.ts'
import { copyLiteral, copyMatch, tooLarge, wordsOf } from './plain.ts'
import { xxhash32 } from './xxhash32.ts'

const FRAME_MAGIC = 0x184d2204
/** The sixteen magics from this one on mark frames that a decoder skips. */
const SKIPPABLE_MAGIC = 0x184d2a50
const FLAG = {
  versionMask: 0xc0,
  version: 0x40,
  blockChecksum: 0x10,
  contentSize: 0x08,
  contentChecksum: 0x04,
  reserved: 0x02,
  dictionary: 0x01,
  linked: 0x20,
} as const
/** Bit of a block's size that says: stored, not compressed. */
const STORED = 0x80000000
const MATCH_BYTES_MIN = 4

interface FrameHeader {
  readonly flags: number
  readonly blockBytesMax: number
  /** −1 when the header does not say. */
  readonly contentBytes: number
  readonly end: number
}

function uint32(input: Buffer, at: number): number {
  if (at + 4 > input.length) throw corrupt('lz4 frame is cut')
  return (input[at]! | (input[at + 1]! << 8) | (input[at + 2]! << 16) | (input[at + 3]! << 24)) >>> 0
}

/** Reads the frame header whose magic number is at `at`. */
function readHeader(input: Buffer, at: number): FrameHeader {
  if (at + 7 > input.length) throw corrupt('lz4 frame header is cut')
  const flags = input[at + 4]!
  const descriptor = input[at + 5]!
  const blockSizeCode = (descriptor >>> 4) & 7
  if ((flags & FLAG.versionMask) !== FLAG.version || (flags & FLAG.reserved) !== 0) throw corrupt('lz4 frame version or reserved bits')
  if ((flags & FLAG.dictionary) !== 0) throw corrupt('lz4 frame needs a dictionary')
  if (blockSizeCode < 4 || (descriptor & 0x8f) !== 0) throw corrupt('lz4 frame block size or reserved bits')
  let end = at + 6
  let contentBytes = -1
  if ((flags & FLAG.contentSize) !== 0) {
    contentBytes = uint32(input, end) + uint32(input, end + 4) * 0x100000000
    end += 8
  }
  if (end >= input.length) throw corrupt('lz4 frame header is cut')
  const stored = input[end]!
  const computed = (xxhash32(input, at + 4, end) >>> 8) & 0xff
  // Kafka before 0.10 took the magic number into the checksum. Either is accepted: which of them is told by nothing but the magic
  // of the message around it, and a damaged header does not get much further anyway.
  if (stored !== computed && stored !== ((xxhash32(input, at, end) >>> 8) & 0xff)) throw corrupt('lz4 frame header checksum')
  return {
    flags,
    blockBytesMax: 1 << (8 + 2 * blockSizeCode),
    contentBytes,
    end: end + 1,
  }
}

/** Bytes that the compressed block in `input[from, to)` unpacks to. Checks every length, and no distance. */
function blockPlainBytes(input: Buffer, from: number, to: number): number {
  let at = from
  let plainBytes = 0
  while (at < to) {
    const token = input[at++]!
    let literalBytes = token >>> 4
    if (literalBytes === 15) {
      let more = 255
      while (more === 255 && at < to) literalBytes += more = input[at++]!
    }
    at += literalBytes
    plainBytes += literalBytes
    if (at === to) return plainBytes
    at += 2
    let matchBytes = token & 15
    if (matchBytes === 15) {
      let more = 255
      while (more === 255 && at < to) matchBytes += more = input[at++]!
    }
    plainBytes += matchBytes + MATCH_BYTES_MIN
  }
  // A block ends with literals (block format, "end of block conditions"); anything else is cut or damaged.
  throw corrupt('lz4 block is cut')
}

/** Unpacks a block that `blockPlainBytes` has passed. Matches may reach back to `windowStart`. Returns the position after it. */
function unpackBlock(input: Buffer, from: number, to: number, output: Buffer, start: number, windowStart: number): number {
  const source = wordsOf(input)
  const target = wordsOf(output)
  let at = from
  let out = start
  for (;;) {
    const token = input[at++]!
    let literalBytes = token >>> 4
    if (literalBytes === 15) {
      let more = 255
      while (more === 255) literalBytes += more = input[at++]!
    }
    copyLiteral(source, at, target, out, literalBytes)
    at += literalBytes
    out += literalBytes
    if (at === to) return out
    const distanceBytes = input[at]! | (input[at + 1]! << 8)
    at += 2
    let matchBytes = token & 15
    if (matchBytes === 15) {
      let more = 255
      while (more === 255) matchBytes += more = input[at++]!
    }
    if (distanceBytes === 0 || distanceBytes > out - windowStart) throw corrupt('lz4 match reaches before its window')
    copyMatch(target, out, distanceBytes, matchBytes + MATCH_BYTES_MIN)
    out += matchBytes + MATCH_BYTES_MIN
  }
}

/** Calls `visit` for each block of a frame; returns the position of the end mark's successor. */
function forEachBlock(input: Buffer, header: FrameHeader, visit: (from: number, to: number, stored: boolean) => void): number {
  let at = header.end
  for (;;) {
    const size = uint32(input, at)
    at += 4
    if (size === 0) return at
    const stored = size >= STORED
    const sizeBytes = stored ? size - STORED : size
    if (sizeBytes > header.blockBytesMax || sizeBytes > input.length - at) throw corrupt('lz4 block is cut or larger than its frame allows')
    visit(at, at + sizeBytes, stored)
    at += sizeBytes
    if ((header.flags & FLAG.blockChecksum) !== 0) {
      if (uint32(input, at) !== xxhash32(input, at - sizeBytes, at)) throw corrupt('lz4 block checksum')
      at += 4
    }
  }
}

/** Sums up the plain bytes of the frame at `at`, up to `maxBytes`. */
function measureFrame(input: Buffer, header: FrameHeader, maxBytes: number): { plainBytes: number; end: number } {
  let plainBytes = 0
  const blocksEnd = forEachBlock(input, header, (from, to, stored) => {
    const blockBytes = stored ? to - from : blockPlainBytes(input, from, to)
    if (blockBytes > header.blockBytesMax) throw corrupt('lz4 block unpacks to more than its frame allows')
    plainBytes += blockBytes
    if (plainBytes > maxBytes) throw tooLarge('lz4', maxBytes)
  })
  if (header.contentBytes >= 0 && header.contentBytes !== plainBytes) throw corrupt('lz4 content size is not what the blocks hold')
  const end = blocksEnd + ((header.flags & FLAG.contentChecksum) !== 0 ? 4 : 0)
  if (end > input.length) throw corrupt('lz4 frame is cut')
  return { plainBytes, end }
}

function unpackFrame(input: Buffer, header: FrameHeader, output: Buffer, start: number): number {
  let out = start
  const linked = (header.flags & FLAG.linked) === 0
  const blocksEnd = forEachBlock(input, header, (from, to, stored) => {
    if (!stored) {
      out = unpackBlock(input, from, to, output, out, linked ? start : out)
      return
    }
    input.copy(output, out, from, to)
    out += to - from
  })
  if ((header.flags & FLAG.contentChecksum) !== 0 && uint32(input, blocksEnd) !== xxhash32(output, start, out))
    throw corrupt('lz4 content checksum')
  return out
}

/** The plain bytes of one or more lz4 frames. Errors: see `decompress`. */
export function lz4Decompress(input: Buffer, maxBytes: number): Buffer {
  const headers: FrameHeader[] = []
  let plainBytes = 0
  let at = 0
  while (at < input.length || at === 0) {
    const magic = uint32(input, at)
    if (magic >= SKIPPABLE_MAGIC && magic < SKIPPABLE_MAGIC + 16) {
      at += 8 + uint32(input, at + 4)
      if (at > input.length) throw corrupt('lz4 skippable frame is cut')
      continue
    }
    if (magic !== FRAME_MAGIC) throw corrupt('not an lz4 frame')
    const header = readHeader(input, at)
    const measured = measureFrame(input, header, maxBytes - plainBytes)
    headers.push(header)
    plainBytes += measured.plainBytes
    at = measured.end
  }
  const output = Buffer.allocUnsafe(plainBytes)
  let out = 0
  for (const header of headers) out = unpackFrame(input, header, output, out)
  return output
}
