/**
 * @module log/producers — what a log knows of its idempotent producers: epoch and the last five batches each (KIP-98), so that a retry is
 * recognised and a gap refused. Pure. Source: org.apache.kafka.storage.internals.log.ProducerStateManager, ProducerAppendInfo.
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
  /** Oldest first, all of this epoch; empty after a snapshot that knew none, and when the first ones were taken back. */
  readonly batches: readonly ProducedBatch[]
  /** The first sequence that is expected while there are no batches; 0 unless told. */
  readonly firstSequence?: number
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
}

/** What the batch at `buffer[at]` claims; undefined for one without an idempotent producer (control batches have an id, but no sequence). */
export function claimOf(buffer: Buffer, at: number): ProducerClaim | undefined {
  const producerId = batchHeader.producerId(buffer, at)
  const firstSequence = batchHeader.baseSequence(buffer, at)
  if (producerId < 0 || firstSequence < 0) return undefined
  return { producerId, epoch: batchHeader.producerEpoch(buffer, at), firstSequence, lastSequence: batchHeader.lastSequence(buffer, at) }
}

export type ProducerVerdict =
  | { readonly kind: 'next' }
  | { readonly kind: 'duplicate'; readonly batch: ProducedBatch }
  | { readonly kind: 'refused'; readonly errorCode: number; readonly message: string }

const NEXT: ProducerVerdict = { kind: 'next' }
const SEQUENCE_MAX = 0x7fffffff

interface Undo {
  readonly claim: ProducerClaim
  readonly previous: ProducerEntry | undefined
  readonly lastOffset: number
}

/** Producer state of one log. */
export class Producers {
  readonly #entries = new Map<number, ProducerEntry>()
  readonly #batchesMax: number
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

  /** Judges a client's batch by the table above. */
  judge(claim: ProducerClaim): ProducerVerdict {
    const entry = this.#entries.get(claim.producerId)
    if (entry === undefined) return NEXT
    const { epoch, batches } = entry
    if (claim.epoch < epoch) {
      return refused(
        ErrorCode.INVALID_PRODUCER_EPOCH,
        `epoch of producer ${claim.producerId} is ${claim.epoch}, which is smaller than the last seen epoch ${epoch}`,
      )
    }
    if (claim.epoch > epoch) {
      if (claim.firstSequence === 0) return NEXT
      return refused(
        ErrorCode.OUT_OF_ORDER_SEQUENCE_NUMBER,
        `invalid sequence number for new epoch of producer ${claim.producerId}: ${claim.epoch} (request epoch), ${claim.firstSequence} (seq. number), ${epoch} (current producer epoch)`,
      )
    }
    for (const batch of batches) {
      if (batch.firstSequence === claim.firstSequence && batch.lastSequence === claim.lastSequence) return { kind: 'duplicate', batch }
    }
    const last = batches.at(-1)
    const expected = last === undefined ? (entry.firstSequence ?? 0) : nextSequence(last.lastSequence)
    if (claim.firstSequence === expected) return NEXT
    return refused(
      ErrorCode.OUT_OF_ORDER_SEQUENCE_NUMBER,
      `out of order sequence number for producer ${claim.producerId}: ${claim.firstSequence} (incoming seq. number), ${last?.lastSequence ?? expected - 1} (current end sequence number)`,
    )
  }

  /** Takes an appended batch up. `seenMs`: now; `undoable`: remembers what was there until `forgetUndo`. */
  record(
    claim: ProducerClaim,
    batch: { readonly lastOffset: number; readonly offsetDelta: number; readonly timestampMs: number },
    seenMs: number,
    undoable: boolean,
  ): void {
    const previous = this.#entries.get(claim.producerId)
    const kept = previous !== undefined && previous.epoch === claim.epoch ? previous.batches.slice(1 - this.#batchesMax) : []
    const { lastOffset, offsetDelta, timestampMs } = batch
    kept.push({ firstSequence: claim.firstSequence, lastSequence: claim.lastSequence, lastOffset, offsetDelta, timestampMs })
    this.#entries.set(claim.producerId, { epoch: claim.epoch, batches: kept, seenMs })
    if (undoable) this.#undo.push({ claim, previous, lastOffset })
    this.changed = true
  }

  /** Everything below `writtenOffset` stays for good. */
  forgetUndo(writtenOffset: number): void {
    if (this.#undo.length === 0) return
    this.#undo = this.#undo.filter((undo) => undo.lastOffset >= writtenOffset)
  }

  /**
   * Takes back every append that `forgetUndo` has not let go, the last one first. A producer that was unknown before does not become
   * unknown again: it would be let in with any sequence, and of its batches in flight a later one could come before those taken back.
   */
  rewind(): void {
    for (const { claim, previous } of this.#undo.toReversed()) {
      const { producerId, epoch, firstSequence } = claim
      const seenMs = this.#entries.get(producerId)?.seenMs
      if (previous !== undefined) this.#entries.set(producerId, previous)
      else if (seenMs !== undefined) this.#entries.set(producerId, { epoch, batches: [], firstSequence, seenMs })
    }
    this.#undo = []
    this.changed = true
  }

  /** Forgets producers that were not seen since `beforeMs`. Returns how many. */
  expire(beforeMs: number): number {
    let count = 0
    for (const [producerId, entry] of this.#entries) {
      if (entry.seenMs >= beforeMs) continue
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
    this.changed = true
  }
}

/** The sequence after this one: 2^31−1 is followed by 0. */
function nextSequence(sequence: number): number {
  return sequence === SEQUENCE_MAX ? 0 : sequence + 1
}

function refused(errorCode: number, message: string): ProducerVerdict {
  return { kind: 'refused', errorCode, message }
}
