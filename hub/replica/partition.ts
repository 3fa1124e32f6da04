/**
 * @module replica/partition — a partition with one replica, which is its leader.
 *
 * ```
 *   append ──▶ log end ──(round: write)──▶ written end ──(round: sync)──▶ synced end
 *                                             │ pagecache                  │ fsync
 *                                             └────────▶ high watermark ◀──┘
 * ```
 * With one replica the ISR is the leader alone, so the high watermark is the end of what is durable here in the sense of
 * `millrace.log.flush.on.ack`; where the topic's `flush.messages` wants so many unsynced records synced, that is the synced end for the last of
 * them under either. The last stable offset follows it, but stops before the first transaction that is not decided by a marker
 * below the high watermark (KIP-98).
 */
import {
  type AbortedTransaction,
  type Appended,
  type AppendOrigin,
  LogClosedError,
  type Marker,
  type PartitionLog,
  type ReadResult,
  type Refused,
  type Verification,
  type VerificationGuard,
} from '../log/index.ts'
import { batchHeader, ErrorCode } from '../wire/index.ts'
import { ByteCount } from './byte-count.ts'
import { noTraffic, type TopicTraffic } from './traffic.ts'
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

/** `read_committed`: only up to the last stable offset, and with the list of what was aborted in between. */
export type Isolation = 'read_uncommitted' | 'read_committed'

/** Limits of one read. */
interface PartitionReadLimits {
  readonly maxBytes: number
  /** Return the first batch even when it alone is larger than `maxBytes` (KIP-74). */
  readonly minOneBatch: boolean
  /** `read_uncommitted` unless told. */
  readonly isolation?: Isolation
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
  /** Transactions whose records among `records` do not count; null for a reader of uncommitted records (broker-semantics rule 3). */
  readonly abortedTransactions: readonly AbortedTransaction[] | null
}

const NOTHING: readonly Buffer[] = []
/** Refusals that tell a producer to send less. */
const TOO_LARGE: ReadonlySet<number> = new Set([ErrorCode.MESSAGE_TOO_LARGE, ErrorCode.RECORD_LIST_TOO_LARGE])
const NONE_ABORTED: readonly AbortedTransaction[] = []
const NOTHING_READ: PartitionRead = { errorCode: ErrorCode.NONE, records: NOTHING, sizeBytes: 0, owned: NOTHING, abortedTransactions: null }
const NOTHING_COMMITTED: PartitionRead = { ...NOTHING_READ, abortedTransactions: NONE_ABORTED }
const NOT_SERVED: PartitionRead = { ...NOTHING_READ, errorCode: ErrorCode.NOT_LEADER_OR_FOLLOWER }

/** The lone replica of one partition: its log, its leader epoch, its marks. */
export class Partition {
  readonly log: PartitionLog
  readonly topic: string
  readonly partition: number
  readonly topicId: string
  /** Everything below may be read; wait on it with {@link waitForRise}. */
  readonly highWatermark: RisingMark
  /** The last stable offset: every transaction below is decided. Rises with the high watermark, and ends with it. */
  readonly stable: RisingMark
  readonly #durability: Durability
  readonly #stopListening: () => void
  readonly #appended = new ByteCount()
  /** Of the whole topic. */
  readonly #traffic: TopicTraffic
  #leaderEpoch: number

  constructor(
    log: PartitionLog,
    options: { readonly leaderEpoch: number; readonly durability: Durability; readonly traffic?: TopicTraffic },
  ) {
    this.log = log
    this.#traffic = options.traffic ?? noTraffic()
    this.topic = log.topic
    this.partition = log.partition
    this.topicId = log.topicId
    this.#leaderEpoch = options.leaderEpoch
    this.#durability = options.durability
    log.beginEpoch(options.leaderEpoch)
    const endOffset = this.#durableEnd()
    this.highWatermark = new RisingMark(endOffset)
    this.stable = new RisingMark(log.lastStableOffset(endOffset))
    this.#stopListening = log.onAdvance(() => this.#advance())
  }

