/**
 * @module log/types — what the log room offers: a log directory of partition logs in Kafka's on-disk format.
 *
 * One append path, one flush loop: `append` validates and assigns offsets on the event loop and returns at once; the
 * flush loop of the directory writes every dirty log (one gathered write each), then syncs them in parallel, and moves
 * the three marks of a log: `logEndOffset` ≥ `writtenOffset` ≥ `syncedOffset` (design §3, group commit).
 */
import type { Clock, Disk } from '../io/index.ts'
import type { Logger } from '../observe/index.ts'

/** The topic settings that a log acts on; times in ms, sizes in bytes; −1 = no limit where Kafka says so. */
export interface LogConfig {
  readonly segmentBytes: number
  readonly segmentMs: number
  readonly segmentJitterMs: number
  readonly segmentIndexBytes: number
  readonly indexIntervalBytes: number
  readonly retentionMs: number
  readonly retentionBytes: number
  readonly maxMessageBytes: number
  readonly cleanupPolicies: ReadonlySet<'delete' | 'compact'>
  /** How long tombstones and markers stay after compaction first met them. */
  readonly deleteRetentionMs: number
  readonly minCompactionLagMs: number
  readonly maxCompactionLagMs: number
  readonly minCleanableDirtyRatio: number
  readonly messageTimestampType: 'CreateTime' | 'LogAppendTime'
  readonly messageTimestampBeforeMaxMs: number
  readonly messageTimestampAfterMaxMs: number
  /** `producer` keeps what the producer sent; else batches of another codec are re-encoded. */
  readonly compressionType: 'producer' | 'uncompressed' | 'gzip' | 'snappy' | 'lz4' | 'zstd'
  /** Of batches that are re-encoded (KIP-390). */
  readonly gzipLevel: number
  readonly lz4Level: number
  readonly zstdLevel: number
  readonly fileDeleteDelayMs: number
  /** So many records that are not synced are too many: the append that makes them so counts as done only once it is synced. */
  readonly flushMessages: number
  /** A segment's file has its full size from the start, as one hole; it is cut to its content when the segment is closed. */
  readonly preallocate: boolean
}

/**
 * Who appends: decides which checks apply (KIP-98, KIP-890) and whether offsets are assigned or kept.
 * `client`: one batch from a producer, everything is checked, offsets are assigned; refused while the device is short of space.
 * `coordinator`: batches of our own (group offsets, markers); damage and size are checked, offsets assigned.
 * `raft`: as coordinator without the size limit of a batch; a base offset other than 0 is kept and must be the log's end (else a RangeError).
 */
export type AppendOrigin = 'client' | 'coordinator' | 'raft'

/** An append that was accepted; the records stand in memory and will be written in the next round. */
export interface Appended {
  readonly kind: 'appended'
  readonly baseOffset: number
  /** Offset of the last record; wait for `lastOffset + 1` at a mark to know it written or synced. */
  readonly lastOffset: number
  /** −1 under CreateTime. */
  readonly logAppendTimeMs: number
  readonly logStartOffset: number
  /** True for a retry that the five-batch rule recognised: nothing was appended, the offsets are the first try's. */
  readonly duplicate: boolean
}

/**
 * An append that was refused whole; nothing was appended. As Kafka answers it: `errorMessage` is `message` only when there are
 * `recordErrors`, else null; `logStartOffset` is −1 for CORRUPT_MESSAGE, MESSAGE_TOO_LARGE, RECORD_LIST_TOO_LARGE and KAFKA_STORAGE_ERROR.
 */
export interface Refused {
  readonly kind: 'refused'
  /** A code of wire's error table. */
  readonly errorCode: number
  readonly message: string
  /** Per-record reasons (KIP-467), batch index = index of the record in the request's records of this partition. */
  readonly recordErrors: readonly { readonly batchIndex: number; readonly message: string }[]
}

/**
 * Who may append to a transaction that is not open here: `undefined` nobody, a guard whoever began to verify it and had no marker come in
 * between, `trusted` everybody (`transaction.partition.verification.enable=false`).
 */
export type Verification = VerificationGuard | 'trusted' | undefined

/** A token of one verification (KIP-890 part 1); means something to the log that gave it only, and is compared by identity. */
export interface VerificationGuard {
  readonly producerId: number
}

/** An aborted transaction as a Fetch answer names it: its producer's records from `firstOffset` up to its marker do not count. */
export interface AbortedTransaction {
  readonly producerId: number
  readonly firstOffset: number
}

