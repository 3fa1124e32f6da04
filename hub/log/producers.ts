/**
 * @module log/producers — what a log knows of its idempotent and transactional producers: epoch, the last five batches each (KIP-98), so that
 * a retry is recognised and a gap refused, and the transaction that is open. Pure. Source: org.apache.kafka.storage.internals.log
 * .ProducerStateManager, ProducerAppendInfo.
 *
 * ```
 * batch of a producer id          known epoch lower    same epoch                              higher epoch     id unknown
 *   sequences of a kept batch     –                    duplicate: answer the first offsets     –                –
 *   first sequence is the next    INVALID_PRODUCER_    append                                  append if it is  append
 *   anything else                 EPOCH                OUT_OF_ORDER_SEQUENCE_NUMBER            0, else OUT_OF_… append
 * ```
 * «The next» of an epoch without kept batches is 0, or the first one that was taken back.
 * Entries are immutable, so that an append can be taken back by putting the old entry in its place (a full disk does that).
 */
import { batchHeader, ErrorCode } from '../wire/index.ts'
import { type AbortedEntry, OpenTransactions } from './transactions.ts'
import type { Marker, Verification, VerificationGuard } from './types.ts'
import { Verifications } from './verification.ts'

/** One batch as kept: its sequences and offsets, and the largest timestamp (ms). */
export interface ProducedBatch {
  readonly firstSequence: number
  readonly lastSequence: number
  readonly lastOffset: number
  readonly offsetDelta: number
  readonly timestampMs: number
}

/** A producer's state. */
export interface ProducerEntry {
  readonly epoch: number
  /** Oldest first, all of this epoch; empty after a snapshot that knew none, after a marker of a new epoch, and when the first ones were taken back. */
  readonly batches: readonly ProducedBatch[]
  /** The first sequence that is expected while there are no batches; 0 unless told. */
  readonly firstSequence?: number
  /** Of the last batch or marker, −1: none. */
  readonly timestampMs: number
  /** Of the last marker, −1: none. */
  readonly coordinatorEpoch: number
  /** First offset of the open transaction, −1: none. */
  readonly transactionOffset: number
  /**
   * When the last batch was appended, or the log opened. Kafka takes the batch's own timestamp, so that whoever sends old records (a mirror,
   * a snapshot of a database) is forgotten while still at work and a retry of its becomes a duplicate.
   */
  readonly seenMs: number
}

/** What a batch of a producer says of itself; read from the batch's header. */
export interface ProducerClaim {
  readonly producerId: number
  readonly epoch: number
  readonly firstSequence: number
  readonly lastSequence: number
  readonly isTransactional: boolean
}

/** A marker as it stands, or will stand, in the log. */
export interface StoredMarker {
  readonly producerId: number
  readonly producerEpoch: number
  readonly coordinatorEpoch: number
  readonly isCommit: boolean
  readonly offset: number
  readonly timestampMs: number
}

/** What the batch at `buffer[at]` claims; undefined for one without a producer, and for control batches. */
export function claimOf(buffer: Buffer, at: number): ProducerClaim | undefined {
  const producerId = batchHeader.producerId(buffer, at)
  if (producerId < 0 || batchHeader.isControl(buffer, at)) return undefined
  const firstSequence = batchHeader.baseSequence(buffer, at)
  const isTransactional = batchHeader.isTransactional(buffer, at)
  if (firstSequence < 0 && !isTransactional) return undefined
  const epoch = batchHeader.producerEpoch(buffer, at)
  return { producerId, epoch, firstSequence, lastSequence: batchHeader.lastSequence(buffer, at), isTransactional }
}

export type ProducerVerdict = { readonly kind: 'next' } | { readonly kind: 'duplicate'; readonly batch: ProducedBatch } | ProducerRefusal

export interface ProducerRefusal {
  readonly kind: 'refused'
  readonly errorCode: number
  readonly message: string
}

const NEXT: ProducerVerdict = { kind: 'next' }
const SEQUENCE_MAX = 0x7fffffff
const NONE = -1
/** Of transactions whose markers have a higher epoch than their records. */
const EPOCH_BUMP_VERSION = 2

