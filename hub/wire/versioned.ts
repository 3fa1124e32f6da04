/**
 * @module wire/versioned — messages behind an int16 version: consumer protocol data, a forwarded principal, and the
 * values of coordinator records.
 */
import { DecodeError } from './errors.ts'
import type { Message } from './message.ts'
import { Reader } from './reader.ts'
import { Writer } from './writer.ts'

/** Version prefix and body. */
export function encodeVersioned<D, I>(message: Message<D, I>, value: I, version: number): Buffer {
  const writer = new Writer()
  writer.int16(version)
  message.encode(value, version, writer)
  return writer.toBuffer()
}

/**
 * Reads the version prefix and the body. A version above ours is read as our highest, and what is left over is ignored:
 * members of newer clients only ever append fields (as Kafka's ConsumerProtocol reads them). Below our lowest, and for
 * malformed bytes: DecodeError.
 */
export function decodeVersioned<D, I>(message: Message<D, I>, buffer: Buffer): D {
  const reader = new Reader(buffer)
  const version = reader.int16()
  if (version < message.versions.min) throw new DecodeError(`version ${version}`, message.name)
  return message.decode(reader, Math.min(version, message.versions.max))
}
