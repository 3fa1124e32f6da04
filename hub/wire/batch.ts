/**
 * Record batches of message format 2, on a Buffer in place: check, patch, walk. One batch is one unit of appending and of
 * compression. The header's accessors, the encoder and control batches have files of their own and are exported from here.
 * Older formats (magic 0 and 1) are refused as Kafka 4 refuses them: INVALID_RECORD.
 * @module
 */

import type { BatchProblem } from './batch-error.ts'
import { corrupt } from './batch-error.ts'
import type { TimestampType } from './batch-header.ts'
import {
  ATTRIBUTE,
  BATCH_HEADER_BYTES,
  BATCH_PREFIX_BYTES,
  batchHeader,
  CODECS,
  CRC_START_BYTES,
  int32At,
  LEGACY_HEADER_BYTES,
  MAGIC,
  putInt32,
  putInt64,
} from './batch-header.ts'
import { crc32c } from './crc32c.ts'
import { ErrorCode } from './errors.ts'

export type { ControlKey, EndTransactionMarker } from './batch-control.ts'
export {
  ControlType,
  decodeControlKey,
  decodeEndTransactionMarker,
  encodeControlBatch,
  encodeEndTransactionMarker,
} from './batch-control.ts'
export type { BatchInput } from './batch-encode.ts'
export { encodeBatch } from './batch-encode.ts'
export type { BatchProblem } from './batch-error.ts'
export { BatchError } from './batch-error.ts'
export type { TimestampType } from './batch-header.ts'
export {
  addSequence,
  BATCH_HEADER_BYTES,
  batchHeader,
} from './batch-header.ts'

/** Least bytes of one record: seven one-byte fields. */
const RECORD_BYTES_MIN = 7

function problem(errorCode: number, message: string): BatchProblem {
  return { errorCode, message }
}

/** Whether the int64 at `at` is within ±2^53. */
function isSafe(buffer: Buffer, at: number): boolean {
  const high = int32At(buffer, at)
  return high >= -0x200000 && high <= 0x1fffff
}

function checkBounds(buffer: Buffer, at: number, end: number): BatchProblem | null {
  if (end - at < BATCH_PREFIX_BYTES + 5) return problem(ErrorCode.INVALID_RECORD, `${end - at} bytes hold no record batch`)
  const sizeBytes = batchHeader.sizeBytes(buffer, at)
  if (sizeBytes < BATCH_PREFIX_BYTES + LEGACY_HEADER_BYTES)
    return problem(ErrorCode.CORRUPT_MESSAGE, `batch length ${sizeBytes - BATCH_PREFIX_BYTES} is less than a header`)
  const magic = batchHeader.magic(buffer, at)
  if (magic < 0 || magic > MAGIC) return problem(ErrorCode.CORRUPT_MESSAGE, `magic ${magic} is not a message format`)
  if (magic < MAGIC) return problem(ErrorCode.INVALID_RECORD, `message format ${magic} is not supported, only ${MAGIC}`)
  if (sizeBytes < BATCH_HEADER_BYTES) return problem(ErrorCode.CORRUPT_MESSAGE, `batch of ${sizeBytes} bytes is less than a header`)
  if (sizeBytes > end - at) return problem(ErrorCode.INVALID_RECORD, `batch of ${sizeBytes} bytes is cut to ${end - at}`)
  return null
}

function checkFields(buffer: Buffer, at: number, sizeBytes: number): BatchProblem | null {
  for (const field of [0, 27, 35, 43])
    if (!isSafe(buffer, at + field)) return problem(ErrorCode.INVALID_RECORD, `int64 at byte ${field} of the batch header is beyond 2^53`)
  const codec = batchHeader.attributes(buffer, at) & ATTRIBUTE.codecMask
  if (codec >= CODECS.length) return problem(ErrorCode.UNSUPPORTED_COMPRESSION_TYPE, `compression codec number ${codec}`)
  const count = batchHeader.recordCount(buffer, at)
  const lastOffsetDelta = batchHeader.lastOffsetDelta(buffer, at)
  if (count < 0 || lastOffsetDelta < 0 || count > lastOffsetDelta + 1)
    return problem(ErrorCode.INVALID_RECORD, `${count} records do not fit into offsets 0 to ${lastOffsetDelta}`)
  if (codec === 0 && count > (sizeBytes - BATCH_HEADER_BYTES) / RECORD_BYTES_MIN)
    return problem(ErrorCode.INVALID_RECORD, `${count} records do not fit into ${sizeBytes} bytes`)
  return null
}

