/**
 * @module log/append — judges what somebody wants to append, in Kafka's order and with its error codes, and gives it its offsets. Pure but
 * for the patching in place. Records are looked into only where the protocol demands it: keys on a compacted topic, timestamps that the
 * header cannot vouch for, another codec than the topic's. Source: LogValidator, UnifiedLog.append, ProduceRequest.validateRecords.
 */
import {
  BatchError,
  batchHeader,
  type Codec,
  checkBatch,
  decodeRecords,
  ErrorCode,
  encodeBatch,
  forEachRecord,
  patchBatch,
  setMaxTimestamp,
} from '../wire/index.ts'
import { claimOf, type Producers } from './producers.ts'
import type { AppendOrigin, LogConfig, Refused, Verification } from './types.ts'

/** Per-record reasons in one answer; a batch of a megabyte can hold 150,000 faulty records. */
const RECORD_ERRORS_MAX = 1000
const BATCH_PREFIX_BYTES = 12
const MAGIC_END = 17
const NO_TIMESTAMP = -1
const LONG_MAX = 2n ** 63n - 1n

/** What the judgement depends on besides the bytes. */
export interface AppendContext {
  readonly origin: AppendOrigin
  readonly leaderEpoch: number
  /** Of transactional batches; see {@link AppendOptions}. */
  readonly verification: Verification
  readonly config: LogConfig
  /** Offset that the first record will get. */
  readonly nextOffset: number
  readonly nowMs: number
  readonly producers: Producers
  /** `topic-partition`, for messages. */
  readonly name: string
}

/** Batches that may be appended: where each begins in `records`, offsets not yet assigned. */
export interface Ready {
  readonly kind: 'ready'
  readonly records: Buffer
  readonly positions: readonly number[]
}

/** A retry: the batch that it repeats. */
export interface Duplicate {
  readonly kind: 'duplicate'
  readonly baseOffset: number
  readonly lastOffset: number
  readonly timestampMs: number
}

type RecordError = Refused['recordErrors'][number]

/** A refusal without per-record reasons. */
export function refuse(errorCode: number, message: string, recordErrors: readonly RecordError[] = []): Refused {
  return { kind: 'refused', errorCode, message, recordErrors }
}

/** Judges `records`. Nothing is changed but the checksum and times of batches on a topic with LogAppendTime. */
export function judgeAppend(records: Buffer, context: AppendContext): Ready | Duplicate | Refused {
  try {
    const found = findBatches(records, context)
    if (found.kind === 'refused') return found
    return context.origin === 'client' ? judgeClient(found, context) : judgeOwn(found, context)
  } catch (error) {
    if (error instanceof BatchError) return refuse(error.errorCode, error.message)
    throw error
  }
}

/** Patches the batches' base offsets and leader epochs; see AppendOrigin for who keeps offsets. */
export function assignOffsets(ready: Ready, context: AppendContext): void {
  const { records, positions } = ready
  let nextOffset = context.nextOffset
  for (const at of positions) {
    const own = context.origin === 'raft' ? batchHeader.baseOffset(records, at) : 0
    const baseOffset = own === 0 ? nextOffset : own
    if (baseOffset !== nextOffset) throw new RangeError(`batch of offset ${own} cannot be appended to ${context.name} at ${nextOffset}`)
    patchBatch(records, at, { baseOffset, leaderEpoch: context.leaderEpoch })
    nextOffset = batchHeader.lastOffset(records, at) + 1
  }
}

function findBatches(records: Buffer, context: AppendContext): Ready | Refused {
  const positions: number[] = []
  for (let at = 0; records.length - at >= BATCH_PREFIX_BYTES; ) {
    const sizeBytes = batchHeader.sizeBytes(records, at)
    if (sizeBytes > records.length - at) break // a cut last batch is no batch
    if (context.origin === 'client') {
      if (positions.length > 0)
        return refuse(ErrorCode.INVALID_RECORD, 'produce requests are only allowed to contain exactly one record batch per partition')
      const problem = checkClientHeader(records, at, sizeBytes, context)
      if (problem !== undefined) return problem
    }
    const checked = checkBatch(records, at)
    if ('errorCode' in checked) return refuse(checked.errorCode, checked.message)
    positions.push(at)
    at += checked.sizeBytes
  }
  if (positions.length === 0) return refuse(ErrorCode.INVALID_RECORD, 'produce requests must have at least one record batch')
  return { kind: 'ready', records, positions }
}

