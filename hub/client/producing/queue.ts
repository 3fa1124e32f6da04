/**
 * @module client/producing/queue — the batches of one partition: which may go next, and what an answer means for them. Pure.
 *
 * ```
 *            full, linger over                sent                    acknowledged
 *   open ──────────────────▶ closed ─────────────────▶ in flight ─────────────────▶ done
 *                                                      │      ▲
 *                                   retriable error    ▼      │ one at a time, once nothing else is in flight
 *                                                       retry
 * ```
 * Idempotence (KIP-98, KIP-360): batches get consecutive sequence numbers when they are first sent and keep them over
 * retries, so a broker that has one already answers with its old offset. The retry queue is the barrier that keeps order:
 * while it holds something nothing new goes out. A sequence number is given away anew only when the broker has shown that
 * the batch is not in the log: OUT_OF_ORDER_SEQUENCE_NUMBER for the oldest batch that is left. Then the partition starts
 * again at sequence 0 under the next epoch. After a batch was given up without knowing its fate, what is left is sent as
 * it is: an acknowledgement proves that the lost one had arrived, an out-of-order error that it had not.
 * Within a transaction nothing is given away anew: the first batch that is given up ends it, and the next transaction has another epoch.
 * A broker that does not know a producer takes any first sequence number, so a second batch that overtakes a first one which
 * was refused would stand before it in the log. Therefore the first batch travels alone.
 */
import { ErrorCode, isRetriable } from '../../wire/index.ts'
import type { ProducerBatch, ProducerIdentity } from './batch.ts'

/** Highest producer epoch; the next one needs a new producer id. */
const EPOCH_MAX = 32_767

/** Codes after which the partition must start a new epoch when they hit its oldest batch. */
const LOST_SEQUENCE: ReadonlySet<number> = new Set([ErrorCode.OUT_OF_ORDER_SEQUENCE_NUMBER, ErrorCode.UNKNOWN_PRODUCER_ID])
const TOO_LARGE: ReadonlySet<number> = new Set([ErrorCode.MESSAGE_TOO_LARGE, ErrorCode.RECORD_LIST_TOO_LARGE])

/** What became of a batch after an answer with an error. */
export type Verdict = 'retry' | 'split' | 'duplicate' | 'failed'

/** The batches of one partition. */
export class PartitionQueue {
  readonly topic: string
  readonly partition: number
  readonly #idempotent: boolean
  /** Identities come from outside only: what goes wrong ends the transaction, not the epoch. */
  readonly #transactional: boolean
  readonly #inFlightMax: number
  /** Takes records. */
  open: ProducerBatch | null = null
  readonly closed: ProducerBatch[] = []
  readonly retry: ProducerBatch[] = []
  readonly inFlight: ProducerBatch[] = []
  /** No retry before this time. */
  notBeforeMs = 0
  /** Bytes of all batches that are not done. */
  pendingBytes = 0
  #identity: ProducerIdentity | null = null
  #nextSequence = 0
  /** The broker has acknowledged something of this identity. */
  #established = false
  /** A sequenced batch was given up, and it is not known whether the log has it. */
  #gap = false
  /** The oldest batch was shown not to be in the log. */
  #startOver = false

  constructor(topic: string, partition: number, idempotent: boolean, inFlightMax: number, transactional = false) {
    this.topic = topic
    this.partition = partition
    this.#idempotent = idempotent
    this.#inFlightMax = inFlightMax
    this.#transactional = transactional
  }

  get isEmpty(): boolean {
    return this.open === null && this.closed.length === 0 && this.retry.length === 0 && this.inFlight.length === 0
  }

  /** Ends the open batch. */
  closeOpen(): void {
    if (this.open === null) return
    this.closed.push(this.open)
    this.open = null
  }

