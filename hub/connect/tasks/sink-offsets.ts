/**
 * @module connect/tasks/sink-offsets — how far a sink has come in each of its partitions. Pure.
 *
 * ```
 *   read ──▶ delivered (written, dropped or tolerated) ──▶ flushed (the sink says up to where) ──▶ committed
 * ```
 * Offsets are those of the original records, and always of the next record to be read.
 */
import type { TopicPartition, TopicPartitionOffset } from '@millrace/sdk'

interface State extends TopicPartition {
  /** First record that was read since the partition was assigned; null before it. */
  begun: number | null
  /** The latest commit or seek: where reading goes on when what came after it has to come again; null before the first. */
  base: number | null
  delivered: number | null
  committed: number | null
}

/** An offset that the sink must not commit, and why. */
export interface RefusedOffset extends TopicPartitionOffset {
  readonly reason: string
}

/** See the module. */
export class SinkOffsets {
  readonly #states = new Map<string, State>()

  /** Partitions that are assigned. */
  get partitions(): TopicPartition[] {
    return Array.from(this.#states.values(), ({ topic, partition }) => ({ topic, partition }))
  }

  has(at: TopicPartition): boolean {
    return this.#states.has(keyOf(at))
  }

  assign(partitions: readonly TopicPartition[]): void {
    for (const { topic, partition } of partitions) {
      this.#states.set(keyOf({ topic, partition }), { topic, partition, begun: null, base: null, delivered: null, committed: null })
    }
  }

  remove(partitions: readonly TopicPartition[]): void {
    for (const at of partitions) this.#states.delete(keyOf(at))
  }

  /** Records from this offset on have been read. */
  noteRead(at: TopicPartition, offset: number): void {
    const state = this.#states.get(keyOf(at))
    if (state !== undefined) state.begun ??= offset
  }

  /** Everything before `offset` is delivered. Partitions that are no longer assigned are passed over. */
  noteDelivered(ends: readonly TopicPartitionOffset[]): void {
    for (const end of ends) {
      const state = this.#states.get(keyOf(end))
      if (state !== undefined) state.delivered = end.offset
    }
  }

  /** The sink reads on from another place: what is before it counts as delivered. */
  noteSeek(at: TopicPartition, offset: number): void {
    const state = this.#states.get(keyOf(at))
    if (state === undefined) return
    state.base = offset
    state.delivered = offset
  }

  /** Whether something is delivered that is not committed, among `partitions` or all. */
  hasNews(partitions: readonly TopicPartition[] = this.partitions): boolean {
    return this.#of(partitions).some(({ delivered, committed }) => delivered !== null && delivered !== committed)
  }

  /** What a flush is asked for. */
  delivered(partitions: readonly TopicPartition[] = this.partitions): TopicPartitionOffset[] {
    return this.#of(partitions).flatMap(({ topic, partition, delivered }) =>
      delivered === null ? [] : [{ topic, partition, offset: delivered }],
    )
  }

  /** Sorts out what a flush gave back: nothing means all that it was asked for. */
  judge(asked: readonly TopicPartitionOffset[], given: readonly TopicPartitionOffset[] | undefined) {
    const commit: TopicPartitionOffset[] = []
    const refused: RefusedOffset[] = []
    const askedOffsets = new Map(asked.map((at) => [keyOf(at), at.offset]))
    for (const { topic, partition, offset } of given ?? asked) {
      const at = { topic, partition, offset }
      const askedOffset = askedOffsets.get(keyOf(at))
      if (askedOffset === undefined) refused.push({ ...at, reason: 'nothing of this partition was to be flushed' })
      else if (!Number.isSafeInteger(offset) || offset < 0) refused.push({ ...at, reason: 'it is no offset' })
      else if (offset > askedOffset) refused.push({ ...at, reason: `only what is before ${askedOffset} was delivered` })
      else if (this.#states.get(keyOf(at))?.committed !== offset) commit.push(at)
    }
    return { commit, refused }
  }

  markCommitted(offsets: readonly TopicPartitionOffset[]): void {
    for (const at of offsets) {
      const state = this.#states.get(keyOf(at))
      if (state === undefined) continue
      state.committed = at.offset
      state.base = at.offset
    }
  }

  /** What stands committed since the partitions were assigned. */
  committed(): TopicPartitionOffset[] {
    return [...this.#states.values()].flatMap(({ topic, partition, committed }) =>
      committed === null ? [] : [{ topic, partition, offset: committed }],
    )
  }

  /** Goes back to what is committed, or to a place that was sought later; the offsets to read on from. */
  rewind(): TopicPartitionOffset[] {
    return [...this.#states.values()].flatMap((state) => {
      const { topic, partition, base, begun } = state
      const offset = base ?? begun
      if (offset === null) return []
      state.delivered = base
      return [{ topic, partition, offset }]
    })
  }

  #of(partitions: readonly TopicPartition[]): State[] {
    return partitions.flatMap((at) => this.#states.get(keyOf(at)) ?? [])
  }
}

/** The text key of a partition. */
export function keyOf({ topic, partition }: TopicPartition): string {
  return `${topic}-${partition}`
}
