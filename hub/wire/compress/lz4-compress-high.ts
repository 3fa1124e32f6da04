/**
 * lz4 with a search for longer matches, for `compression.lz4.level` other than its default (KIP-390). The blocks are the same to a reader; what the
 * level sets is how many earlier places with the same four bytes are tried.
 * @module
 */

/** Magic, FLG 0x60 (version 1, independent blocks), BD 0x40 (64 KiB), header checksum; as of the fast one. */
const HEADER = Buffer.from('04224d18604082', 'hex')
const END_MARK = Buffer.alloc(4)
const BLOCK_BYTES = 64 * 1024
/** A block whose bytes are not packed has this bit in its size. */
const PLAIN_BIT = 0x80000000
const MATCH_BYTES_MIN = 4
/** The last bytes of a block are literals, and its last match begins at least so far before its end (lz4_Block_format.md). */
const LAST_LITERALS = 5
const LAST_MATCH = 12
const HASH_BITS = 15
const HASH_FACTOR = -1640531535
const NOWHERE = -1
/** Bounds what bytes that are alike without being equal can cost: levels from 11 on are one. */
const TRIES_MAX = 1024

/** Tables of one search; they serve all blocks of all calls, one after another. */
const heads = new Int32Array(1 << HASH_BITS)
const chain = new Int32Array(BLOCK_BYTES)

/** One lz4 frame of `plain`. `level`, 1–17, doubles with each step the places that are tried. */
export function lz4CompressHigh(plain: Buffer, level: number): Buffer {
  const parts: Buffer[] = [HEADER]
  for (let at = 0; at < plain.length; at += BLOCK_BYTES) {
    const block = plain.subarray(at, at + BLOCK_BYTES)
    const packed = packBlock(block, Math.min(1 << (level - 1), TRIES_MAX))
    const size = Buffer.allocUnsafe(4)
    size.writeUInt32LE(packed === undefined ? block.length + PLAIN_BIT : packed.length)
    parts.push(size, packed ?? block)
  }
  parts.push(END_MARK)
  return Buffer.concat(parts)
}

/** A match of the block's bytes at some place with earlier ones; length 0: none. */
interface Match {
  length: number
  from: number
}

/** The packed block, undefined when that is not shorter. */
function packBlock(block: Buffer, triesMax: number): Buffer | undefined {
  const packed = Buffer.allocUnsafe(block.length + Math.ceil(block.length / 255) + 16)
  const [found, next]: [Match, Match] = [
    { length: 0, from: 0 },
    { length: 0, from: 0 },
  ]
  heads.fill(NOWHERE)
  let [to, literalsFrom, entered] = [0, 0, 0]
  const matchEnd = block.length - LAST_MATCH
  for (let at = 0; at <= matchEnd; ) {
    entered = enter(block, entered, at)
    findMatch(block, at, triesMax, found)
    if (found.length < MATCH_BYTES_MIN) {
      at++
      continue
    }
    // A longer match one byte further on is worth a literal.
    for (; at < matchEnd; at++) {
      entered = enter(block, entered, at + 1)
      findMatch(block, at + 1, triesMax, next)
      if (next.length <= found.length) break
      found.length = next.length
      found.from = next.from
    }
    to = putSequence(packed, to, block, literalsFrom, at, found)
    at += found.length
    literalsFrom = at
  }
  to = putLiterals(packed, to, block, literalsFrom, block.length, 0)
  return to < block.length ? packed.subarray(0, to) : undefined
}

/** Notes the places below `at`, so that they may be found from there. */
function enter(block: Buffer, from: number, at: number): number {
  for (let place = from; place < at; place++) {
    const hash = hashAt(block, place)
    chain[place] = heads[hash] as number
    heads[hash] = place
  }
  return Math.max(from, at)
}

function hashAt(block: Buffer, at: number): number {
  return Math.imul(fourBytes(block, at), HASH_FACTOR) >>> (32 - HASH_BITS)
}

function fourBytes(block: Buffer, at: number): number {
  return (block[at] as number) | ((block[at + 1] as number) << 8) | ((block[at + 2] as number) << 16) | ((block[at + 3] as number) << 24)
}

/** The longest match among those that are tried; the nearest of equal ones. */
function findMatch(block: Buffer, at: number, triesMax: number, best: Match): void {
  best.length = 0
  const wanted = fourBytes(block, at)
  const end = block.length - LAST_LITERALS
  let place = heads[hashAt(block, at)] as number
  for (let tries = triesMax; place >= 0 && tries > 0; tries--) {
    if (fourBytes(block, place) === wanted && block[place + best.length] === block[at + best.length]) {
      let length = MATCH_BYTES_MIN
      while (at + length < end && block[place + length] === block[at + length]) length++
      if (length > best.length) {
        best.length = length
        best.from = place
        if (at + length === end) return
      }
    }
    place = chain[place] as number
  }
}

/** Literals, then the match at `at`. Returns the place behind them. */
function putSequence(packed: Buffer, start: number, block: Buffer, literalsFrom: number, at: number, match: Match): number {
  const rest = match.length - MATCH_BYTES_MIN
  let to = putLiterals(packed, start, block, literalsFrom, at, Math.min(rest, 15))
  packed.writeUInt16LE(at - match.from, to)
  to += 2
  return rest < 15 ? to : putLength(packed, to, rest - 15)
}

/** A token with the lower half given, and literals. */
function putLiterals(packed: Buffer, start: number, block: Buffer, from: number, end: number, lowerHalf: number): number {
  const count = end - from
  packed[start] = (Math.min(count, 15) << 4) | lowerHalf
  const to = count < 15 ? start + 1 : putLength(packed, start + 1, count - 15)
  block.copy(packed, to, from, end)
  return to + count
}

function putLength(packed: Buffer, start: number, length: number): number {
  let to = start
  for (let rest = length; ; rest -= 255) {
    packed[to++] = Math.min(rest, 255)
    if (rest < 255) return to
  }
}
