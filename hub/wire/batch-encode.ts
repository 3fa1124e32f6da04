/**
 * Building a record batch: sizes first, then one buffer, filled once.
 * @module
 */

import type { TimestampType } from './batch-header.ts'
import {
  ATTRIBUTE,
  BATCH_HEADER_BYTES,
  BATCH_PREFIX_BYTES,
  CODECS,
  CRC_START_BYTES,
  MAGIC,
  NONE,
  putInt32,
  putInt64,
} from './batch-header.ts'
import type { Codec } from './compress/index.ts'
import { compress } from './compress/index.ts'
import { crc32c } from './crc32c.ts'
import type { RecordHeader, RecordInput } from './record.ts'
import { varintBytes, varlongBytes, writeVarint, writeVarlong } from './record-varint.ts'

/** What a batch is made of; what is left out is as for a producer without idempotence: base offset 0, no epoch, no sequence. */
export interface BatchInput {
  readonly baseOffset?: number
  readonly leaderEpoch?: number
  readonly compression?: Codec
  /** See `compress`. */
  readonly compressionLevel?: number
  readonly timestampType?: TimestampType
  readonly producerId?: number
  readonly producerEpoch?: number
  readonly baseSequence?: number
  readonly transactional?: boolean
  readonly control?: boolean
  /** Greater than the last record's where compaction has removed records; required for a batch without records. */
  readonly lastOffsetDelta?: number
  /** Greatest timestamp (with `append`: the time of every record); defaults to the records' greatest. */
  readonly maxTimestampMs?: number
  /** When tombstones of the batch may go (KIP-534). */
  readonly deleteHorizonMs?: number
  readonly records: readonly RecordInput[]
}

/** Bytes up to which a loop beats the call of a native copy. */
const LOOP_BYTES_MAX = 24
const BATCH_BYTES_MAX = 0x7fffffff
const NULL_LENGTH_BYTES = 1

function fieldBytes(field: Buffer | null): number {
  return field === null ? NULL_LENGTH_BYTES : varintBytes(field.length) + field.length
}

function headersBytes(headers: readonly RecordHeader[]): number {
  let sum = varintBytes(headers.length)
  for (const header of headers) {
    const nameBytes = Buffer.byteLength(header.key)
    sum += varintBytes(nameBytes) + nameBytes + fieldBytes(header.value)
  }
  return sum
}

/** Bytes of the headers of the record before: many records have the very same list. */
interface LatestHeaders {
  headers: readonly RecordHeader[] | undefined
  sizeBytes: number
  /** Where they were written; −1: nowhere yet. */
  at: number
}

function sizeOfHeaders(headers: readonly RecordHeader[] | undefined, latest: LatestHeaders): number {
  if (headers === latest.headers) return latest.sizeBytes
  latest.headers = headers
  latest.sizeBytes = headers === undefined ? 1 : headersBytes(headers)
  latest.at = -1
  return latest.sizeBytes
}

/** Bytes of a record without its length field. */
function recordBytes(record: RecordInput, timestampDelta: number, offsetDelta: number, latest: LatestHeaders): number {
  return (
    1 +
    varlongBytes(timestampDelta) +
    varintBytes(offsetDelta) +
    fieldBytes(record.key) +
    fieldBytes(record.value) +
    sizeOfHeaders(record.headers, latest)
  )
}

function putField(target: Buffer, at: number, field: Buffer | null): number {
  if (field === null) {
    target[at] = 1
    return at + NULL_LENGTH_BYTES
  }
  const length = field.length
  const start = writeVarint(target, at, length)
  if (length <= LOOP_BYTES_MAX) for (let index = 0; index < length; index += 1) target[start + index] = field[index]!
  else target.set(field, start)
  return start + length
}

function putRecord(
  target: Buffer,
  start: number,
  record: RecordInput,
  lengthBytes: number,
  timestampDelta: number,
  offsetDelta: number,
  latest: LatestHeaders,
): number {
  let at = writeVarint(target, start, lengthBytes)
  target[at++] = 0
  at = writeVarlong(target, at, timestampDelta)
  at = writeVarint(target, at, offsetDelta)
  at = putField(target, at, record.key)
  at = putField(target, at, record.value)
  const headers = record.headers
  if (headers === undefined) {
    target[at++] = 0
    return at
  }
  if (latest.at >= 0) {
    target.copyWithin(at, latest.at, latest.at + latest.sizeBytes)
    return at + latest.sizeBytes
  }
  latest.at = at
  at = writeVarint(target, at, headers.length)
  for (const header of headers) {
    const nameBytes = Buffer.byteLength(header.key)
    at = writeVarint(target, at, nameBytes)
    at += target.write(header.key, at, nameBytes, 'utf8')
    at = putField(target, at, header.value)
  }
  return at
}

/** What the records of a batch amount to. */
interface Measure {
  readonly plainBytes: number
  readonly maxTimestampMs: number
  readonly lastOffsetDelta: number
}

