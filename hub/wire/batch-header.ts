/**
 * The 61 bytes in front of the records of a magic 2 batch, read in place: nothing is allocated, no BigInt is made.
 *
 * ```
 *  0 baseOffset int64     8 batchLength int32 (bytes after this field)   12 partitionLeaderEpoch int32   16 magic int8
 * 17 crc uint32 (of all bytes from 21 on)   21 attributes int16   23 lastOffsetDelta int32   27 baseTimestamp int64
 * 35 maxTimestamp int64   43 producerId int64   51 producerEpoch int16   53 baseSequence int32   57 recordCount int32   61 records
 * attributes: bits 0-2 compression, 3 timestamp type, 4 transactional, 5 control, 6 delete horizon (KIP-534)
 * ```
 * Source: KIP-98; org.apache.kafka.common.record.DefaultRecordBatch.
 * @module
 */
import { BatchError, invalid } from './batch-error.ts'
import type { Codec } from './compress/index.ts'
import { ErrorCode } from './errors.ts'

/** Bytes of a batch's header. */
export const BATCH_HEADER_BYTES = 61
/** Bytes of base offset and length, which `batchLength` does not count. */
export const BATCH_PREFIX_BYTES = 12
/** Least bytes of anything that Kafka ever kept in a log: the header of a magic 0 message. */
export const LEGACY_HEADER_BYTES = 14
/** Position of the first byte that the checksum covers. */
export const CRC_START_BYTES = 21
/** The only message format that is written and read. */
export const MAGIC = 2
/** What a field holds when it holds nothing: producer id, producer epoch, base sequence, leader epoch, timestamp. */
export const NONE = -1

/** Who set the timestamps of a batch: its producer, or the broker when it appended. */
export type TimestampType = 'create' | 'append'

/** Bits of the attributes field. */
export const ATTRIBUTE = {
  codecMask: 0x07,
  appendTime: 0x08,
  transactional: 0x10,
  control: 0x20,
  deleteHorizon: 0x40,
} as const

/** Codecs by their number in the attributes. */
export const CODECS: readonly Codec[] = ['none', 'gzip', 'snappy', 'lz4', 'zstd']

/** A big-endian int16 at `at`. */
export function int16At(buffer: Buffer, at: number): number {
  return ((buffer[at]! << 24) >> 16) | buffer[at + 1]!
}

/** A big-endian int32 at `at`. */
export function int32At(buffer: Buffer, at: number): number {
  return (buffer[at]! << 24) | (buffer[at + 1]! << 16) | (buffer[at + 2]! << 8) | buffer[at + 3]!
}

/** A big-endian int64 at `at` as a number. Throws BatchError beyond ±2^53, where numbers are no longer exact. */
export function int64At(buffer: Buffer, at: number): number {
  const high = int32At(buffer, at)
  if (high < -0x200000 || high > 0x1fffff) throw invalid(`int64 at byte ${at} is beyond 2^53`)
  return high * 0x100000000 + (int32At(buffer, at + 4) >>> 0)
}

/** Writes a number as a big-endian int32. */
export function putInt32(buffer: Buffer, at: number, value: number): void {
  buffer[at] = value >>> 24
  buffer[at + 1] = value >>> 16
  buffer[at + 2] = value >>> 8
  buffer[at + 3] = value
}

/** Writes a safe integer as a big-endian int64. */
export function putInt64(buffer: Buffer, at: number, value: number): void {
  putInt32(buffer, at, Math.floor(value / 0x100000000))
  putInt32(buffer, at + 4, value % 0x100000000)
}

/** Sequence number `count` records after `sequence`: it wraps from 2^31−1 to 0. */
export function addSequence(sequence: number, count: number): number {
  const sum = sequence + count
  return sum > 0x7fffffff ? sum - 0x80000000 : sum
}

/**
 * Reads one field of the batch whose first byte is `buffer[at]`; the 61 header bytes must be there. int64 fields throw
 * BatchError beyond ±2^53 (`checkBatch` has refused such a batch before). Times are milliseconds since 1970, −1 is none.
 */
export const batchHeader = {
  baseOffset: (buffer: Buffer, at: number): number => int64At(buffer, at),
  batchLength: (buffer: Buffer, at: number): number => int32At(buffer, at + 8),
  /** Bytes of the whole batch, prefix included. */
  sizeBytes: (buffer: Buffer, at: number): number => int32At(buffer, at + 8) + BATCH_PREFIX_BYTES,
  leaderEpoch: (buffer: Buffer, at: number): number => int32At(buffer, at + 12),
  magic: (buffer: Buffer, at: number): number => (buffer[at + 16]! << 24) >> 24,
  crc: (buffer: Buffer, at: number): number => int32At(buffer, at + 17) >>> 0,
  attributes: (buffer: Buffer, at: number): number => int16At(buffer, at + 21),
  lastOffsetDelta: (buffer: Buffer, at: number): number => int32At(buffer, at + 23),
  lastOffset: (buffer: Buffer, at: number): number => int64At(buffer, at) + int32At(buffer, at + 23),
  /** With `hasDeleteHorizon` this is that horizon; record timestamps count from it all the same. */
  baseTimestampMs: (buffer: Buffer, at: number): number => int64At(buffer, at + 27),
  maxTimestampMs: (buffer: Buffer, at: number): number => int64At(buffer, at + 35),
  producerId: (buffer: Buffer, at: number): number => int64At(buffer, at + 43),
  producerEpoch: (buffer: Buffer, at: number): number => int16At(buffer, at + 51),
  baseSequence: (buffer: Buffer, at: number): number => int32At(buffer, at + 53),
  /** Sequence of the last offset, −1 without sequences. */
  lastSequence: (buffer: Buffer, at: number): number => {
    const base = int32At(buffer, at + 53)
    return base === NONE ? NONE : addSequence(base, int32At(buffer, at + 23))
  },
  recordCount: (buffer: Buffer, at: number): number => int32At(buffer, at + 57),
  isTransactional: (buffer: Buffer, at: number): boolean => (buffer[at + 22]! & ATTRIBUTE.transactional) !== 0,
  isControl: (buffer: Buffer, at: number): boolean => (buffer[at + 22]! & ATTRIBUTE.control) !== 0,
  hasDeleteHorizon: (buffer: Buffer, at: number): boolean => (buffer[at + 22]! & ATTRIBUTE.deleteHorizon) !== 0,
  /** When tombstones and markers of this batch may go (KIP-534), null while unset. */
  deleteHorizonMs: (buffer: Buffer, at: number): number | null =>
    (buffer[at + 22]! & ATTRIBUTE.deleteHorizon) === 0 ? null : int64At(buffer, at + 27),
  timestampType: (buffer: Buffer, at: number): TimestampType => (buffer[at + 22]! & ATTRIBUTE.appendTime ? 'append' : 'create'),
  /** Throws BatchError UNSUPPORTED_COMPRESSION_TYPE for the numbers 5 to 7. */
  compression: (buffer: Buffer, at: number): Codec => {
    const codec = CODECS[buffer[at + 22]! & ATTRIBUTE.codecMask]
    if (codec === undefined) throw new BatchError(ErrorCode.UNSUPPORTED_COMPRESSION_TYPE, 'compression codec number above 4')
    return codec
  },
} as const
