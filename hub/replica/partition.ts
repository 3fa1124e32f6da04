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
import { type AppendOrigin, LogClosedError, type PartitionLog, type ReadResult, type Refused } from '../log/index.ts'
import { batchHeader, ErrorCode } from '../wire/index.ts'
import { ByteCount } from './byte-count.ts'
import { type Seen, RisingMark } from './watermark.ts'

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
  /** Resolves at the durability that `acks` asks for, rejects when the log is fenced or closed before: to be handled at once. Undefined for acks=0. */
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
  /** 0, or NOT_LEADER_OR_FOLLOWER when the partition is not served any more. */
  readonly errorCode: number
  /**
   * Those of `records` that were read from a file for this reader alone: nobody else has a view of them, so whoever has sent them may give
   * the memory back at once. Views of the memory tail are never among them.
   */
  readonly owned: readonly Buffer[]
}

const NOTHING: readonly Buffer[] = []
const NOTHING_READ: PartitionRead = { errorCode: ErrorCode.NONE, records: NOTHING, sizeBytes: 0, owned: NOTHING }
const NOT_SERVED: PartitionRead = { ...NOTHING_READ, errorCode: ErrorCode.NOT_LEADER_OR_FOLLOWER }

/** The lone replica of one partition: its log, its leader epoch, its marks. */
export class Partition {
  readonly log: PartitionLog
  readonly topic: string
  readonly partition: number
  readonly topicId: string
  /** Everything below may be read; wait on it with {@link waitForRise}. */
  readonly highWatermark: RisingMark
  readonly #durability: Durability
  readonly #stopListening: () => void
  readonly #appended = new ByteCount()
  #leaderEpoch: number

  constructor(log: PartitionLog, options: { readonly leaderEpoch: number; readonly durability: Durability }) {
    this.log = log
    this.topic = log.topic
    this.partition = log.partition
    this.topicId = log.topicId
    this.#leaderEpoch = options.leaderEpoch
    this.#durability = options.durability
    log.beginEpoch(options.leaderEpoch)
    this.highWatermark = new RisingMark(this.#durableEnd())
    this.#stopListening = log.onAdvance(() => {
      const endOffset = this.#durableEnd()
      this.#appended.below(endOffset)
      this.highWatermark.raise(endOffset)
    })
  }

  /** First offset that has no decided transaction before it: equal to the high watermark as long as there are no transactions. */
  get lastStableOffset(): number {
    return this.highWatermark.value
  }

  get logStartOffset(): number {
    return this.log.logStartOffset
  }

  get leaderEpoch(): number {
    return this.#leaderEpoch
  }

  /** Leads on in `leaderEpoch`: the log notes where it begins, also when nothing will be written in it (KIP-101). */
  lead(leaderEpoch: number): void {
    if (leaderEpoch === this.#leaderEpoch) return
    this.#leaderEpoch = leaderEpoch
    this.log.beginEpoch(leaderEpoch)
  }

  /**
   * Checks and appends whole batches (patched in place); the promise of the outcome is the answer's moment. Never throws for a storage
   * fault or a log that was closed.
   */
  append(records: Buffer, acks: Acks, origin: AppendOrigin = 'client'): Accepted | Refused {
    const { log } = this
    if (this.highWatermark.isEnded)
      return refusal(ErrorCode.NOT_LEADER_OR_FOLLOWER, `${this.topic}-${this.partition} is not served any more`)
    if (log.fenced !== undefined) return refusal(ErrorCode.KAFKA_STORAGE_ERROR, log.fenced.message)
    const { logEndOffset, sizeBytes } = log
    let appended: ReturnType<PartitionLog['append']>
    try {
      appended = log.append(records, { origin, leaderEpoch: this.#leaderEpoch })
    } catch (error) {
      if (error instanceof LogClosedError) return refusal(ErrorCode.NOT_LEADER_OR_FOLLOWER, error.message)
      throw error
    }
    if (appended.kind === 'refused') return appended
    // Re-encoded batches have another size, and a retry that was recognised none at all.
    this.#appended.add(logEndOffset, log.logEndOffset, log.sizeBytes - sizeBytes)
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
    if (currentLeaderEpoch === -1 || currentLeaderEpoch === this.#leaderEpoch) return ErrorCode.NONE
    return currentLeaderEpoch < this.#leaderEpoch ? ErrorCode.FENCED_LEADER_EPOCH : ErrorCode.UNKNOWN_LEADER_EPOCH
  }

  /**
   * Reads whole batches from `offset` up to the high watermark: at once from memory where possible, else a promise. Rejects when a file
   * cannot be read.
   */
  read(offset: number, limits: PartitionReadLimits): PartitionRead | Promise<PartitionRead> {
    if (this.highWatermark.isEnded) return NOT_SERVED
    const endOffset = this.highWatermark.value
    if (offset >= endOffset) return NOTHING_READ
    const inMemory = this.log.readFromMemory(offset, { ...limits, endOffset })
    if (inMemory !== undefined)
      return { errorCode: ErrorCode.NONE, records: inMemory.records, sizeBytes: inMemory.sizeBytes, owned: NOTHING }
    return this.#readFiles(offset, endOffset, limits)
  }

  /** What a reader waits for who has acted on the present high watermark: its rise, with the bytes that it brings, counted without a read. */
  seen(): Required<Seen> {
    const value = this.highWatermark.value
    const from = this.#appended.below(value)
    return { mark: this.highWatermark, value, gainedBytes: () => this.#appended.below(this.highWatermark.value) - from }
  }

  /** The partition is no longer served: waiting fetches look again and find it gone. */
  close(): void {
    this.#stopListening()
    this.highWatermark.end()
  }

  /** A read of the log ends with its segment, or with what is read from a file at once: goes on while a batch like the last one has room. */
  async #readFiles(offset: number, endOffset: number, limits: PartitionReadLimits): Promise<PartitionRead> {
    const records: Buffer[] = []
    const owned: Buffer[] = []
    let sizeBytes = 0
    try {
      for (let nextOffset = offset; nextOffset < endOffset; ) {
        const rest = { maxBytes: limits.maxBytes - sizeBytes, minOneBatch: limits.minOneBatch && sizeBytes === 0, endOffset }
        const inMemory = this.log.readFromMemory(nextOffset, rest)
        const read = inMemory ?? (await this.log.read(nextOffset, rest))
        const last = read.records.at(-1)
        if (last === undefined || last.length === 0) break
        records.push(...read.records)
        if (inMemory === undefined) owned.push(...read.records)
        sizeBytes += read.sizeBytes
        const at = lastBatch(last)
        nextOffset = batchHeader.lastOffset(last, at) + 1
        if (inMemory !== undefined || batchHeader.sizeBytes(last, at) > limits.maxBytes - sizeBytes) break
      }
    } catch (error) {
      if (error instanceof LogClosedError) return NOT_SERVED
      throw error
    }
    return { errorCode: ErrorCode.NONE, records, sizeBytes, owned }
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

/** Where in `records`, which are whole batches, the last one begins. */
function lastBatch(records: Buffer): number {
  let last = 0
  for (let at = 0; at < records.length; at += batchHeader.sizeBytes(records, at)) last = at
  return last
}

/** A refusal for what befell the log, not for what is in the batch (design §3). */
function refusal(errorCode: number, message: string): Refused {
  return { kind: 'refused', errorCode, message, recordErrors: [] }
}
