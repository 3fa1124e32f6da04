/**
 * @module client/producing/sender — takes ready batches from the queues to the leaders, and answers back to the queues.
 *
 * Woken when a batch is full, lingered long enough, was answered, or may be tried again; each time it makes as many
 * requests as the connections have room for, with one batch per partition in each.
 */
import type { Timer } from '../../io/index.ts'
import { ErrorCode, InitProducerId, isRetriable, Produce, type ProduceResponse } from '../../wire/index.ts'
import { backoffMs } from '../backoff.ts'
import type { Cluster } from '../cluster.ts'
import { ClientError, KafkaError, throwIfError } from '../errors.ts'
import { hasTopicId, topicNameOf } from '../metadata.ts'
import type { ResolvedProducerOptions } from '../producer-options.ts'
import { partitionKey } from '../types.ts'
import type { ProducerBatch, ProducerIdentity } from './batch.ts'
import type { PartitionQueue } from './queue.ts'
import { retryFirstMs, type Transactions } from './transactions.ts'

/** The option as the wire has it. */
const ACKS = { 0: 0, 1: 1, all: -1 } as const
/** First Produce version with topic ids (KIP-516). */
const TOPIC_ID_VERSION = 13
/** First Produce version by which a transaction learns of a partition from its first batch (KIP-890). */
const IMPLICIT_VERSION = 12
/** How often batches are looked over for their delivery timeout, as a share of it. */
const EXPIRY_CHECKS = 60

interface Sent {
  readonly queue: PartitionQueue
  readonly batch: ProducerBatch
}

type PartitionResponse = ProduceResponse['responses'][number]['partitionResponses'][number]

/** Moves batches. */
export class Sender {
  readonly #cluster: Cluster
  readonly #options: ResolvedProducerOptions
  readonly #onDone: (queue: PartitionQueue, batch: ProducerBatch) => void
  readonly #transactions: Transactions | null
  /** Queues that hold something. */
  readonly #active = new Set<PartitionQueue>()
  readonly #inFlightByNode = new Map<number, number>()
  #identity: ProducerIdentity | null = null
  #identifying = false
  #identityFailures = 0
  #identityNotBeforeMs = 0
  #fatal: unknown = null
  #scheduled = false
  #timer: Timer | null = null
  #timerDueMs = Number.POSITIVE_INFINITY
  #expiryTimer: Timer | null = null
  /** Above 0: open batches go without lingering. */
  hurryCount = 0

  /** `onDone` hears of every batch that is acknowledged or given up. */
  constructor(
    cluster: Cluster,
    options: ResolvedProducerOptions,
    transactions: Transactions | null,
    onDone: (queue: PartitionQueue, batch: ProducerBatch) => void,
  ) {
    this.#cluster = cluster
    this.#options = options
    this.#onDone = onDone
    this.#transactions = transactions
    cluster.onChange(() => this.wake())
  }

  /** Says that the queue holds something. */
  activate(queue: PartitionQueue): void {
    if (this.#active.has(queue)) return
    this.#active.add(queue)
    this.#armExpiry()
  }

  /** Sees to it that a round runs soon, after what is being done now. */
  wake(): void {
    if (this.#scheduled) return
    this.#scheduled = true
    queueMicrotask(() => {
      this.#scheduled = false
      this.#round()
    })
  }

  /** A round at `dueMs` at the latest. */
  wakeAt(dueMs: number): void {
    // There is nothing to wait for any more: whatever comes is given up.
    if (this.#fatal !== null) {
      this.wake()
      return
    }
    if (dueMs >= this.#timerDueMs) return
    this.#timer?.cancel()
    this.#timerDueMs = dueMs
    this.#timer = this.#clock.timer(dueMs - this.#clock.monotonicMs(), () => {
      this.#timerDueMs = Number.POSITIVE_INFINITY
      this.wake()
    })
  }

  /** Gives up all that is left. */
  stop(error: unknown): void {
    this.#fatal ??= error
    this.#failAll(error)
  }

  /** Gives up what is not on its way; `all`: also what was sent before. */
  drop(error: unknown, all: boolean): void {
    for (const queue of this.#active) {
      for (const batch of queue.drop(all)) this.#finish(queue, batch, error)
    }
  }

  get #clock() {
    return this.#options.world.clock
  }

