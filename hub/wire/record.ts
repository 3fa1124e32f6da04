/**
 * Records inside a batch: reading them, all at once or by a visitor, and the scans that a broker needs.
 *
 * ```
 * length varint | attributes int8 | timestampDelta varlong | offsetDelta varint | key length varint, bytes | value length varint, bytes
 * | header count varint | per header: name length varint, UTF-8 | value length varint, bytes          (length −1: null)
 * ```
 * Nothing is trusted: every length is checked against its record, every count against the bytes that are left, and a compressed
 * batch is unpacked only up to a bound. Broken records throw BatchError: INVALID_RECORD, or what `decompress` throws.
 * Source: KIP-98, KIP-82; org.apache.kafka.common.record.DefaultRecord.
 * @module
 */

import { invalid } from './batch-error.ts'
import type { TimestampType } from './batch-header.ts'
import { BATCH_HEADER_BYTES, batchHeader } from './batch-header.ts'
import type { Codec } from './compress/index.ts'
import { decompress } from './compress/index.ts'
import { readVarint, readVarlong, varintEnd } from './record-varint.ts'

/** Limits of reading records. */
export const RECORD_LIMITS = {
  /** Most bytes that the records of one compressed batch may unpack to. */
  batchPlainBytesMax: 256 * 1024 * 1024,
} as const

/** A header of a record; names may repeat and keep their order. */
export interface RecordHeader {
  readonly key: string
  readonly value: Buffer | null
}

/** A record as it is given to an encoder. Timestamp in ms since 1970, −1 is none. `offsetDelta` defaults to the record's index. */
export interface RecordInput {
  readonly key: Buffer | null
  readonly value: Buffer | null
  readonly headers?: readonly RecordHeader[]
  readonly timestampMs: number
  readonly offsetDelta?: number
}

/** A record as it was read; key, value and header values are views into the batch (or into what it was unpacked to). */
export interface LogRecord {
  readonly offset: number
  readonly timestampMs: number
  readonly key: Buffer | null
  readonly value: Buffer | null
  readonly headers: readonly RecordHeader[]
}

/** A batch read whole. */
export interface DecodedBatch {
  readonly baseOffset: number
  readonly lastOffset: number
  readonly sizeBytes: number
  readonly leaderEpoch: number
  readonly compression: Codec
  readonly timestampType: TimestampType
  readonly baseTimestampMs: number
  readonly maxTimestampMs: number
  readonly producerId: number
  readonly producerEpoch: number
  readonly baseSequence: number
  readonly lastSequence: number
  readonly isTransactional: boolean
  readonly isControl: boolean
  readonly deleteHorizonMs: number | null
  readonly recordCount: number
  readonly records: LogRecord[]
}

/**
 * Gets one record as positions in `source` (the batch's buffer, or the unpacked records): no object is made for it. Length −1 is null.
 * `headersStart` is for `readHeaders`. Returning false ends the walk.
 */
export type RecordVisitor = (
  offset: number,
  timestampMs: number,
  keyStart: number,
  keyLength: number,
  valueStart: number,
  valueLength: number,
  headersStart: number,
  headerCount: number,
  source: Buffer,
  // biome-ignore lint/suspicious/noConfusingVoidType: most visitors return nothing
) => boolean | void

const RECORD_BYTES_MIN = 7
const NO_HEADERS: readonly RecordHeader[] = Object.freeze([])
/** Buffer's own constructor for views: `Buffer.subarray` ends here after twice the time. */
const View = (
  Buffer as unknown as {
    [Symbol.species]: new (memory: ArrayBufferLike, at: number, lengthBytes: number) => Buffer
  }
)[Symbol.species]

/** A view of `lengthBytes` of `source` from `start`. */
function view(source: Buffer, start: number, lengthBytes: number): Buffer {
  return new View(source.buffer, source.byteOffset + start, lengthBytes)
}

/** Position after the headers at `at`, each checked against `recordEnd`. */
function skipHeaders(source: Buffer, start: number, count: number, recordEnd: number): number {
  let at = start
  for (let index = 0; index < count; index += 1) {
    const nameLength = readVarint(source, at)
    at = varintEnd()
    if (nameLength < 0 || nameLength > recordEnd - at) throw invalid('header name is longer than its record')
    at += nameLength
    const valueLength = readVarint(source, at)
    at = varintEnd()
    if (valueLength > recordEnd - at) throw invalid('header value is longer than its record')
    if (valueLength > 0) at += valueLength
  }
  return at
}

