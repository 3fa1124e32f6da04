/**
 * @module wire/reader — a cursor over one frame.
 *
 * Every read checks its bounds and every count is judged before anything is allocated for it, so that a frame costs at
 * most what its own size explains. All failures are `DecodeError`; the compiled decoders add the path of the field.
 */
import { DecodeError } from './errors.ts'
import { ZERO_UUID } from './schema.ts'

/** Bounds of one decode. */
export interface DecodeLimits {
  /** Elements of one array. */
  readonly arrayElementsMax: number
  /** Tagged fields of one struct. */
  readonly taggedFieldsMax: number
  /** UTF-8 bytes of one string. */
  readonly stringBytesMax: number
  /** Estimated heap of all array elements of one message, in bytes: small elements grow 10 to 100 times when decoded. */
  readonly heapBytesMax: number
}

/** Kafka's own limits (the first three), and ours on the heap that one frame may ask for. */
export const DECODE_LIMITS: DecodeLimits = {
  arrayElementsMax: 1_000_000,
  taggedFieldsMax: 10_000,
  stringBytesMax: 32_767,
  heapBytesMax: 256 * 1024 * 1024,
}

/**
 * Bounds of one request at a broker: tighter on the heap, since one event loop serves everybody and a request of a million elements would hold
 * it for seconds. 32 MiB is a fetch of 170,000 partitions or a commit of 290,000.
 */
export const REQUEST_LIMITS: DecodeLimits = { ...DECODE_LIMITS, heapBytesMax: 32 * 1024 * 1024 }

const TWO_32 = 4_294_967_296
const EMPTY = Buffer.alloc(0)

/** Reads big-endian values and Kafka's variable-length ones from `buffer`, from `offset` on. */
export class Reader {
  readonly buffer: Buffer
  readonly limits: DecodeLimits
  /** Index of the next byte. */
  position: number
  #end: number
  #heapBytes = 0

  constructor(buffer: Buffer, offset = 0, limits: DecodeLimits = DECODE_LIMITS) {
    this.buffer = buffer
    this.limits = limits
    this.position = offset
    this.#end = buffer.length
  }

  /** Bytes not read yet. */
  get remaining(): number {
    return this.#end - this.position
  }

  /** Estimated heap of what arrays were read so far, in bytes (see `DecodeLimits.heapBytesMax`). */
  get heapBytes(): number {
    return this.#heapBytes
  }

  /** Goes back to `position` and forgets what arrays were charged since: for a second pass over the same bytes. */
  rewind(position: number): void {
    this.position = position
    this.#heapBytes = 0
  }

  /** Raises a DecodeError. */
  fail(reason: string): never {
    throw new DecodeError(reason)
  }

  /** Moves past `count` bytes and returns where they began. */
  skip(count: number): number {
    const at = this.position
    if (count > this.#end - at) this.fail(`needs ${count} bytes, ${this.#end - at} are left`)
    this.position = at + count
    return at
  }

  bool(): boolean {
    return this.int8() !== 0
  }

  int8(): number {
    return (this.buffer[this.skip(1)]! << 24) >> 24
  }

  int16(): number {
    const at = this.skip(2)
    const buffer = this.buffer
    return ((buffer[at]! << 24) >> 16) | buffer[at + 1]!
  }

  uint16(): number {
    return this.int16() & 0xffff
  }

  int32(): number {
    const at = this.skip(4)
    const buffer = this.buffer
    return (buffer[at]! << 24) | (buffer[at + 1]! << 16) | (buffer[at + 2]! << 8) | buffer[at + 3]!
  }

  uint32(): number {
    return this.int32() >>> 0
  }

  /** An int64 as a number; beyond ±2^53 a DecodeError. */
  offset(): number {
    const high = this.int32()
    const low = this.int32() >>> 0
    if (high > 0x1fffff || high < -0x200000) this.fail('an int64 beyond 2^53')
    return high * TWO_32 + low
  }

  /** An int64 in its whole range. */
  int64(): bigint {
    return this.buffer.readBigInt64BE(this.skip(8))
  }

  float64(): number {
    return this.buffer.readDoubleBE(this.skip(8))
  }

  uuid(): string {
    const at = this.skip(16)
    const buffer = this.buffer
    if (buffer[at] === 0 && buffer[at + 15] === 0 && isZero(buffer, at, at + 16)) return ZERO_UUID
    return buffer.toString('base64url', at, at + 16)
  }

  /** An unsigned varint of at most 32 bits and five bytes. */
  varint(): number {
    const first = this.buffer[this.skip(1)]!
    return first < 0x80 ? first : this.#varintTail(first & 0x7f)
  }

  #varintTail(low: number): number {
    let value = low
    for (let shift = 7; shift <= 28; shift += 7) {
      const byte = this.buffer[this.skip(1)]!
      value |= (byte & 0x7f) << shift
      if (byte < 0x80) return value >>> 0
    }
    this.fail('a varint of more than 5 bytes')
  }

