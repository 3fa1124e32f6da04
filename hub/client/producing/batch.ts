/** @module client/producing/batch — the records of one partition that travel together, from the first record to the acknowledgement. */
import { BATCH_HEADER_BYTES, crc32c, decodeRecords, encodeBatch, type RecordInput } from '../../wire/index.ts'
import type { RecordHeader } from '../types.ts'
import type { Compression } from '../producer-options.ts'

/** Most bytes that a record costs beside its key, value and headers: varints of lengths, of the two deltas, attributes. */
const RECORD_OVERHEAD_BYTES = 21
/** Most bytes that a header costs beside its key and value. */
const HEADER_OVERHEAD_BYTES = 10

// Positions in the batch header (KIP-98); the checksum covers all that follows it.
const CRC_AT = 17
const CRC_START_BYTES = 21
const PRODUCER_ID_AT = 43
const PRODUCER_EPOCH_AT = 51
const BASE_SEQUENCE_AT = 53

/** Who produces, in the eyes of a partition. */
export interface ProducerIdentity {
  readonly producerId: number
  readonly epoch: number
}

/** Bytes that the record may take in a batch, never less than it does. */
export function recordBytes(key: Buffer | null, value: Buffer | null, headers: readonly RecordHeader[] | undefined): number {
  let sizeBytes = RECORD_OVERHEAD_BYTES + (key === null ? 0 : key.length) + (value === null ? 0 : value.length)
  if (headers !== undefined) {
    for (const header of headers) {
      sizeBytes += HEADER_OVERHEAD_BYTES + Buffer.byteLength(header.key) + (header.value?.length ?? 0)
    }
  }
  return sizeBytes
}

/** A batch on its way. */
export class ProducerBatch {
  readonly topic: string
  readonly partition: number
  /** When its first record came. */
  readonly createdMs: number
  /** Rank among the batches of its producer, in the order of their making; halves of a batch rank in its place. */
  readonly order: number
  /** Rank of its first record among all that the producer was given. */
  readonly firstNumber: number
  /** Settles when the batch is acknowledged or given up. */
  readonly done: Promise<void>
  /** Whether it belongs to a transaction. */
  readonly transactional: boolean
  /** What its records count in bytes: an upper bound, before compression. */
  recordsBytes = 0
  recordCount = 0
  attemptCount = 0
  /** Acknowledged or given up. */
  settled = false
  /** Given up while a request with it was still on its way. */
  abandoned = false
  /** -1: none assigned. */
  baseSequence = -1
  identity: ProducerIdentity | null = null
  /** -1 until acknowledged, and when the broker did not tell (acks=0, a duplicate of long ago). */
  baseOffset = -1
  /** -1 unless the topic uses LogAppendTime. */
  logAppendTimeMs = -1
  /** Why the latest try was not the last one; undefined before a first failure. */
  lastError: unknown
  #records: RecordInput[] = []
  #encoded: Buffer | null = null
  #parts: readonly ProducerBatch[] | null = null
  /** Ranks up to `order + #orderSpan` are its own. */
  #orderSpan = 1
  #settle!: { resolve: () => void; reject: (error: unknown) => void }

  constructor(topic: string, partition: number, createdMs: number, order: number, firstNumber = 0, transactional = false) {
    this.topic = topic
    this.partition = partition
    this.createdMs = createdMs
    this.order = order
    this.firstNumber = firstNumber
    this.transactional = transactional
    this.done = new Promise((resolve, reject) => {
      this.#settle = { resolve, reject }
    })
    // Whoever sent a record hears of a failure; a batch that nobody listens to must not end the process.
    this.done.catch(() => {})
  }

  add(record: RecordInput, sizeBytes: number): void {
    this.#records.push(record)
    this.recordsBytes += sizeBytes
    this.recordCount++
  }

  /** Of the whole batch: an upper bound, before compression. */
  get sizeBytes(): number {
    return BATCH_HEADER_BYTES + this.recordsBytes
  }

  /** Sequence after the last record; wraps from 2^31−1 to 0. */
  get nextSequence(): number {
    return (this.baseSequence + this.recordCount) % 2 ** 31
  }

  /** Gives it a place in the partition's sequence; a batch that was encoded under another one is stamped anew. */
  assign(identity: ProducerIdentity, baseSequence: number): void {
    this.identity = identity
    this.baseSequence = baseSequence
    if (this.#encoded !== null) stamp(this.#encoded, identity, baseSequence)
  }

  /** The bytes to send. The records are let go once they are encoded. */
  encode(compression: Compression, compressionLevel: number | undefined): Buffer {
    if (this.#encoded === null) {
      this.#encoded = encodeBatch({
        compression,
        ...(compressionLevel === undefined ? {} : { compressionLevel }),
        ...(this.identity === null
          ? {}
          : {
              producerId: this.identity.producerId,
              producerEpoch: this.identity.epoch,
              baseSequence: this.baseSequence,
              transactional: this.transactional,
            }),
        records: this.#records,
      })
      this.#records = []
    }
    return this.#encoded
  }

  /**
   * Cuts it in two, for a broker that finds it too large. The halves take its place: the same sequence numbers in the same
   * order, and the batch is done when both are.
   */
  split(): readonly [ProducerBatch, ProducerBatch] {
    const records = this.#encoded === null ? this.#records : decodeRecords(this.#encoded, 0)
    const middle = Math.ceil(records.length / 2)
    const span = this.#orderSpan / 2
    const halves = [records.slice(0, middle), records.slice(middle)].map((part, index) => {
      const half = new ProducerBatch(
        this.topic,
        this.partition,
        this.createdMs,
        this.order + index * span,
        this.firstNumber,
        this.transactional,
      )
      half.#orderSpan = span
      for (const { key, value, headers, timestampMs } of part) {
        half.add(
          {
            key,
            value,
            ...(headers === undefined ? {} : { headers }),
            timestampMs,
          },
          recordBytes(key, value, headers),
        )
      }
      return half
    })
    const [first, second] = halves as [ProducerBatch, ProducerBatch]
    if (this.identity !== null) {
      first.assign(this.identity, this.baseSequence)
      second.assign(this.identity, first.nextSequence)
    }
    this.#parts = [first, second]
    this.#records = []
    this.#encoded = null
    Promise.all([first.done, second.done]).then(() => this.#settle.resolve(), this.#settle.reject)
    return [first, second]
  }

  succeed(baseOffset: number, logAppendTimeMs: number): void {
    this.baseOffset = baseOffset
    this.logAppendTimeMs = logAppendTimeMs
    this.#encoded = null
    this.settled = true
    this.#settle.resolve()
  }

  fail(error: unknown): void {
    this.#records = []
    this.#encoded = null
    this.settled = true
    this.#settle.reject(error)
  }

  /** Offset of the record that was added as number `index`; -1 when the broker did not tell. */
  offsetOf(index: number): number {
    if (this.#parts === null) return this.baseOffset < 0 ? -1 : this.baseOffset + index
    const [first, second] = this.#parts as [ProducerBatch, ProducerBatch]
    return index < first.recordCount ? first.offsetOf(index) : second.offsetOf(index - first.recordCount)
  }
}

function stamp(encoded: Buffer, identity: ProducerIdentity, baseSequence: number): void {
  encoded.writeBigInt64BE(BigInt(identity.producerId), PRODUCER_ID_AT)
  encoded.writeInt16BE(identity.epoch, PRODUCER_EPOCH_AT)
  encoded.writeInt32BE(baseSequence, BASE_SEQUENCE_AT)
  encoded.writeUInt32BE(crc32c(encoded, CRC_START_BYTES) >>> 0, CRC_AT)
}
