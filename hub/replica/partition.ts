/**
 * @module replica/partition — a partition with one replica, which is its leader.
 *
 * ```
 *   append ──▶ log end ──(round: write)──▶ written end ──(round: sync)──▶ synced end
 *                                             │ pagecache                  │ fsync
 *                                             └────────▶ high watermark ◀──┘
 * ```
 * With one replica the ISR is the leader alone, so the high watermark is the end of what is durable here in the sense of
 * `millrace.log.flush.on.ack`; and as there are no transactions yet, the last stable offset is the high watermark.
 */
import type { AppendOrigin, PartitionLog, ReadResult, Refused } from '../log/index.ts'
import { ErrorCode } from '../wire/index.ts'
import { RisingMark } from './watermark.ts'

/** What an acks=all answer promises: `fsync` = on the device, `pagecache` = in the operating system's hands (Kafka's own promise). */
export type Durability = 'fsync' | 'pagecache'

/** Produce's `acks`: 0 none, 1 written by the leader, −1 durable on every in-sync replica. */
export type Acks = 0 | 1 | -1

/** An append that the log took. */
export interface Accepted {
  readonly kind: 'accepted'
  readonly baseOffset: number
  readonly lastOffset: number
  readonly logAppendTimeMs: number
  readonly logStartOffset: number
  /** Resolves at the durability that `acks` asks for, rejects when the log is fenced or closed before; undefined for acks=0. */
  readonly durable: Promise<void> | undefined
}

/** Limits of one read. */
interface PartitionReadLimits {
  readonly maxBytes: number
  /** Return the first batch even when it alone is larger than `maxBytes` (KIP-74). */
  readonly minOneBatch: boolean
}

/** What was read. */
export interface PartitionRead extends ReadResult {
  /**
   * True when the bytes were read from a file for this reader alone: nobody else has a view of them, so whoever has sent them may give the
   * memory back at once. Never for views of the memory tail.
   */
  readonly isOwned: boolean
}

const NOTHING_READ: PartitionRead = { records: [], sizeBytes: 0, isOwned: false }

/** The lone replica of one partition: its log, its leader epoch, its marks. */
export class Partition {
  readonly log: PartitionLog
  readonly topic: string
  readonly partition: number
  readonly topicId: string
  /** Everything below may be read; wait on it with {@link waitForRise}. */
  readonly highWatermark: RisingMark
  leaderEpoch: number
  readonly #durability: Durability
  readonly #stopListening: () => void

  constructor(log: PartitionLog, options: { readonly leaderEpoch: number; readonly durability: Durability }) {
    this.log = log
    this.topic = log.topic
    this.partition = log.partition
    this.topicId = log.topicId
    this.leaderEpoch = options.leaderEpoch
    this.#durability = options.durability
    this.highWatermark = new RisingMark(this.#durableEnd())
    this.#stopListening = log.onAdvance(() => this.highWatermark.raise(this.#durableEnd()))
  }

  /** First offset that has no decided transaction before it: equal to the high watermark as long as there are no transactions. */
  get lastStableOffset(): number {
    return this.highWatermark.value
  }

  get logStartOffset(): number {
    return this.log.logStartOffset
  }

  /** Checks and appends whole batches (patched in place); the promise of the outcome is the answer's moment. Never throws for a storage fault. */
  append(records: Buffer, acks: Acks, origin: AppendOrigin = 'client'): Accepted | Refused {
    if (this.log.fenced !== undefined) return storageFault(this.log.fenced)
    const appended = this.log.append(records, { origin, leaderEpoch: this.leaderEpoch })
    if (appended.kind === 'refused') return appended
    return {
      kind: 'accepted',
      baseOffset: appended.baseOffset,
      lastOffset: appended.lastOffset,
      logAppendTimeMs: appended.logAppendTimeMs,
      logStartOffset: appended.logStartOffset,
      durable: this.#whenDurable(appended.lastOffset + 1, acks),
    }
  }

  /**
   * Error code for a client that believes in `currentLeaderEpoch` (KIP-320): 0 when it is ours or −1 (the client does not know),
   * FENCED_LEADER_EPOCH when the client is behind, UNKNOWN_LEADER_EPOCH when it is ahead of us.
   */
  checkLeaderEpoch(currentLeaderEpoch: number): number {
    if (currentLeaderEpoch === -1 || currentLeaderEpoch === this.leaderEpoch) return ErrorCode.NONE
    return currentLeaderEpoch < this.leaderEpoch ? ErrorCode.FENCED_LEADER_EPOCH : ErrorCode.UNKNOWN_LEADER_EPOCH
  }

  /** Reads whole batches from `offset` up to the high watermark: at once from memory where possible, else a promise. */
  read(offset: number, limits: PartitionReadLimits): PartitionRead | Promise<PartitionRead> {
    const endOffset = this.highWatermark.value
    if (offset >= endOffset) return NOTHING_READ
    const logLimits = { maxBytes: limits.maxBytes, minOneBatch: limits.minOneBatch, endOffset }
    const inMemory = this.log.readFromMemory(offset, logLimits)
    if (inMemory !== undefined) return { records: inMemory.records, sizeBytes: inMemory.sizeBytes, isOwned: false }
    return this.log.read(offset, logLimits).then(({ records, sizeBytes }) => ({ records, sizeBytes, isOwned: true }))
  }

  /** The partition is no longer served: waiting fetches look again and find it gone. */
  close(): void {
    this.#stopListening()
    this.highWatermark.wake()
  }

  #durableEnd(): number {
    return this.#durability === 'fsync' ? this.log.syncedOffset : this.log.writtenOffset
  }

  #whenDurable(endOffset: number, acks: Acks): Promise<void> | undefined {
    if (acks === 0) return undefined
    if (acks === 1 || this.#durability === 'pagecache') return this.log.whenWritten(endOffset)
    return this.log.whenSynced(endOffset)
  }
}

/** The refusal that stands for a log which a failed write or sync has fenced (design §3). */
function storageFault(cause: Error): Refused {
  return { kind: 'refused', errorCode: ErrorCode.KAFKA_STORAGE_ERROR, message: cause.message, recordErrors: [] }
}
