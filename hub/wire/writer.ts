/**
 * @module wire/writer — a growing buffer that lets large byte runs through by reference.
 *
 * `finish()` yields chunks for one gathered write: what was written, and between it the records that were only pointed
 * at. Values out of range are programmer errors and throw TypeError or RangeError.
 */
import type { RecordsInput } from './schema.ts'

/** Sizes of the writer, in bytes. */
const WRITER = {
  /** First allocation. */
  initialBytes: 512,
  /** Each further allocation is twice the last one, up to this. */
  growthBytesMax: 1024 * 1024,
  /** From this size on, bytes and records are passed on by reference; the caller must leave them unchanged. */
  referenceBytesMin: 4096,
  /** Longest string that is first tried as ASCII, character by character. */
  asciiTryMax: 48,
} as const

/** Writes big-endian values and Kafka's variable-length ones. */
export class Writer {
  #buffer: Buffer
  #position = 0
  /** Where the part of `#buffer` begins that no chunk holds yet. */
  #start = 0
  #chunks: Buffer[] = []
  #chunkBytes = 0
  /** Depth of open tagged fields: while one is open, nothing is passed on by reference. */
  #open = 0

  constructor(initialBytes: number = WRITER.initialBytes) {
    this.#buffer = Buffer.allocUnsafe(initialBytes)
  }

  /** Bytes written so far. */
  get sizeBytes(): number {
    return this.#chunkBytes + this.#position - this.#start
  }

  /** What was written, as chunks in order. The writer is used up. */
  finish(): Buffer[] {
    this.#cut()
    return this.#chunks
  }

  /** What was written, in one buffer. The writer is used up. */
  toBuffer(): Buffer {
    const chunks = this.finish()
    return chunks.length === 1 ? chunks[0]! : Buffer.concat(chunks)
  }

  #cut(): void {
    if (this.#position === this.#start) return
    this.#chunks.push(this.#buffer.subarray(this.#start, this.#position))
    this.#chunkBytes += this.#position - this.#start
    this.#start = this.#position
  }

  /** Makes room for `count` bytes and returns where they go. */
  #room(count: number): number {
    const at = this.#position
    if (at + count > this.#buffer.length) return this.#grow(count)
    this.#position = at + count
    return at
  }

