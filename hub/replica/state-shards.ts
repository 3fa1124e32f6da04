/**
 * @module replica/state-shards — a coordinator's partitions of a state topic: which one serves an id, the loading of those that are here, and
 * giving up what is not here any more. What stands in a partition is the coordinator's.
 */
import { coordinatorPartition, ErrorCode } from '../wire/index.ts'
import type { StatePartition, StateTopic } from './state-topic.ts'

/** What a coordinator keeps of one partition. */
export interface StateShard {
  /** Replays the partition; `name` is for the log. */
  load(name: string): Promise<void>
  /** Gives everything up: whoever waits is told, no timer stays. */
  unload(): void
  /** Resolves when every append made so far has its outcome. */
  settled(): Promise<void>
}

interface StateShardsOptions<Shard> {
  readonly topic: StateTopic
  readonly topicName: string
  readonly open: (partition: StatePartition, index: number) => Shard
  /** What a client is told of a partition that is not here, by the topic's own code. */
  readonly codeOfAbsent: (errorCode: number) => number
  /** A partition cannot be loaded; it is not served. */
  readonly onLoadFailed: (name: string, error: unknown) => void
}

/** A partition that is here. */
interface Held<Shard> {
  readonly shard: Shard
  readonly loaded: Promise<void>
  /** Requests wait for it instead of being sent away: it appeared after the start, so it is as good as empty. */
  readonly appearedLate: boolean
  phase: 'loading' | 'ready' | 'failed'
}

/** The partitions that this broker leads. */
export class StateShards<Shard extends StateShard> {
  readonly #options: StateShardsOptions<Shard>
  readonly #held = new Map<number, Held<Shard>>()
  #closed = false

  constructor(options: StateShardsOptions<Shard>) {
    this.#options = options
  }

  /** Number of the partition that serves the id. */
  indexOf(id: string): number {
    return coordinatorPartition(id, this.#options.topic.partitionCount)
  }

  /** The partition that serves the id, or the error code for clients. */
  of(id: string): Promise<Shard | number> {
    return this.at(this.indexOf(id))
  }

  /** A partition by number, or the error code for clients. */
  async at(index: number): Promise<Shard | number> {
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
    for (let index = 0; index < this.#options.topic.partitionCount; index++) {
      const held = this.#hold(index, false)
      if (typeof held !== 'number') loads.push(held.loaded)
    }
    await Promise.all(loads)
  }

  /** The partitions that are loaded. */
  ready(): Shard[] {
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

  #hold(index: number, appearedLate: boolean): Held<Shard> | number {
    const { topic, codeOfAbsent } = this.#options
    const partition = topic.partition(index)
    const held = this.#held.get(index)
    if (typeof partition === 'number') {
      // Led by another broker now, or fenced: what is in memory may no longer be what is in the log.
      held?.shard.unload()
      this.#held.delete(index)
      return codeOfAbsent(partition)
    }
    return held ?? this.#open(index, partition, appearedLate)
  }

  #open(index: number, partition: StatePartition, appearedLate: boolean): Held<Shard> {
    const { topicName, open, onLoadFailed } = this.#options
    const shard = open(partition, index)
    const name = `${topicName}-${index}`
    const loaded = shard.load(name).then(
      () => {
        held.phase = 'ready'
        if (this.#held.get(index) !== held || this.#closed) shard.unload()
      },
      (error: unknown) => {
        held.phase = 'failed'
        onLoadFailed(name, error)
      },
    )
    const held: Held<Shard> = { shard, loaded, appearedLate, phase: 'loading' }
    this.#held.set(index, held)
    return held
  }
}