/** First pass: sizes, and the rules that a caller must keep. */
function measure(records: readonly RecordInput[], baseTimestampMs: number): Measure {
  let plainBytes = 0
  let maxTimestampMs = NONE
  let lastOffsetDelta = -1
  const latest: LatestHeaders = { headers: undefined, sizeBytes: 1, at: -1 }
  for (let index = 0; index < records.length; index += 1) {
    const record = records[index]!
    const timestampMs = record.timestampMs
    const offsetDelta = record.offsetDelta ?? index
    if (!Number.isSafeInteger(timestampMs) || !Number.isSafeInteger(timestampMs - baseTimestampMs))
      throw new RangeError(`timestampMs ${timestampMs}`)
    if (offsetDelta <= lastOffsetDelta || offsetDelta !== (offsetDelta | 0))
      throw new RangeError(`offsetDelta ${offsetDelta} after ${lastOffsetDelta}`)
    lastOffsetDelta = offsetDelta
    if (timestampMs > maxTimestampMs) maxTimestampMs = timestampMs
    const lengthBytes = recordBytes(record, timestampMs - baseTimestampMs, offsetDelta, latest)
    plainBytes += varintBytes(lengthBytes) + lengthBytes
  }
  if (plainBytes > BATCH_BYTES_MAX - BATCH_HEADER_BYTES) throw new RangeError(`${plainBytes} bytes are too many for a batch`)
  return { plainBytes, maxTimestampMs, lastOffsetDelta }
}

/** Second pass: writes the records from `start` on; returns the position after them. */
function putRecords(target: Buffer, start: number, records: readonly RecordInput[], baseTimestampMs: number): number {
  let at = start
  const latest: LatestHeaders = { headers: undefined, sizeBytes: 1, at: -1 }
  for (let index = 0; index < records.length; index += 1) {
    const record = records[index]!
    const timestampDelta = record.timestampMs - baseTimestampMs
    const offsetDelta = record.offsetDelta ?? index
    const lengthBytes = recordBytes(record, timestampDelta, offsetDelta, latest)
    at = putRecord(target, at, record, lengthBytes, timestampDelta, offsetDelta, latest)
  }
  return at
}

function putHeader(batch: Buffer, input: BatchInput, baseTimestampMs: number, measured: Measure, lastOffsetDelta: number): void {
  const attributes =
    CODECS.indexOf(input.compression ?? 'none') |
    (input.timestampType === 'append' ? ATTRIBUTE.appendTime : 0) |
    (input.transactional === true ? ATTRIBUTE.transactional : 0) |
    (input.control === true ? ATTRIBUTE.control : 0) |
    (input.deleteHorizonMs === undefined ? 0 : ATTRIBUTE.deleteHorizon)
  const producerEpoch = input.producerEpoch ?? NONE
  putInt64(batch, 0, input.baseOffset ?? 0)
  putInt32(batch, 8, batch.length - BATCH_PREFIX_BYTES)
  putInt32(batch, 12, input.leaderEpoch ?? NONE)
  batch[16] = MAGIC
  batch[21] = 0
  batch[22] = attributes
  putInt32(batch, 23, lastOffsetDelta)
  putInt64(batch, 27, baseTimestampMs)
  putInt64(batch, 35, input.maxTimestampMs ?? measured.maxTimestampMs)
  putInt64(batch, 43, input.producerId ?? NONE)
  batch[51] = producerEpoch >>> 8
  batch[52] = producerEpoch
  putInt32(batch, 53, input.baseSequence ?? NONE)
  putInt32(batch, 57, input.records.length)
  putInt32(batch, 17, crc32c(batch, CRC_START_BYTES))
}

/**
 * Encodes a batch of message format 2. Misuse throws RangeError: a timestamp that is no safe integer, offset deltas that do not
 * rise, a batch beyond 2 GiB, no records and no `lastOffsetDelta`.
 */
export function encodeBatch(input: BatchInput): Buffer {
  const { records } = input
  const baseTimestampMs = input.deleteHorizonMs ?? records[0]?.timestampMs ?? NONE
  const measured = measure(records, baseTimestampMs)
  const lastOffsetDelta = input.lastOffsetDelta ?? measured.lastOffsetDelta
  if (lastOffsetDelta < 0 || lastOffsetDelta < measured.lastOffsetDelta) throw new RangeError(`lastOffsetDelta ${lastOffsetDelta}`)
  const codec = input.compression ?? 'none'
  let batch: Buffer
  if (codec === 'none' || records.length === 0) {
    batch = Buffer.allocUnsafe(BATCH_HEADER_BYTES + measured.plainBytes)
    putRecords(batch, BATCH_HEADER_BYTES, records, baseTimestampMs)
  } else {
    const plain = Buffer.allocUnsafe(measured.plainBytes)
    putRecords(plain, 0, records, baseTimestampMs)
    const packed = compress(codec, plain, input.compressionLevel)
    batch = Buffer.allocUnsafe(BATCH_HEADER_BYTES + packed.length)
    batch.set(packed, BATCH_HEADER_BYTES)
  }
  putHeader(batch, input, baseTimestampMs, measured, lastOffsetDelta)
  return batch
}
