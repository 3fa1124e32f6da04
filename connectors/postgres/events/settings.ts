/**
 * @module connector-postgres/events/settings — what events depend on beside the table and the row. Types only.
 */
import type { SourceOffset, SourcePartition } from '@millrace/sdk'
import type { Lsn, SnapshotMarker } from '../model.ts'
import type { ValueSettings } from '../values/index.ts'
import type { ColumnFilter, KeyColumnsRule } from './filters.ts'

/** Operations that `skipped.operations` can name. */
export type Operation = 'c' | 'u' | 'd' | 't'

/** What the headers `__debezium.context.*` tell beside the connector. */
export interface HeaderFacts {
  /** Of this run of the task: a UUID. */
  readonly runId: string
  /** Index of the task as text. */
  readonly taskId: string
}

/** The same for all tables of a connector. */
export interface EventSettings {
  /** `source.version`. */
  readonly connectorVersion: string
  /** `topic.prefix`: begins every topic, and is the name of the server in `source.name`. */
  readonly topicPrefix: string
  readonly topicDelimiter: string
  readonly databaseName: string
  readonly values: ValueSettings
  /** Whether a record without value follows a delete, so that compaction forgets the key. */
  readonly tombstonesOnDelete: boolean
  /** An update that changes the key is an update here, and then a delete and a create, each of which may be skipped. */
  readonly skippedOperations: ReadonlySet<Operation>
  /** null: records carry no headers but those of a changed key. */
  readonly extendedHeaders: HeaderFacts | null
  /** Which columns values have; keys keep theirs. */
  readonly isColumnCaptured: ColumnFilter
  /** `message.key.columns`; null: keys are those of the tables. */
  readonly keyColumnsOf: KeyColumnsRule | null
  /** Leaves out updates that change none of the captured columns, where the whole row before is known. */
  readonly skipMessagesWithoutChange: boolean
  /** Microseconds since 1970, for `ts_ms`, `ts_us` and `ts_ns` of the envelope. */
  readonly nowUs: () => bigint
}

/** Where in the log a change stands, and what is stored for it. */
export interface Place {
  /** Of the change. */
  readonly lsn: Lsn
  /** Of the last transaction that ended before it; null: none was seen. */
  readonly lastCommitLsn: Lsn | null
  readonly txId: number | null
  /** Commit of the transaction, or time of the snapshot; microseconds since 1970. */
  readonly timeUs: bigint
  readonly snapshot: SnapshotMarker
  /** Where the transaction was first made, if that is another server (message `origin`). */
  readonly origin?: { readonly name: string; readonly lsn: Lsn } | null
  readonly sourcePartition: SourcePartition
  /** Stored with the last record of the change. */
  readonly offset: SourceOffset
  /** Stored with those before the last: the change is not done, and after a restart all of it is made again. */
  readonly offsetBefore: SourceOffset
}