/** The end of a transaction, as the transaction coordinator writes it to every partition that took part. */
export interface Marker {
  readonly producerId: number
  readonly producerEpoch: number
  /** Markers of an older coordinator than the last one that wrote for this producer are refused. */
  readonly coordinatorEpoch: number
  readonly isCommit: boolean
  /** Of the transaction (WriteTxnMarkers v2): from 2 on the marker's epoch must be higher than the records' (KIP-890, KIP-1228). */
  readonly transactionVersion: 0 | 1 | 2
}

/** A producer as DescribeProducers shows it; −1 stands for none. */
export interface ProducerState {
  readonly producerId: number
  readonly producerEpoch: number
  readonly lastSequence: number
  /** Of the last batch or marker. */
  readonly lastTimestampMs: number
  readonly coordinatorEpoch: number
  readonly currentTransactionStartOffset: number
}

/** Options of an append. */
export interface AppendOptions {
  readonly origin: AppendOrigin
  readonly leaderEpoch: number
  /** For transactional batches that are not of origin raft. */
  readonly verification?: Verification
}

/** Bytes read: whole batches that follow one another, as views; the first holds the asked offset unless the log is empty there. */
export interface ReadResult {
  readonly records: readonly Buffer[]
  readonly sizeBytes: number
}

export interface ReadLimits {
  /** Stop before the batch that would pass this many bytes … */
  readonly maxBytes: number
  /** … but return the first batch all the same when true (KIP-74). */
  readonly minOneBatch: boolean
  /** Return only batches that end below this offset (high watermark, last stable offset, or LEO). */
  readonly endOffset: number
}

export interface OffsetAndTimestamp {
  readonly offset: number
  readonly timestampMs: number
  readonly leaderEpoch: number
}

/** The log of one partition. Offsets are numbers; `offset` marks are «next offset», i.e. exclusive ends. */
export interface PartitionLog {
  readonly topic: string
  readonly partition: number
  readonly topicId: string
  readonly directory: string
  config: LogConfig
  readonly logStartOffset: number
  /** Next offset to be assigned (LEO). */
  readonly logEndOffset: number
  /** Everything below is in the OS's hands (survives kill −9). */
  readonly writtenOffset: number
  /** Everything below is on the device (survives power loss). */
  readonly syncedOffset: number
  /** Bytes of all segments, memory tail included. */
  readonly sizeBytes: number
  readonly segmentCount: number
  /** Latest leader epoch that is known to the log: begun, or of a batch; −1 if none. */
  readonly latestEpoch: number
  /** Set after a failed write or sync: every further append or wait fails until restart (design §3). */
  readonly fenced: Error | undefined

