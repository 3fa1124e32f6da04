/** @module connect/stores/tail — follows all partitions of a topic from their beginning, and tells when it has come to a place. */
import type { ClientWorld, Consumer, TopicPartition } from '../../client/index.ts'
import type { Logger } from '../../observe/index.ts'
import { Patience } from './patience.ts'
import type { ReadRecord } from './stored-record.ts'

/** Limits of following. */
const TAIL_LIMITS = {
  /** Longest wait of a poll in ms. */
  pollMs: 1_000,
  /** The same while somebody waits: markers of transactions move the position without giving a record. */
  pollMsWhileAwaited: 50,
} as const

interface Waiter {
  readonly ends: ReadonlyMap<number, number>
  resolve(): void
  reject(error: unknown): void
}

interface TailOptions {
  readonly world: ClientWorld
  readonly logger: Logger
  readonly onRecord: (record: ReadRecord) => void
}

/** Reads on until it is closed. */
export class Tail {
  readonly #consumer: Consumer
  readonly #partitions: readonly TopicPartition[]
  readonly #options: TailOptions
  readonly #positions = new Map<number, number>()
  readonly #waiters = new Set<Waiter>()
  readonly #closing = new AbortController()
  readonly #running: Promise<void>

  constructor(consumer: Consumer, partitions: readonly TopicPartition[], options: TailOptions) {
    this.#consumer = consumer
    this.#partitions = partitions
    this.#options = options
    consumer.assign(partitions)
    consumer.seekToBeginning()
    this.#running = this.#run()
  }

  /** Next offset of the partition; 0 while nothing is known of it. */
  position(partition: number): number {
    return this.#positions.get(partition) ?? 0
  }

  /** Resolves when every partition named has been read up to its offset (exclusive). */
  reached(ends: ReadonlyMap<number, number>, signal?: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      const leave = (): void => {
        this.#waiters.delete(waiter)
        signal?.removeEventListener('abort', onAbort)
      }
      const waiter: Waiter = {
        ends,
        resolve: () => {
          leave()
          resolve()
        },
        reject: (error) => {
          leave()
          reject(error)
        },
      }
      const onAbort = (): void => waiter.reject(signal?.reason)
      if (this.#closing.signal.aborted) return waiter.reject(this.#closing.signal.reason)
      if (this.#isReached(waiter)) return resolve()
      if (signal?.aborted === true) return onAbort()
      signal?.addEventListener('abort', onAbort, { once: true })
      this.#waiters.add(waiter)
      this.#consumer.wakeup()
    })
  }

  /** Ends the reading; whoever waits hears the error. */
  async close(error: Error): Promise<void> {
    this.#closing.abort(error)
    for (const waiter of this.#waiters) waiter.reject(error)
    await this.#running
    await this.#consumer.close()
  }

  async #run(): Promise<void> {
    const { world, logger } = this.#options
    const { signal } = this.#closing
    const topic = this.#partitions[0]?.topic ?? ''
    const patience = new Patience(`reading topic ${topic}`, world, logger)
    while (!signal.aborted) {
      try {
        await this.#step(signal)
        patience.worked()
      } catch (error) {
        if (!signal.aborted) await patience.wait(error, signal).catch(() => {})
      }
    }
  }

  async #step(signal: AbortSignal): Promise<void> {
    const { pollMs, pollMsWhileAwaited } = TAIL_LIMITS
    const records = await this.#consumer.poll(this.#waiters.size > 0 ? pollMsWhileAwaited : pollMs, signal)
    for (const { partition, records: some } of records.partitions) {
      for (const { offset, timestampMs, key, value } of some) {
        this.#options.onRecord({ partition, offset, timestampMs, key, value })
        this.#positions.set(partition, offset + 1)
      }
    }
    if (records.count > 0) this.#wakeReached()
    if (this.#waiters.size > 0) await this.#lookUpPositions(signal)
    // What was fetched ahead comes without a turn of the event loop: the rest of the process wants one.
    if (records.count > 0) await this.#turn()
  }

  #turn(): Promise<void> {
    const { clock } = this.#options.world
    return new Promise((resolve) => clock.soon(resolve))
  }

  /** Positions run ahead of records over what compaction and transactions have left of the log. */
  async #lookUpPositions(signal: AbortSignal): Promise<void> {
    for (const at of this.#partitions) this.#positions.set(at.partition, await this.#consumer.position(at, signal))
    this.#wakeReached()
  }

  #wakeReached(): void {
    for (const waiter of this.#waiters) if (this.#isReached(waiter)) waiter.resolve()
  }

  #isReached({ ends }: Waiter): boolean {
    return [...ends].every(([partition, end]) => this.position(partition) >= end)
  }
}
