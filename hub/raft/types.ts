/**
 * @module raft/types — what the raft room offers: the metadata log.
 *
 * Life of a log: `openMetadataLog` → `replay()` to the end → `start()` (this node becomes leader) → `append` … → `close()`.
 * Records are opaque here: framed metadata records, as the cluster room encodes them.
 */
import type { Clock, Disk } from '../io/index.ts'
import type { LogDirectory } from '../log/index.ts'
import type { Logger } from '../observe/index.ts'
import type { MetadataLogLimits } from './limits.ts'

/** Name, partition and fixed id of the metadata topic (KIP-595, KIP-516). */
export const METADATA_TOPIC = '__cluster_metadata'
export const METADATA_PARTITION = 0
export const METADATA_TOPIC_ID = 'AAAAAAAAAAAAAAAAAAAAAQ'

/** Names a snapshot: it holds everything below `endOffset`, whose last record was written in `epoch` (KIP-630). */
export interface SnapshotId {
  readonly endOffset: number
  readonly epoch: number
}

/** One batch of records in the order of the log; `records` are views that stay valid. */
export interface ReplayedBatch {
  /** Offset of the first record; in a batch of a snapshot the offset of the snapshot's last record. */
  readonly baseOffset: number
  readonly lastOffset: number
  readonly epoch: number
  /** When the leader appended it; in a batch of a snapshot the time of the last record that the snapshot covers. */
  readonly timestampMs: number
  readonly records: readonly Buffer[]
}

/** A batch that stands in the log and waits for its commit. */
export interface Proposal {
  readonly kind: 'proposed'
  readonly baseOffset: number
  readonly lastOffset: number
  readonly epoch: number
  readonly timestampMs: number
  /** Resolves once the batch is committed (synced by a majority), after all `onCommit` listeners. Rejects with the storage's error. */
  readonly committed: Promise<void>
}

/** The log took nothing; `errorCode` is one of wire's table. */
export interface Refusal {
  readonly kind: 'refused'
  readonly errorCode: number
  readonly message: string
}

/** What a snapshot is to hold: everything up to and including `offset`. */
export interface SnapshotContent {
  readonly offset: number
  readonly epoch: number
  readonly timestampMs: number
  readonly records: Iterable<Buffer>
}

/** Everything below `highWatermark` is committed; `epoch` is the leader's. */
export interface CommittedMark {
  readonly highWatermark: number
  readonly epoch: number
}

export interface MetadataLog {
  /** Voter ids. After `replay` these are the ones that the log says, where it says any (KIP-853). */
  readonly voters: readonly number[]
  /** Id of the leader, −1 before `start`. */
  readonly leaderId: number
  readonly epoch: number
  readonly logStartOffset: number
  /** Next offset; falls back when the device was full and took back what it could not write. */
  readonly endOffset: number
  readonly highWatermark: number
  /** The newest complete snapshot. */
  readonly latestSnapshot: SnapshotId | undefined
  /** Why the log takes nothing any more, if so. */
  readonly failure: Error | undefined
  /** Batches of the newest snapshot, then of the log behind it. To be read to the end, once, before `start`. */
  replay(): AsyncGenerator<ReplayedBatch, void, undefined>
  /** Becomes leader in a new epoch; resolves once that epoch's first batch is committed. Throws MetadataLogError when other voters exist. */
  start(): Promise<void>
  /** Appends records as one batch, atomically; never waits. Throws before `start`, and for an empty list. */
  append(records: readonly Buffer[]): Proposal | Refusal
  /** Called synchronously, must not throw, each time the high watermark moves. Returns the way to stop. */
  onCommit(listener: (mark: CommittedMark) => void): () => void
  /** Whom to ask for the state when a snapshot is due (by bytes or by time, see limits). */
  snapshotFrom(source: () => SnapshotContent): void
  /** Takes a snapshot of the source's state now and removes what retention allows; resolves with its id once it is durable. */
  snapshot(): Promise<SnapshotId>
  /** Waits for a running snapshot and takes no more; the log itself belongs to its directory, which closes it. */
  close(): Promise<void>
}

export interface MetadataLogOptions {
  readonly nodeId: number
  /** Voters by configuration (controller.quorum.voters, or this node alone). */
  readonly voterIds: readonly number[]
  readonly logDirectory: LogDirectory
  readonly clock: Clock
  readonly disk: Disk
  readonly logger: Logger
  readonly limits?: Partial<MetadataLogLimits>
}