/** What Kafka looks at before the checksum. */
function checkClientHeader(records: Buffer, at: number, sizeBytes: number, { config, name }: AppendContext): Refused | undefined {
  if (sizeBytes >= MAGIC_END && batchHeader.magic(records, at) < 2) {
    return refuse(ErrorCode.INVALID_RECORD, 'produce requests are only allowed to contain record batches with magic version 2')
  }
  if (records.readInt32BE(at) !== 0 || records.readInt32BE(at + 4) !== 0) {
    return refuse(ErrorCode.INVALID_RECORD, `the baseOffset of the record batch in the append to ${name} should be 0`)
  }
  if (sizeBytes <= config.maxMessageBytes) return undefined
  return refuse(
    ErrorCode.MESSAGE_TOO_LARGE,
    `the record batch size in the append to ${name} is ${sizeBytes} bytes which exceeds the maximum configured value of ${config.maxMessageBytes}`,
  )
}

function judgeClient(found: Ready, context: AppendContext): Ready | Duplicate | Refused {
  const { records } = found
  const at = 0
  const problem = checkClientBatch(records, at) ?? checkRecords(records, at, context)
  if (problem !== undefined) return problem
  const ready = recompressed(found, context)
  const tooLarge = judgeSize(ready, context)
  if (tooLarge.kind === 'refused') return tooLarge
  const verdict = judgeProducer(ready.records, at, context)
  if (verdict !== undefined) return verdict
  if (context.config.messageTimestampType === 'LogAppendTime') setMaxTimestamp(ready.records, at, 'append', context.nowMs)
  return ready
}

function checkClientBatch(records: Buffer, at: number): Refused | undefined {
  const count = batchHeader.recordCount(records, at)
  const offsetCount = batchHeader.lastOffsetDelta(records, at) + 1
  if (count < 1 || count !== offsetCount)
    return refuse(ErrorCode.INVALID_RECORD, `inconsistent batch: ${count} records for ${offsetCount} offsets`)
  if (batchHeader.isControl(records, at)) return refuse(ErrorCode.INVALID_RECORD, 'clients are not allowed to write control records')
  if (batchHeader.producerId(records, at) >= 0 && batchHeader.baseSequence(records, at) < 0) {
    return refuse(ErrorCode.INVALID_RECORD, 'invalid sequence number in a record batch with a producer id')
  }
  return undefined
}

/**
 * Structure, keys and timestamps. Uncompressed records are always walked through: it costs a few microseconds and a malformed one would else surface
 * only at its readers. Compressed ones are unpacked only when the header leaves a doubt (ADR 5). Throws BatchError for malformed records.
 */
function checkRecords(records: Buffer, at: number, context: AppendContext): Refused | undefined {
  const { config, nowMs } = context
  const needsKeys = config.cleanupPolicies.has('compact')
  const createTime = config.messageTimestampType === 'CreateTime'
  const isAppendTime = createTime && batchHeader.timestampType(records, at) === 'append'
  const latestMs = nowMs + config.messageTimestampAfterMaxMs
  const earliestMs = nowMs - config.messageTimestampBeforeMaxMs
  const inDoubt = createTime && (batchHeader.maxTimestampMs(records, at) > latestMs || earliestMs >= 0)
  if (!needsKeys && !isAppendTime && !inDoubt) {
    if (batchHeader.compression(records, at) === 'none') forEachRecord(records, at, goOn)
    return undefined
  }
  const errors: RecordError[] = []
  let timestampsWrong = false
  forEachRecord(records, at, (batchIndex, timestampMs, _keyStart, keyLength) => {
    if (needsKeys && keyLength < 0) {
      errors.push({ batchIndex, message: `Compacted topic cannot accept message without key in topic partition ${context.name}.` })
    } else if (isAppendTime) {
      timestampsWrong = true
      errors.push({
        batchIndex,
        message: `Invalid timestamp type in message with offset ${batchIndex}. Producer should not set timestamp type to LogAppendTime.`,
      })
    } else if (inDoubt && timestampMs !== NO_TIMESTAMP && (timestampMs > latestMs || timestampMs < earliestMs)) {
      timestampsWrong = true
      errors.push({
        batchIndex,
        message: `Timestamp ${timestampMs} of message with offset ${batchIndex} is out of range. The timestamp should be within [${earliestText(context)}, ${latestMs}]`,
      })
    }
    return errors.length < RECORD_ERRORS_MAX
  })
  return errors.length === 0 ? undefined : refuseRecords(errors, timestampsWrong)
}

