/**
 * @module sdk/sink — a sink brings records out of topics.
 *
 * ```ts
 * export default defineSink({
 *   class: 'com.example.Print', version: '1.0.0', config: defineConfig({}),
 *   start: () => ({ write: (records) => { for (const { value } of records) console.log(value) } }),
 * })
 * ```
 * The life of a sink task: `start` → `open` (partitions assigned) → `write` … → `flush` (before every commit) → `committed` → … → `close`
 * (partitions taken away) → `open` … → `stop`. The engine never runs two of these calls of one task at once.
 */
import type { ConfigDefinition, ConfigOf } from './config.ts'
import { type Awaitable, type Branded, branded, type ConfigCheck, type PluginFacts, type PluginLog } from './plugin.ts'
import type { SinkRecord, TopicPartition, TopicPartitionOffset } from './record.ts'
import type { TaskConfig } from './source.ts'

/** What a call is given: aborts when the task is cut off after its grace. */
export interface SinkCall {
  readonly signal: AbortSignal
}

/** What a running sink task is given; its members may be taken apart: `{ log, reject }`. */
export interface SinkTaskContext {
  readonly connector: string
  readonly task: number
  readonly properties: TaskConfig
  /** Aborts when the task must end. */
  readonly signal: AbortSignal
  readonly log: PluginLog
  readonly assignment: () => readonly TopicPartition[]
  /** Stops and goes on with the reading of partitions; `write` is still called, with what others bring. */
  readonly pause: (partitions: readonly TopicPartition[]) => void
  readonly resume: (partitions: readonly TopicPartition[]) => void
  /** Reads on from another offset: for sinks that keep their offsets in the target. */
  readonly seek: (partition: TopicPartition, offset: number) => void
  /** Commits soon instead of at the next offset.flush.interval.ms. */
  readonly requestCommit: () => void
  /** `write` is called within so many milliseconds from now, with an empty list when there is nothing to read: timers live there. */
  readonly wakeAfter: (ms: number) => void
  /**
   * Gives up a record: it goes to the dead letter queue or is skipped, as `errors.tolerance` says; with `none` the task fails.
   * Resolves once that is durable; commits wait for it.
   */
  readonly reject: (record: SinkRecord, error: Error) => Promise<void>
}

/** A running sink task. */
export interface SinkTask {
  /** Partitions were assigned. Positions are the committed ones unless `seek` moves them. */
  open?(partitions: readonly TopicPartition[], call: SinkCall): Awaitable<void>
  /**
   * Takes records, in offset order per partition, perhaps none. A RetriableError: the very same records come again after its time,
   * partitions paused meanwhile.
   */
  write(records: readonly SinkRecord[], call: SinkCall): Awaitable<void>
  /**
   * Makes durable what was written, before a commit. `offsets` is one behind the last record of each partition that was written;
   * returns the offsets that are safe to commit, a part of them or lower ones; nothing returned means all of `offsets`.
   */
  flush?(offsets: readonly TopicPartitionOffset[], call: SinkCall): Awaitable<readonly TopicPartitionOffset[] | undefined>
  /**
   * The offsets that stand committed now, of every partition that has any. Called after each flush and the commit that followed, also where that failed:
   * then they are the old ones. For sinks that must not go on before what they have made is committed.
   */
  committed?(offsets: readonly TopicPartitionOffset[], call: SinkCall): Awaitable<void>
  /** Partitions were taken away, after a last flush and before the commit of it. */
  close?(partitions: readonly TopicPartition[], call: SinkCall): Awaitable<void>
  /** The end: let go of what `start` took. Called also after a failure. */
  stop?(): Awaitable<void>
}

/** What an author says of a sink. */
export interface SinkDefinition<D extends ConfigDefinition> extends PluginFacts<D> {
  /** `task.class` in task configurations. Default: the class with `Connector` replaced by `Task`. */
  readonly taskClass?: string
  readonly validate?: ConfigCheck<D>
  /** Begins a task: connects, and returns it. A RetriableError: called again later. */
  readonly start: (config: ConfigOf<D>, context: SinkTaskContext) => Awaitable<SinkTask>
}

/** A sink as the engine takes it. */
export type SinkPlugin<D extends ConfigDefinition = ConfigDefinition> = SinkDefinition<D> & Branded<'sink'>

/** Makes a sink plugin; see the module's example. */
export function defineSink<const D extends ConfigDefinition>(definition: SinkDefinition<D>): SinkPlugin<D> {
  return branded('sink', definition)
}