/** Walks `count` records in `source[start, end)`, which they must fill. `appendTimeMs` replaces all timestamps unless null. */
function walk(
  source: Buffer,
  start: number,
  end: number,
  count: number,
  baseOffset: number,
  baseTimestampMs: number,
  appendTimeMs: number | null,
  visit: RecordVisitor,
): void {
  if (count < 0 || count > (end - start) / RECORD_BYTES_MIN) throw invalid(`${count} records do not fit into ${end - start} bytes`)
  let at = start
  for (let index = 0; index < count; index += 1) {
    const length = readVarint(source, at)
    at = varintEnd()
    const recordEnd = at + length
    if (length < RECORD_BYTES_MIN - 1 || recordEnd > end) throw invalid(`record of ${length} bytes is cut or too short`)
    const timestampDelta = readVarlong(source, at + 1)
    const offsetDelta = readVarint(source, varintEnd())
    const keyLength = readVarint(source, varintEnd())
    const keyStart = varintEnd()
    if (keyLength > recordEnd - keyStart) throw invalid('key is longer than its record')
    const valueLength = readVarint(source, keyLength > 0 ? keyStart + keyLength : keyStart)
    const valueStart = varintEnd()
    if (valueLength > recordEnd - valueStart) throw invalid('value is longer than its record')
    const headerCount = readVarint(source, valueLength > 0 ? valueStart + valueLength : valueStart)
    const headersStart = varintEnd()
    if (headerCount < 0 || headerCount * 2 > recordEnd - headersStart) throw invalid(`${headerCount} headers do not fit into their record`)
    at = headerCount === 0 ? headersStart : skipHeaders(source, headersStart, headerCount, recordEnd)
    if (at !== recordEnd) throw invalid('record is not as long as it says')
    const timestampMs = appendTimeMs ?? baseTimestampMs + timestampDelta
    if (timestampMs > Number.MAX_SAFE_INTEGER || timestampMs < Number.MIN_SAFE_INTEGER) throw invalid('timestamp is beyond 2^53')
    const goOn = visit(
      baseOffset + offsetDelta,
      timestampMs,
      keyStart,
      keyLength < 0 ? -1 : keyLength,
      valueStart,
      valueLength < 0 ? -1 : valueLength,
      headersStart,
      headerCount,
      source,
    )
    if (goOn === false) return
  }
  if (at !== end) throw invalid(`${end - at} bytes behind the last record`)
}

/**
 * Calls `visit` for each record of the batch at `buffer[at]`, in order, until it returns false. The batch must be whole
 * (`forEachBatch` and `checkBatch` see to that); its checksum is not looked at. Throws BatchError as the module says; records
 * that came before a broken one have been visited by then.
 */
export function forEachRecord(buffer: Buffer, at: number, visit: RecordVisitor, maxBytes: number = RECORD_LIMITS.batchPlainBytesMax): void {
  const sizeBytes = buffer.length - at < BATCH_HEADER_BYTES ? 0 : batchHeader.sizeBytes(buffer, at)
  if (sizeBytes < BATCH_HEADER_BYTES || sizeBytes > buffer.length - at) throw invalid('batch is cut or too short')
  if (batchHeader.magic(buffer, at) !== 2) throw invalid(`message format ${batchHeader.magic(buffer, at)} is not supported`)
  const count = batchHeader.recordCount(buffer, at)
  const baseOffset = batchHeader.baseOffset(buffer, at)
  const baseTimestampMs = batchHeader.baseTimestampMs(buffer, at)
  const appendTimeMs = batchHeader.timestampType(buffer, at) === 'append' ? batchHeader.maxTimestampMs(buffer, at) : null
  const codec = batchHeader.compression(buffer, at)
  if (codec === 'none') {
    walk(buffer, at + BATCH_HEADER_BYTES, at + sizeBytes, count, baseOffset, baseTimestampMs, appendTimeMs, visit)
    return
  }
  // A batch that compaction emptied keeps its codec in the attributes, with no stream behind it.
  if (count === 0 && sizeBytes === BATCH_HEADER_BYTES) return
  const plain = decompress(codec, buffer.subarray(at + BATCH_HEADER_BYTES, at + sizeBytes), maxBytes)
  walk(plain, 0, plain.length, count, baseOffset, baseTimestampMs, appendTimeMs, visit)
}

/** The headers of a visited record, given `headersStart`, `headerCount` and `source` as the visitor got them. */
export function readHeaders(source: Buffer, headersStart: number, headerCount: number): readonly RecordHeader[] {
  if (headerCount === 0) return NO_HEADERS
  const headers: RecordHeader[] = []
  let at = headersStart
  for (let index = 0; index < headerCount; index += 1) {
    const nameLength = readVarint(source, at)
    const nameStart = varintEnd()
    const valueLength = readVarint(source, nameStart + nameLength)
    at = varintEnd()
    const key = source.toString('utf8', nameStart, nameStart + nameLength)
    if (valueLength < 0) headers.push({ key, value: null })
    else {
      headers.push({ key, value: view(source, at, valueLength) })
      at += valueLength
    }
  }
  return headers
}

