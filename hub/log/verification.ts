/**
 * @module log/verification — guards of transactions that the coordinator is being asked about (KIP-890 part 1). Between the question and the
 * append a marker may end the transaction; its batch must not open another one that nobody will end. So the marker voids the guard, and
 * the append is refused. Pure. Source: org.apache.kafka.storage.internals.log.VerificationStateEntry.
 */
import type { VerificationGuard } from './types.ts'

/** What asks for a verification. */
interface Request {
  readonly epoch: number
  readonly firstSequence: number
  readonly supportsEpochBump: boolean
  readonly nowMs: number
}

/** One for all batches of a producer that wait for the coordinator at the same time. */
interface Pending {
  readonly guard: VerificationGuard
  readonly begunMs: number
  readonly supportsEpochBump: boolean
  epoch: number
  /** A batch with a higher one would leave the lower ones, which are asked for again, out of order for ever. */
  lowestSequence: number
}

/** The guards of one log. */
export class Verifications {
  readonly #pending = new Map<number, Pending>()

  begin(producerId: number, { epoch, firstSequence, supportsEpochBump, nowMs }: Request): VerificationGuard {
    const pending = this.#pending.get(producerId)
    if (pending === undefined) {
      const guard = Object.freeze({ producerId })
      this.#pending.set(producerId, { guard, begunMs: nowMs, supportsEpochBump, epoch, lowestSequence: firstSequence })
      return guard
    }
    if (epoch === pending.epoch) pending.lowestSequence = Math.min(pending.lowestSequence, firstSequence)
    else if (epoch > pending.epoch) {
      pending.epoch = epoch
      pending.lowestSequence = firstSequence
    }
    return pending.guard
  }

  isValid(producerId: number, guard: VerificationGuard | undefined): boolean {
    return guard !== undefined && this.#pending.get(producerId)?.guard === guard
  }

  /** Why a batch with that sequence may not come first, undefined when it may. `hasBatches`: the producer's epoch has batches in the log. */
  judgeSequence(producerId: number, firstSequence: number, hasBatches: boolean): string | undefined {
    if (this.#pending.size === 0) return undefined
    const pending = this.#pending.get(producerId)
    if (pending === undefined) return undefined
    if (pending.supportsEpochBump && firstSequence !== 0 && !hasBatches) {
      return `invalid sequence number for producer ${producerId}: ${firstSequence} (incoming seq. number); a producer without batches begins with 0`
    }
    if (firstSequence <= pending.lowestSequence) return undefined
    return `out of order sequence number for producer ${producerId}: ${firstSequence} (incoming seq. number), ${pending.lowestSequence} (earliest seen sequence)`
  }

  /** The transaction is open now, or ended. */
  forget(producerId: number): void {
    if (this.#pending.size > 0) this.#pending.delete(producerId)
  }

  /** Forgets what was begun before. */
  expire(beforeMs: number): void {
    for (const [producerId, { begunMs }] of this.#pending) if (begunMs < beforeMs) this.#pending.delete(producerId)
  }

  clear(): void {
    this.#pending.clear()
  }
}
