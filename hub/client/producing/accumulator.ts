/**
 * @module client/producing/accumulator — takes records in, one batch builder per partition, within bounded memory.
 *
 * A record goes straight into its batch when its topic is known and there is room. Otherwise it waits in its topic's line,
 * and so does all that comes after it for that topic, so that order is kept; a topic that nobody knows holds up no other.
 */
import type { Cluster } from '../cluster.ts'
import { abortable, Bell, withDeadline } from '../deadline.ts'
import { KafkaError } from '../errors.ts'
import { IDEMPOTENT_IN_FLIGHT_MAX, type ResolvedProducerOptions } from '../producer-options.ts'
import type { TopicImage } from '../metadata.ts'
import type { RecordHeader } from '../types.ts'
import { ErrorCode } from '../../wire/index.ts'
import { ProducerBatch, recordBytes } from './batch.ts'
import { type PartitionLoad, partitionForKey, StickyPartitioner } from './partitioner.ts'
import { PartitionQueue } from './queue.ts'
import { Sender } from './sender.ts'
import type { Transactions } from './transactions.ts'

/** A record to be produced. Buffers are not copied: leave them alone until the promise settles. */
export interface ProducerRecord {
  readonly topic: string
  /** Left out: by the key (murmur2, as Kafka's clients do), or spread when there is none. */
  readonly partition?: number | undefined
  readonly key?: Buffer | string | null | undefined
  readonly value?: Buffer | string | null | undefined
  readonly headers?: readonly RecordHeader[] | undefined
  /** Milliseconds since 1970; default: now. */
  readonly timestampMs?: number | undefined
}

/** Who hears of a record's way. */
export interface Sink {
  /** Record `index` of the sink went into `batch` as its record number `position`. */
  placed(index: number, batch: ProducerBatch, position: number): void
  refused(index: number, error: unknown): void
  /** Set when the caller no longer waits: records that are still in line are refused with it. */
  readonly signal: AbortSignal | undefined
}

interface Waiting {
  /** Rank among all records that were given. */
  readonly number: number
  readonly record: ProducerRecord
  readonly sink: Sink
  readonly index: number
}

interface TopicState {
  readonly name: string
  image: TopicImage | null
  readonly queues: PartitionQueue[]
  readonly sticky: StickyPartitioner
  readonly line: Waiting[]
  pumping: boolean
}

/** Records on their way into batches. */
export class Accumulator {
  readonly #cluster: Cluster
  readonly #options: ResolvedProducerOptions
  readonly #sender: Sender
  readonly #transactions: Transactions | null
  readonly #topics = new Map<string, TopicState>()
  readonly #room = new Bell()
  readonly #incomplete = new Set<ProducerBatch>()
  #usedBytes = 0
  #lineCount = 0
  #nextOrder = 0
  #nextNumber = 0
  #lastTopic: TopicState | null = null

