/**
 * @module connect/tasks/types — what a task needs of its thread, and what its thread can tell it. Everything here lives in a connector's
 * thread (or on the main thread with `millrace.tasks.isolation=inline`).
 */
import type { PluginLog, SourceOffset, SourcePartition } from '@millrace/sdk'
import type { ClientWorld } from '../../client/index.ts'
import type { PluginLoader } from '../plugins/types.ts'
import type { ConfigText, TaskId } from '../types.ts'

/** What the worker's settings mean for a task. Plain data, passed to the thread. */
export interface TaskSettings {
  readonly groupId: string
  readonly offsetStorageTopic: string
  readonly offsetFlushIntervalMs: number
  readonly offsetFlushTimeoutMs: number
  readonly topicCreationEnable: boolean
  /**
   * The worker's own keys as text (bootstrap.servers, key.converter…, producer.…, consumer.…, admin.…), variables replaced: clients and
   * converters that a connector does not override are made of them.
   */
  readonly workerConfig: ConfigText
}

/** What a task reports. */
export interface TaskEvents {
  /** A record of the task has gone to, or come from, a topic that it had not used before (topic tracking). */
  onTopic(topic: string): void
}

/** What a task is made with. */
export interface TaskEnvironment {
  readonly id: TaskId
  /** The task's configuration, provider variables replaced. */
  readonly config: ConfigText
  /** The connector's configuration, likewise: converters, transforms, errors.*, overrides. */
  readonly connectorConfig: ConfigText
  readonly settings: TaskSettings
  readonly plugins: PluginLoader
  readonly world: ClientWorld
  readonly log: PluginLog
  readonly offsets: OffsetReader
  readonly events: TaskEvents
}

/** Stored positions of the connector: reads to the end of the offsets topic first, so that nothing older comes back. */
export interface OffsetReader {
  read(partitions: readonly SourcePartition[]): Promise<readonly (SourceOffset | null)[]>
}

/**
 * A running task. It is made in its target state, runs by itself, and ends by `stop` or by a failure.
 *
 * ```
 *   starting ──▶ running ◀──▶ paused          any ── failure ──▶ failed (done rejects)
 *                   └────── stop ──────▶ stopped (done resolves)
 * ```
 */
export interface RunningTask {
  /** Resolves when the task has started: converters, transforms and clients are made, the plugin has begun. Rejects as `done` does. */
  readonly started: Promise<void>
  /** Resolves after `stop`, rejects with what failed the task. */
  readonly done: Promise<void>
  pause(): void
  resume(): void
  /**
   * Ends in order: the plugin's signal aborts, what it had yielded is delivered and its positions are stored, within `graceMs`; after
   * that it is cut off without a last commit. Never rejects.
   */
  stop(graceMs: number): Promise<void>
}