  /** The value of {@link stable}. */
  get lastStableOffset(): number {
    return this.stable.value
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
  append(records: Buffer, acks: Acks, origin: AppendOrigin = 'client', verification?: Verification): Accepted | Refused {
    const outcome = this.#append(records, acks, origin, verification)
    if (origin === 'client') this.#countProduced(records, outcome)
    return outcome
  }

  #append(records: Buffer, acks: Acks, origin: AppendOrigin, verification: Verification): Accepted | Refused {
    const { log } = this
    const unserved = this.#unserved()
    if (unserved !== undefined) return unserved
    const { logEndOffset, sizeBytes } = log
    try {
      const appended = log.append(records, { origin, leaderEpoch: this.#leaderEpoch, verification })
      return this.#accept(appended, acks, logEndOffset, sizeBytes)
    } catch (error) {
      return closedRefusal(error)
    }
  }

  /** Ends a producer's transaction here; see {@link PartitionLog.appendMarker}. Durable as acks=all. */
  appendMarker(marker: Marker): Accepted | Refused {
    const { log } = this
    const unserved = this.#unserved()
    if (unserved !== undefined) return unserved
    const { logEndOffset, sizeBytes } = log
    try {
      return this.#accept(log.appendMarker(marker, this.#leaderEpoch), -1, logEndOffset, sizeBytes)
    } catch (error) {
      return closedRefusal(error)
    }
  }

  /** See {@link PartitionLog.beginVerification}. */
  beginVerification(
    producerId: number,
    producerEpoch: number,
    firstSequence: number,
    supportsEpochBump: boolean,
  ): VerificationGuard | undefined {
    return this.log.beginVerification(producerId, producerEpoch, firstSequence, supportsEpochBump)
  }

  #unserved(): Refused | undefined {
    if (this.highWatermark.isEnded)
      return refusal(ErrorCode.NOT_LEADER_OR_FOLLOWER, `${this.topic}-${this.partition} is not served any more`)
    return this.log.fenced === undefined ? undefined : refusal(ErrorCode.KAFKA_STORAGE_ERROR, this.log.fenced.message)
  }

  #countProduced(records: Buffer, outcome: Accepted | Refused): void {
    const traffic = this.#traffic
    traffic.produceRequestCount++
    if (outcome.kind === 'accepted') {
      traffic.bytesInCount += records.length
      traffic.messagesInCount += outcome.lastOffset - outcome.baseOffset + 1
      return
    }
    traffic.failedProduceRequestCount++
    if (TOO_LARGE.has(outcome.errorCode)) traffic.bytesRejectedCount += records.length
  }