  /**
   * Checks `records` (v2 batches, one or many; patched in place) and appends them: CRC, size against `maxMessageBytes`, monotone
   * offsets, timestamps, keys on compacted topics, producer epoch, sequence and transaction. Never waits. Throws only for a programmer's error or
   * a fenced or closed log. The log keeps views of `records`: whoever gave it must not write there any more.
   */
  append(records: Buffer, options: AppendOptions): Appended | Refused
  /**
   * Ends the producer's transaction here. Refused with INVALID_PRODUCER_EPOCH or TRANSACTION_COORDINATOR_FENCED; a marker that finds no open
   * transaction is written all the same, as in Kafka.
   */
  appendMarker(marker: Marker, leaderEpoch: number): Appended | Refused
  /**
   * Before a transactional batch of a client: undefined when there is nothing to ask the transaction coordinator about (the transaction is
   * open here, or the epoch is an old one and `append` will say so), else the guard that `append` wants when the coordinator agreed. The
   * first batch, or a marker, of that producer makes it void. `supportsEpochBump`: the client speaks version 2 of transactions, where every
   * transaction begins with sequence 0.
   */
  beginVerification(
    producerId: number,
    producerEpoch: number,
    firstSequence: number,
    supportsEpochBump: boolean,
  ): VerificationGuard | undefined
  /**
   * First offset of the earliest transaction that is open, or whose marker lies at or beyond `highWatermark`, but not below the log's start;
   * `highWatermark` when there is none (KIP-98). The high watermarks asked for must not fall.
   */
  lastStableOffset(highWatermark: number): number
  /** False as long as no transaction was aborted in what the log holds: then no list needs to be asked for. */
  readonly hasAbortedTransactions: boolean
  /**
   * Aborted transactions that overlap [fetchOffset, endOffset), over all segments, in the order of their markers: at once when the indexes
   * are in memory. Rejects when a file cannot be read.
   */
  abortedTransactions(fetchOffset: number, endOffset: number): readonly AbortedTransaction[] | Promise<readonly AbortedTransaction[]>
  /** How many producers the log knows. */
  readonly producerCount: number
  /** All of them. */
  producers(): readonly ProducerState[]
  /** Whether the oldest open transaction heard nothing for longer than `transactionMaxTimeoutMs` and five minutes (KIP-664). */
  hasLateTransaction(nowMs: number, transactionMaxTimeoutMs: number): boolean
  /** Resolves when `writtenOffset` ≥ `offset`; rejects with LogFencedError, LogClosedError, or DiskFullError (taken back, retriable). */
  whenWritten(offset: number): Promise<void>
  /** Resolves when `syncedOffset` ≥ `offset`; rejects as `whenWritten`. */
  whenSynced(offset: number): Promise<void>
  /** Called (synchronously, must not throw) after each round that moved a mark of this log. Returns the way to stop it. */
  onAdvance(listener: () => void): () => void
  /**
   * Reads from `offset`; serves the memory tail where possible, else a range of one segment file. `OFFSET_OUT_OF_RANGE` is the
   * caller's to check against `logStartOffset` and its own end mark.
   */
  read(offset: number, limits: ReadLimits): Promise<ReadResult>
  /** The same when it can be answered from memory at once, else undefined: spares a promise on the hot path. */
  readFromMemory(offset: number, limits: ReadLimits): ReadResult | undefined
  /** First record with timestamp ≥ target, searched inside the batch; undefined when none (broker-semantics rule 9). */
  offsetForTimestamp(timestampMs: number): Promise<OffsetAndTimestamp | undefined>
  /** The record with the largest timestamp (the earliest such), undefined when empty. */
  maxTimestamp(): Promise<OffsetAndTimestamp | undefined>
  /**
   * Whoever hosts the log leads in `leaderEpoch` from here on: notes that the epoch begins at the log's end, batches or not (KIP-101), in
   * place of epochs that would begin there too. A client that asks about an earlier epoch learns so that it ended. The epoch that is the
   * latest already changes nothing. Kept with the next recovery point.
   */
  beginEpoch(leaderEpoch: number): void
  /** Leader epoch of the batch which holds `offset`, or of the latest one below; −1 if unknown. */
  epochForOffset(offset: number): number
  /** End offset of the largest epoch ≤ `leaderEpoch` (KIP-101); offset −1 when unknown. */
  endOffsetForEpoch(leaderEpoch: number): { readonly leaderEpoch: number; readonly endOffset: number }
  /** DeleteRecords: moves the log start; whole segments below are removed. Kept durably. */
  advanceLogStart(offset: number): Promise<void>
  /** Drops everything at and beyond `offset` (raft only; a lone broker never truncates but in recovery). */
  truncate(offset: number): Promise<void>
  /** Applies time and size retention now; resolves with the count of segments removed. */
  retain(highWatermark: number): Promise<number>
}

/** What recovery found when a log was opened. */
export interface RecoveryReport {
  readonly topic: string
  readonly partition: number
  readonly scannedBytes: number
  /** Bytes cut off the end of the log because the last write was torn. */
  readonly truncatedBytes: number
  readonly rebuiltIndexes: boolean
}

export interface LogDirectoryOptions {
  readonly clock: Clock
  readonly disk: Disk
  readonly logger: Logger
  /** Chance for segment jitter. */
  readonly randomFloat: () => number
  readonly limits?: Partial<LogLimits>
  readonly cleaner?: CleanerSettings
}

