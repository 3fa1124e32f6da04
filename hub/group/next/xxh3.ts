/**
 * @module group/next/xxh3 — XXH3 with 64 bits and seed 0 (Yann Collet's xxHash 0.8), over typed values as hash4j puts them: numbers
 * little-endian, a string as its UTF-16 units followed by their count.
 *
 * Groups hash a topic once per change of it, so plain BigInt arithmetic is fast enough.
 */
const MASK = 0xffff_ffff_ffff_ffffn
const LOW = 0xffff_ffffn

const P32_1 = 0x9e3779b1n
const P32_2 = 0x85ebca77n
const P32_3 = 0xc2b2ae3dn
const P64_1 = 0x9e3779b185ebca87n
const P64_2 = 0xc2b2ae3d27d4eb4fn
const P64_3 = 0x165667b19e3779f9n
const P64_4 = 0x85ebca77c2b2ae63n
const P64_5 = 0x27d4eb2f165667c5n
const MIX_1 = 0x165667919e3779f9n
const MIX_2 = 0x9fb21c651e98df25n

/** The default secret of the algorithm: 192 bytes. */
const SECRET = Buffer.from(
  'b8fe6c3923a44bbe7c01812cf721ad1cded46de9839097db7240a4a4b7b3671fcb79e64eccc0e578825ad07dccff7221b8084674f743248ee03590e6813a264c' +
    '3c2852bb91c300cb88d0658b1b532ea371644897a20df94e3819ef46a9deacd8a8fa763fe39c343ff9dcbbc7c70b4f1d8a51e04bcdb45931c89f7ec9d9787364' +
    'eac5ac8334d3ebc3c581a0fffa1363eb170ddd51b7f0da49d316552629d4689e2b16be587d47a1fc8ff8b8d17ad031ce45cb3a8f95160428afd7fbcabb4b407e',
  'hex',
)

const STRIPE_BYTES = 64
const ACCUMULATOR_COUNT = 8
const SECRET_STEP_BYTES = 8
const STRIPES_PER_BLOCK = (SECRET.length - STRIPE_BYTES) / SECRET_STEP_BYTES
const MIDSIZE_MAX_BYTES = 240
const SMALL_MAX_BYTES = 128

/** Gathers values and hashes them. */
export class Xxh3 {
  readonly #parts: Buffer[] = []

  byte(value: number): this {
    return this.#add(Buffer.of(value))
  }

  /** A signed number of 32 bits. */
  int(value: number): this {
    const part = Buffer.alloc(4)
    part.writeInt32LE(value)
    return this.#add(part)
  }

  /** A signed number of 64 bits. */
  long(value: bigint): this {
    const part = Buffer.alloc(8)
    part.writeBigInt64LE(value)
    return this.#add(part)
  }

  string(value: string): this {
    return this.#add(Buffer.from(value, 'utf16le')).int(value.length)
  }