  #counted(read: PartitionRead): PartitionRead {
    this.#traffic.fetchRequestCount++
    this.#traffic.bytesOutCount += read.sizeBytes
    if (read.errorCode !== ErrorCode.NONE) this.#traffic.failedFetchRequestCount++
    return read
  }

  /** What the log took, which before ended at `endOffset` and had `sizeBytes`. */
  #accept(appended: Appended | Refused, acks: Acks, endOffset: number, sizeBytes: number): Accepted | Refused {
    if (appended.kind === 'refused') return appended
    const { log } = this
    // Re-encoded batches have another size, and a retry that was recognised none at all.
    this.#appended.add(endOffset, log.logEndOffset, log.sizeBytes - sizeBytes)
    const { baseOffset, lastOffset, logAppendTimeMs, logStartOffset } = appended
    return { kind: 'accepted', baseOffset, lastOffset, logAppendTimeMs, logStartOffset, durable: this.#whenDurable(lastOffset + 1, acks) }
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
   * Reads whole batches from `offset` up to the high watermark, or the last stable offset: at once from memory where possible, else a promise.
   * Rejects when a file cannot be read.
   */
  read(offset: number, limits: PartitionReadLimits): PartitionRead | Promise<PartitionRead> {
    const read = this.#read(offset, limits)
    return read instanceof Promise ? read.then((result) => this.#counted(result)) : this.#counted(read)
  }

  #read(offset: number, limits: PartitionReadLimits): PartitionRead | Promise<PartitionRead> {
    if (this.highWatermark.isEnded) return NOT_SERVED
    const isCommitted = limits.isolation === 'read_committed'
    const endOffset = isCommitted ? this.stable.value : this.highWatermark.value
    if (offset >= endOffset) return isCommitted ? NOTHING_COMMITTED : NOTHING_READ
    const inMemory = this.log.readFromMemory(offset, { ...limits, endOffset })
    const read = inMemory === undefined ? this.#readFiles(offset, endOffset, limits) : fromMemory(inMemory)
    if (!isCommitted) return read
    if (!this.log.hasAbortedTransactions) return read instanceof Promise ? read.then(withoutAborted) : withoutAborted(read)
    return read instanceof Promise ? read.then((result) => this.#withAborted(offset, result)) : this.#withAborted(offset, read)
  }

  /**
   * What a reader waits for who has acted on the present mark of its isolation: that mark's rise, with the bytes that it brings, counted
   * without a read.
   */
  seen(isolation: Isolation = 'read_uncommitted'): Required<Seen> {
    if (isolation === 'read_committed') {
      const value = this.stable.value
      const from = this.#appended.belowStable(value)
      return { mark: this.stable, value, gainedBytes: () => this.#appended.belowStable(this.stable.value) - from }
    }
    const value = this.highWatermark.value
    const from = this.#appended.below(value)
    return { mark: this.highWatermark, value, gainedBytes: () => this.#appended.below(this.highWatermark.value) - from }
  }

  /** The partition is no longer served: waiting fetches look again and find it gone. */
  close(): void {
    this.#stopListening()
    this.highWatermark.end()
    this.stable.end()
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
    return { errorCode: ErrorCode.NONE, records, sizeBytes, owned, abortedTransactions: null }
  }

  /** The log has more that is durable, or fewer transactions in the way. */
  #advance(): void {
    // A smaller flush.messages may hold back what was seen already.
    const endOffset = Math.max(this.#durableEnd(), this.highWatermark.value)
    const stableOffset = this.log.lastStableOffset(endOffset)
    this.#appended.below(endOffset)
    this.#appended.belowStable(stableOffset)
    this.highWatermark.raise(endOffset)
    this.stable.raise(stableOffset)
  }

  #withAborted(offset: number, read: PartitionRead): PartitionRead | Promise<PartitionRead> {
    const last = read.records.at(-1)
    if (last === undefined) return withoutAborted(read)
    const aborted = this.log.abortedTransactions(offset, batchHeader.lastOffset(last, lastBatch(last)) + 1)
    if (!(aborted instanceof Promise)) return { ...read, abortedTransactions: aborted }
    return aborted.then((abortedTransactions) => ({ ...read, abortedTransactions }))
  }

  #durableEnd(): number {
    const { syncedOffset, writtenOffset, config } = this.log
    return this.#durability === 'fsync' ? syncedOffset : Math.min(writtenOffset, syncedOffset + config.flushMessages - 1)
  }

  #whenDurable(endOffset: number, acks: Acks): Promise<void> | undefined {
    const { log } = this
    if (acks === 0) return undefined
    const isSynced = (acks === -1 && this.#durability === 'fsync') || endOffset - log.syncedOffset >= log.config.flushMessages
    return isSynced ? log.whenSynced(endOffset) : log.whenWritten(endOffset)
  }
}

/** Where in `records`, which are whole batches, the last one begins. */
function lastBatch(records: Buffer): number {
  let last = 0
  for (let at = 0; at < records.length; at += batchHeader.sizeBytes(records, at)) last = at
  return last
}

function fromMemory({ records, sizeBytes }: ReadResult): PartitionRead {
  return { errorCode: ErrorCode.NONE, records, sizeBytes, owned: NOTHING, abortedTransactions: null }
}

/** For a reader of committed records where nothing was aborted. */
function withoutAborted(read: PartitionRead): PartitionRead {
  return read.errorCode === ErrorCode.NONE ? { ...read, abortedTransactions: NONE_ABORTED } : read
}

/** The refusal of a log that was closed; throws any other error. */
function closedRefusal(error: unknown): Refused {
  if (error instanceof LogClosedError) return refusal(ErrorCode.NOT_LEADER_OR_FOLLOWER, error.message)
  throw error
}

/** A refusal for what befell the log, not for what is in the batch (design §3). */
function refusal(errorCode: number, message: string): Refused {
  return { kind: 'refused', errorCode, message, recordErrors: [] }
}
