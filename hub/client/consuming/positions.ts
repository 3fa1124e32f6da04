/** @module client/consuming/positions — what is assigned, and where each partition stands. Pure. */
import { ClientError } from '../errors.ts'
import { partitionKey, type TopicPartition } from '../types.ts'

/** Next offset to read, and the epoch of the record before it (-1: unknown; KIP-320). */
export interface Position {
  readonly offset: number
  readonly leaderEpoch: number
}

/** What a partition waits for: its committed offset, an offset by the reset policy or a seek, a check of its epoch, nothing. */
export type PartitionPhase = 'committed' | 'reset' | 'validate' | 'ready'

/** One assigned partition. */
export class PartitionState implements TopicPartition {
  readonly topic: string
  readonly partition: number
  phase: PartitionPhase = 'committed'
  /** In phase `reset`: the ListOffsets timestamp; null: by the policy. */
  resetTimestamp: number | null = null
  paused = false
  /** About to be given up: nothing of it is handed out any more. */
  isLeaving = false
  /** Where `poll` goes on. */
  position: Position | null = null
  /** Where the next fetch goes on; ahead of `position` by what is buffered. */
  fetchOffset = -1
  fetchLeaderEpoch = -1
  bufferedBytes = 0
  /** Rises with every jump; what was fetched for an older one is void. */
  version = 0
  /** Leader epoch under which the position was last found good. */
  validatedEpoch = -1
  fetching = false
  /** A question about the position is on its way. */
  asking = false
  notBeforeMs = 0
  failureCount = 0
  highWatermark = -1
  lastStableOffset = -1
  logStartOffset = -1
  /** Replica to fetch from instead of the leader (KIP-392). */
  preferredReplica: {
    readonly nodeId: number
    readonly untilMs: number
  } | null = null

  constructor(at: TopicPartition) {
    this.topic = at.topic
    this.partition = at.partition
  }

  /** Jumps; whatever is buffered or on its way is void. */
  seek(position: Position, phase: PartitionPhase = 'ready'): void {
    this.position = position
    this.fetchOffset = position.offset
    this.fetchLeaderEpoch = position.leaderEpoch
    this.phase = phase
    this.#void()
  }

  /** Goes where the policy, or this ListOffsets timestamp, says. */
  reset(timestamp: number | null): void {
    this.position = null
    this.resetTimestamp = timestamp
    this.phase = 'reset'
    this.#void()
  }

  /** Moves on after records were handed out. */
  advance(position: Position): void {
    this.position = position
  }

  #void(): void {
    this.version++
    this.bufferedBytes = 0
    this.asking = false
    this.notBeforeMs = 0
    this.failureCount = 0
    this.preferredReplica = null
  }
}

/** The assigned partitions. */
export class Positions {
  readonly #states = new Map<string, PartitionState>()

  get size(): number {
    return this.#states.size
  }

  [Symbol.iterator](): IterableIterator<PartitionState> {
    return this.#states.values()
  }

  partitions(): TopicPartition[] {
    return [...this.#states.values()].map(({ topic, partition }) => ({
      topic,
      partition,
    }))
  }

  find({ topic, partition }: TopicPartition): PartitionState | undefined {
    return this.#states.get(partitionKey(topic, partition))
  }

  /** The partition's state; throws a ClientError of kind `state` when it is not assigned. */
  get(at: TopicPartition): PartitionState {
    const state = this.find(at)
    if (state === undefined)
      throw new ClientError('state', 'partition is not assigned', {
        place: at,
      })
    return state
  }

  /** Makes the assignment this; partitions that stay keep their state. */
  assign(partitions: Iterable<TopicPartition>): void {
    const before = new Map(this.#states)
    this.#states.clear()
    for (const at of partitions) {
      const key = partitionKey(at.topic, at.partition)
      const known = before.get(key)
      before.delete(key)
      this.#states.set(key, known ?? new PartitionState(at))
    }
    // What is still on its way for those that went must not be delivered.
    for (const gone of before.values()) gone.version++
  }
}
