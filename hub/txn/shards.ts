/** @module txn/shards — which partition of `__transaction_state` serves a transactional id, and the loading of the partitions that are here. */
import type { StatePartition, StateTopic } from '../replica/index.ts'
import { coordinatorPartition, ErrorCode } from '../wire/index.ts'
import { type ShardTools, TransactionShard } from './shard.ts'

/** A partition that is here. */
interface Held {
  readonly shard: TransactionShard
  readonly loaded: Promise<void>
  /** Requests wait for it instead of being sent away: it appeared after the start, so it is as good as empty. */
  readonly appearedLate: boolean
  phase: 'loading' | 'ready' | 'failed'
}

/** The partitions that this broker leads. */
export class Shards {
  readonly #topic: StateTopic
  readonly #tools: ShardTools
  readonly #held = new Map<number, Held>()
  #closed = false

  constructor(topic: StateTopic, tools: ShardTools) {
    this.#topic = topic
    this.#tools = tools
  }

  /** The partition that serves the id, or the error code for clients. */
  async of(transactionalId: string): Promise<TransactionShard | number> {
    if (this.#closed) return ErrorCode.COORDINATOR_NOT_AVAILABLE
    const held = this.#hold(coordinatorPartition(transactionalId, this.#topic.partitionCount), true)
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
  ready(): TransactionShard[] {
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
      return partition
    }
    return held ?? this.#open(index, partition, appearedLate)
  }

  #open(index: number, partition: StatePartition, appearedLate: boolean): Held {
    const shard = new TransactionShard(partition, index, this.#tools)
    const name = `__transaction_state-${index}`
    const loaded = shard.load(name).then(
      () => {
        held.phase = 'ready'
        if (this.#held.get(index) !== held || this.#closed) shard.unload()
      },
      (error: unknown) => {
        held.phase = 'failed'
        this.#tools.logger.error(`${name} could not be loaded; its transactional ids are not served`, { error })
      },
    )
    const held: Held = { shard, loaded, appearedLate, phase: 'loading' }
    this.#held.set(index, held)
    return held
  }
}
