/**
 * @module sdk/testing/run-sink — drives one task of a sink in memory, call by call, as the engine would.
 *
 * ```ts
 * const run = await runSink(plugin, { config: { file: 'out.txt' } })
 * await run.open([{ topic: 'lines', partition: 0 }])
 * await run.deliver(sinkRecords('lines', ['one', 'two']))
 * await run.flush()
 * await run.stop()
 * ```
 */
import { type ConfigDefinition, parseConfig } from '../config.ts'
import { isEngineError, type RetriableError } from '../errors.ts'
import type { SinkRecord, TopicPartition, TopicPartitionOffset } from '../record.ts'
import type { Schema } from '../schema.ts'
import type { SinkPlugin, SinkTask, SinkTaskContext } from '../sink.ts'
import type { TaskConfig } from '../source.ts'
import type { Value } from '../values.ts'
import { pause } from './expectation.ts'
import { type LogLine, recordedLog } from './recorded-log.ts'

/** Limits of a delivery in memory. */
const deliveryLimits = {
  /** Times that records are given again after a RetriableError; 20. */
  attempts: 20,
  /** Most milliseconds between two of them; 20. */
  waitMs: 20,
} as const

/** A running sink task, and what it asked of its context. */
export interface SinkRun {
  readonly log: readonly LogLine[]
  /** Records that it gave up, with the reasons. */
  readonly rejected: readonly { readonly record: SinkRecord; readonly error: Error }[]
  readonly paused: readonly TopicPartition[]
  readonly seeks: readonly TopicPartitionOffset[]
  /** Times that it asked for a commit. */
  readonly commitRequests: number
  open(partitions: readonly TopicPartition[]): Promise<void>
  /** One call of `write`. */
  write(records: readonly SinkRecord[]): Promise<void>
  /** As the engine: the very same records again after each RetriableError. */
  deliver(records: readonly SinkRecord[]): Promise<void>
  /** What the sink was asked about, and what it says is safe; only this may be committed. */
  flush(): Promise<{ readonly asked: readonly TopicPartitionOffset[]; readonly safe: readonly TopicPartitionOffset[] }>
  /** Takes partitions away; without a list all of them. */
  close(partitions?: readonly TopicPartition[]): Promise<void>
  /** Aborts the signals of the context and of calls that run. */
  abort(): void
  stop(): Promise<void>
}

/** Starts a sink task. */
export async function runSink<D extends ConfigDefinition>(
  plugin: SinkPlugin<D>,
  options: { readonly config: TaskConfig; readonly task?: number },
): Promise<SinkRun> {
  const run = new MemorySinkRun()
  await run.start(plugin, options.config, options.task ?? 0)
  return run
}

/** What {@link sinkRecords} may be told beside topic and values. */
export interface SinkRecordOptions {
  /** Default 0. */
  readonly partition?: number
  /** Of the first record. Default 0. */
  readonly offset?: number
  /** One for each value; those that are missing are null. Default: none. */
  readonly keys?: readonly Value[]
  readonly keySchema?: Schema | null
  readonly valueSchema?: Schema | null
}

/** Records as they come out of a topic's partition, from an offset on. */
export function sinkRecords(topic: string, values: readonly Value[], options: SinkRecordOptions = {}): readonly SinkRecord[] {
  const { partition = 0, offset: first = 0, keys = [], keySchema = null, valueSchema = null } = options
  return values.map((value, at) => {
    const [offset, timestampMs] = [first + at, 1_700_000_000_000 + at]
    const origin = { originalTopic: topic, originalPartition: partition, originalOffset: offset }
    const data = { keySchema, key: keys[at] ?? null, valueSchema, value, headers: [] }
    return { topic, partition, offset, timestampMs, timestampType: 'create', ...data, ...origin }
  })
}

class MemorySinkRun implements SinkRun {
  readonly log: LogLine[] = []
  readonly rejected: { record: SinkRecord; error: Error }[] = []
  paused: readonly TopicPartition[] = []
  readonly seeks: TopicPartitionOffset[] = []
  commitRequests = 0
  readonly #abort = new AbortController()
  readonly #written = new Map<string, TopicPartitionOffset>()
  readonly #committed = new Map<string, TopicPartitionOffset>()
  #assigned: readonly TopicPartition[] = []
  #task: SinkTask | undefined

  async start<D extends ConfigDefinition>(plugin: SinkPlugin<D>, properties: TaskConfig, task: number): Promise<void> {
    const context: SinkTaskContext = {
      connector: 'test',
      task,
      properties,
      signal: this.#abort.signal,
      log: recordedLog(this.log),
      assignment: () => this.#assigned,
      pause: (partitions) => {
        this.paused = [...without(this.paused, partitions), ...partitions]
      },
      resume: (partitions) => {
        this.paused = without(this.paused, partitions)
      },
      seek: (partition, offset) => void this.seeks.push({ ...partition, offset }),
      requestCommit: () => {
        this.commitRequests++
      },
      wakeAfter: () => undefined,
      reject: async (record, error) => void this.rejected.push({ record, error }),
    }
    this.#task = await plugin.start(parseConfig(plugin.config, properties), context)
  }

  get #call(): { readonly signal: AbortSignal } {
    return { signal: this.#abort.signal }
  }

  async open(partitions: readonly TopicPartition[]): Promise<void> {
    this.#assigned = [...without(this.#assigned, partitions), ...partitions]
    await this.#task?.open?.(partitions, this.#call)
  }

  async write(records: readonly SinkRecord[]): Promise<void> {
    await this.#task?.write(records, this.#call)
    for (const { originalTopic: topic, originalPartition: partition, originalOffset } of records) {
      this.#written.set(nameOf({ topic, partition }), { topic, partition, offset: originalOffset + 1 })
    }
  }

  async deliver(records: readonly SinkRecord[]): Promise<void> {
    for (let attempt = 1; ; attempt++) {
      try {
        await this.write(records)
        return
      } catch (error) {
        if (!isEngineError(error) || error.next !== 'retry' || attempt === deliveryLimits.attempts) throw error
        await pause(Math.min((error as RetriableError).afterMs ?? 0, deliveryLimits.waitMs))
      }
    }
  }

  async flush(): Promise<{ asked: readonly TopicPartitionOffset[]; safe: readonly TopicPartitionOffset[] }> {
    const asked = [...this.#written.values()]
    const safe = (await this.#task?.flush?.(asked, this.#call)) ?? asked
    for (const at of safe) this.#committed.set(nameOf(at), at)
    await this.#task?.committed?.([...this.#committed.values()], this.#call)
    return { asked, safe }
  }

  async close(partitions: readonly TopicPartition[] = this.#assigned): Promise<void> {
    await this.#task?.close?.(partitions, this.#call)
    this.#assigned = without(this.#assigned, partitions)
    for (const partition of partitions) {
      this.#written.delete(nameOf(partition))
      this.#committed.delete(nameOf(partition))
    }
  }

  abort(): void {
    this.#abort.abort()
  }

  async stop(): Promise<void> {
    this.#abort.abort()
    await this.#task?.stop?.()
  }
}

function nameOf({ topic, partition }: TopicPartition): string {
  return `${topic}-${partition}`
}

function without(list: readonly TopicPartition[], gone: readonly TopicPartition[]): readonly TopicPartition[] {
  const names = new Set(gone.map(nameOf))
  return list.filter((partition) => !names.has(nameOf(partition)))
}