  #round(): void {
    if (this.#fatal !== null) {
      this.#failAll(this.#fatal)
      return
    }
    const nowMs = this.#clock.monotonicMs()
    const byLeader = new Map<number, PartitionQueue[]>()
    for (const queue of this.#active) {
      if (queue.isEmpty) {
        this.#active.delete(queue)
        continue
      }
      if (!queue.isReady(nowMs, this.#mayTakeOpen(queue, nowMs))) {
        // The timer of an earlier retry may have been the one that woke: without another nobody would, if nothing new comes either.
        if (queue.retry.length > 0 && nowMs < queue.notBeforeMs) this.wakeAt(queue.notBeforeMs)
        continue
      }
      if (queue.needsIdentity(this.#identity)) {
        this.#identify(nowMs)
        continue
      }
      if (this.#transactions?.admits(queue.topic, queue.partition) === false) continue
      const leaderId = this.#cluster.partition(queue.topic, queue.partition)?.leaderId ?? -1
      if (leaderId < 0) {
        this.#cluster.invalidate()
        continue
      }
      const queues = byLeader.get(leaderId)
      if (queues === undefined) byLeader.set(leaderId, [queue])
      else queues.push(queue)
    }
    for (const [leaderId, queues] of byLeader) this.#sendTo(leaderId, queues, nowMs)
  }

  #mayTakeOpen(queue: PartitionQueue, nowMs: number): boolean {
    if (queue.open === null) return false
    if (this.hurryCount > 0) return true
    const dueMs = queue.open.createdMs + this.#options.lingerMs
    if (nowMs >= dueMs) return true
    this.wakeAt(dueMs)
    return false
  }

  #sendTo(leaderId: number, queues: readonly PartitionQueue[], nowMs: number): void {
    let rest = queues
    for (;;) {
      const inFlightCount = this.#inFlightByNode.get(leaderId) ?? 0
      if (rest.length === 0 || inFlightCount >= this.#options.inFlightRequestsMax) return
      const sent: Sent[] = []
      let requestBytes = 0
      for (const queue of rest) {
        const next = queue.retry[0] ?? queue.closed[0] ?? queue.open
        const sizeBytes = next?.sizeBytes ?? 0
        if (sent.length > 0 && requestBytes + sizeBytes > this.#options.requestBytesMax) continue
        requestBytes += sizeBytes
        sent.push({ queue, batch: queue.take(this.#transactions === null ? this.#identity : this.#transactions.identity) })
      }
      this.#inFlightByNode.set(leaderId, inFlightCount + 1)
      void this.#exchange(leaderId, sent)
      rest = queues.filter((queue) => queue.isReady(nowMs, this.#mayTakeOpen(queue, nowMs)) && !queue.needsIdentity(this.#identity))
    }
  }

  /** One request and what its answer means. Never rejects. */
  async #exchange(leaderId: number, sent: readonly Sent[]): Promise<void> {
    const { acks, requestTimeoutMs } = this.#options
    let response: ProduceResponse | undefined
    let failure: unknown = null
    try {
      response = await this.#cluster.ask(leaderId, 'data', Produce, (version) => this.#body(version, sent), {
        unanswered: acks === 0,
        timeoutMs: requestTimeoutMs,
        ...this.#versions(sent),
        signal: this.#cluster.closing,
      })
    } catch (error) {
      failure = error
    }
    this.#inFlightByNode.set(leaderId, (this.#inFlightByNode.get(leaderId) ?? 1) - 1)
    if (failure !== null) this.#onLost(sent, failure)
    else if (response === undefined) for (const one of sent) this.#succeed(one, -1, -1)
    else this.#onResponse(sent, response)
    this.wake()
  }

  #versions(sent: readonly Sent[]) {
    const versionMax = this.#allHaveIds(sent) ? TOPIC_ID_VERSION : TOPIC_ID_VERSION - 1
    if (this.#transactions === null) return { versionMax }
    return this.#transactions.isImplicit ? { versionMin: IMPLICIT_VERSION, versionMax } : { versionMax: IMPLICIT_VERSION - 1 }
  }

  #allHaveIds(sent: readonly Sent[]): boolean {
    return sent.every(({ queue }) => hasTopicId(this.#cluster.image.topics.get(queue.topic)))
  }

  #body(version: number, sent: readonly Sent[]) {
    const { acks, requestTimeoutMs, compression, compressionLevel } = this.#options
    const topics = new Map<string, { index: number; records: Buffer }[]>()
    for (const { batch } of sent) {
      const partition = {
        index: batch.partition,
        records: batch.encode(compression, compressionLevel),
      }
      const partitions = topics.get(batch.topic)
      if (partitions === undefined) topics.set(batch.topic, [partition])
      else partitions.push(partition)
    }
    return {
      transactionalId: this.#transactions?.transactionalId ?? null,
      acks: ACKS[acks],
      timeoutMs: requestTimeoutMs,
      topicData: [...topics].map(([name, partitionData]) =>
        version >= TOPIC_ID_VERSION
          ? {
              topicId: this.#cluster.image.topics.get(name)?.topicId ?? '',
              partitionData,
            }
          : { name, partitionData },
      ),
    }
  }

  #onLost(sent: readonly Sent[], failure: unknown): void {
    const retriable = failure instanceof ClientError && failure.retriable
    this.#cluster.invalidate()
    for (const { queue, batch } of sent) {
      if (retriable) this.#onCode(queue, batch, null, failure)
      else this.#giveUp(queue, batch, failure)
    }
  }

  #onResponse(sent: readonly Sent[], response: ProduceResponse): void {
    const answers = new Map<string, PartitionResponse>()
    for (const topic of response.responses) {
      const name = topic.name || topicNameOf(this.#cluster.image, topic.topicId)
      // An id that metadata has lost meanwhile belongs to a topic that is gone or new: its batches find no answer below.
      if (name === undefined) continue
      for (const part of topic.partitionResponses) answers.set(partitionKey(name, part.index), part)
    }
    for (const { queue, batch } of sent) {
      const part = answers.get(partitionKey(batch.topic, batch.partition))
      if (part === undefined) {
        this.#onCode(queue, batch, ErrorCode.UNKNOWN_TOPIC_ID, new KafkaError(ErrorCode.UNKNOWN_TOPIC_ID, null, batch))
      } else if (part.errorCode === ErrorCode.NONE) {
        this.#succeed({ queue, batch }, part.baseOffset, part.logAppendTimeMs)
      } else {
        this.#cluster.noteLeader(batch, part.currentLeader, response.nodeEndpoints)
        this.#onCode(queue, batch, part.errorCode, errorOf(batch, part))
      }
    }
  }

  #onCode(queue: PartitionQueue, batch: ProducerBatch, code: number | null, error: unknown): void {
    const nowMs = this.#clock.monotonicMs()
    const { deliveryTimeoutMs, retriesMax, retryBackoffMsMax, world } = this.#options
    const isLast = this.#transactions?.isPastRetrying ?? false
    const mayRetry = !isLast && nowMs < batch.createdMs + deliveryTimeoutMs && batch.attemptCount <= retriesMax
    const verdict = queue.onError(batch, code, mayRetry)
    if (verdict === 'duplicate') this.#acknowledge(queue, batch, -1, -1)
    if (verdict === 'failed') this.#finish(queue, batch, error)
    if (verdict !== 'retry') return
    batch.lastError = error
    queue.notBeforeMs = nowMs + backoffMs(batch.attemptCount - 1, retryFirstMs(error, this.#options), retryBackoffMsMax, world.random)
    this.wakeAt(queue.notBeforeMs)
    if (code !== null && isRetriable(code) && code !== ErrorCode.CONCURRENT_TRANSACTIONS) this.#cluster.invalidate()
  }

  #succeed({ queue, batch }: Sent, baseOffset: number, logAppendTimeMs: number): void {
    queue.onSuccess(batch)
    this.#acknowledge(queue, batch, baseOffset, logAppendTimeMs)
  }

  #acknowledge(queue: PartitionQueue, batch: ProducerBatch, baseOffset: number, logAppendTimeMs: number): void {
    // The answer to an abandoned batch comes after its end.
    if (batch.settled) return
    batch.succeed(baseOffset, logAppendTimeMs)
    this.#onDone(queue, batch)
  }

  #giveUp(queue: PartitionQueue, batch: ProducerBatch, error: unknown): void {
    queue.onError(batch, null, false)
    this.#finish(queue, batch, error)
  }

  #finish(queue: PartitionQueue, batch: ProducerBatch, error: unknown): void {
    if (batch.settled) return
    this.#transactions?.onGivenUp(batch, error)
    batch.fail(error)
    this.#onDone(queue, batch)
  }

