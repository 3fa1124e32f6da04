/**
 * @module client/producer — records into topics.
 *
 * @example
 * const producer = createProducer({ bootstrapServers: '127.0.0.1:9092' })
 * const { partition, offset } = await producer.send({ topic: 'greetings', key: 'en', value: 'hello' })
 * await producer.close()
 */
import { Cluster } from './cluster.ts'
import { abortable, withDeadline } from './deadline.ts'
import { ClientError } from './errors.ts'
import { type ProducerOptions, resolveProducerOptions, type ResolvedProducerOptions } from './producer-options.ts'
import { Accumulator, type ProducerRecord, type Sink } from './producing/accumulator.ts'
import type { ProducerBatch } from './producing/batch.ts'
import { Transactions } from './producing/transactions.ts'
import type { PartitionInfo } from './types.ts'

export type { ProducerRecord } from './producing/accumulator.ts'

/** Where a record went. */
export interface RecordMetadata {
  readonly topic: string
  readonly partition: number
  /** -1 when the broker did not tell: acks=0, or a repeat of a batch that it has forgotten the place of. */
  readonly offset: number
  /** The broker's time where the topic uses LogAppendTime, else -1. */
  readonly logAppendTimeMs: number
}

/** Where the records of a {@link Producer.sendBatch} went; nothing is made per record until it is asked for. */
export interface BatchResult {
  readonly recordCount: number
  /** Of the record that stood at `index` in the list. */
  metadata(index: number): RecordMetadata
}

/** Some records of a {@link Producer.sendBatch} failed; the others were delivered. `cause` is the first failure's error. */
export class SendBatchError extends Error {
  override readonly name = 'SendBatchError'
  /** In the order of the list. */
  readonly failures: readonly {
    readonly index: number
    readonly error: unknown
  }[]
  /** Of those that were delivered. */
  readonly result: BatchResult

  constructor(failures: SendBatchError['failures'], result: BatchResult) {
    const first = failures[0]?.error
    const text = first instanceof Error ? first.message : String(first)
    super(`${failures.length} of ${result.recordCount} records not delivered; first: ${text}`, { cause: first })
    this.failures = failures
    this.result = result
  }
}

/** Records into topics. All calls may overlap; records for one partition arrive in the order of the calls. */
export interface Producer {
  /**
   * Sends one record; resolves when it is acknowledged (by `acks`), rejects with a KafkaError or ClientError when it is given
   * up. The signal ends the waiting, not a delivery that has begun.
   */
  send(record: ProducerRecord, signal?: AbortSignal): Promise<RecordMetadata>
  /** Sends many at the price of few: one promise for all. Rejects with a {@link SendBatchError} when some failed. */
  sendBatch(records: readonly ProducerRecord[], signal?: AbortSignal): Promise<BatchResult>
  /** Resolves when the buffer has room, so that a source can wait before it makes more. */
  ready(signal?: AbortSignal): Promise<void>
  /** Sends without lingering what was given so far; resolves when all of it is acknowledged or given up. */
  flush(signal?: AbortSignal): Promise<void>
  /** The topic's partitions; waits for metadata for max.block.ms. */
  partitionsFor(topic: string, signal?: AbortSignal): Promise<readonly PartitionInfo[]>
  /** Flushes (until the signal aborts, if it does), or aborts the transaction that is open, and ends. Calling again waits for the same end. */
  close(signal?: AbortSignal): Promise<void>
}

/** A {@link Producer}; it connects when it is first used. Throws a ClientError of kind `config`. */
export function createProducer(options: ProducerOptions): Producer {
  const resolved = resolveProducerOptions(options)
  if (resolved.transactionalId !== '') throw new ClientError('config', 'transactional.id is for createTransactionalProducer')
  return new KafkaProducer(resolved)
}

/** A producer, with transactions where it has a transactional id. */
export class KafkaProducer implements Producer {
  readonly #options: ResolvedProducerOptions
  readonly #cluster: Cluster
  readonly #accumulator: Accumulator
  protected readonly transactions: Transactions | null
  #closing: Promise<void> | null = null

