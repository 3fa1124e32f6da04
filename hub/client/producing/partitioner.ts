/** @module client/producing/partitioner — which partition a record goes to. Pure but for the dice. */
import type { Random } from '../../io/index.ts'
import { partitionForKey } from '../../wire/index.ts'

export { partitionForKey }

/** A partition that a record without a key may go to. */
export interface PartitionLoad {
  readonly partition: number
  /** Bytes that wait or are on their way. */
  readonly pendingBytes: number
}

/**
 * Records without a key: stays with a partition until about a batch has gone there, so that batches fill up (KIP-480,
 * KIP-794), then takes the less busy of two drawn by lot, so that a slow broker gets less.
 */
export class StickyPartitioner {
  readonly #random: Random
  readonly #switchBytes: number
  #partition = -1
  #sentBytes = 0

  constructor(random: Random, switchBytes: number) {
    this.#random = random
    this.#switchBytes = switchBytes
  }

  /** The partition that new records go to; `loads` is asked when it is time to change. */
  current(loads: () => readonly PartitionLoad[]): number {
    if (this.#partition < 0 || this.#sentBytes >= this.#switchBytes) this.#change(loads())
    return this.#partition
  }

  /** Counts what went to the current partition. */
  note(sizeBytes: number): void {
    this.#sentBytes += sizeBytes
  }

  #change(loads: readonly PartitionLoad[]): void {
    const draw = (): PartitionLoad | undefined => loads[Math.floor(this.#random.float() * loads.length)]
    const one = draw()
    const other = draw()
    if (one === undefined || other === undefined) throw new Error('no partition to choose from')
    this.#partition = (other.pendingBytes < one.pendingBytes ? other : one).partition
    this.#sentBytes = 0
  }
}
