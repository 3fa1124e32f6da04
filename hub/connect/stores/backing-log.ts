/**
 * @module connect/stores/backing-log — a compacted topic as a table: read to its end at the start, followed from then on, written with
 * acks=all. What stands in the topic is the truth; the table is what `onRecord` makes of it.
 *
 * ```
 *   put ──▶ producer ──▶ topic ──▶ tail ──▶ onRecord      readToEnd: ask for the ends once, wait until the tail is there
 * ```
 * Records come once each and in the order of their partition; between partitions in no order. Losing brokers ends nothing: reading goes on
 * where it stood, for as long as it takes.
 */
import {
  type BatchResult,
  type ClientOptions,
  type ClientWorld,
  clientOptionsFrom,
  type Consumer,
  canRetry,
  createAdmin,
  createConsumer,
  createProducer,
  type Producer,
  SendBatchError,
} from '../../client/index.ts'
import type { ConnectConfig, StorageTopic } from '../../config/index.ts'
import type { Logger } from '../../observe/index.ts'
import { Patience } from './patience.ts'
import { SharedQuestion } from './shared-question.ts'
import { ensureStorageTopic, StorageTopicError } from './storage-topic.ts'
import type { ReadRecord, StoredRecord } from './stored-record.ts'
import { Tail } from './tail.ts'

/** Limits of one storage topic. */
export const STORE_LIMITS = {
  /** An attempt at a request takes at most so many ms. */
  requestTimeoutMs: 10_000,
  /** A record that is not acknowledged after so many ms is given up by the producer; whoever put it hears of it or tries again. */
  deliveryTimeoutMs: 20_000,
  /** Any other question is given up after so many ms, and asked anew. */
  askTimeoutMs: 5_000,
  /** Bytes of a record: configurations are large texts. */
  recordBytesMax: 8 * 1024 * 1024,
  /** Records that are read between two turns of the event loop. */
  pollRecordsMax: 2_000,
} as const

/** What every store is opened with. */
export interface StoreOptions {
  readonly config: ConnectConfig
  readonly world: ClientWorld
  readonly logger: Logger
  /** Ends the opening; an open store is ended by `close`. */
  readonly signal?: AbortSignal
}

export interface BackingLogOptions extends StoreOptions {
  readonly topic: StorageTopic
  /** Hears of every record; must not throw. */
  readonly onRecord: (record: ReadRecord) => void
}

/** An open topic. Calls may overlap. */
export interface BackingLog {
  /** Next offset that will be read from a partition. */
  position(partition: number): number
  /**
   * Writes the records in one go and in this order (per key), and resolves when they are acknowledged and have been read back. Rejects with
   * the first error when some could not be delivered; they may stand in the topic all the same. Rejects with a StorageTopicError when they
   * stand in another topic of the same name: somebody deleted this one, and the cluster made it anew by its own defaults.
   */
  put(records: readonly StoredRecord[], signal?: AbortSignal): Promise<void>
  /** Resolves when everything has been read that stood in the topic when this was called. Rejects when the log is closed or the signal aborts. */
  readToEnd(signal?: AbortSignal): Promise<void>
  close(): Promise<void>
}

/** The log was closed while somebody waited. */
export class StoreClosedError extends Error {
  override readonly name = 'StoreClosedError'

  constructor(topic: string) {
    super(`the store on topic ${topic} was closed`)
  }
}

/**
 * Opens the topic, creating it if it is not there; resolves when it has been read to its end. Waits for brokers that are away.
 * @throws StorageTopicError for a topic that cannot be used
 */
export async function openBackingLog(options: BackingLogOptions): Promise<BackingLog> {
  const { config, topic, world, logger, signal = new AbortController().signal } = options
  const clients = clientsOf(config, topic, world)
  const partitionCount = await openTopic(options, clients.base, signal)
  const log = new TopicLog(options, clients, partitionCount)
  try {
    await log.readToEnd(signal)
    logger.debug(`read topic ${topic.name}`, { topic: topic.name, partitions: partitionCount })
    return log
  } catch (error) {
    await log.close()
    throw error
  }
}

interface Clients {
  readonly base: ClientOptions
  producer(): Producer
  consumer(): Consumer
}

/** Of the worker's own client keys, as upstream: `producer.` and `consumer.` keys are for connectors. */
function clientsOf({ text, worker }: ConnectConfig, topic: StorageTopic, world: ClientWorld): Clients {
  const { 'group.id': groupId, 'client.id': clientId } = worker
  const { requestTimeoutMs, deliveryTimeoutMs, askTimeoutMs, recordBytesMax, pollRecordsMax } = STORE_LIMITS
  const base = {
    ...clientOptionsFrom(text),
    clientId: `${clientId === '' ? `connect-${groupId}` : clientId}-${topic.key.replace(/\.storage\.topic$/, '')}`,
    requestTimeoutMs: Math.min(worker['request.timeout.ms'], requestTimeoutMs),
    apiTimeoutMs: askTimeoutMs,
    world,
  }
  return {
    base,
    producer: () =>
      createProducer({
        ...base,
        acks: 'all',
        lingerMs: 0,
        deliveryTimeoutMs,
        blockMsMax: deliveryTimeoutMs,
        requestBytesMax: recordBytesMax,
      }),
    consumer: () =>
      // Kafka Connect's workers write their records in transactions where they support exactly-once sources.
      createConsumer({ ...base, offsetReset: 'earliest', isolation: 'read_committed', autoCreateTopics: false, pollRecordsMax }),
  }
}

