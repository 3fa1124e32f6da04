/** @module connect/tasks/sink-control — what a sink may ask of its task: pause, seek, wake, commit, reject. */
import type { SinkRecord, SinkTaskContext, TopicPartition, TopicPartitionOffset } from '@millrace/sdk'
import type { Consumer } from '../../client/index.ts'
import type { DeadLetters } from './dead-letters.ts'
import type { TaskLife } from './life.ts'
import { keyOf, type SinkOffsets } from './sink-offsets.ts'
import { PUT_STEP, type ReadRecord, type SinkReader } from './sink-reader.ts'
import type { Tolerance } from './tolerance.ts'
import type { TaskEnvironment } from './types.ts'

export interface SinkControlParts {
  readonly environment: TaskEnvironment
  readonly life: TaskLife
  readonly consumer: Consumer
  readonly offsets: SinkOffsets
  readonly reader: SinkReader
  readonly tolerance: Tolerance<ReadRecord>
  readonly deadLetters: DeadLetters | null
  readonly onFailure: (error: unknown) => void
}

/** See the module. */
export class SinkControl {
  readonly #parts: SinkControlParts
  readonly #heldKeys = new Set<string>()
  readonly #seeks = new Map<string, TopicPartitionOffset>()
  readonly #judging = new Set<Promise<void>>()
  #isCommitRequested = false
  /** All partitions are held back anyway. */
  isHalted = false
  /** When the sink wants to be called; infinite: only for records. */
  wakeAtMs = Number.POSITIVE_INFINITY

  constructor(parts: SinkControlParts) {
    this.#parts = parts
  }

  /** Whether the sink itself holds a partition back. */
  isHeld(at: TopicPartition): boolean {
    return this.#heldKeys.has(keyOf(at))
  }

  /** The sink is called now: a wake-up that is due has come, one for later still does. */
  noteCall(nowMs: number): void {
    if (nowMs >= this.wakeAtMs) this.wakeAtMs = Number.POSITIVE_INFINITY
  }

  /** Whether a commit was asked for since the last call. */
  takeCommitRequest(): boolean {
    const isRequested = this.#isCommitRequested
    this.#isCommitRequested = false
    return isRequested
  }

  /** Moves positions as the sink has asked; `onSeek` hears of each partition, whose records in hand count no more. */
  applySeeks(onSeek: (at: TopicPartition) => void): void {
    if (this.#seeks.size === 0) return
    const { consumer, offsets } = this.#parts
    for (const at of this.#seeks.values()) {
      if (!offsets.has(at)) continue
      consumer.seek(at, at.offset)
      offsets.noteSeek(at, at.offset)
      onSeek(at)
    }
    this.#seeks.clear()
  }

  /** Partitions are gone. */
  forget(partitions: readonly TopicPartition[]): void {
    for (const at of partitions) {
      this.#heldKeys.delete(keyOf(at))
      this.#seeks.delete(keyOf(at))
    }
  }

  context(): SinkTaskContext {
    const { environment, life, consumer, offsets } = this.#parts
    return {
      connector: environment.id.connector,
      task: environment.id.task,
      properties: environment.config,
      signal: life.ending,
      log: environment.log,
      assignment: () => offsets.partitions,
      pause: (partitions) => {
        for (const at of partitions) this.#heldKeys.add(keyOf(this.#assigned(at)))
        consumer.pause(partitions)
      },
      resume: (partitions) => {
        for (const at of partitions) this.#heldKeys.delete(keyOf(this.#assigned(at)))
        if (!this.isHalted) consumer.resume(partitions)
      },
      seek: ({ topic, partition }, offset) => {
        if (!Number.isSafeInteger(offset) || offset < 0) throw new RangeError(`seek: ${offset} is no offset`)
        const at = this.#assigned({ topic, partition })
        this.#seeks.set(keyOf(at), { topic, partition, offset })
        consumer.wakeup()
      },
      requestCommit: () => {
        this.#isCommitRequested = true
        consumer.wakeup()
      },
      wakeAfter: (ms) => {
        this.wakeAtMs = life.clock.monotonicMs() + ms
        consumer.wakeup()
      },
      reject: (record, error) => this.#reject(record, error),
    }
  }

  #assigned(at: TopicPartition): TopicPartition {
    if (this.#parts.offsets.has(at)) return at
    throw new RangeError(`partition ${keyOf(at)} is not assigned to this task`)
  }

  /** Resolves when every record that was given up so far is judged and kept. Rejects when one cannot be kept. */
  async settled(): Promise<void> {
    await this.judged()
    await this.#parts.deadLetters?.settled()
  }

  /** Resolves when it is known of every record that was given up whether the task may go on. */
  async judged(): Promise<void> {
    while (this.#judging.size > 0) await Promise.allSettled(this.#judging)
  }

  /** Fails the task where nothing may be skipped, whatever the sink makes of the rejection. */
  #reject(record: SinkRecord, error: Error): Promise<void> {
    const judged = this.#judge(record, error)
    const kept = (async () => {
      await judged
      await this.#parts.deadLetters?.settled()
    })()
    // A sink need not wait: the task knows.
    kept.catch(() => {})
    return kept
  }

  /** At once where the record is one that was read, so that nothing comes between the sink's word and its consequence. */
  #judge(record: SinkRecord, error: Error): Promise<void> | undefined {
    const { reader, tolerance, onFailure } = this.#parts
    const giveUp = (read: ReadRecord): void => {
      try {
        tolerance.skip(read, error, PUT_STEP)
      } catch (failure) {
        onFailure(failure)
        throw failure
      }
    }
    const read = reader.rawOf(record)
    if (!(read instanceof Promise)) {
      try {
        giveUp(read)
        return undefined
      } catch (failure) {
        return Promise.reject(failure)
      }
    }
    const judging = read
      .then(giveUp, (failure: unknown) => {
        onFailure(failure)
        throw failure
      })
      .finally(() => this.#judging.delete(judging))
    this.#judging.add(judging)
    return judging
  }
}
