/** @module connector-postgres/pgoutput/reader — bounds-checked reading of the few primitives that pgoutput is made of. */
import type { Lsn } from '../model.ts'

/** Bytes that are no message of protocol version 1: another version, another plugin, or damage. Names the place in the message. */
export class PgOutputError extends Error {
  override readonly name = 'PgOutputError'
  /** Index of the byte that could not be understood. */
  readonly offset: number

  constructor(message: string, offset: number) {
    super(`${message} at byte ${offset} of a pgoutput message`)
    this.offset = offset
  }
}

/** Microseconds between 1970, from which the records count, and 2000, from which the server does. */
const SERVER_EPOCH_US = 946_684_800_000_000n

/** A cursor over one message. Reading past the end throws {@link PgOutputError}. */
export class MessageReader {
  readonly bytes: Buffer
  offset = 0

  constructor(bytes: Buffer) {
    this.bytes = bytes
  }

  /** Checks that `count` bytes are left, and steps over them; gives where they start. */
  take(count: number): number {
    const start = this.offset
    if (count > this.bytes.length - start) throw new PgOutputError(`${count} bytes are missing`, start)
    this.offset = start + count
    return start
  }

  uint8(): number {
    return this.bytes[this.take(1)] as number
  }

  uint16(): number {
    const start = this.take(2)
    return ((this.bytes[start] as number) << 8) | (this.bytes[start + 1] as number)
  }

  int32(): number {
    const { bytes } = this
    const start = this.take(4)
    return (
      ((bytes[start] as number) << 24) |
      ((bytes[start + 1] as number) << 16) |
      ((bytes[start + 2] as number) << 8) |
      (bytes[start + 3] as number)
    )
  }

  uint32(): number {
    return this.int32() >>> 0
  }

  /** A place in the log. Throws {@link PgOutputError} beyond 2^53. */
  lsn(): Lsn {
    const start = this.offset
    const lsn = this.uint32() * 0x1_0000_0000 + this.uint32()
    if (!Number.isSafeInteger(lsn)) throw new PgOutputError('a log position beyond 2^53', start)
    return lsn
  }

  /** Microseconds since 1970. */
  timeUs(): bigint {
    return this.bytes.readBigInt64BE(this.take(8)) + SERVER_EPOCH_US
  }

  /** UTF-8 up to a zero byte. */
  text(): string {
    const start = this.offset
    const end = this.bytes.indexOf(0, start)
    if (end === -1) throw new PgOutputError('a text without end', start)
    this.offset = end + 1
    return this.bytes.toString('utf8', start, end)
  }

  /** Throws {@link PgOutputError} when something is left: then the message was not understood. */
  end(): void {
    const leftCount = this.bytes.length - this.offset
    if (leftCount !== 0) throw new PgOutputError(`${leftCount} bytes too many`, this.offset)
  }
}
