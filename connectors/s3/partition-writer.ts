/**
 * @module connector-s3/partition-writer — one topic partition: which record goes into which object, and up to where all is in the bucket.
 *
 * ```
 *   take ──▶ open generation ──▶ ended (records, time, schema, clock, memory) ──▶ finished ──▶ its end may be committed
 * ```
 * Where records alone decide about ends, the next generation opens at once. Where something else did, records are held back until the end
 * of the generation stands committed (`isBlocked`): the sink asks for that commit.
 */
import { type DataError, isEngineError, type SinkRecord } from '@millrace/sdk'
import { Generation, type GenerationParts } from './generation.ts'
import type { Partitioner } from './partitioner.ts'
import { type RotationReason, type RotationSettings, reasonAfter, reasonBefore } from './rotation.ts'
import type { TimeSource } from './time-source.ts'

/** What all partitions of a sink share. */
export interface PartitionParts extends GenerationParts {
  readonly rotation: RotationSettings
  readonly partitioner: Partitioner
  /** null: times of records are of no interest. */
  readonly timeSource: TimeSource | null
  /** When the wall clock ends a generation that is opened now. */
  readonly endsAtMs: (nowMs: number) => number
  /** Whether the records alone decide where objects end. */
  readonly isRepeatable: boolean
  readonly onRejected: (record: SinkRecord, error: DataError) => void
  readonly onRotation: (generation: Generation, reason: RotationReason) => void
}

/** See the module. */
export class PartitionWriter {
  readonly topic: string
  readonly partition: number
  readonly #parts: PartitionParts
  /** Ended, and not known to stand in the bucket as a whole; in order. */
  #ended: Generation[] = []
  #open: Generation | null = null
  #held: SinkRecord[] = []
  /** No record is taken before this offset stands committed; null: none has to. */
  #awaitedOffset: number | null = null
  #latestOffset = -1
  /** Of the record that was written last. */
  #writtenOffset = -1
  /** Records of this call count no more: they come again from another offset. */
  isSeeking = false

  constructor(parts: PartitionParts, topic: string, partition: number) {
    this.#parts = parts
    this.topic = topic
    this.partition = partition
  }

  /** Generations that are to be finished. */
  get ended(): readonly Generation[] {
    return this.#ended
  }

  get open(): Generation | null {
    return this.#open
  }

  /** Records wait for a commit. */
  get isBlocked(): boolean {
    return this.#awaitedOffset !== null
  }

  /** Whether the engine should be asked for a commit: what is to be committed stands in the bucket. */
  get wantsCommit(): boolean {
    return this.#awaitedOffset !== null && this.#ended.length === 0
  }

  get hasHeld(): boolean {
    return this.#held.length > 0
  }

  get bufferedBytes(): number {
    let sum = this.#open?.bufferedBytes ?? 0
    for (const generation of this.#ended) sum += generation.bufferedBytes
    return sum
  }

  /** Whether a record comes from before what was taken already: the topic was made anew, or its reading set back. */
  isBehind({ originalOffset }: SinkRecord): boolean {
    return originalOffset <= this.#latestOffset
  }

  /** Takes a record, or holds it back. */
  take(record: SinkRecord, nowMs: number): void {
    this.#latestOffset = record.originalOffset
    if (this.isBlocked || this.#held.length > 0) this.#held.push(record)
    else if (!this.#write(record, nowMs)) this.#held.push(record)
  }

  /** A record is left out. */
  pass(record: SinkRecord): void {
    this.#latestOffset = record.originalOffset
  }

  /** Everything before `offset` stands committed. */
  noteCommitted(offset: number): void {
    if (this.#awaitedOffset !== null && offset >= this.#awaitedOffset) this.#awaitedOffset = null
  }

  /** Goes on with what was held back, as far as it need not wait any more. */
  goOn(nowMs: number): void {
    if (this.isBlocked || this.#held.length === 0) return
    const held = this.#held
    let count = 0
    for (; count < held.length && !this.isBlocked; count++) {
      const record = held[count]
      if (record !== undefined && !this.#write(record, nowMs)) break
    }
    this.#held = held.slice(count)
  }

  /** Ends the open generation when the wall clock says so. */
  endOnTime(nowMs: number): void {
    if (this.#open !== null && nowMs >= this.#open.endsAtMs) this.end('rotate.schedule.interval.ms')
  }

  /** Ends the open generation. */
  end(reason: RotationReason): void {
    const open = this.#open
    if (open === null) return
    this.#open = null
    this.#ended.push(open)
    if (!this.#parts.isRepeatable || reason === 'memory' || reason === 'parts') this.#awaitedOffset = this.#writtenOffset + 1
    this.#parts.onRotation(open, reason)
  }

  /** false: it must wait. */
  #write(record: SinkRecord, nowMs: number): boolean {
    const { rotation, timeSource, partitioner, endsAtMs, onRejected } = this.#parts
    try {
      const timeMs = timeSource?.(record, nowMs) ?? Number.NaN
      const path = partitioner(record, timeMs)
      if (this.#open !== null) {
        const next = { path, timeMs, isNewObject: !this.#open.has(record, path), fits: this.#open.fits(record, path) }
        const reason = reasonBefore(rotation, this.#open, next)
        if (reason !== null) this.end(reason)
        if (this.isBlocked) return false
      }
      const open = this.#open ?? new Generation(this.#parts, record.originalOffset, timeMs, endsAtMs(nowMs))
      open.write(record, path)
      this.#open = open
      this.#writtenOffset = record.originalOffset
    } catch (error) {
      if (!isDataError(error)) throw error
      onRejected(record, error)
      return true
    }
    const reason = this.#open.isFull ? 'parts' : reasonAfter(rotation, this.#open)
    if (reason !== null) this.end(reason)
    return true
  }

  /** Forgets generations that stand in the bucket. */
  forgetFinished(): void {
    while (this.#ended[0]?.isFinished === true) this.#ended.shift()
  }

  /** The offset from which records are not in the bucket yet; null: there are none. */
  safeOffset(): number | null {
    this.forgetFinished()
    return (this.#ended[0] ?? this.#open)?.startOffset ?? this.#held[0]?.originalOffset ?? null
  }

  /** Forgets everything; resolves when uploads are given up. Never rejects. */
  async drop(signal: AbortSignal, onLeft: (name: string, error: unknown) => void): Promise<void> {
    const generations = [...this.#ended, ...(this.#open === null ? [] : [this.#open])]
    this.#ended = []
    this.#open = null
    this.#held = []
    this.#awaitedOffset = null
    this.#latestOffset = -1
    await Promise.all(generations.map((generation) => generation.giveUp(signal, onLeft)))
  }
}

function isDataError(error: unknown): error is DataError {
  return isEngineError(error) && error.next === 'judge'
}
