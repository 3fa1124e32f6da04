/**
 * @module sdk/testing/run-source — drives one task of a source in memory: take batches, commit, stop, start again where it was.
 *
 * ```ts
 * const offsets = new MemoryOffsets()
 * const run = await runSource(plugin, { config: { topic: 'ticks' }, offsets })
 * const records = await run.take(3)
 * await run.commit()
 * await run.stop()
 * ```
 */
import { type ConfigDefinition, parseConfig } from '../config.ts'
import { kindOf } from '../misfit.ts'
import type { SourceOffset, SourcePartition, SourceRecord } from '../record.ts'
import type { CommittedOffset, SourcePlugin, SourceTaskContext, TaskConfig } from '../source.ts'
import { sourceRecord } from '../source-record.ts'
import { AcceptanceError, expectThat, orLate, pause, within } from './expectation.ts'
import { MemoryOffsets, partitionKey } from './memory-offsets.ts'
import { type LogLine, recordedLog } from './recorded-log.ts'

/** Limits of a run in memory, in milliseconds. */
export const runLimits = {
  /** Most that `context.sleep` waits, so that tests of sources that poll are fast; 5. */
  sleepMsMax: 5,
  /** Most that `take` waits for records; 10,000. */
  takeMs: 10_000,
  /** Most that the generator may take to return after the signal aborted; 5,000 (task.shutdown.graceful.timeout.ms). */
  graceMs: 5_000,
} as const

export interface SourceRunOptions {
  /** The connector's configuration as text. */
  readonly config: TaskConfig
  /** Where positions come from and go to. Default: none stored. */
  readonly offsets?: MemoryOffsets
  /** Which of the planned tasks runs. Default 0. */
  readonly task?: number
  /** `tasks.max` for planning. Default 1. */
  readonly taskCountMax?: number
  /** Aborted before it starts. Default false. */
  readonly isAborted?: boolean
}

/** A running source task. */
export interface SourceRun {
  readonly offsets: MemoryOffsets
  readonly log: readonly LogLine[]
  /** Size of each batch that came. */
  readonly batchCounts: readonly number[]
  /** The next batch as transforms would see it; undefined when the source has returned. Rejects with what it threw. */
  next(): Promise<readonly SourceRecord[] | undefined>
  /** Takes batches until there are `count` records; fewer when the source returns or nothing comes for `takeMs`. */
  take(count: number, takeMs?: number): Promise<SourceRecord[]>
  /** What comes within so many milliseconds more: `[]` when it is quiet. */
  takeFor(ms: number): Promise<readonly SourceRecord[]>
  /** Acknowledges everything that was taken: stores positions, then tells the listeners of `onCommitted`, one after the other. */
  commit(): Promise<readonly CommittedOffset[]>
  /** Aborts the signal and waits for the source to return. Rejects when it takes longer than `graceMs`, or with what it threw. */
  stop(graceMs?: number): Promise<void>
}

/** Plans, and starts one task. Nothing of the plugin's `run` happens before the first `next`. */
export async function runSource<D extends ConfigDefinition>(plugin: SourcePlugin<D>, options: SourceRunOptions): Promise<SourceRun> {
  const { config, offsets = new MemoryOffsets(), task = 0, taskCountMax = 1, isAborted = false } = options
  const log: LogLine[] = []
  const tasks = await planOf(plugin, config, taskCountMax, offsets, log)
  const properties = tasks[task]
  if (properties === undefined) throw new AcceptanceError(`plan gave ${tasks.length} tasks, task ${task} is none of them`)
  const run = new MemoryRun(offsets, log)
  run.start(plugin, properties, task, isAborted)
  return run
}

/** What `plan` gives, or the default of one task. */
export async function planOf<D extends ConfigDefinition>(
  plugin: SourcePlugin<D>,
  properties: TaskConfig,
  taskCountMax: number,
  offsets: MemoryOffsets,
  log: LogLine[],
): Promise<readonly TaskConfig[]> {
  if (plugin.plan === undefined) return [properties]
  return plugin.plan(parseConfig(plugin.config, properties), {
    connector: 'test',
    properties,
    taskCountMax,
    signal: new AbortController().signal,
    log: recordedLog(log),
    offsets: {
      read: async (partition) => offsets.read(partition),
      readAll: async (partitions) => partitions.map((partition) => offsets.read(partition)),
    },
    replan: () => undefined,
  })
}

