/**
 * @module converters/utf8 — UTF-8 both ways, without the silent replacement that Node's own decoding does.
 */
import { isAscii, isUtf8 } from 'node:buffer'
import { DataError } from '@millrace/sdk'

/** The same bytes as a Buffer, not copied. */
export function bufferOf(bytes: Uint8Array): Buffer {
  return Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
}

/**
 * Bytes as text.
 * @throws DataError with the index of the first byte that is no UTF-8
 */
export function textOfUtf8(bytes: Buffer): string {
  if (isAscii(bytes)) return bytes.toString('latin1')
  if (isUtf8(bytes)) return bytes.toString()
  throw new DataError(`invalid UTF-8 at byte ${firstInvalid(bytes)}`)
}

/** Halves the range while it is long, then goes character by character. */
function firstInvalid(bytes: Buffer): number {
  let good = 0
  let bad = bytes.length
  while (bad - good > 16) {
    const middle = sequenceStart(bytes, (good + bad) >> 1)
    if (isUtf8(bytes.subarray(good, middle))) good = middle
    else bad = middle
  }
  for (let length = 1; length <= 4; ) {
    if (isUtf8(bytes.subarray(good, good + length))) {
      good += length
      length = 1
    } else length++
  }
  return good
}

/** The nearest byte at or before `at` that is no continuation. */
function sequenceStart(bytes: Buffer, at: number): number {
  let start = at
  while (start > at - 4 && (bytes[start]! & 0xc0) === 0x80) start--
  return start
}