async function openTopic({ topic, world, logger }: BackingLogOptions, base: ClientOptions, signal: AbortSignal): Promise<number> {
  const admin = createAdmin(base)
  const patience = new Patience(`opening topic ${topic.name}`, world, logger)
  try {
    for (;;) {
      try {
        const partitionCount = await ensureStorageTopic(admin, topic, logger, signal)
        patience.worked()
        return partitionCount
      } catch (error) {
        if (signal.aborted || !canRetry(error)) throw error
        await patience.wait(error, signal)
      }
    }
  } finally {
    await admin.close()
  }
}

class TopicLog implements BackingLog {
  readonly #topic: string
  readonly #storage: StorageTopic
  readonly #partitions: readonly { readonly topic: string; readonly partition: number }[]
  readonly #producer: Producer
  /** Asks for ends only: the tail's own consumer is busy polling. */
  readonly #asker: Consumer
  readonly #tail: Tail
  readonly #patience: Patience
  readonly #closing = new AbortController()
  readonly #ends = new SharedQuestion(() => this.#ask())

  constructor({ topic, world, logger, onRecord }: BackingLogOptions, clients: Clients, partitionCount: number) {
    this.#topic = topic.name
    this.#storage = topic
    this.#partitions = Array.from({ length: partitionCount }, (_, partition) => ({ topic: topic.name, partition }))
    this.#producer = clients.producer()
    this.#asker = clients.consumer()
    this.#patience = new Patience(`asking for the end of topic ${topic.name}`, world, logger)
    this.#tail = new Tail(clients.consumer(), this.#partitions, { world, logger, onRecord })
  }

  position(partition: number): number {
    return this.#tail.position(partition)
  }

  async put(records: readonly StoredRecord[], signal?: AbortSignal): Promise<void> {
    if (this.#closing.signal.aborted) throw new StoreClosedError(this.#topic)
    const before = this.#partitions.map(({ partition }) => this.#tail.position(partition))
    const result = await this.#send(records, signal)
    const ends = new Map<number, number>()
    for (let index = 0; index < result.recordCount; index++) {
      const { partition, offset } = result.metadata(index)
      // A repeat of which the broker has forgotten the place: it stands before the end.
      if (offset < 0) return this.readToEnd(signal)
      if (offset < (before[partition] ?? 0)) {
        const cause = 'was deleted and made anew while the worker runs, so what is written there may not be kept'
        throw new StorageTopicError(this.#storage, cause, 'set its cleanup.policy to compact, and restart the worker')
      }
      ends.set(partition, Math.max(offset + 1, ends.get(partition) ?? 0))
    }
    await this.#tail.reached(ends, signal)
  }

  async #send(records: readonly StoredRecord[], signal: AbortSignal | undefined): Promise<BatchResult> {
    const batch = records.map(({ key, value }) => ({ topic: this.#topic, key, value }))
    try {
      return await this.#producer.sendBatch(batch, signal)
    } catch (error) {
      if (this.#closing.signal.aborted) throw new StoreClosedError(this.#topic)
      throw error instanceof SendBatchError ? error.cause : error
    }
  }

  async readToEnd(signal?: AbortSignal): Promise<void> {
    await this.#tail.reached(await abortable(this.#ends.answer(), signal), signal)
  }

  async #ask(): Promise<ReadonlyMap<number, number>> {
    const { signal } = this.#closing
    for (;;) {
      if (signal.aborted) throw new StoreClosedError(this.#topic)
      try {
        const ends = await this.#asker.endOffsets(this.#partitions, signal)
        this.#patience.worked()
        return new Map(ends.map(({ partition, offset }) => [partition, offset]))
      } catch (error) {
        if (signal.aborted) throw new StoreClosedError(this.#topic)
        await this.#patience.wait(error, signal).catch(() => {})
      }
    }
  }

  async close(): Promise<void> {
    if (this.#closing.signal.aborted) return
    this.#closing.abort(new StoreClosedError(this.#topic))
    // What was put is given up: its senders hear of it, and would not be waiting if it mattered.
    await Promise.all([this.#tail.close(new StoreClosedError(this.#topic)), this.#asker.close(), this.#producer.close(AbortSignal.abort())])
  }
}

/** The promise's outcome, or the signal's reason if that comes first. */
function abortable<T>(promise: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (signal === undefined) return promise
  return new Promise((resolve, reject) => {
    const onAbort = (): void => reject(signal.reason)
    if (signal.aborted) onAbort()
    signal.addEventListener('abort', onAbort, { once: true })
    promise.then(resolve, reject).finally(() => signal.removeEventListener('abort', onAbort))
  })
}