  /** The hash, as a signed number of 64 bits. */
  digest(): bigint {
    return BigInt.asIntN(64, xxh3(Buffer.concat(this.#parts)))
  }

  #add(part: Buffer): this {
    this.#parts.push(part)
    return this
  }
}

/** The hash of bytes, unsigned. */
export function xxh3(input: Buffer): bigint {
  const { length } = input
  if (length === 0) return avalanche64(read64(SECRET, 56) ^ read64(SECRET, 64))
  if (length <= 3) return hash1to3(input)
  if (length <= 8) return hash4to8(input)
  if (length <= 16) return hash9to16(input)
  if (length <= SMALL_MAX_BYTES) return hash17to128(input)
  if (length <= MIDSIZE_MAX_BYTES) return hash129to240(input)
  return hashLong(input)
}

function hash1to3(input: Buffer): bigint {
  const { length } = input
  const combined =
    (BigInt(input.readUInt8(0)) << 16n) |
    (BigInt(input.readUInt8(length >> 1)) << 24n) |
    BigInt(input.readUInt8(length - 1)) |
    (BigInt(length) << 8n)
  return avalanche64(combined ^ (read32(SECRET, 0) ^ read32(SECRET, 4)))
}

function hash4to8(input: Buffer): bigint {
  const { length } = input
  const flip = read64(SECRET, 8) ^ read64(SECRET, 16)
  const keyed = (read32(input, length - 4) + (read32(input, 0) << 32n)) ^ flip
  let hash = (keyed ^ rotate(keyed, 49n) ^ rotate(keyed, 24n)) & MASK
  hash = (hash * MIX_2) & MASK
  hash ^= (hash >> 35n) + BigInt(length)
  hash = (hash * MIX_2) & MASK
  return hash ^ (hash >> 28n)
}

function hash9to16(input: Buffer): bigint {
  const { length } = input
  const low = read64(input, 0) ^ (read64(SECRET, 24) ^ read64(SECRET, 32))
  const high = read64(input, length - 8) ^ (read64(SECRET, 40) ^ read64(SECRET, 48))
  return avalanche((BigInt(length) + swap64(low) + high + fold(low, high)) & MASK)
}

function hash17to128(input: Buffer): bigint {
  const { length } = input
  let sum = (BigInt(length) * P64_1) & MASK
  const pairCount = Math.ceil(length / 32)
  for (let pair = pairCount - 1; pair >= 0; pair--) {
    sum += mix16(input, pair * 16, pair * 32) + mix16(input, length - 16 * (pair + 1), pair * 32 + 16)
  }
  return avalanche(sum & MASK)
}

function hash129to240(input: Buffer): bigint {
  const { length } = input
  let sum = (BigInt(length) * P64_1) & MASK
  for (let round = 0; round < 8; round++) sum += mix16(input, 16 * round, 16 * round)
  sum = avalanche(sum & MASK)
  const roundCount = length >> 4
  for (let round = 8; round < roundCount; round++) sum += mix16(input, 16 * round, 16 * (round - 8) + 3)
  sum += mix16(input, length - 16, 136 - 17)
  return avalanche(sum & MASK)
}

function hashLong(input: Buffer): bigint {
  const accumulators = [P32_3, P64_1, P64_2, P64_3, P64_4, P32_2, P64_5, P32_1]
  const lastStripe = input.length - STRIPE_BYTES
  const stripeCount = Math.floor((input.length - 1) / STRIPE_BYTES)
  for (let stripe = 0; stripe < stripeCount; stripe++) {
    const inBlock = stripe % STRIPES_PER_BLOCK
    accumulate(accumulators, input, stripe * STRIPE_BYTES, inBlock * SECRET_STEP_BYTES)
    if (inBlock === STRIPES_PER_BLOCK - 1) scramble(accumulators)
  }
  accumulate(accumulators, input, lastStripe, SECRET.length - STRIPE_BYTES - 7)
  let sum = (BigInt(input.length) * P64_1) & MASK
  for (let at = 0; at < ACCUMULATOR_COUNT; at += 2) {
    sum += fold((accumulators[at] ?? 0n) ^ read64(SECRET, 11 + at * 8), (accumulators[at + 1] ?? 0n) ^ read64(SECRET, 19 + at * 8))
  }
  return avalanche(sum & MASK)
}

function accumulate(accumulators: bigint[], input: Buffer, inputAt: number, secretAt: number): void {
  for (let at = 0; at < ACCUMULATOR_COUNT; at++) {
    const data = read64(input, inputAt + at * 8)
    const keyed = data ^ read64(SECRET, secretAt + at * 8)
    accumulators[at ^ 1] = ((accumulators[at ^ 1] ?? 0n) + data) & MASK
    accumulators[at] = ((accumulators[at] ?? 0n) + (keyed & LOW) * (keyed >> 32n)) & MASK
  }
}

function scramble(accumulators: bigint[]): void {
  const secretAt = SECRET.length - STRIPE_BYTES
  for (let at = 0; at < ACCUMULATOR_COUNT; at++) {
    const value = accumulators[at] ?? 0n
    accumulators[at] = ((value ^ (value >> 47n) ^ read64(SECRET, secretAt + at * 8)) * P32_1) & MASK
  }
}

function mix16(input: Buffer, inputAt: number, secretAt: number): bigint {
  return fold(read64(input, inputAt) ^ read64(SECRET, secretAt), read64(input, inputAt + 8) ^ read64(SECRET, secretAt + 8))
}

/** The 128 bits of a product, its halves laid over each other. */
function fold(a: bigint, b: bigint): bigint {
  const product = a * b
  return (product & MASK) ^ (product >> 64n)
}

function avalanche(hash: bigint): bigint {
  const mixed = ((hash ^ (hash >> 37n)) * MIX_1) & MASK
  return mixed ^ (mixed >> 32n)
}

function avalanche64(hash: bigint): bigint {
  let mixed = ((hash ^ (hash >> 33n)) * P64_2) & MASK
  mixed = ((mixed ^ (mixed >> 29n)) * P64_3) & MASK
  return mixed ^ (mixed >> 32n)
}

function rotate(value: bigint, count: bigint): bigint {
  return ((value << count) | (value >> (64n - count))) & MASK
}

function swap64(value: bigint): bigint {
  const bytes = Buffer.alloc(8)
  bytes.writeBigUInt64LE(value)
  return bytes.readBigUInt64BE()
}

function read32(buffer: Buffer, at: number): bigint {
  return BigInt(buffer.readUInt32LE(at))
}

function read64(buffer: Buffer, at: number): bigint {
  return buffer.readBigUInt64LE(at)
}
