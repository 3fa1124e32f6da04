/**
 * @module test/connectors/s3/engine — the part of the engine that a sink task sees, in memory and step by step: batches in order, the very same
 * records again after a RetriableError, commits when asked, pauses, seeks, crashes. The real one is in hub/connect/tasks; test/e2e has both together.
 */
import { isEngineError, parseConfig, type SinkRecord, type SinkTaskContext, type TopicPartition } from '@millrace/sdk'
import { s3SinkConfig } from '../../../connectors/s3/config.ts'
import { createTask } from '../../../connectors/s3/create-task.ts'
import { settingsOf } from '../../../connectors/s3/settings.ts'
import type { S3SinkTask } from '../../../connectors/s3/sink-task.ts'
import type { MemoryStore } from './memory-store.ts'

/** How long a call of the task waits for its store. */
const waitMsMax = 200
const call = { signal: new AbortController().signal }
const keyOf = ({ topic, partition }: TopicPartition): string => `${topic}-${partition}`

/** A topic's partitions, and a task that reads them. */
export class Engine {
  readonly store: MemoryStore
  readonly log: readonly SinkRecord[]
  readonly committed = new Map<string, number>()
  readonly rejected: SinkRecord[] = []
  /** Wall clock. */
  nowMs = Date.UTC(2026, 10, 25)
  /** Milliseconds after which the task wants to be called. */
  wakeMs = Number.POSITIVE_INFINITY
  commitCount = 0
  readonly #config: Readonly<Record<string, string>>
  readonly #next = new Map<string, number>()
  readonly #delivered = new Map<string, number>()
  readonly #paused = new Set<string>()
  #batch: readonly SinkRecord[] | null = null
  #seeks: { at: TopicPartition; offset: number }[] = []
  #isCommitRequested = false
  #task: S3SinkTask

  constructor(store: MemoryStore, config: Readonly<Record<string, string>>, log: readonly SinkRecord[]) {
    this.store = store
    this.log = log
    this.#config = { 's3.bucket.name': 'b', 'format.class': 'json', ...config }
    this.#task = this.#start()
  }

  get partitions(): TopicPartition[] {
    const all = this.log.map(({ topic, partition }) => ({ topic, partition }))
    return [...new Map(all.map((at) => [keyOf(at), at])).values()]
  }

  /** Whether the task has taken every record that there is. */
  get isDone(): boolean {
    return this.#batch === null && this.log.every((record) => record.offset < (this.#next.get(keyOf(record)) ?? 0))
  }

  /** Memory that the task takes for objects. */
  get bufferedBytes(): number {
    return this.#task.bufferedBytes
  }

  get pausedCount(): number {
    return this.#paused.size
  }

  /** One turn: a commit if one was asked for, then a batch of at most `countMax` records, or the one that failed again. Gives the error of the write. */
  async turn(countMax: number): Promise<unknown> {
    if (this.#isCommitRequested) this.commit()
    const batch = this.#batch ?? this.#poll(countMax)
    let failure: unknown = null
    try {
      await this.#task.write(batch, call)
      this.#batch = null
      for (const record of batch) this.#delivered.set(keyOf(record), record.offset + 1)
    } catch (error) {
      if (!isEngineError(error) || error.next !== 'retry') throw error
      this.#batch = batch
      failure = error
    }
    this.#applySeeks()
    return failure
  }

  /** Asks the task what is safe, commits it and tells what stands committed; the commit may fail. */
  commit(isLost = false): void {
    this.#isCommitRequested = false
    const asked = this.partitions.flatMap((at) => {
      const offset = this.#delivered.get(keyOf(at))
      return offset === undefined ? [] : [{ ...at, offset }]
    })
    const safe = this.#task.flush(asked)
    for (const { topic, partition, offset } of safe) {
      const limit = this.#delivered.get(keyOf({ topic, partition })) ?? 0
      if (offset > limit) throw new Error(`offset ${offset} of ${partition} is called safe, only ${limit} were delivered`)
      if (!isLost) this.committed.set(keyOf({ topic, partition }), offset)
    }
    if (!isLost) this.commitCount++
    this.#task.committed(
      this.partitions.flatMap((at) => ({ ...at, offset: this.committed.get(keyOf(at)) ?? -1 })).filter(({ offset }) => offset >= 0),
    )
  }

  /** Calls the task without records, and without a commit. */
  async write(): Promise<void> {
    await this.#task.write([], call)
  }

  /** Reads a partition from an offset on, without a word to the task. */
  rewind(at: TopicPartition, offset: number): void {
    this.#next.set(keyOf(at), offset)
    this.#delivered.set(keyOf(at), offset)
  }

  /** All partitions are taken away, and given back. */
  async rebalance(): Promise<void> {
    this.commit()
    await this.#task.close(this.partitions)
    this.#batch = null
    this.#paused.clear()
    this.#delivered.clear()
    for (const at of this.partitions) this.#next.set(keyOf(at), this.committed.get(keyOf(at)) ?? 0)
    this.#task.open(this.partitions)
  }

  /** The process is gone with all it had in memory; another one begins at what is committed. */
  crash(): void {
    this.#batch = null
    this.#seeks = []
    this.#isCommitRequested = false
    this.#paused.clear()
    this.#delivered.clear()
    this.#task = this.#start()
  }

  /** An orderly end. */
  async stop(): Promise<void> {
    this.commit()
    await this.#task.close(this.partitions)
    await this.#task.stop()
  }

  #poll(countMax: number): readonly SinkRecord[] {
    const batch: SinkRecord[] = []
    for (const record of this.log) {
      const key = keyOf(record)
      if (batch.length === countMax) break
      if (this.#paused.has(key) || record.offset < (this.#next.get(key) ?? 0)) continue
      // A new object each time, as a consumer makes them.
      batch.push({ ...record })
      this.#next.set(key, record.offset + 1)
    }
    return batch
  }

  #applySeeks(): void {
    for (const { at, offset } of this.#seeks) {
      const key = keyOf(at)
      this.#next.set(key, offset)
      this.#delivered.set(key, offset)
      const rest = this.#batch?.filter((record) => keyOf(record) !== key)
      if (rest !== undefined) this.#batch = rest.length === 0 ? null : rest
    }
    this.#seeks = []
  }

  #start(): S3SinkTask {
    for (const at of this.partitions) this.#next.set(keyOf(at), this.committed.get(keyOf(at)) ?? 0)
    const settings = settingsOf(parseConfig(s3SinkConfig, this.#config))
    const task = createTask(settings, this.store, this.#context(), () => this.nowMs, waitMsMax)
    task.open(this.partitions)
    return task
  }

  #context(): SinkTaskContext {
    const quiet = (): void => undefined
    return {
      connector: 'test',
      task: 0,
      properties: this.#config,
      signal: call.signal,
      log: { debug: quiet, info: quiet, warn: quiet, error: quiet },
      assignment: () => this.partitions,
      pause: (partitions) => {
        for (const at of partitions) this.#paused.add(keyOf(at))
      },
      resume: (partitions) => {
        for (const at of partitions) this.#paused.delete(keyOf(at))
      },
      seek: (at, offset) => void this.#seeks.push({ at: { topic: at.topic, partition: at.partition }, offset }),
      requestCommit: () => {
        this.#isCommitRequested = true
      },
      wakeAfter: (ms) => {
        this.wakeMs = ms
      },
      reject: async (record) => void this.rejected.push(record),
    }
  }
}
