/**
 * @module connector-s3/sink-task — a running task: records into objects, objects into the bucket, offsets back to the engine.
 *
 * An error of the store is thrown as it is, and the engine gives the very same records again: those that lie in objects already are known
 * by identity and passed over. A flush writes nothing; it says up to where everything stands in the bucket.
 */
import type {
  DataError,
  PluginLog,
  SinkCall,
  SinkRecord,
  SinkTask,
  SinkTaskContext,
  TopicPartition,
  TopicPartitionOffset,
} from '@millrace/sdk'
import { FatalError, isEngineError, RetriableError } from '@millrace/sdk'
import type { Generation } from './generation.ts'
import { s3Limits } from './limits.ts'
import { relieve } from './memory.ts'
import { LostUpload, type ObjectStore } from './object-store.ts'
import { type PartitionParts, PartitionWriter } from './partition-writer.ts'
import type { RotationReason } from './rotation.ts'
import type { SinkSettings } from './settings.ts'
import { unlessAborted, withinMs } from './waiting.ts'

/** Until a commit that was asked for has surely been begun; it is waited for by the engine itself. */
const COMMIT_WAIT_MS = 5
/** Until one that failed is asked for again. */
const COMMIT_RETRY_MS = 1_000

/** What a task is made of. */
export interface TaskParts {
  readonly context: SinkTaskContext
  readonly settings: SinkSettings
  readonly store: ObjectStore
  readonly partition: Omit<PartitionParts, 'onRejected' | 'onRotation'>
  /** The wall clock. */
  readonly nowMs: () => number
  /** Longest time that a call waits for the store; the group would take a task that waits longer for dead. */
  readonly waitMsMax: number
}

/** See the module. */
export class S3SinkTask implements SinkTask {
  readonly #parts: TaskParts
  readonly #log: PluginLog
  readonly #partitionParts: PartitionParts
  readonly #writers = new Map<string, PartitionWriter>()
  #latest: PartitionWriter | null = null
  /** Records of a call that failed, as far as they were taken. */
  #taken: ReadonlySet<SinkRecord> = new Set()
  readonly #paused = new Set<PartitionWriter>()
  /** A commit has failed: none is asked for before this time. */
  #noCommitBeforeMs = Number.NEGATIVE_INFINITY
  #countdown: number = s3Limits.recordsPerLook
  /** What makes room in memory, where a call has not waited for its end. */
  #relieving: Promise<void> | null = null
  /** When a call has waited for the store long enough, by the monotonic clock. */
  #waitsUntilMs = 0
  readonly #isDlqUsed: boolean

