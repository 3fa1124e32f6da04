/** What the tests of transactions share: batches and markers of a producer. */
import type { AbortedTransaction, Marker, PartitionLog, Verification } from '../../hub/log/index.ts'
import { batchOf } from './world.ts'

/** A producer that keeps count of its epoch and sequence. */
export class TestProducer {
  readonly producerId: number
  epoch: number
  sequence = 0

  constructor(producerId: number, epoch = 0) {
    this.producerId = producerId
    this.epoch = epoch
  }

  /** A batch of `count` records with the next sequences; whoever sees it accepted calls {@link sent}. */
  batch(
    count = 1,
    options: { readonly transactional?: boolean; readonly baseSequence?: number; readonly valueBytes?: number } = {},
  ): Buffer {
    const { transactional = true, baseSequence = this.sequence, valueBytes = 10 } = options
    const values = Array.from({ length: count }, () => 'x'.repeat(valueBytes))
    return batchOf(values, { producerId: this.producerId, producerEpoch: this.epoch, baseSequence, transactional })
  }

  sent(count = 1): void {
    this.sequence += count
  }

  /** The marker that ends its transaction; with version 2 the epoch is bumped, as the coordinator does. */
  marker(isCommit: boolean, more: Partial<Marker> = {}): Marker {
    const transactionVersion = more.transactionVersion ?? 1
    const producerEpoch = transactionVersion === 2 ? this.epoch + 1 : this.epoch
    return { producerId: this.producerId, producerEpoch, coordinatorEpoch: 0, isCommit, transactionVersion, ...more }
  }

  /** Appends a verified batch, synced or not; returns its first offset. */
  send(log: PartitionLog, count = 1, verification: Verification = 'trusted', valueBytes = 10): number {
    const answer = log.append(this.batch(count, { valueBytes }), { origin: 'client', leaderEpoch: 0, verification })
    if (answer.kind === 'refused') throw new Error(`${answer.errorCode}: ${answer.message}`)
    this.sent(count)
    return answer.baseOffset
  }

  /** Appends the marker; returns its offset. */
  end(log: PartitionLog, isCommit: boolean, more: Partial<Marker> = {}): number {
    const marker = this.marker(isCommit, more)
    const answer = log.appendMarker(marker, 0)
    if (answer.kind === 'refused') throw new Error(`${answer.errorCode}: ${answer.message}`)
    if (marker.producerEpoch > this.epoch) {
      this.epoch = marker.producerEpoch
      this.sequence = 0
    }
    return answer.baseOffset
  }
}

/** The aborted transactions of a range as pairs: producer id, first offset. */
export async function abortedOf(log: PartitionLog, fetchOffset: number, endOffset: number): Promise<(readonly [number, number])[]> {
  const aborted: readonly AbortedTransaction[] = await log.abortedTransactions(fetchOffset, endOffset)
  return aborted.map(({ producerId, firstOffset }) => [producerId, firstOffset] as const)
}