  /** Whether a batch could go now; `takeOpen` lets the open one go too. */
  isReady(nowMs: number, takeOpen: boolean): boolean {
    const inFlightMax = this.#idempotent && !this.#established ? 1 : this.#inFlightMax
    if (this.inFlight.length >= inFlightMax) return false
    if (this.retry.length > 0) return this.inFlight.length === 0 && nowMs >= this.notBeforeMs
    if ((this.#gap || this.#startOver) && this.inFlight.length > 0) return false
    return this.closed.length > 0 || (takeOpen && this.open !== null)
  }

  /** Whether the next batch needs another producer id than `current`, from the broker. */
  needsIdentity(current: ProducerIdentity | null): boolean {
    if (!this.#idempotent || this.#transactional) return false
    if (this.#identity === null) return current === null
    return this.#mustBump() && this.#identity.epoch >= EPOCH_MAX && current?.producerId === this.#identity.producerId
  }

  /** The batch that `isReady` promised, with its sequence, moved to in flight. `identity` is what a partition begins with. */
  take(identity: ProducerIdentity | null): ProducerBatch {
    if (this.retry.length === 0 && this.closed.length === 0) this.closeOpen()
    if (this.#idempotent && identity !== null) this.#sequence(identity)
    const batch = this.retry.shift() ?? this.closed.shift()
    if (batch === undefined) throw new Error('take() without isReady()')
    if (this.#idempotent && batch.baseSequence < 0 && this.#identity !== null) {
      batch.assign(this.#identity, this.#nextSequence)
      this.#nextSequence = batch.nextSequence
    }
    batch.attemptCount++
    this.inFlight.push(batch)
    return batch
  }

  /** An acknowledgement. */
  onSuccess(batch: ProducerBatch): void {
    this.#leaveFlight(batch)
    this.#established = true
    // The log takes sequences only without gaps: what was given up before this one is in it.
    this.#gap = false
  }

  /**
   * An error code for the batch, or null for a lost connection or answer. `mayRetry`: neither the delivery time nor the
   * number of attempts is used up.
   */
  onError(batch: ProducerBatch, code: number | null, mayRetry: boolean): Verdict {
    const oldest = this.inFlight[0] === batch && this.retry.length === 0
    this.#leaveFlight(batch)
    const sequenced = batch.baseSequence >= 0
    if (code === ErrorCode.DUPLICATE_SEQUENCE_NUMBER && sequenced) return 'duplicate'
    if (batch.abandoned) return this.#giveUp(sequenced)
    if (code !== null && TOO_LARGE.has(code) && batch.recordCount > 1) {
      for (const half of batch.split()) this.#returnToRetry(half)
      return 'split'
    }
    const lostSequence = sequenced && code !== null && LOST_SEQUENCE.has(code)
    if (!mayRetry || !(code === null || lostSequence || isRetriable(code))) return this.#giveUp(sequenced)
    // Nothing before it can fill the gap: the transaction is torn.
    if (lostSequence && oldest && this.#transactional) return this.#giveUp(sequenced)
    if (lostSequence && oldest) this.#startOver = true
    this.#returnToRetry(batch)
    return 'retry'
  }

  /** Takes out batches that have waited too long. Those in flight stay in place as abandoned, so that their answer finds them. */
  expire(isLate: (batch: ProducerBatch) => boolean): ProducerBatch[] {
    const late: ProducerBatch[] = []
    for (const batch of this.inFlight) {
      if (batch.abandoned || !isLate(batch)) continue
      batch.abandoned = true
      late.push(batch)
    }
    for (const list of [this.retry, this.closed]) {
      for (const batch of list.filter(isLate)) {
        list.splice(list.indexOf(batch), 1)
        if (batch.baseSequence >= 0) this.#gap = true
        late.push(batch)
      }
    }
    if (this.open !== null && isLate(this.open)) {
      late.push(this.open)
      this.open = null
    }
    return late
  }

  /** Takes out what is not on its way, for a transaction that is being aborted; `all`: also what was sent before. */
  drop(all: boolean): ProducerBatch[] {
    const sent = all ? this.retry.splice(0) : []
    const dropped = [...sent, ...this.closed.splice(0)]
    if (sent.length > 0) this.#gap = true
    if (this.open !== null) dropped.push(this.open)
    this.open = null
    return dropped
  }

  #giveUp(sequenced: boolean): Verdict {
    if (sequenced) this.#gap = true
    return 'failed'
  }

  #leaveFlight(batch: ProducerBatch): void {
    const at = this.inFlight.indexOf(batch)
    if (at >= 0) this.inFlight.splice(at, 1)
  }

  /** Into the order of first sending: answers of two connections may come in any order. */
  #returnToRetry(batch: ProducerBatch): void {
    const at = this.retry.findIndex((other) => other.order > batch.order)
    this.retry.splice(at < 0 ? this.retry.length : at, 0, batch)
  }

  #mustBump(): boolean {
    return this.#startOver || (this.#gap && this.retry.length === 0)
  }

  /** Sees to it that the partition has an identity, and starts the next epoch when it must. Nothing is in flight then. */
  #sequence(identity: ProducerIdentity): void {
    if (this.#transactional) {
      this.#adopt(identity)
      return
    }
    if (this.#identity === null) this.#identity = identity
    else if (!this.#mustBump()) return
    else if (this.#identity.epoch >= EPOCH_MAX) this.#identity = identity
    else
      this.#identity = {
        producerId: this.#identity.producerId,
        epoch: this.#identity.epoch + 1,
      }
    this.#startOver = false
    this.#gap = false
    this.#established = false
    this.#nextSequence = 0
    for (const batch of this.retry) {
      batch.assign(this.#identity, this.#nextSequence)
      this.#nextSequence = batch.nextSequence
    }
  }

  /** A transaction may have brought another epoch, under which sequences start from 0. Nothing of the one before is left then. */
  #adopt(identity: ProducerIdentity): void {
    if (this.#identity === identity) return
    this.#established &&= this.#identity?.producerId === identity.producerId
    this.#identity = identity
    this.#gap = false
    this.#nextSequence = 0
  }
}