  /** A signed (zigzag) varint of 32 bits. */
  signedVarint(): number {
    const value = this.varint()
    return (value >>> 1) ^ -(value & 1)
  }

  string(): string {
    return this.nullableString() ?? this.unexpectedNull()
  }

  nullableString(): string | null {
    const length = this.int16()
    return length < 0 ? null : this.#text(length)
  }

  compactString(): string {
    return this.compactNullableString() ?? this.unexpectedNull()
  }

  compactNullableString(): string | null {
    const length = this.varint() - 1
    return length < 0 ? null : this.#text(length)
  }

  /** Malformed UTF-8 becomes U+FFFD, as in Kafka. */
  #text(length: number): string {
    if (length === 0) return ''
    if (length > this.limits.stringBytesMax) this.fail(`a string of ${length} bytes`)
    const at = this.skip(length)
    return this.buffer.toString('utf8', at, at + length)
  }

  bytes(): Buffer {
    return this.nullableBytes() ?? this.unexpectedNull()
  }

  nullableBytes(): Buffer | null {
    const length = this.int32()
    return length < 0 ? null : this.#view(length)
  }

  compactBytes(): Buffer {
    return this.compactNullableBytes() ?? this.unexpectedNull()
  }

  compactNullableBytes(): Buffer | null {
    const length = this.varint() - 1
    return length < 0 ? null : this.#view(length)
  }

  #view(length: number): Buffer {
    if (length === 0) return EMPTY
    const at = this.skip(length)
    return this.buffer.subarray(at, at + length)
  }

  /**
   * Count of an array, −1 for null. `elementBytesMin` is what an element takes on the wire at least, `elementHeapBytes`
   * an estimate of what it takes in memory; both are judged before anything is allocated.
   */
  count(elementBytesMin: number, elementHeapBytes: number): number {
    return this.#judge(this.int32(), elementBytesMin, elementHeapBytes)
  }

  /** The same with the count of flexible versions. */
  compactCount(elementBytesMin: number, elementHeapBytes: number): number {
    return this.#judge(this.varint() - 1, elementBytesMin, elementHeapBytes)
  }

  #judge(count: number, elementBytesMin: number, elementHeapBytes: number): number {
    if (count <= 0) return count < 0 ? -1 : 0
    if (count > this.limits.arrayElementsMax) this.fail(`an array of ${count} elements`)
    if (count * elementBytesMin > this.#end - this.position) {
      this.fail(`an array of ${count} elements in ${this.#end - this.position} bytes`)
    }
    this.#heapBytes += count * elementHeapBytes
    if (this.#heapBytes > this.limits.heapBytesMax) this.fail(`would take more than ${this.limits.heapBytesMax} bytes of memory`)
    return count
  }

  /** Count of tagged fields. */
  tagCount(): number {
    const count = this.varint()
    if (count > this.limits.taggedFieldsMax) this.fail(`${count} tagged fields`)
    return count
  }

  /** Size prefix of a tagged field; returns the position where the field ends. */
  tagEnd(): number {
    const size = this.varint()
    if (size > this.#end - this.position) this.fail(`a tagged field of ${size} bytes, ${this.#end - this.position} are left`)
    return this.position + size
  }

  /** Ends a known tagged field: what was read must be what its size prefix said. */
  tagDone(end: number): void {
    if (this.position !== end) this.fail(`a tagged field that ends at ${this.position}, not at ${end} as its size says`)
  }

  /** For a null where the version does not allow one. */
  unexpectedNull(): never {
    this.fail('null where null is not allowed')
  }
}

function isZero(buffer: Buffer, from: number, to: number): boolean {
  for (let at = from; at < to; at++) if (buffer[at] !== 0) return false
  return true
}
