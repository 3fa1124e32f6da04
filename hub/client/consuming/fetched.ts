/** @module client/consuming/fetched — records out of a fetch answer, batch by batch as they are asked for. Pure. */
import { BATCH_HEADER_BYTES, batchHeader, checkBatch, decodeRecords, ErrorCode, type LogRecord } from '../../wire/index.ts'
import { KafkaError } from '../errors.ts'
import type { TimestampType } from '../types.ts'
import type { PartitionState, Position } from './positions.ts'

/** Control record type of an abort marker: int16 version, int16 type. */
const ABORT_MARKER = 0

/** A transaction of which records in the answer, from this offset on, are to be left out. */
export interface AbortedTransaction {
  readonly producerId: number
  readonly firstOffset: number
}

/** What the bytes of one partition in one answer hold. */
export class FetchedRecords {
  readonly state: PartitionState
  /** The state's version when it was asked for. */
  readonly version: number
  readonly sizeBytes: number
  readonly #buffer: Buffer
  readonly #checkCrcs: boolean
  readonly #startOffset: number
  /** Null: read_uncommitted. Ordered by first offset, ended transactions removed from the front. */
  readonly #aborted: AbortedTransaction[] | null
  readonly #abortedProducers = new Set<number>()
  #at = 0
  #records: readonly LogRecord[] = []
  #index = 0
  #batchEpoch = -1
  #batchTimestampType: TimestampType = 'create'
  #timestampType: TimestampType = 'create'
  #next: Position

  /** `aborted`: null for read_uncommitted. */
  constructor(state: PartitionState, buffer: Buffer, aborted: readonly AbortedTransaction[] | null, checkCrcs: boolean) {
    this.state = state
    this.version = state.version
    this.sizeBytes = buffer.length
    this.#buffer = buffer
    this.#checkCrcs = checkCrcs
    this.#startOffset = state.fetchOffset
    this.#next = {
      offset: state.fetchOffset,
      leaderEpoch: state.fetchLeaderEpoch,
    }
    this.#aborted = aborted === null ? null : [...aborted].sort((one, other) => one.firstOffset - other.firstOffset)
  }

  /** Whether it still belongs to where its partition stands. */
  get isCurrent(): boolean {
    return this.version === this.state.version
  }

  /** Position after the records taken so far, and after all that was left out on the way. */
  get next(): Position {
    return this.#next
  }

  /** Whose time the records of the latest `take` carry: the producer's, or the broker's (LogAppendTime). */
  get timestampType(): TimestampType {
    return this.#timestampType
  }

  /** Up to `countMax` records of one timestamp type, none when all are taken. Throws when a batch that is damaged is next, each time. */
  take(countMax: number): readonly LogRecord[] {
    let taken: readonly LogRecord[] = []
    while (taken.length < countMax) {
      try {
        if (this.#index >= this.#records.length && !this.#nextBatch()) break
      } catch (error) {
        if (taken.length > 0) break
        throw error
      }
      if (taken.length > 0 && this.#batchTimestampType !== this.#timestampType) break
      this.#timestampType = this.#batchTimestampType
      const end = Math.min(this.#records.length, this.#index + countMax - taken.length)
      const part = this.#index === 0 && end === this.#records.length ? this.#records : this.#records.slice(this.#index, end)
      taken = taken.length === 0 ? part : taken.concat(part)
      this.#index = end
      const last = part.at(-1)
      if (last !== undefined && end < this.#records.length) {
        this.#next = { offset: last.offset + 1, leaderEpoch: this.#batchEpoch }
      } else this.#next = this.#afterBatch
    }
    return taken
  }

  #afterBatch: Position = { offset: -1, leaderEpoch: -1 }

  /** Makes the next batch that has records for us the current one; false at the end. */
  #nextBatch(): boolean {
    const buffer = this.#buffer
    while (this.#at + BATCH_HEADER_BYTES <= buffer.length) {
      const at = this.#at
      const sizeBytes = batchHeader.sizeBytes(buffer, at)
      // The broker cuts the last batch off when it does not fit.
      if (at + sizeBytes > buffer.length) break
      this.#check(at)
      const lastOffset = batchHeader.lastOffset(buffer, at)
      this.#batchEpoch = batchHeader.leaderEpoch(buffer, at)
      this.#batchTimestampType = batchHeader.timestampType(buffer, at)
      this.#afterBatch = {
        offset: lastOffset + 1,
        leaderEpoch: this.#batchEpoch,
      }
      const skipped = lastOffset < this.#startOffset
      const visible = !skipped && this.#isVisible(at, lastOffset)
      const records = visible ? decodeRecords(buffer, at) : []
      // Not before it could be read: damage is met again by the next call.
      this.#at += sizeBytes
      if (skipped) continue
      const first = records[0]
      // A fetch answers with the whole batch that has the offset.
      this.#records =
        first !== undefined && first.offset < this.#startOffset ? records.filter(({ offset }) => offset >= this.#startOffset) : records
      this.#index = 0
      if (this.#records.length > 0) return true
      this.#next = this.#afterBatch
    }
    this.#records = []
    this.#index = 0
    return false
  }

  #check(at: number): void {
    const magic = batchHeader.magic(this.#buffer, at)
    if (magic !== 2) {
      throw new KafkaError(ErrorCode.UNSUPPORTED_FOR_MESSAGE_FORMAT, `message format ${magic} is not supported`, this.state)
    }
    if (!this.#checkCrcs) return
    const checked = checkBatch(this.#buffer, at)
    if ('errorCode' in checked) throw new KafkaError(checked.errorCode, checked.message, this.state)
  }

  /** Control records are never records; under read_committed those of aborted transactions are not either (KIP-98). */
  #isVisible(at: number, lastOffset: number): boolean {
    const isControl = batchHeader.isControl(this.#buffer, at)
    if (this.#aborted === null || !batchHeader.isTransactional(this.#buffer, at)) return !isControl
    const producerId = batchHeader.producerId(this.#buffer, at)
    while (this.#aborted[0] !== undefined && this.#aborted[0].firstOffset <= lastOffset) {
      this.#abortedProducers.add(this.#aborted[0].producerId)
      this.#aborted.shift()
    }
    if (isControl) {
      if (this.#isAbortMarker(at)) this.#abortedProducers.delete(producerId)
      return false
    }
    return !this.#abortedProducers.has(producerId)
  }

  #isAbortMarker(at: number): boolean {
    const key = decodeRecords(this.#buffer, at)[0]?.key
    return key !== null && key !== undefined && key.length >= 4 && key.readInt16BE(2) === ABORT_MARKER
  }
}

/** Position after the last whole batch of the bytes: where a fetch goes on before they are read. Null: no whole batch. */
export function positionAfter(buffer: Buffer): Position | null {
  let after: Position | null = null
  for (let at = 0; at + BATCH_HEADER_BYTES <= buffer.length; ) {
    const sizeBytes = batchHeader.sizeBytes(buffer, at)
    if (sizeBytes < BATCH_HEADER_BYTES || at + sizeBytes > buffer.length) break
    after = {
      offset: batchHeader.lastOffset(buffer, at) + 1,
      leaderEpoch: batchHeader.leaderEpoch(buffer, at),
    }
    at += sizeBytes
  }
  return after
}