class MemoryRun implements SourceRun {
  readonly offsets: MemoryOffsets
  readonly log: LogLine[]
  readonly batchCounts: number[] = []
  readonly #abort = new AbortController()
  readonly #listeners: Parameters<SourceTaskContext['onCommitted']>[0][] = []
  /** Positions that were passed and are not stored, in order. */
  #passed: { readonly partition: SourcePartition; readonly offset: SourceOffset }[] = []
  #iterator: AsyncIterator<readonly unknown[]> | undefined
  /** A batch that is asked for; one that comes after a wait was given up is there for the next wait. */
  #pending: Promise<readonly SourceRecord[] | undefined> | undefined
  #isEnded = false

  constructor(offsets: MemoryOffsets, log: LogLine[]) {
    this.offsets = offsets
    this.log = log
  }

  start<D extends ConfigDefinition>(plugin: SourcePlugin<D>, properties: TaskConfig, task: number, isAborted: boolean): void {
    const { signal } = this.#abort
    if (isAborted) this.#abort.abort()
    const context: SourceTaskContext = {
      connector: 'test',
      task,
      properties,
      signal,
      offsets: {
        read: async (partition) => this.offsets.read(partition),
        readAll: async (partitions) => partitions.map((partition) => this.offsets.read(partition)),
        advance: (partition, offset) => void this.#passed.push({ partition, offset }),
      },
      log: recordedLog(this.log),
      sleep: (ms) => pause(Math.min(ms, runLimits.sleepMsMax), signal),
      onCommitted: (listener) => void this.#listeners.push(listener),
    }
    this.#iterator = plugin.run(parseConfig(plugin.config, properties), context)[Symbol.asyncIterator]()
  }

  async next(): Promise<readonly SourceRecord[] | undefined> {
    return (await this.#arrival((pending) => pending.then((value) => ({ value }))))?.value
  }

  /** Waits for a batch in a way that may give up (undefined). What is taken counts as passed on. */
  async #arrival(
    wait: (
      pending: Promise<readonly SourceRecord[] | undefined>,
    ) => Promise<{ readonly value: readonly SourceRecord[] | undefined } | undefined>,
  ): Promise<{ readonly value: readonly SourceRecord[] | undefined } | undefined> {
    const pending = (this.#pending ??= this.#pull())
    const forget = (): void => {
      if (this.#pending === pending) this.#pending = undefined
    }
    let arrived: Awaited<ReturnType<typeof wait>>
    try {
      arrived = await wait(pending)
    } catch (error) {
      forget()
      throw error
    }
    if (arrived === undefined) return undefined
    forget()
    for (const { sourcePartition, sourceOffset } of arrived.value ?? []) {
      if (sourcePartition !== null && sourceOffset !== null) this.#passed.push({ partition: sourcePartition, offset: sourceOffset })
    }
    return arrived
  }

  async #pull(): Promise<readonly SourceRecord[] | undefined> {
    if (this.#isEnded || this.#iterator === undefined) return undefined
    try {
      const { done, value } = await this.#iterator.next()
      if (done === true) {
        this.#isEnded = true
        return undefined
      }
      expectThat(Array.isArray(value), `the source yielded ${kindOf(value)} where a list of records is due: yield [record]`)
      const records = (value as Parameters<typeof sourceRecord>[0][]).map(sourceRecord)
      this.batchCounts.push(records.length)
      return records
    } catch (error) {
      this.#isEnded = true
      throw error
    }
  }

  async take(count: number, takeMs: number = runLimits.takeMs): Promise<SourceRecord[]> {
    const records: SourceRecord[] = []
    while (records.length < count) {
      const batch = await this.#arrival((pending) => orLate(takeMs, pending))
      if (batch?.value === undefined) break
      records.push(...batch.value)
    }
    return records
  }

  async takeFor(ms: number): Promise<readonly SourceRecord[]> {
    const records: SourceRecord[] = []
    const endMs = performance.now() + ms
    for (let leftMs = ms; leftMs > 0; leftMs = endMs - performance.now()) {
      const batch = await this.#arrival((pending) => orLate(leftMs, pending))
      if (batch?.value === undefined) break
      records.push(...batch.value)
    }
    return records
  }

  async commit(): Promise<readonly CommittedOffset[]> {
    const latest = new Map(this.#passed.map((position) => [partitionKey(position.partition), position]))
    this.#passed = []
    const committed = [...latest.values()]
    for (const { partition, offset } of committed) this.offsets.store(partition, offset)
    if (committed.length > 0) for (const listener of this.#listeners) await listener(committed)
    return committed
  }

  async stop(graceMs: number = runLimits.graceMs): Promise<void> {
    this.#abort.abort()
    const returned = async (): Promise<void> => {
      await this.#pending
      // One that stands at a yield is told to return there.
      if (!this.#isEnded) await this.#iterator?.return?.()
      this.#isEnded = true
    }
    await within(graceMs, returned(), 'the return of the source after its signal aborted')
  }
}