  constructor(parts: TaskParts) {
    this.#parts = parts
    const { log, properties } = parts.context
    this.#log = log
    this.#isDlqUsed = properties['errors.tolerance'] === 'all' && (properties['errors.deadletterqueue.topic.name'] ?? '') !== ''
    this.#partitionParts = {
      ...parts.partition,
      onRejected: (record, error) => this.#reject(record, error),
      onRotation: (generation, reason) => this.#noteEnd(generation, reason),
    }
  }

  open(partitions: readonly TopicPartition[]): void {
    for (const at of partitions) this.#writers.set(keyOf(at), new PartitionWriter(this.#partitionParts, at.topic, at.partition))
  }

  async write(records: readonly SinkRecord[], { signal }: SinkCall): Promise<void> {
    signal.throwIfAborted()
    let takenCount = 0
    this.#waitsUntilMs = performance.now() + this.#parts.waitMsMax
    try {
      for (const writer of this.#writers.values()) writer.isSeeking = false
      await this.#mend(signal)
      for (const writer of this.#writers.values()) {
        writer.endOnTime(this.#parts.nowMs())
        writer.goOn(this.#parts.nowMs())
      }
      for (const record of records) {
        const writer = this.#writerOf(record)
        const taking = this.#taken.has(record) ? undefined : this.#take(record, writer)
        if (taking !== undefined) await taking
        takenCount++
        if (writer.ended.length > 0 && this.#endedObjectCount() >= s3Limits.finishingObjectsMax) await this.#finishAll(signal)
        if (--this.#countdown <= 0) await this.#look(signal)
      }
      await this.#look(signal)
      await this.#finishAll(signal)
      this.#taken = new Set()
    } catch (error) {
      this.#taken = new Set([...this.#taken, ...records.slice(0, takenCount)])
      throw this.#judged(error, signal)
    } finally {
      if (!signal.aborted) this.#tellEngine()
    }
  }

  flush(offsets: readonly TopicPartitionOffset[]): readonly TopicPartitionOffset[] {
    return offsets.map((asked) => {
      const safe = this.#writers.get(keyOf(asked))?.safeOffset() ?? asked.offset
      return { ...asked, offset: Math.min(safe, asked.offset) }
    })
  }

  committed(offsets: readonly TopicPartitionOffset[]): void {
    for (const at of offsets) this.#writers.get(keyOf(at))?.noteCommitted(at.offset)
    const isMissing = [...this.#writers.values()].some(({ wantsCommit }) => wantsCommit)
    this.#noCommitBeforeMs = isMissing ? this.#parts.nowMs() + COMMIT_RETRY_MS : Number.NEGATIVE_INFINITY
  }

  async close(partitions: readonly TopicPartition[]): Promise<void> {
    const gone = partitions.flatMap((at) => this.#writers.get(keyOf(at)) ?? [])
    for (const at of partitions) this.#writers.delete(keyOf(at))
    this.#latest = null
    for (const writer of gone) this.#paused.delete(writer)
    await this.#drop(gone)
  }

  async stop(): Promise<void> {
    const all = [...this.#writers.values()]
    this.#writers.clear()
    await this.#drop(all)
    this.#parts.store.close()
  }

  async #drop(writers: readonly PartitionWriter[]): Promise<void> {
    const signal = AbortSignal.timeout(s3Limits.abortMsMax)
    await Promise.all(
      writers.map((writer) =>
        writer.drop(signal, (name, error) =>
          this.#log.warn(`an upload of ${name} was begun and not given up; a life cycle rule of the bucket removes such: ${String(error)}`),
        ),
      ),
    )
  }

  #take(record: SinkRecord, writer: PartitionWriter): Promise<void> | undefined {
    if (writer.isSeeking) return undefined
    if (writer.isBehind(record)) return this.#drop([writer]).then(() => this.#give(record, writer))
    this.#give(record, writer)
    return undefined
  }

  #give(record: SinkRecord, writer: PartitionWriter): void {
    if (record.value === null) this.#takeNull(record, writer)
    else writer.take(record, this.#parts.nowMs())
  }

  #writerOf({ originalTopic: topic, originalPartition: partition }: SinkRecord): PartitionWriter {
    const latest = this.#latest
    if (latest !== null && latest.partition === partition && latest.topic === topic) return latest
    const key = keyOf({ topic, partition })
    const writer = this.#writers.get(key) ?? new PartitionWriter(this.#partitionParts, topic, partition)
    this.#writers.set(key, writer)
    this.#latest = writer
    return writer
  }

  /** A tombstone has nothing that could stand in an object. */
  #takeNull(record: SinkRecord, writer: PartitionWriter): void {
    const { isNullIgnored, isNullReported } = this.#parts.settings
    const place = `${record.originalTopic}-${record.originalPartition}@${record.originalOffset}`
    if (!isNullIgnored) {
      const remedy = 'set behavior.on.null.values=ignore, or drop tombstones by a transform, then restart the task'
      throw new FatalError('null-value', `record ${place} has a null value`, remedy)
    }
    writer.pass(record)
    if (isNullReported && this.#isDlqUsed) void this.#parts.context.reject(record, new Error('the value is null'))
  }

  #reject(record: SinkRecord, error: DataError): void {
    // The engine judges; where nothing may be skipped it fails the task after this call.
    void this.#parts.context.reject(record, error)
  }

  #noteEnd({ recordCount, objectCount }: Generation, reason: RotationReason): void {
    this.#log.debug(`${objectCount} objects with ${recordCount} records end: ${reason}`)
  }

  #endedObjectCount(): number {
    let count = 0
    for (const { ended } of this.#writers.values()) for (const { objectCount } of ended) count += objectCount
    return count
  }

  /** Sends again what failed since the last call. */
  async #mend(signal: AbortSignal): Promise<void> {
    for (const writer of this.#writers.values()) {
      for (const upload of writer.open?.uploads ?? []) if (upload.hasFailed) await this.#orSeek(writer, upload.settle(), signal)
    }
    await this.#finishAll(signal)
  }

  /** Makes the objects of all generations that have ended. */
  async #finishAll(signal: AbortSignal): Promise<void> {
    const runs: Promise<void>[] = []
    for (const writer of this.#writers.values()) {
      for (const generation of writer.ended) {
        const finished = generation.finish((name, recordCount, sizeBytes) =>
          this.#log.debug(`wrote ${name}`, { records: recordCount, bytes: sizeBytes }),
        )
        runs.push(this.#orSeek(writer, finished, signal))
      }
    }
    if (runs.length === 0) return
    const outcomes = await Promise.allSettled(runs)
    for (const writer of this.#writers.values()) writer.forgetFinished()
    const failed = outcomes.filter((outcome) => outcome.status === 'rejected').map(({ reason }) => reason as unknown)
    const worst = failed.find((error) => !isEngineError(error) || error.next !== 'retry') ?? failed[0]
    if (worst !== undefined) throw worst
  }

  /** All waits of a call together have a limit. What goes on meanwhile goes on: the same records come again and are passed over. */
  async #within<T>(what: string, work: Promise<T>, signal: AbortSignal): Promise<T> {
    const leftMs = Math.max(0, this.#waitsUntilMs - performance.now())
    return await unlessAborted(signal, withinMs(leftMs, this.#parts.waitMsMax, what, work))
  }

  /** An upload that the store has forgotten cannot go on: its records are read again. */
  async #orSeek(writer: PartitionWriter, work: Promise<void>, signal: AbortSignal): Promise<void> {
    try {
      await this.#within(`writing ${writer.topic}-${writer.partition}`, work, signal)
    } catch (error) {
      signal.throwIfAborted()
      // Its other uploads are given up meanwhile.
      if (writer.isSeeking) return
      if (!(error instanceof LostUpload)) throw error
      const offset = writer.safeOffset()
      this.#log.warn(`${error.message}; ${writer.topic}-${writer.partition} is read again from offset ${offset}`)
      writer.isSeeking = true
      await this.#drop([writer])
      if (offset !== null) this.#parts.context.seek(writer, offset)
    }
  }

  /** Keeps the memory of all open objects within its limit. */
  async #look(signal: AbortSignal): Promise<void> {
    this.#countdown = s3Limits.recordsPerLook
    const { bufferBytesMax } = this.#parts.settings
    this.#relieving ??= relieve([...this.#writers.values()], bufferBytesMax).finally(() => {
      this.#relieving = null
    })
    await this.#within('making room in memory', this.#relieving, signal)
    if (this.bufferedBytes > bufferBytesMax) await this.#finishAll(signal)
  }

  /** Memory that open objects and what is on its way take. */
  get bufferedBytes(): number {
    let sum = 0
    for (const writer of this.#writers.values()) sum += writer.bufferedBytes
    return sum
  }

  #judged(error: unknown, signal: AbortSignal): unknown {
    signal.throwIfAborted()
    if (!isEngineError(error) || error.next !== 'retry') return error
    return new RetriableError(error.message, { cause: error, afterMs: this.#parts.settings.retryMs })
  }

  /** Commits that are wanted, partitions that are held back or go on, the next time that something is due. */
  #tellEngine(): void {
    const { context } = this.#parts
    const nowMs = this.#parts.nowMs()
    const mayAsk = nowMs >= this.#noCommitBeforeMs
    let dueMs = Number.POSITIVE_INFINITY
    for (const writer of this.#writers.values()) {
      if (writer.wantsCommit && mayAsk) context.requestCommit()
      if (writer.isBlocked || writer.hasHeld) {
        if (!this.#paused.has(writer)) context.pause([writer])
        this.#paused.add(writer)
        dueMs = Math.min(dueMs, mayAsk ? COMMIT_WAIT_MS : this.#noCommitBeforeMs - nowMs)
      } else if (this.#paused.delete(writer)) context.resume([writer])
      if (writer.open !== null) dueMs = Math.min(dueMs, writer.open.endsAtMs - nowMs)
    }
    if (Number.isFinite(dueMs)) context.wakeAfter(Math.max(0, dueMs))
  }
}

function keyOf({ topic, partition }: TopicPartition): string {
  return `${topic}-${partition}`
}
