/**
 * @module group/shards — which partition of `__consumer_offsets` serves a group, and the loading of the partitions that are here.
 */
import { ErrorCode, coordinatorPartition } from '../wire/index.ts'
import { GroupShard } from './shard.ts'
import type { ShardTools } from './shard.ts'
import type { OffsetsPartition, OffsetsTopic } from './types.ts'

/** A partition that is here. */
interface Held {
  readonly shard: GroupShard
  readonly loaded: Promise<void>
  /** Requests wait for it instead of being sent away: it appeared after the start, so it is as good as empty. */
  readonly appearedLate: boolean
  phase: 'loading' | 'ready' | 'failed'
}

/** The partitions that this broker leads. */
export class Shards {
  readonly #topic: OffsetsTopic
  readonly #tools: ShardTools
  readonly #held = new Map<number, Held>()
  #closed = false

  constructor(topic: OffsetsTopic, tools: ShardTools) {
    this.#topic = topic
    this.#tools = tools
  }

  /** Number of the partition that serves the group. */
  indexOf(groupId: string): number {
    return coordinatorPartition(groupId, this.#topic.partitionCount)
  }

  /** The partition that serves the group, or the error code for clients. */
  of(groupId: string): Promise<GroupShard | number> {
    return this.at(this.indexOf(groupId))
  }

  /** A partition by number, or the error code for clients. */
  async at(index: number): Promise<GroupShard | number> {
    if (this.#closed) return ErrorCode.COORDINATOR_NOT_AVAILABLE
    const held = this.#hold(index, true)
    if (typeof held === 'number') return held
    if (held.phase === 'loading' && held.appearedLate) await held.loaded
    if (held.phase === 'loading') return ErrorCode.COORDINATOR_LOAD_IN_PROGRESS
    return held.phase === 'ready' ? held.shard : ErrorCode.NOT_COORDINATOR
  }

  /** Loads what is here. Resolves when all is loaded or has failed. */
  async start(): Promise<void> {
    const loads: Promise<void>[] = []
    for (let index = 0; index < this.#topic.partitionCount; index++) {
      const held = this.#hold(index, false)
      if (typeof held !== 'number') loads.push(held.loaded)
    }
    await Promise.all(loads)
  }

  /** The partitions that are loaded. */
  ready(): GroupShard[] {
    return [...this.#held.values()].flatMap((held) => (held.phase === 'ready' ? [held.shard] : []))
  }

  /** Whether some partition is still being read. */
  isLoading(): boolean {
    return [...this.#held.values()].some((held) => held.phase === 'loading')
  }

  /** Gives everything up and resolves when the last append has its outcome. */
  async close(): Promise<void> {
    this.#closed = true
    const shards = [...this.#held.values()].map((held) => held.shard)
    for (const shard of shards) shard.unload()
    await Promise.all(shards.map((shard) => shard.settled()))
    this.#held.clear()
  }

  #hold(index: number, appearedLate: boolean): Held | number {
    const partition = this.#topic.partition(index)
    const held = this.#held.get(index)
    if (typeof partition === 'number') {
      // Led by another broker now, or fenced: what is in memory may no longer be what is in the log.
      held?.shard.unload()
      this.#held.delete(index)
      // Also where the topic is not made yet, as in Kafka: whoever asks finds the coordinator first, and that makes it.
      return ErrorCode.NOT_COORDINATOR
    }
    return held ?? this.#open(index, partition, appearedLate)
  }

  #open(index: number, partition: OffsetsPartition, appearedLate: boolean): Held {
    const shard = new GroupShard(partition, this.#tools)
    const name = `__consumer_offsets-${index}`
    const loaded = shard.load(name).then(
      () => {
        held.phase = 'ready'
        if (this.#held.get(index) !== held || this.#closed) shard.unload()
      },
      (error: unknown) => {
        held.phase = 'failed'
        this.#tools.logger.error(`${name} could not be loaded; its groups are not served`, { error })
      },
    )
    const held: Held = { shard, loaded, appearedLate, phase: 'loading' }
    this.#held.set(index, held)
    return held
  }
}
