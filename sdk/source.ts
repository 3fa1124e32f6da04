/**
 * @module sdk/source — a source brings records into topics.
 *
 * ```ts
 * export default defineSource({
 *   class: 'com.example.Ticks', version: '1.0.0',
 *   config: defineConfig({ topic: { type: 'STRING', importance: 'HIGH' } }),
 *   async *run({ topic }, { signal, offsets, sleep }) {
 *     let count = Number((await offsets.read({ clock: 'wall' }))?.count ?? 0)
 *     while (!signal.aborted) {
 *       yield [{ topic, value: { count: ++count }, sourcePartition: { clock: 'wall' }, sourceOffset: { count } }]
 *       await sleep(1000)
 *     }
 *   },
 * })
 * ```
 * The life of a source: `validate` (any number of times, nothing started) → `plan` once per configuration → one `run` per task →
 * the signal aborts (stop, delete, restart, shutdown) → the generator returns. The engine does not call `next` while the task is
 * paused or its buffers are full: a `yield` that does not come back is back-pressure, nothing to hurry for.
 */
import type { ConfigDefinition, ConfigOf } from './config.ts'
import { type Awaitable, type Branded, branded, type ConfigCheck, type PluginFacts, type PluginLog } from './plugin.ts'
import type { SourceOffset, SourcePartition, SourceRecordInput } from './record.ts'

/** A task's configuration as text, as it stands in the config topic. */
export type TaskConfig = Readonly<Record<string, string>>

/** Positions of this connector. */
export interface SourceOffsets {
  /** The stored position; null when there is none. */
  read(partition: SourcePartition): Promise<SourceOffset | null>
  /** Positions of many at the price of one; in the order asked. */
  readAll(partitions: readonly SourcePartition[]): Promise<readonly (SourceOffset | null)[]>
  /**
   * Moves a position without a record: it is stored once everything that was yielded before has been acknowledged. For sources that
   * must let go of what they have read (a replication slot over an idle table).
   */
  advance(partition: SourcePartition, offset: SourceOffset): void
}

/** A position that stands in the offsets topic, replicated as that topic demands. */
export interface CommittedOffset {
  readonly partition: SourcePartition
  readonly offset: SourceOffset
}

/** What a running task is given; its members may be taken apart: `{ signal, sleep }`. */
export interface SourceTaskContext {
  readonly connector: string
  /** Index of the task, from 0. */
  readonly task: number
  /** The task's configuration as text: keys of `plan` that the definition does not know stand here. */
  readonly properties: TaskConfig
  /** Aborts when the task must end; the generator then returns within task.shutdown.graceful.timeout.ms, or is cut off. */
  readonly signal: AbortSignal
  readonly offsets: SourceOffsets
  readonly log: PluginLog
  /** Resolves after a time, or at once when the signal aborts: never rejects, look at the signal. */
  readonly sleep: (ms: number) => Promise<void>
  /**
   * Calls `listener` after positions have been stored, in order, one call at a time. Only now may a source let go of what it read: a
   * position is acknowledged to the outside after it stands in the offsets topic (design §4). What the listener throws fails the task.
   */
  readonly onCommitted: (listener: (committed: readonly CommittedOffset[]) => Awaitable<void>) => void
}

/** What planning is given. */
export interface PlanContext {
  readonly connector: string
  readonly properties: TaskConfig
  /** `tasks.max`: more tasks than that fail the connector. */
  readonly taskCountMax: number
  readonly signal: AbortSignal
  readonly log: PluginLog
  /** Positions of the connector, to read. */
  readonly offsets: Pick<SourceOffsets, 'read' | 'readAll'>
  /** Asks to be planned again: the world has changed (a table more). Tasks restart only when the outcome differs. */
  readonly replan: () => void
}

/** What an author says of a source. */
export interface SourceDefinition<D extends ConfigDefinition> extends PluginFacts<D> {
  /** `task.class` in task configurations. Default: the class with `Connector` replaced by `Task`. */
  readonly taskClass?: string
  readonly validate?: ConfigCheck<D>
  /** Whether a configuration can be exactly-once: positions tell which records were sent, without loss or repeat. Default: it cannot. */
  readonly exactlyOnce?: (config: ConfigOf<D>) => boolean
  /**
   * Splits the work; each outcome is a task's configuration. Default: one task with the connector's own. Runs once per
   * configuration; a later `replan` runs it again.
   */
  readonly plan?: (config: ConfigOf<D>, context: PlanContext) => Awaitable<readonly TaskConfig[]>
  /**
   * Yields batches (an empty one is allowed). Records keep their order within a topic partition. A RetriableError that it throws makes
   * the engine store what was acknowledged and run it again from there; a return before the signal aborts ends the task's work, and it
   * stays RUNNING with nothing to do.
   */
  readonly run: (config: ConfigOf<D>, context: SourceTaskContext) => AsyncIterable<readonly SourceRecordInput[]>
}

/** A source as the engine takes it. */
export type SourcePlugin<D extends ConfigDefinition = ConfigDefinition> = SourceDefinition<D> & Branded<'source'>

/** Makes a source plugin; see the module's example. */
export function defineSource<const D extends ConfigDefinition>(definition: SourceDefinition<D>): SourcePlugin<D> {
  return branded('source', definition)
}
