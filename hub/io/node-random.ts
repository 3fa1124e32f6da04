/** @module io/node-random — chance from the operating system. */
import { randomBytes } from 'node:crypto'
import type { Random } from './ports.ts'

/** Cryptographic bytes and ids; `float` is V8's generator (good for jitter, not for secrets). */
export function nodeRandom(): Random {
  return {
    bytes: (countBytes) => randomBytes(countBytes),
    uuid: () => uuidFrom(randomBytes),
    float: () => Math.random(),
  }
}

/**
 * A Kafka id from a source of bytes: RFC 9562 version 4 in base64url without padding, 22 characters. One that would
 * begin with "-" is drawn again, since command lines would take it for an option (Kafka's own generator does the same).
 */
export function uuidFrom(bytes: (countBytes: number) => Buffer): string {
  for (;;) {
    const id = Buffer.from(bytes(16))
    id.writeUInt8((id.readUInt8(6) & 0x0f) | 0x40, 6)
    id.writeUInt8((id.readUInt8(8) & 0x3f) | 0x80, 8)
    const text = id.toString('base64url')
    if (!text.startsWith('-')) return text
  }
}