  #failAll(error: unknown): void {
    this.#timer?.cancel()
    this.#timerDueMs = Number.POSITIVE_INFINITY
    this.#expiryTimer?.cancel()
    this.#expiryTimer = null
    for (const queue of this.#active) {
      for (const batch of queue.expire(() => true)) this.#finish(queue, batch, error)
    }
    this.#active.clear()
  }

  #armExpiry(): void {
    if (this.#expiryTimer !== null) return
    const { deliveryTimeoutMs } = this.#options
    this.#expiryTimer = this.#clock.timer(deliveryTimeoutMs / EXPIRY_CHECKS, () => {
      this.#expiryTimer = null
      const bornBeforeMs = this.#clock.monotonicMs() - deliveryTimeoutMs
      for (const queue of this.#active) {
        for (const batch of queue.expire((one) => one.createdMs <= bornBeforeMs)) {
          this.#finish(queue, batch, expired(batch, deliveryTimeoutMs))
        }
      }
      if (this.#active.size > 0) this.#armExpiry()
      this.wake()
    })
  }

  /** Gets a producer id; rounds go on for partitions that have one. */
  #identify(nowMs: number): void {
    if (this.#identifying) return
    if (nowMs < this.#identityNotBeforeMs) {
      this.wakeAt(this.#identityNotBeforeMs)
      return
    }
    this.#identifying = true
    this.#askIdentity()
      .then(
        (identity) => {
          this.#identity = identity
          this.#identityFailures = 0
        },
        (error: unknown) => this.#onIdentityError(error),
      )
      .finally(() => {
        this.#identifying = false
        this.wake()
      })
  }

  async #askIdentity(): Promise<ProducerIdentity> {
    const response = await this.#cluster.askAny(
      InitProducerId,
      () => ({ transactionalId: null, transactionTimeoutMs: 0x7fffffff }),
      // v6 is for two-phase commit (KIP-939).
      { versionMax: 5, signal: this.#cluster.closing },
    )
    throwIfError(response.errorCode)
    return { producerId: response.producerId, epoch: response.producerEpoch }
  }

  #onIdentityError(error: unknown): void {
    const retriable = (error instanceof KafkaError || error instanceof ClientError) && error.retriable
    if (!retriable) {
      this.#fatal = error
      return
    }
    const { retryBackoffMs, retryBackoffMsMax, world } = this.#options
    this.#identityNotBeforeMs =
      this.#clock.monotonicMs() + backoffMs(this.#identityFailures++, retryBackoffMs, retryBackoffMsMax, world.random)
    this.wakeAt(this.#identityNotBeforeMs)
  }
}

function errorOf(batch: ProducerBatch, part: PartitionResponse): KafkaError {
  const [first] = part.recordErrors
  const detail = first === undefined ? '' : ` (record ${first.batchIndex}: ${first.batchIndexErrorMessage ?? 'refused'})`
  return new KafkaError(part.errorCode, part.errorMessage === null ? null : part.errorMessage + detail, {
    topic: batch.topic,
    partition: batch.partition,
  })
}

/** Out of time; the reason of the last failed try tells what the time was spent on. */
function expired({ topic, partition, lastError }: ProducerBatch, deliveryTimeoutMs: number): ClientError {
  const reason = lastError instanceof Error ? `; the last try failed with: ${lastError.message}` : ''
  return new ClientError('timeout', `record not acknowledged within ${deliveryTimeoutMs} ms${reason}`, {
    cause: lastError,
    place: { topic, partition },
  })
}