/** Limits of the log room, with their defaults. */
export interface LogLimits {
  /** Bytes of recent batches kept in memory per log for reads. */
  readonly tailBytesPerLog: number
  /** … and over all logs of the process. */
  readonly tailBytesTotal: number
  /** Bytes appended but not yet written, over all logs, beyond which `backlogged` is true and the server stops reading produce requests. */
  readonly unwrittenBytesMax: number
  /** The recovery point moves after this many synced bytes of a log … */
  readonly recoveryPointBytes: number
  /** … or this long after its last move, when something was synced. */
  readonly recoveryPointMs: number
  /** Produce is refused with a retriable error while the device has less than this free. */
  readonly freeBytesMin: number
  /** … and taken again when so much is free. */
  readonly freeBytesResume: number
  readonly retentionCheckMs: number
  /** Batches kept per producer id to recognise a retry (KIP-98 five-batch rule). */
  readonly producerBatchesMax: number
  readonly producerIdExpirationMs: number
  /** Older segments whose file and indexes are kept open, over all logs; the least recently read is closed first. */
  readonly closedSegmentsOpenMax: number
  /** Bytes read from a file at once, unless a single batch is larger. */
  readonly readBytesMax: number
  /** Bytes that recovery reads at once. */
  readonly recoveryChunkBytes: number
  /** Logs that are opened at the same time; more wait. */
  readonly openingLogsMax: number
  /** How often the free space of the device is asked for. */
  readonly spaceCheckMs: number
}

/** How compaction goes about; the keys of Kafka are `log.cleaner.*`. */
export interface CleanerSettings {
  readonly isEnabled: boolean
  /** How long the cleaner waits when nothing is worth compacting. */
  readonly backoffMs: number
  /** For the map of keys; a log with more is compacted in several passes. */
  readonly dedupeBufferBytes: number
  /** How full that may be, 0–1. */
  readonly loadFactor: number
  /** Bytes read and written in a second; Infinity: no limit. */
  readonly ioBytesPerSecondMax: number
}

/** What compaction did since the start. */
export interface CleanerState {
  /** Logs that could not be compacted, by `topic-partition`, and why; they are left out until the next start. */
  readonly uncleanable: ReadonlyMap<string, Error>
  readonly compactionCount: number
  readonly readBytes: number
  readonly writtenBytes: number
}

/** `meta.properties` version 1: identity of node and cluster. */
export interface DirectoryIdentity {
  readonly clusterId: string
  readonly nodeId: number
  readonly directoryId: string
}

/** What the flush loop did since the start. */
export interface FlushRounds {
  readonly count: number
  readonly totalMs: number
}

/** A Kafka log directory: its lock, identity, checkpoints, flush loop and logs. */
export interface LogDirectory {
  readonly path: string
  readonly identity: DirectoryIdentity
  readonly logs: ReadonlyMap<string, PartitionLog>
  readonly recoveries: readonly RecoveryReport[]
  readonly cleaner: CleanerState
  /** The cleaner goes by these from now on. */
  configureCleaner(settings: CleanerSettings): void
  /** True while the unwritten bytes are over their limit: take no more produce requests until `whenDrained`. */
  readonly backlogged: boolean
  whenDrained(): Promise<void>
  /** Flush rounds so far, and how long they took together. */
  readonly rounds: FlushRounds
  /** True while the device is short of space: clients' appends are refused with KAFKA_STORAGE_ERROR (retriable), reads go on. */
  readonly full: boolean
  /**
   * Opens what exists for `topic-partition`, or makes it. The same key twice returns the same log. Waits for a removal of that name that is under
   * way. Rejects with LogDirectoryError when the log, open or on disk, has another topic id: that one is to be removed first. After a
   * rejection nothing is open, and it may be tried again (a full disk, no descriptors).
   */
  openLog(topic: string, partition: number, topicId: string, config: LogConfig): Promise<PartitionLog>
  /** Renames to `…-delete` at once (durably), removes the files after `fileDeleteDelayMs`. Waiters of the log are rejected. */
  deleteLog(topic: string, partition: number): Promise<void>
  /**
   * Renames the directory of a log that no topic claims to Kafka's `…-stray` (durably) and keeps it; resolves with its new path, undefined when
   * there was none. An open log is closed first, what it had not written is lost. A stray may end in a torn write: to use it again, rename
   * it while the broker is down and remove `.kafka_cleanshutdown`, so that it is checked.
   */
  setAside(topic: string, partition: number): Promise<string | undefined>
  /**
   * The logs (`topic-partition`) on disk with the topic id of their partition.metadata, opened or not; without those that are marked for
   * deletion or set aside. Directories that hold neither that file nor a segment's are no logs, whatever their name.
   */
  listPartitions(): Promise<{ readonly topic: string; readonly partition: number; readonly topicId: string | undefined }[]>
  /** Last round, sync, checkpoints, `.kafka_cleanshutdown`, unlock. */
  close(): Promise<void>
  /** Ends without a last round or clean mark, as kill −9 would (tests). */
  abandon(): Promise<void>
}