  constructor(cluster: Cluster, options: ResolvedProducerOptions, transactions: Transactions | null = null) {
    this.#cluster = cluster
    this.#options = options
    this.#transactions = transactions
    this.#sender = new Sender(cluster, options, transactions, (queue, batch) => this.#onDone(queue, batch))
    cluster.onChange((image) => {
      for (const state of this.#topics.values()) state.image = image.topics.get(state.name) ?? state.image
    })
  }

  get sender(): Sender {
    return this.#sender
  }

  /** Whether a record would be taken without waiting, as far as memory goes. */
  get hasRoom(): boolean {
    return this.#lineCount === 0 && this.#usedBytes < this.#options.bufferMemoryBytes
  }

  /** Resolves when there is room; rejects when the signal aborts. */
  async waitForRoom(signal: AbortSignal | undefined): Promise<void> {
    while (!this.hasRoom) await this.#room.wait(this.#options.world.clock, this.#options.blockMsMax, signal)
  }

  /** Takes a record in, now or in turn. `nowMs` is the wall clock, for records without a timestamp. */
  add(record: ProducerRecord, sink: Sink, index: number, nowMs: number): void {
    const state = this.#topic(record.topic)
    const waiting: Waiting = { number: this.#nextNumber++, record, sink, index }
    if (state.line.length === 0 && state.image !== null && this.#usedBytes < this.#options.bufferMemoryBytes) {
      this.#append(state, state.image, waiting, nowMs)
      return
    }
    state.line.push(waiting)
    this.#lineCount++
    if (!state.pumping) void this.#pump(state)
  }

  /** Sends all that was taken before the call; resolves when it is acknowledged or given up. */
  async flush(signal: AbortSignal | undefined): Promise<void> {
    const endNumber = this.#nextNumber
    this.#sender.hurryCount++
    try {
      this.#sender.wake()
      // What comes in meanwhile stands behind the end, or a caller that overfills the buffer would hold the flush for ever.
      while (this.#firstInLine() < endNumber) await this.#room.wait(this.#options.world.clock, this.#options.blockMsMax, signal)
      const batches = [...this.#incomplete].filter(({ firstNumber }) => firstNumber < endNumber)
      await abortable(Promise.allSettled(batches.map((batch) => batch.done)), signal)
    } finally {
      this.#sender.hurryCount--
    }
  }

  /** Refuses what is in line and gives up what is not on its way; `all`: also what was sent before. */
  drop(error: unknown, all: boolean): void {
    for (const state of this.#topics.values()) this.#refuseLine(state, error)
    this.#sender.drop(error, all)
  }

  /** Refuses what is in line and gives up what is not acknowledged. */
  stop(error: unknown): void {
    for (const state of this.#topics.values()) this.#refuseLine(state, error)
    this.#sender.stop(error)
  }

  #topic(name: string): TopicState {
    if (this.#lastTopic?.name === name) return this.#lastTopic
    let state = this.#topics.get(name)
    if (state === undefined) {
      const sticky = new StickyPartitioner(this.#options.world.random, this.#options.batchSizeBytes)
      const image = this.#cluster.image.topics.get(name) ?? null
      if (image !== null) this.#cluster.track([name])
      state = { name, image, queues: [], sticky, line: [], pumping: false }
      this.#topics.set(name, state)
    }
    this.#lastTopic = state
    return state
  }

  /** Number of the oldest record in any line. */
  #firstInLine(): number {
    let first = Number.POSITIVE_INFINITY
    for (const { line } of this.#topics.values()) if (line[0] !== undefined) first = Math.min(first, line[0].number)
    return first
  }

  #append(state: TopicState, image: TopicImage, { number, record, sink, index }: Waiting, nowMs: number): void {
    const key = bytesOf(record.key)
    const value = bytesOf(record.value)
    const headers = record.headers
    const sizeBytes = recordBytes(key, value, headers)
    if (sizeBytes > this.#options.requestBytesMax) {
      const message = `record of about ${sizeBytes} bytes is above max.request.size (${this.#options.requestBytesMax})`
      this.#refuse(sink, index, new KafkaError(ErrorCode.MESSAGE_TOO_LARGE, message, { topic: state.name }))
      return
    }
    const sticky = record.partition === undefined && (key === null || this.#options.ignoreKeys)
    const partition = record.partition ?? this.#partitionOf(state, image, sticky ? null : key)
    if (!(partition >= 0 && partition < image.partitions.length)) {
      const place = { topic: state.name, partition }
      this.#refuse(sink, index, new KafkaError(ErrorCode.UNKNOWN_TOPIC_OR_PARTITION, 'no such partition', place))
      return
    }
    if (sticky) state.sticky.note(sizeBytes)
    const queue = (state.queues[partition] ??= this.#newQueue(state.name, partition))
    const batch = this.#batchFor(queue, sizeBytes, number)
    batch.add(
      {
        key,
        value,
        headers: headers ?? NO_HEADERS,
        timestampMs: record.timestampMs ?? nowMs,
      },
      sizeBytes,
    )
    queue.pendingBytes += sizeBytes
    this.#usedBytes += sizeBytes
    sink.placed(index, batch, batch.recordCount - 1)
    if (batch.sizeBytes >= this.#options.batchSizeBytes) {
      queue.closeOpen()
      this.#sender.wake()
    }
  }

  #batchFor(queue: PartitionQueue, sizeBytes: number, firstNumber: number): ProducerBatch {
    if (queue.open !== null && queue.open.sizeBytes + sizeBytes > this.#options.batchSizeBytes) {
      queue.closeOpen()
      this.#sender.wake()
    }
    if (queue.open === null) {
      const nowMs = this.#options.world.clock.monotonicMs()
      const batch = new ProducerBatch(queue.topic, queue.partition, nowMs, this.#nextOrder++, firstNumber, this.#transactions !== null)
      const forget = (): void => void this.#incomplete.delete(batch)
      queue.open = batch
      this.#incomplete.add(batch)
      batch.done.then(forget, forget)
      this.#sender.activate(queue)
      if (this.#options.lingerMs === 0 || this.#sender.hurryCount > 0) this.#sender.wake()
      else this.#sender.wakeAt(nowMs + this.#options.lingerMs)
    }
    return queue.open
  }

  #newQueue(topic: string, partition: number): PartitionQueue {
    const { idempotence, inFlightRequestsMax } = this.#options
    const inFlightMax = idempotence ? Math.min(inFlightRequestsMax, IDEMPOTENT_IN_FLIGHT_MAX) : inFlightRequestsMax
    return new PartitionQueue(topic, partition, idempotence, inFlightMax, this.#transactions !== null)
  }

  #partitionOf(state: TopicState, image: TopicImage, key: Buffer | null): number {
    if (key !== null) return partitionForKey(key, image.partitions.length)
    return state.sticky.current(() => {
      const loads = image.partitions.map(({ partition, leaderId }): PartitionLoad & { leaderId: number } => ({
        partition,
        leaderId,
        pendingBytes: state.queues[partition]?.pendingBytes ?? 0,
      }))
      const available = loads.filter(({ leaderId }) => leaderId >= 0)
      return available.length > 0 ? available : loads
    })
  }

  /** Works through the line of a topic, waiting for what its first record lacks. Never rejects. */
  async #pump(state: TopicState): Promise<void> {
    state.pumping = true
    while (state.line.length > 0) {
      try {
        await this.#waitFor(state)
      } catch (error) {
        // Nothing is known of the topic, or nothing moves: the rest of the line would only wait as long again.
        this.#refuseLine(state, error)
        break
      }
      this.#admit(state)
    }
    state.pumping = false
    this.#room.ring()
  }

  #waitFor(state: TopicState): Promise<void> {
    const { world, blockMsMax } = this.#options
    const what = state.image === null ? `metadata of topic ${state.name}` : 'room in buffer.memory'
    return withDeadline(world.clock, blockMsMax, [this.#cluster.closing], what, async (signal) => {
      state.image ??= await this.#cluster.topic(state.name, signal)
      while (this.#usedBytes >= this.#options.bufferMemoryBytes) {
        // Full: what is in open batches must go, or nothing would ever be freed.
        this.#sender.hurryCount++
        this.#sender.wake()
        try {
          await this.#room.wait(world.clock, blockMsMax, signal)
        } finally {
          this.#sender.hurryCount--
        }
      }
    })
  }

  #admit(state: TopicState): void {
    const nowMs = this.#options.world.clock.nowMs()
    let count = 0
    for (const waiting of state.line) {
      if (state.image === null || this.#usedBytes >= this.#options.bufferMemoryBytes) break
      count++
      const { sink, index } = waiting
      if (sink.signal?.aborted) this.#refuse(sink, index, sink.signal.reason)
      else this.#append(state, state.image, waiting, nowMs)
    }
    state.line.splice(0, count)
    this.#lineCount -= count
    this.#room.ring()
  }

  #refuseLine(state: TopicState, error: unknown): void {
    const refused = state.line.splice(0)
    this.#lineCount -= refused.length
    for (const { sink, index } of refused) this.#refuse(sink, index, error)
  }

  #refuse(sink: Sink, index: number, error: unknown): void {
    this.#transactions?.onGivenUp(null, error)
    sink.refused(index, error)
  }

  #onDone(queue: PartitionQueue, batch: ProducerBatch): void {
    queue.pendingBytes -= batch.recordsBytes
    this.#usedBytes -= batch.recordsBytes
    this.#room.ring()
  }
}

const NO_HEADERS: readonly RecordHeader[] = Object.freeze([])

function bytesOf(field: Buffer | string | null | undefined): Buffer | null {
  if (field === null || field === undefined) return null
  return typeof field === 'string' ? Buffer.from(field) : field
}