/** All records of the batch at `buffer[at]`. Where objects per record are too slow, use `forEachRecord`. Errors as there. */
export function decodeRecords(buffer: Buffer, at: number, maxBytes: number = RECORD_LIMITS.batchPlainBytesMax): LogRecord[] {
  const records: LogRecord[] = []
  forEachRecord(
    buffer,
    at,
    (offset, timestampMs, keyStart, keyLength, valueStart, valueLength, headersStart, headerCount, source) => {
      records.push({
        offset,
        timestampMs,
        key: keyLength < 0 ? null : view(source, keyStart, keyLength),
        value: valueLength < 0 ? null : view(source, valueStart, valueLength),
        headers: readHeaders(source, headersStart, headerCount),
      })
    },
    maxBytes,
  )
  return records
}

/** Header fields and records of the batch at `buffer[at]`. Errors as `decodeRecords`. */
export function decodeBatch(buffer: Buffer, at: number, maxBytes: number = RECORD_LIMITS.batchPlainBytesMax): DecodedBatch {
  const records = decodeRecords(buffer, at, maxBytes)
  return {
    baseOffset: batchHeader.baseOffset(buffer, at),
    lastOffset: batchHeader.lastOffset(buffer, at),
    sizeBytes: batchHeader.sizeBytes(buffer, at),
    leaderEpoch: batchHeader.leaderEpoch(buffer, at),
    compression: batchHeader.compression(buffer, at),
    timestampType: batchHeader.timestampType(buffer, at),
    baseTimestampMs: batchHeader.baseTimestampMs(buffer, at),
    maxTimestampMs: batchHeader.maxTimestampMs(buffer, at),
    producerId: batchHeader.producerId(buffer, at),
    producerEpoch: batchHeader.producerEpoch(buffer, at),
    baseSequence: batchHeader.baseSequence(buffer, at),
    lastSequence: batchHeader.lastSequence(buffer, at),
    isTransactional: batchHeader.isTransactional(buffer, at),
    isControl: batchHeader.isControl(buffer, at),
    deleteHorizonMs: batchHeader.deleteHorizonMs(buffer, at),
    recordCount: records.length,
    records,
  }
}

/** Whether no record of the batch has a null key, as compacted topics demand. Errors as `forEachRecord`. */
export function everyRecordHasKey(buffer: Buffer, at: number, maxBytes: number = RECORD_LIMITS.batchPlainBytesMax): boolean {
  let every = true
  forEachRecord(
    buffer,
    at,
    (_offset, _timestampMs, _keyStart, keyLength) => {
      every = keyLength >= 0
      return every
    },
    maxBytes,
  )
  return every
}

/** Where a time stands in a log. */
export interface TimestampedOffset {
  readonly offset: number
  readonly timestampMs: number
}

/** Of the batch's records with an offset ≥ `fromOffset` the first with the greatest timestamp, null if none (ListOffsets −3, KIP-734). */
export function maxTimestampRecord(
  buffer: Buffer,
  at: number,
  fromOffset = 0,
  maxBytes: number = RECORD_LIMITS.batchPlainBytesMax,
): TimestampedOffset | null {
  let found = -1
  let greatest = Number.NEGATIVE_INFINITY
  forEachRecord(
    buffer,
    at,
    (offset, timestampMs) => {
      if (timestampMs > greatest && offset >= fromOffset) {
        greatest = timestampMs
        found = offset
      }
    },
    maxBytes,
  )
  return found < 0 ? null : { offset: found, timestampMs: greatest }
}

/** The first record of the batch with a timestamp ≥ `timestampMs` and an offset ≥ `fromOffset`, or null. */
export function findByTimestamp(
  buffer: Buffer,
  at: number,
  timestampMs: number,
  fromOffset = 0,
  maxBytes: number = RECORD_LIMITS.batchPlainBytesMax,
): TimestampedOffset | null {
  if (batchHeader.maxTimestampMs(buffer, at) < timestampMs || batchHeader.lastOffset(buffer, at) < fromOffset) return null
  let found: TimestampedOffset | null = null
  forEachRecord(
    buffer,
    at,
    (offset, recordTimestampMs) => {
      if (recordTimestampMs < timestampMs || offset < fromOffset) return true
      found = { offset, timestampMs: recordTimestampMs }
      return false
    },
    maxBytes,
  )
  return found
}