function goOn(): boolean {
  return true
}

/** Kafka subtracts in 64 bits, where the default (no limit) gives a number that doubles do not hold. */
function earliestText({ nowMs, config }: AppendContext): string {
  const before = BigInt(Math.trunc(config.messageTimestampBeforeMaxMs))
  return String(BigInt(nowMs) - (before > LONG_MAX ? LONG_MAX : before))
}

function refuseRecords(errors: readonly RecordError[], timestampsWrong: boolean): Refused {
  if (timestampsWrong) return refuse(ErrorCode.INVALID_TIMESTAMP, 'One or more records have been rejected due to invalid timestamp', errors)
  const shown = errors.slice(0, 3).map((error) => `RecordError(batchIndex=${error.batchIndex}, message='${error.message}')`)
  const message = `One or more records have been rejected due to ${errors.length} record errors in total, and only showing the first three errors at most: [${shown.join(', ')}]`
  return refuse(ErrorCode.INVALID_RECORD, message, errors)
}

function recompressed(found: Ready, { config }: AppendContext): Ready {
  if (config.compressionType === 'producer') return found
  const { records } = found
  const codec = config.compressionType === 'uncompressed' ? 'none' : config.compressionType
  if (batchHeader.compression(records, 0) === codec) return found
  const encoded = encodeBatch({
    compression: codec,
    ...levelOf(codec, config),
    timestampType: batchHeader.timestampType(records, 0),
    producerId: batchHeader.producerId(records, 0),
    producerEpoch: batchHeader.producerEpoch(records, 0),
    baseSequence: batchHeader.baseSequence(records, 0),
    transactional: batchHeader.isTransactional(records, 0),
    records: decodeRecords(records, 0),
  })
  return { kind: 'ready', records: encoded, positions: [0] }
}

function levelOf(codec: Codec, config: LogConfig): { readonly compressionLevel?: number } {
  if (codec === 'gzip') return { compressionLevel: config.gzipLevel }
  if (codec === 'lz4') return { compressionLevel: config.lz4Level }
  return codec === 'zstd' ? { compressionLevel: config.zstdLevel } : {}
}

function judgeSize(ready: Ready, { config, origin, name }: AppendContext): Ready | Refused {
  const { records, positions } = ready
  let totalBytes = 0
  for (const at of positions) {
    const sizeBytes = batchHeader.sizeBytes(records, at)
    totalBytes += sizeBytes
    // The raft log's batches are its own affair (Kafka: maxBatchSizeInBytes of KafkaRaftClient).
    if (origin !== 'raft' && sizeBytes > config.maxMessageBytes) {
      return refuse(
        ErrorCode.MESSAGE_TOO_LARGE,
        `a record batch of ${sizeBytes} bytes in the append to ${name} exceeds the maximum configured value of ${config.maxMessageBytes}`,
      )
    }
  }
  if (totalBytes <= config.segmentBytes) return ready
  return refuse(
    ErrorCode.RECORD_LIST_TOO_LARGE,
    `record batches of ${totalBytes} bytes in the append to ${name} exceed the segment size of ${config.segmentBytes}`,
  )
}

/** Our own batches: size, and the epochs of those that belong to a transaction. */
function judgeOwn(found: Ready, context: AppendContext): Ready | Refused {
  if (context.origin === 'coordinator') {
    for (const at of found.positions) {
      const claim = claimOf(found.records, at)
      const refusal = claim === undefined ? undefined : context.producers.judgeCoordinator(claim, context.verification)
      if (refusal !== undefined) return refuse(refusal.errorCode, refusal.message)
    }
  }
  return judgeSize(found, context)
}

function judgeProducer(records: Buffer, at: number, { producers, verification }: AppendContext): Duplicate | Refused | undefined {
  const claim = claimOf(records, at)
  if (claim === undefined) return undefined
  const verdict = producers.judge(claim, verification)
  if (verdict.kind === 'refused') return refuse(verdict.errorCode, verdict.message)
  if (verdict.kind === 'next') return undefined
  const { lastOffset, offsetDelta, timestampMs } = verdict.batch
  return { kind: 'duplicate', baseOffset: lastOffset - offsetDelta, lastOffset, timestampMs }
}
