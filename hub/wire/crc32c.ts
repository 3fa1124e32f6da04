/**
 * CRC-32C (Castagnoli), the checksum of record batches. `node:zlib`'s crc32 is the other polynomial (IEEE) and of no use here.
 * @module
 */
import { createRequire } from 'node:module'

type Checksum = (bytes: Uint8Array) => number

/** Castagnoli's polynomial with its bits reversed. RFC 3720, appendix B.4. */
const POLYNOMIAL = 0x82f63b78

let tables: Int32Array[] | undefined

/** Eight tables of 256: table k advances a byte's remainder over k further zero bytes ("slicing by 8"). */
function sliceTables(): Int32Array[] {
  const made = Array.from({ length: 8 }, () => new Int32Array(256))
  const first = made[0] as Int32Array
  for (let byte = 0; byte < 256; byte += 1) {
    let remainder = byte
    for (let bit = 0; bit < 8; bit += 1) remainder = remainder & 1 ? (remainder >>> 1) ^ POLYNOMIAL : remainder >>> 1
    first[byte] = remainder
  }
  for (let slice = 1; slice < 8; slice += 1) {
    const previous = made[slice - 1] as Int32Array
    const table = made[slice] as Int32Array
    for (let byte = 0; byte < 256; byte += 1) {
      const remainder = previous[byte] as number
      table[byte] = (remainder >>> 8) ^ (first[remainder & 0xff] as number)
    }
  }
  return made
}

/** CRC-32C in plain JavaScript, eight bytes a step: what `crc32c` falls back on where the native module does not load. */
export function crc32cPortable(bytes: Uint8Array): number {
  tables ??= sliceTables()
  const [t0, t1, t2, t3, t4, t5, t6, t7] = tables as [
    Int32Array,
    Int32Array,
    Int32Array,
    Int32Array,
    Int32Array,
    Int32Array,
    Int32Array,
    Int32Array,
  ]
  const b = bytes as unknown as number[]
  const length = bytes.length
  const whole = length - (length % 8)
  let crc = -1
  let at = 0
  for (; at < whole; at += 8) {
    const low = crc ^ (b[at]! | (b[at + 1]! << 8) | (b[at + 2]! << 16) | (b[at + 3]! << 24))
    crc =
      t7[low & 0xff]! ^
      t6[(low >>> 8) & 0xff]! ^
      t5[(low >>> 16) & 0xff]! ^
      t4[low >>> 24]! ^
      t3[b[at + 4]!]! ^
      t2[b[at + 5]!]! ^
      t1[b[at + 6]!]! ^
      t0[b[at + 7]!]!
  }
  for (; at < length; at += 1) crc = (crc >>> 8) ^ t0[(crc ^ b[at]!) & 0xff]!
  return ~crc >>> 0
}

/** Loads the native checksum; `load` is a parameter so that a test can make it fail. Any failure means the portable one. */
export function chooseChecksum(load: () => { crc32c: Checksum }): Checksum {
  try {
    const native = load().crc32c
    // A module that loads but computes something else would corrupt every batch: the check value of RFC 3720 guards against it.
    return native(Buffer.from('123456789')) >>> 0 === 0xe3069283 ? native : crc32cPortable
  } catch {
    return crc32cPortable
  }
}

const checksum = chooseChecksum(() => createRequire(import.meta.url)('@node-rs/crc32') as { crc32c: Checksum })

/** CRC-32C of `buffer[from, to)` as an unsigned 32-bit number. */
export function crc32c(buffer: Buffer, from = 0, to = buffer.length): number {
  return checksum(from === 0 && to === buffer.length ? buffer : buffer.subarray(from, to)) >>> 0
}