interface Undo {
  readonly producerId: number
  readonly epoch: number
  readonly firstSequence: number
  readonly previous: ProducerEntry | undefined
  readonly lastOffset: number
}

/** Producer state of one log. */
export class Producers {
  readonly #entries = new Map<number, ProducerEntry>()
  readonly #batchesMax: number
  readonly #transactions = new OpenTransactions()
  readonly #verifications = new Verifications()
  #undo: Undo[] = []
  /** True when something changed since `entries` was last taken for a snapshot. */
  changed = false

  /** `batchesMax`: batches kept per producer. */
  constructor(batchesMax: number) {
    this.#batchesMax = batchesMax
  }

  get size(): number {
    return this.#entries.size
  }

  get entries(): ReadonlyMap<number, ProducerEntry> {
    return this.#entries
  }

  /** See {@link OpenTransactions.firstUnstableOffset}. */
  firstUnstableOffset(highWatermark: number): number {
    return this.#transactions.firstUnstableOffset(highWatermark)
  }

  /** When the oldest open transaction was last heard of, −1 when none is open. */
  get oldestTransactionMs(): number {
    const producerId = this.#transactions.oldestProducerId
    return producerId === undefined ? NONE : (this.#entries.get(producerId)?.timestampMs ?? NONE)
  }

  /** See {@link PartitionLog.beginVerification}. */
  beginVerification(
    producerId: number,
    epoch: number,
    firstSequence: number,
    supportsEpochBump: boolean,
    nowMs: number,
  ): VerificationGuard | undefined {
    const entry = this.#entries.get(producerId)
    if (entry !== undefined && (epoch < entry.epoch || isOpen(entry, epoch))) return undefined
    return this.#verifications.begin(producerId, { epoch, firstSequence, supportsEpochBump, nowMs })
  }

  /** Judges a client's batch by the table above, and whether its transaction may be written to. */
  judge(claim: ProducerClaim, verification: Verification): ProducerVerdict {
    const entry = this.#entries.get(claim.producerId)
    const duplicate = entry === undefined ? undefined : duplicateOf(entry, claim)
    if (duplicate !== undefined) return { kind: 'duplicate', batch: duplicate }
    const refusal = this.#judgeTransaction(entry, claim, verification) ?? this.#judgeSequence(entry, claim)
    if (refusal !== undefined) return refusal
    if (entry === undefined || entry.transactionOffset < 0 || claim.isTransactional) return NEXT
    return refused(ErrorCode.INVALID_TXN_STATE, `producer ${claim.producerId} has a transaction open and sent a batch outside of it`)
  }

  /** Judges a coordinator's batch: it has no sequence of its own. */
  judgeCoordinator(claim: ProducerClaim, verification: Verification): ProducerRefusal | undefined {
    const entry = this.#entries.get(claim.producerId)
    return this.#judgeTransaction(entry, claim, verification) ?? judgeEpoch(entry, claim)
  }

  /** Judges a marker by the epochs; undefined when it may be written. */
  judgeMarker(marker: Marker): ProducerRefusal | undefined {
    const { producerId, producerEpoch, coordinatorEpoch, transactionVersion } = marker
    const entry = this.#entries.get(producerId)
    if (entry === undefined) return undefined
    const isBumped = transactionVersion >= EPOCH_BUMP_VERSION
    // The same epoch with no transaction open: the marker stands in the log already, and its writer did not hear of it (KAFKA-19999).
    const isRetry = isBumped && producerEpoch === entry.epoch && entry.transactionOffset < 0
    if (producerEpoch < entry.epoch || (isBumped && producerEpoch === entry.epoch && !isRetry)) {
      return refused(
        ErrorCode.INVALID_PRODUCER_EPOCH,
        `epoch of the marker for producer ${producerId} is ${producerEpoch}, the last seen epoch is ${entry.epoch} (transaction version ${transactionVersion})`,
      )
    }
    if (entry.coordinatorEpoch <= coordinatorEpoch) return undefined
    return refused(
      ErrorCode.TRANSACTION_COORDINATOR_FENCED,
      `invalid coordinator epoch for producer ${producerId}: ${coordinatorEpoch} (zombie), ${entry.coordinatorEpoch} (current)`,
    )
  }

  /** Takes an appended batch up. `seenMs`: now; `undoable`: remembers what was there until `forgetUndo`. */
  record(
    claim: ProducerClaim,
    batch: { readonly lastOffset: number; readonly offsetDelta: number; readonly timestampMs: number },
    seenMs: number,
    undoable: boolean,
  ): void {
    const { producerId, epoch, firstSequence, lastSequence, isTransactional } = claim
    const { lastOffset, offsetDelta, timestampMs } = batch
    const previous = this.#entries.get(producerId)
    const kept = previous !== undefined && previous.epoch === epoch ? previous.batches.slice(1 - this.#batchesMax) : []
    kept.push({ firstSequence, lastSequence, lastOffset, offsetDelta, timestampMs })
    let transactionOffset = previous?.transactionOffset ?? NONE
    if (isTransactional) {
      this.#verifications.forget(producerId)
      if (transactionOffset < 0) {
        transactionOffset = lastOffset - offsetDelta
        this.#transactions.begin(transactionOffset, producerId)
      }
    }
    const coordinatorEpoch = previous?.coordinatorEpoch ?? NONE
    this.#entries.set(producerId, { epoch, batches: kept, timestampMs, coordinatorEpoch, transactionOffset, seenMs })
    if (undoable) this.#undo.push({ producerId, epoch, firstSequence, previous, lastOffset })
    this.changed = true
  }

  /** Takes a marker up; returns the transaction that it aborted, if it ended one and aborted it. `undoable`: as in `record`. */
  recordMarker(marker: StoredMarker, seenMs: number, undoable: boolean): AbortedEntry | undefined {
    const { producerId, producerEpoch: epoch, coordinatorEpoch, isCommit, offset, timestampMs } = marker
    const previous = this.#entries.get(producerId)
    this.#verifications.forget(producerId)
    const isSameEpoch = previous !== undefined && previous.epoch === epoch
    const batches = isSameEpoch ? previous.batches : []
    const firstSequence = isSameEpoch ? (previous.firstSequence ?? 0) : 0
    const entry = { epoch, batches, timestampMs, coordinatorEpoch, transactionOffset: NONE, seenMs }
    this.#entries.set(producerId, firstSequence === 0 ? entry : { ...entry, firstSequence })
    if (undoable) this.#undo.push({ producerId, epoch, firstSequence, previous, lastOffset: offset })
    this.changed = true
    const firstOffset = previous?.transactionOffset ?? NONE
    if (firstOffset < 0) return undefined
    const lastStableOffset = this.#transactions.end(firstOffset, offset, undoable)
    return isCommit ? undefined : { producerId, firstOffset, lastOffset: offset, lastStableOffset }
  }

  /** Everything below `writtenOffset` stays for good. */
  forgetUndo(writtenOffset: number): void {
    if (this.#undo.length === 0) return
    this.#undo = this.#undo.filter((undo) => undo.lastOffset >= writtenOffset)
  }

  /**
   * Takes back every append that `forgetUndo` has not let go, the last one first; the log ends at `endOffset` then. A producer that was
   * unknown before does not become unknown again: it would be let in with any sequence, and of its batches in flight a later one could come
   * before those taken back.
   */
  rewind(endOffset: number): void {
    if (this.#undo.length === 0) return
    for (const { producerId, epoch, firstSequence, previous } of this.#undo.toReversed()) {
      const seenMs = this.#entries.get(producerId)?.seenMs
      if (previous !== undefined) this.#entries.set(producerId, previous)
      else if (seenMs !== undefined) {
        const nothing = { batches: [], timestampMs: NONE, coordinatorEpoch: NONE, transactionOffset: NONE }
        this.#entries.set(producerId, { ...nothing, epoch, firstSequence, seenMs })
      }
    }
    this.#undo = []
    this.#transactions.reset(openOf(this.#entries), endOffset)
    this.changed = true
  }

  /** Forgets producers that were not seen since `beforeMs`, unless they have a transaction open, and what was never verified. Returns how many. */
  expire(beforeMs: number): number {
    this.#verifications.expire(beforeMs)
    let count = 0
    for (const [producerId, entry] of this.#entries) {
      if (entry.seenMs >= beforeMs || entry.transactionOffset >= 0) continue
      this.#entries.delete(producerId)
      count++
    }
    if (count > 0) this.changed = true
    return count
  }

  /** Replaces everything, for instance by a snapshot's content. */
  reset(entries: ReadonlyMap<number, ProducerEntry>): void {
    this.#entries.clear()
    for (const [producerId, entry] of entries) this.#entries.set(producerId, entry)
    this.#undo = []
    this.#transactions.reset(openOf(this.#entries), 0)
    this.#verifications.clear()
    this.changed = true
  }

  #judgeTransaction(entry: ProducerEntry | undefined, claim: ProducerClaim, verification: Verification): ProducerRefusal | undefined {
    if (!claim.isTransactional || isOpen(entry, claim.epoch)) return undefined
    const stale = judgeEpoch(entry, claim)
    if (stale !== undefined || verification === 'trusted' || this.#verifications.isValid(claim.producerId, verification)) return stale
    return refused(ErrorCode.INVALID_TXN_STATE, 'the record batch belongs to no open transaction')
  }

  #judgeSequence(entry: ProducerEntry | undefined, claim: ProducerClaim): ProducerRefusal | undefined {
    const stale = judgeEpoch(entry, claim)
    if (stale !== undefined) return stale
    const { producerId, epoch, firstSequence } = claim
    const hasBatches = entry !== undefined && entry.batches.length > 0
    const tooHigh = this.#verifications.judgeSequence(producerId, firstSequence, hasBatches)
    if (tooHigh !== undefined) return refused(ErrorCode.OUT_OF_ORDER_SEQUENCE_NUMBER, tooHigh)
    if (entry === undefined) return undefined
    if (epoch > entry.epoch) {
      if (firstSequence === 0) return undefined
      return refused(
        ErrorCode.OUT_OF_ORDER_SEQUENCE_NUMBER,
        `invalid sequence number for new epoch of producer ${producerId}: ${epoch} (request epoch), ${firstSequence} (seq. number), ${entry.epoch} (current producer epoch)`,
      )
    }
    const last = entry.batches.at(-1)
    const expected = last === undefined ? (entry.firstSequence ?? 0) : nextSequence(last.lastSequence)
    if (firstSequence === expected) return undefined
    return refused(
      ErrorCode.OUT_OF_ORDER_SEQUENCE_NUMBER,
      `out of order sequence number for producer ${producerId}: ${firstSequence} (incoming seq. number), ${last?.lastSequence ?? expected - 1} (current end sequence number)`,
    )
  }
}

function isOpen(entry: ProducerEntry | undefined, epoch: number): boolean {
  return entry !== undefined && entry.transactionOffset >= 0 && entry.epoch === epoch
}

function* openOf(entries: ReadonlyMap<number, ProducerEntry>): Generator<readonly [number, number]> {
  for (const [producerId, { transactionOffset }] of entries) if (transactionOffset >= 0) yield [transactionOffset, producerId]
}

function duplicateOf(entry: ProducerEntry, claim: ProducerClaim): ProducedBatch | undefined {
  if (claim.epoch !== entry.epoch) return undefined
  for (const batch of entry.batches) {
    if (batch.firstSequence === claim.firstSequence && batch.lastSequence === claim.lastSequence) return batch
  }
  return undefined
}

function judgeEpoch(entry: ProducerEntry | undefined, { producerId, epoch }: ProducerClaim): ProducerRefusal | undefined {
  if (entry === undefined || epoch >= entry.epoch) return undefined
  return refused(
    ErrorCode.INVALID_PRODUCER_EPOCH,
    `epoch of producer ${producerId} is ${epoch}, which is smaller than the last seen epoch ${entry.epoch}`,
  )
}

/** The sequence after this one: 2^31−1 is followed by 0. */
function nextSequence(sequence: number): number {
  return sequence === SEQUENCE_MAX ? 0 : sequence + 1
}

function refused(errorCode: number, message: string): ProducerRefusal {
  return { kind: 'refused', errorCode, message }
}