/**
 * Checks the batch that begins at `buffer[at]` and must end at or before `end`: bounds, magic, CRC-32C, counts, and that every
 * int64 is within ±2^53. Records are not looked into. A batch thinned by compaction passes (fewer records than offsets).
 * Error codes: CORRUPT_MESSAGE for damage, INVALID_RECORD for a cut batch, an old message format and impossible counts,
 * UNSUPPORTED_COMPRESSION_TYPE for an unknown codec.
 */
export function checkBatch(buffer: Buffer, at: number, end: number = buffer.length): { readonly sizeBytes: number } | BatchProblem {
  const bounds = checkBounds(buffer, at, end)
  if (bounds !== null) return bounds
  const sizeBytes = batchHeader.sizeBytes(buffer, at)
  const stored = batchHeader.crc(buffer, at)
  const computed = crc32c(buffer, at + CRC_START_BYTES, at + sizeBytes)
  if (stored !== computed) return problem(ErrorCode.CORRUPT_MESSAGE, `checksum ${computed} of the batch is not the stored ${stored}`)
  return checkFields(buffer, at, sizeBytes) ?? { sizeBytes }
}

/**
 * Sets base offset and leader epoch of a batch in place. Both stand before the first byte of the checksum, which stays as it is;
 * that is why a broker never has to re-checksum what it appends.
 */
export function patchBatch(buffer: Buffer, at: number, patch: { readonly baseOffset: number; readonly leaderEpoch: number }): void {
  putInt64(buffer, at, patch.baseOffset)
  putInt32(buffer, at + 12, patch.leaderEpoch)
}

/** Sets timestamp type and max timestamp of a batch in place (`append`: the time every record then has) and renews the checksum. */
export function setMaxTimestamp(buffer: Buffer, at: number, timestampType: TimestampType, maxTimestampMs: number): void {
  const low = buffer[at + 22]!
  buffer[at + 22] = timestampType === 'append' ? low | ATTRIBUTE.appendTime : low & ~ATTRIBUTE.appendTime
  putInt64(buffer, at + 35, maxTimestampMs)
  putInt32(buffer, at + 17, crc32c(buffer, at + CRC_START_BYTES, at + batchHeader.sizeBytes(buffer, at)))
}

/**
 * Calls `visit` with position and size of each whole batch in `buffer`, in order, until it returns false; a last batch that is cut
 * (a fetch may end anywhere) is left out. Returns the position after the last visited batch. Checks sizes only. Throws
 * BatchError CORRUPT_MESSAGE for a length that is less than a header, behind which nothing can be found any more.
 */
// biome-ignore lint/suspicious/noConfusingVoidType: most visitors return nothing
export function forEachBatch(buffer: Buffer, visit: (at: number, sizeBytes: number) => boolean | void, from = 0): number {
  let at = from
  while (buffer.length - at >= BATCH_PREFIX_BYTES) {
    const sizeBytes = batchHeader.sizeBytes(buffer, at)
    if (sizeBytes < BATCH_PREFIX_BYTES + LEGACY_HEADER_BYTES)
      throw corrupt(`batch length ${sizeBytes - BATCH_PREFIX_BYTES} is less than a header`)
    if (sizeBytes > buffer.length - at) break
    const goOn = visit(at, sizeBytes)
    at += sizeBytes
    if (goOn === false) break
  }
  return at
}
