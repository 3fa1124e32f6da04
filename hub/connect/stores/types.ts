/**
 * @module connect/stores/types — the three topics in which a worker keeps everything (connect-worker.md, "Storage topics"): upstream's keys and
 * values, so that Kafka Connect's workers read what ours wrote and the other way round.
 */
import type { SourceOffset, SourcePartition } from '@millrace/sdk'
import type { ConfigText, Status, TargetState, TaskId } from '../types.ts'

/** What the config topic holds of a connector. */
export interface ConnectorState {
  readonly name: string
  readonly config: ConfigText
  readonly targetState: TargetState
  /** By index; empty until the first commit. Only committed sets are seen here. */
  readonly taskConfigs: readonly ConfigText[]
  /** The committed task set cannot be put together (compaction took part of it): it must be planned and written anew. */
  readonly isInconsistent: boolean
}

/** A change that was read from the config topic, whoever wrote it. */
export type ConfigChange =
  | { readonly kind: 'connector'; readonly name: string }
  | { readonly kind: 'removed'; readonly name: string }
  | { readonly kind: 'tasks'; readonly name: string }
  | { readonly kind: 'target-state'; readonly name: string }
  | { readonly kind: 'restart'; readonly name: string; readonly includeTasks: boolean; readonly onlyFailed: boolean }

/** Configurations of connectors and tasks. Writes resolve once they are acknowledged and read back: a read after them sees them. */
export interface ConfigStore {
  readonly connectors: ReadonlyMap<string, ConnectorState>
  /** Offset up to which the topic was read. */
  readonly offset: number
  putConnector(name: string, config: ConfigText, initialState: TargetState | null): Promise<void>
  /** Removes configuration and target state; tasks go with it. */
  removeConnector(name: string): Promise<void>
  /** Writes all tasks and the commit that makes them count. */
  putTasks(name: string, configs: readonly ConfigText[]): Promise<void>
  putTargetState(name: string, state: TargetState): Promise<void>
  /** Asks whoever runs them to restart connector and tasks. */
  putRestart(name: string, restart: { readonly includeTasks: boolean; readonly onlyFailed: boolean }): Promise<void>
  /** Hears of changes in the order of the topic, after the start only. */
  onChange(listener: (change: ConfigChange) => void): void
  close(): Promise<void>
}

/** Positions of source connectors. */
export interface OffsetStore {
  /**
   * Stored positions in the order asked, after the topic was read to its end; waits for brokers that are away. Rejects when the store is
   * closed or the signal aborts.
   */
  read(connector: string, partitions: readonly SourcePartition[], signal?: AbortSignal): Promise<readonly (SourceOffset | null)[]>
  /** Every partition that has a position, likewise. */
  all(connector: string, signal?: AbortSignal): Promise<readonly { readonly partition: SourcePartition; readonly offset: SourceOffset }[]>
  close(): Promise<void>
}

/**
 * What connectors and tasks are, and the topics they have used. Reads are local and show puts at once; puts are written in order and retried
 * until they stand. Of a key that is put again while the brokers are away only the newest is written. A put of UNASSIGNED or FAILED gives way
 * to what a worker of a younger generation has said; DESTROYED removes.
 */
export interface StatusStore {
  connector(name: string): Status | undefined
  task(id: TaskId): Status | undefined
  /** Sorted by index. */
  tasks(connector: string): readonly { readonly id: TaskId; readonly status: Status }[]
  putConnector(name: string, status: Status): void
  putTask(id: TaskId, status: Status): void
  /** Tombstones for a deleted connector and the topics it has used; its tasks' own records are removed one by one. */
  removeConnector(name: string): void
  removeTask(id: TaskId): void
  topics(connector: string): readonly string[]
  putTopic(connector: string, task: number, topic: string): void
  /** Forgets the topics of a connector. */
  resetTopics(connector: string): void
  /** Resolves when everything put so far is acknowledged. Rejects when the store was closed before. */
  flush(): Promise<void>
  close(): Promise<void>
}
