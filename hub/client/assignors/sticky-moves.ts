/** @module client/assignors/sticky-moves — who gave which partition to whom, so that two members don't swap partitions of one topic. */
import { partitionKey, type TopicPartition } from '../types.ts'

interface Move {
  readonly at: TopicPartition
  readonly from: string
  readonly to: string
}

/** Moves of one assignment run, net: a partition that came back has none. */
export class PartitionMoves {
  readonly #moveOf = new Map<string, Move>()

  /** `at` goes from `from` to `to`. */
  record(at: TopicPartition, from: string, to: string): void {
    const key = partitionKey(at.topic, at.partition)
    const earlier = this.#moveOf.get(key)
    this.#moveOf.delete(key)
    const origin = earlier?.from ?? from
    if (origin !== to) this.#moveOf.set(key, { at, from: origin, to })
  }

  /** Instead of `at`, a partition of the same topic that had moved the other way: sending it home keeps more in place. */
  actualMove(at: TopicPartition, from: string, to: string): TopicPartition {
    const origin = this.#moveOf.get(partitionKey(at.topic, at.partition))?.from ?? from
    for (const move of this.#moveOf.values()) {
      if (move.at.topic === at.topic && move.from === to && move.to === origin) return move.at
    }
    return at
  }
}