  /** Goes on in a bigger buffer; only what an open tagged field may still move goes along. */
  #grow(count: number): number {
    if (this.#open === 0) this.#cut()
    const pending = this.#position - this.#start
    const bigger = Buffer.allocUnsafe(Math.max(Math.min(this.#buffer.length * 2, WRITER.growthBytesMax), pending * 2, pending + count))
    this.#buffer.copy(bigger, 0, this.#start, this.#position)
    this.#buffer = bigger
    this.#start = 0
    this.#position = pending + count
    return pending
  }

  bool(value: boolean): void {
    const at = this.#room(1)
    this.#buffer[at] = value ? 1 : 0
  }

  int8(value: number): void {
    if ((value << 24) >> 24 !== value) outOfRange('int8', value)
    const at = this.#room(1)
    this.#buffer[at] = value
  }

  int16(value: number): void {
    if ((value << 16) >> 16 !== value) outOfRange('int16', value)
    const at = this.#room(2)
    const buffer = this.#buffer
    buffer[at] = value >> 8
    buffer[at + 1] = value
  }

  uint16(value: number): void {
    if ((value & 0xffff) !== value) outOfRange('uint16', value)
    this.int16((value << 16) >> 16)
  }

  int32(value: number): void {
    if ((value | 0) !== value) outOfRange('int32', value)
    this.#bits32(value)
  }

  uint32(value: number): void {
    if (value >>> 0 !== value) outOfRange('uint32', value)
    this.#bits32(value | 0)
  }

  #bits32(value: number): void {
    const at = this.#room(4)
    const buffer = this.#buffer
    buffer[at] = value >> 24
    buffer[at + 1] = value >> 16
    buffer[at + 2] = value >> 8
    buffer[at + 3] = value
  }

  /** An int64 given as a number. */
  offset(value: number): void {
    if (!(value >= -9007199254740992 && value <= 9007199254740992 && Number.isInteger(value))) outOfRange('int64', value)
    const high = Math.floor(value / 4_294_967_296)
    this.#bits32(high)
    this.#bits32((value - high * 4_294_967_296) | 0)
  }

  /** An int64 given as a bigint. */
  int64(value: bigint): void {
    const at = this.#room(8)
    this.#buffer.writeBigInt64BE(value, at)
  }

  float64(value: number): void {
    if (typeof value !== 'number') outOfRange('float64', value)
    const at = this.#room(8)
    this.#buffer.writeDoubleBE(value, at)
  }

  /** 22 characters of base64url. */
  uuid(value: string): void {
    if (value.length !== 22) outOfRange('uuid', value)
    const at = this.#room(16)
    if (this.#buffer.write(value, at, 16, 'base64url') !== 16) outOfRange('uuid', value)
  }

  /** An unsigned varint of 32 bits. */
  varint(value: number): void {
    let rest = value
    while (rest > 0x7f) {
      const at = this.#room(1)
      this.#buffer[at] = (rest & 0x7f) | 0x80
      rest >>>= 7
    }
    const at = this.#room(1)
    this.#buffer[at] = rest
  }

  /** A signed (zigzag) varint of 32 bits. */
  signedVarint(value: number): void {
    this.varint(((value << 1) ^ (value >> 31)) >>> 0)
  }

  string(value: string): void {
    const length = value.length
    if (length <= WRITER.asciiTryMax) {
      const at = this.#room(2 + length)
      if (this.#ascii(value, at + 2)) {
        this.#buffer[at] = 0
        this.#buffer[at + 1] = length
        return
      }
      this.#position = at
    }
    const size = textBytes(value)
    this.int16(size)
    this.#utf8(value, size)
  }

  nullableString(value: string | null): void {
    if (value === null) this.int16(-1)
    else this.string(value)
  }

  compactString(value: string): void {
    const length = value.length
    if (length <= WRITER.asciiTryMax) {
      const at = this.#room(1 + length)
      if (this.#ascii(value, at + 1)) {
        this.#buffer[at] = length + 1
        return
      }
      this.#position = at
    }
    const size = textBytes(value)
    this.varint(size + 1)
    this.#utf8(value, size)
  }

  compactNullableString(value: string | null): void {
    if (value === null) this.varint(0)
    else this.compactString(value)
  }

  #ascii(value: string, at: number): boolean {
    const buffer = this.#buffer
    for (let index = 0; index < value.length; index++) {
      const code = value.charCodeAt(index)
      if (code > 0x7f) return false
      buffer[at + index] = code
    }
    return true
  }

  #utf8(value: string, size: number): void {
    const at = this.#room(size)
    this.#buffer.write(value, at, size, 'utf8')
  }

  bytes(value: Buffer): void {
    this.int32(value.length)
    this.raw(value)
  }

  nullableBytes(value: Buffer | null): void {
    if (value === null) this.int32(-1)
    else this.bytes(value)
  }

  compactBytes(value: Buffer): void {
    this.varint(value.length + 1)
    this.raw(value)
  }

  compactNullableBytes(value: Buffer | null): void {
    if (value === null) this.varint(0)
    else this.compactBytes(value)
  }

  records(value: NonNullable<RecordsInput>): void {
    this.int32(piecesBytes(value))
    this.#pieces(value)
  }

  nullableRecords(value: RecordsInput): void {
    if (value === null) this.int32(-1)
    else this.records(value)
  }

  compactRecords(value: NonNullable<RecordsInput>): void {
    this.varint(piecesBytes(value) + 1)
    this.#pieces(value)
  }

  compactNullableRecords(value: RecordsInput): void {
    if (value === null) this.varint(0)
    else this.compactRecords(value)
  }

  #pieces(value: NonNullable<RecordsInput>): void {
    if (Buffer.isBuffer(value)) this.raw(value)
    else for (const piece of value) this.raw(piece)
  }

  /** Bytes as they are; large ones by reference. */
  raw(value: Buffer): void {
    if (value.length >= WRITER.referenceBytesMin && this.#open === 0) {
      this.#cut()
      this.#chunks.push(value)
      this.#chunkBytes += value.length
      return
    }
    const at = this.#room(value.length)
    value.copy(this.#buffer, at)
  }

  /** Begins a tagged field whose size is not known yet; the result goes to `closeTag`. */
  openTag(): number {
    this.#open++
    return this.#room(1) - this.#start
  }

  /** Ends a tagged field: puts its size before it, moving it when the size needs more than one byte. */
  closeTag(mark: number): void {
    const at = mark + this.#start
    const size = this.#position - at - 1
    if (size < 0x80) {
      this.#buffer[at] = size
      this.#open--
      return
    }
    const extra = varintBytes(size) - 1
    this.#room(extra)
    this.#open--
    const begin = mark + this.#start
    this.#buffer.copyWithin(begin + 1 + extra, begin + 1, begin + 1 + size)
    this.#position = begin
    this.varint(size)
    this.#position += size
  }
}

/** The pieces of a records field as one buffer. */
export function recordsBuffer(records: RecordsInput): Buffer | null {
  if (records === null || Buffer.isBuffer(records)) return records
  return records.length === 1 ? records[0]! : Buffer.concat(records)
}

/** Bytes that an unsigned varint takes. */
export function varintBytes(value: number): number {
  return value < 0x80 ? 1 : value < 0x4000 ? 2 : value < 0x200000 ? 3 : value < 0x10000000 ? 4 : 5
}

function piecesBytes(value: Buffer | readonly Buffer[]): number {
  if (Buffer.isBuffer(value)) return value.length
  let total = 0
  for (const piece of value) total += piece.length
  return total
}

function textBytes(value: string): number {
  const size = Buffer.byteLength(value, 'utf8')
  if (size > 32_767) throw new RangeError(`a string of ${size} bytes does not fit: 32767 is the most`)
  return size
}

function outOfRange(type: string, value: unknown): never {
  throw new TypeError(`not a value of ${type}: ${String(value)}`)
}