  constructor(options: ResolvedProducerOptions) {
    this.#options = options
    this.#cluster = new Cluster(options, true)
    const batches = {
      flush: () => this.#accumulator.flush(undefined),
      drop: (error: unknown, all: boolean) => this.#accumulator.drop(error, all),
      stop: (error: unknown) => this.#accumulator.stop(error),
      wake: () => this.#accumulator.sender.wake(),
    }
    this.transactions = options.transactionalId === '' ? null : new Transactions(this.#cluster, options, batches)
    this.#accumulator = new Accumulator(this.#cluster, options, this.transactions)
  }

  /** Makes a call whose promise keeps the process alive; rejects once the producer is closed. */
  protected run<T>(call: () => Promise<T>): Promise<T> {
    if (this.#closing !== null) return Promise.reject(new ClientError('closed', 'the producer was closed'))
    return this.#cluster.calls.run(call)
  }

  async send(record: ProducerRecord, signal?: AbortSignal): Promise<RecordMetadata> {
    const result = await this.#sendAll([record], signal, (failures) => failures[0]?.error)
    return result.metadata(0)
  }

  sendBatch(records: readonly ProducerRecord[], signal?: AbortSignal): Promise<BatchResult> {
    return this.#sendAll(records, signal, (failures, result) => new SendBatchError(failures, result))
  }

  async #sendAll(
    records: readonly ProducerRecord[],
    signal: AbortSignal | undefined,
    errorOf: (failures: SendBatchError['failures'], result: BatchResult) => unknown,
  ): Promise<BatchResult> {
    if (this.#closing !== null) throw new ClientError('closed', 'the producer was closed')
    signal?.throwIfAborted()
    this.transactions?.checkOpen()
    const placement = new Placement(records.length, signal, errorOf)
    const nowMs = this.#options.world.clock.nowMs()
    for (let index = 0; index < records.length; index++) {
      this.#accumulator.add(records[index] as ProducerRecord, placement, index, nowMs)
    }
    placement.begin()
    return this.#cluster.calls.run(() => abortable(placement.done, signal))
  }

  async ready(signal?: AbortSignal): Promise<void> {
    if (this.#accumulator.hasRoom) return
    await this.#cluster.calls.run(() => this.#accumulator.waitForRoom(signal))
  }

  flush(signal?: AbortSignal): Promise<void> {
    return this.#cluster.calls.run(() => this.#accumulator.flush(signal))
  }

  partitionsFor(topic: string, signal?: AbortSignal): Promise<readonly PartitionInfo[]> {
    const { world, blockMsMax } = this.#options
    const { calls, closing } = this.#cluster
    return calls.run(() =>
      withDeadline(world.clock, blockMsMax, [signal, closing], `metadata of topic ${topic}`, async (bounded) => {
        const image = await this.#cluster.topic(topic, bounded)
        return image.partitions
      }),
    )
  }

  close(signal?: AbortSignal): Promise<void> {
    this.#closing ??= this.#cluster.calls.run(() => this.#end(signal))
    return this.#closing
  }

  async #end(signal: AbortSignal | undefined): Promise<void> {
    try {
      if (this.transactions === null) await this.#accumulator.flush(signal)
      else await this.transactions.leave(signal)
    } catch {
      // The caller's patience ended; what is left is given up below and its senders hear of it.
    }
    this.#accumulator.stop(new ClientError('closed', 'the producer was closed'))
    this.#cluster.close()
  }
}

/** Follows the records of one call until the last of their batches is done. */
class Placement implements Sink, BatchResult {
  readonly recordCount: number
  readonly signal: AbortSignal | undefined
  readonly done: Promise<BatchResult>
  readonly #batches: (ProducerBatch | null)[]
  readonly #positions: Int32Array
  readonly #failures: { index: number; error: unknown }[] = []
  readonly #errorOf: (failures: SendBatchError['failures'], result: BatchResult) => unknown
  #lastBatch: ProducerBatch | null = null
  readonly #watched = new Set<ProducerBatch>()
  #settle!: {
    resolve: (result: BatchResult) => void
    reject: (error: unknown) => void
  }
  /** Records without a place, batches that are not done, and 1 while the call goes on. */
  #pendingCount: number

  constructor(
    recordCount: number,
    signal: AbortSignal | undefined,
    errorOf: (failures: SendBatchError['failures'], result: BatchResult) => unknown,
  ) {
    this.recordCount = recordCount
    this.signal = signal
    this.#errorOf = errorOf
    this.#batches = new Array<ProducerBatch | null>(recordCount).fill(null)
    this.#positions = new Int32Array(recordCount)
    this.#pendingCount = recordCount + 1
    this.done = new Promise((resolve, reject) => {
      this.#settle = { resolve, reject }
    })
  }

  placed(index: number, batch: ProducerBatch, position: number): void {
    this.#batches[index] = batch
    this.#positions[index] = position
    this.#pendingCount--
    // Neighbours mostly share a batch, which spares the set.
    if (batch === this.#lastBatch) return
    this.#lastBatch = batch
    if (this.#watched.has(batch)) return
    this.#watched.add(batch)
    this.#pendingCount++
    batch.done.then(
      () => this.#countDown(),
      (error: unknown) => {
        this.#batches.forEach((other, at) => {
          if (other === batch) this.#failures.push({ index: at, error })
        })
        this.#countDown()
      },
    )
  }

  refused(index: number, error: unknown): void {
    this.#failures.push({ index, error })
    this.#countDown()
  }

  /** All records were handed over. */
  begin(): void {
    this.#countDown()
  }

  metadata(index: number): RecordMetadata {
    const batch = this.#batches[index]
    if (batch === null || batch === undefined) throw new RangeError(`record ${index} has no place`)
    const position = this.#positions[index] ?? 0
    const { topic, partition, logAppendTimeMs } = batch
    return {
      topic,
      partition,
      offset: batch.offsetOf(position),
      logAppendTimeMs,
    }
  }

  #countDown(): void {
    this.#pendingCount--
    if (this.#pendingCount > 0) return
    if (this.#failures.length === 0) {
      this.#settle.resolve(this)
      return
    }
    this.#failures.sort((one, other) => one.index - other.index)
    this.#settle.reject(this.#errorOf(this.#failures, this))
  }
}
