/**
 * @module api/00-produce — appends batches. Versions 3–13; 0–2 are advertised and refused (KAFKA-18659: librdkafka ≤ 2.11.0 reads its codecs from them).
 *
 * Every batch is appended before the handler first waits, so appends stand in arrival order; the answer comes when what `acks` asks for is
 * true of all of them. Only the first batches of a transaction wait for its coordinator, and their producer's next ones behind them
 * (`produce-transactions.ts`). 5: log start offset. 7: zstd (KIP-110). 8: reasons per record (KIP-467). 10: leader hints (KIP-951, never needed
 * with one broker). 12: implicit enrolment in transactions (KIP-890). 13: topic ids (KIP-516).
 */
import type { Clock } from '../io/index.ts'
import type { Accepted, Acks, HostedTopic } from '../replica/index.ts'
import { BATCH_HEADER_BYTES, batchHeader, ErrorCode, Produce, type RequestOf } from '../wire/index.ts'
import { type Broker, CLOSE_CONNECTION, defineHandler, isInternalTopic, NO_ANSWER, type RequestContext } from './handler.ts'
import { findPartition, findTopic } from './partition-lookup.ts'
import {
  type Admissions,
  isAdmitted,
  isTransactional,
  TransactionalAppends,
  type TransactionalBatch,
  transactionalProducer,
} from './produce-transactions.ts'

/** KIP-110: zstd is for clients that know it. */
const ZSTD_VERSION_MIN = 7
/** The codec's number in the three lowest bits of a batch's attributes, and zstd's. */
const CODEC_MASK = 7
const CODEC_ZSTD = 4
/** Kafka's admin client may write to internal topics. */
const ADMIN_CLIENT_ID = '__admin_client'

/** Limits of this file. */
const limits = {
  /**
   * A `timeoutMs` below counts as this. In Kafka it is for the other replicas alone, so that with one replica even 0 never times out; here
   * it is the leader's own disk that is waited for, which needs its time.
   */
  timeoutMsMin: 1000,
} as const

type Request = RequestOf<typeof Produce>
type TopicRequest = Request['topicData'][number]

interface PartitionAnswer {
  index: number
  errorCode: number
  baseOffset: number
  logAppendTimeMs: number
  logStartOffset: number
  recordErrors: readonly { readonly batchIndex: number; readonly batchIndexErrorMessage: string }[]
  errorMessage: string | null
}

export const produce = defineHandler({
  api: Produce,
  overlaps: true,
  heldByBacklog: true,
  create: (broker) => {
    const transactional = new TransactionalAppends(broker)
    return (request, context) => {
      const pending = new PendingAppends()
      const producer = transactionalProducer(request)
      if (producer === undefined) return finish(broker, request, appendAll(broker, request, context, pending, undefined), pending)
      if (typeof producer === 'number') return finish(broker, request, refuseAll(request, producer), pending)
      const batches = transactionalBatches(broker, request, context)
      const responses = transactional.run(producer, batches, context.apiVersion, (admissions) =>
        appendAll(broker, request, context, pending, admissions),
      )
      if (!(responses instanceof Promise)) return finish(broker, request, responses, pending)
      return responses.then((appended) => finish(broker, request, appended, pending))
    }
  },
})

interface TopicAnswer {
  readonly name: string
  readonly topicId: string
  readonly partitionResponses: readonly PartitionAnswer[]
}

/** The answer, as soon as `acks` has what it asks for. */
function finish(broker: Broker, request: Request, responses: readonly TopicAnswer[], pending: PendingAppends) {
  if (request.acks === 0) {
    // A client that wants no answer still has to learn that something went wrong: Kafka closes its connection.
    const failed = responses.some((topic) => topic.partitionResponses.some((answer) => answer.errorCode !== ErrorCode.NONE))
    return failed ? CLOSE_CONNECTION : NO_ANSWER
  }
  if (pending.isSettled) return { responses }
  const timeoutMs = request.acks === -1 ? Math.max(request.timeoutMs, limits.timeoutMsMin) : undefined
  return pending.settled(broker.clock, timeoutMs).then(() => ({ responses }))
}

function appendAll(
  broker: Broker,
  request: Request,
  context: RequestContext,
  pending: PendingAppends,
  admissions: Admissions | undefined,
): TopicAnswer[] {
  return request.topicData.map((data) => {
    const topic = findTopic(broker, data)
    const partitionResponses = data.partitionData.map(({ index, records }) => {
      try {
        return appendOne(broker, request, context, { data, topic, index, records, admissions }, pending)
      } catch (error) {
        // The other partitions have their records already, and are waited for.
        broker.logger.error(`cannot append to partition ${index} of ${topic?.name ?? data.name}`, { error })
        return refusal(index, ErrorCode.UNKNOWN_SERVER_ERROR)
      }
    })
    return { name: data.name, topicId: data.topicId, partitionResponses }
  })
}

function refuseAll({ topicData }: Request, errorCode: number): TopicAnswer[] {
  return topicData.map(({ name, topicId, partitionData }) => ({
    name,
    topicId,
    partitionResponses: partitionData.map(({ index }) => refusal(index, errorCode)),
  }))
}

/** The transactional batches that the log will be asked to take. */
function transactionalBatches(broker: Broker, request: Request, context: RequestContext): TransactionalBatch[] {
  return request.topicData.flatMap((data) =>
    data.partitionData.flatMap(({ index, records }) => {
      if (!isTransactional(records)) return []
      const partition = findPartition(broker, data, index)
      if (typeof partition === 'number' || checkRequest(request, context, partition.topic, records) !== ErrorCode.NONE) return []
      return [{ partition, baseSequence: batchHeader.baseSequence(records, 0) }]
    }),
  )
}

/** One partition's records of a request. */
interface Wanted {
  readonly data: TopicRequest
  readonly topic: HostedTopic | undefined
  readonly index: number
  readonly records: Buffer | null
  /** Undefined for a request without transactional batches. */
  readonly admissions: Admissions | undefined
}

function appendOne(
  broker: Broker,
  request: Request,
  context: RequestContext,
  { data, topic, index, records, admissions }: Wanted,
  pending: PendingAppends,
): PartitionAnswer {
  const partition = findPartition(broker, data, index, topic)
  if (typeof partition === 'number') return refusal(index, partition)
  const refused = checkRequest(request, context, partition.topic, records)
  if (refused !== ErrorCode.NONE) return refusal(index, refused)
  const admission = admissions?.get(partition)
  if (admission !== undefined && !isAdmitted(admission)) {
    return { ...refusal(index, admission.errorCode), errorMessage: admission.message }
  }
  const outcome = partition.append(records as Buffer, request.acks as Acks, 'client', admission?.verification)
  if (outcome.kind === 'refused') {
    // Of a transaction whose epoch is an old one Kafka hears before it asks the log.
    const isFenced = admission !== undefined && outcome.errorCode === ErrorCode.INVALID_PRODUCER_EPOCH
    return isFenced ? refusal(index, outcome.errorCode) : refusedByLog(index, outcome, partition.logStartOffset)
  }
  const answer = acceptance(index, outcome)
  if (outcome.durable !== undefined) pending.add(outcome.durable, answer)
  return answer
}

/** What can be said before the log is asked (Kafka's ProduceRequest.validateRecords): v2 only, exactly one whole batch, no zstd for old clients. */
function checkRequest(request: Request, context: RequestContext, topic: string, records: Buffer | null): number {
  if (request.acks !== -1 && request.acks !== 0 && request.acks !== 1) return ErrorCode.INVALID_REQUIRED_ACKS
  if (isInternalTopic(topic) && context.clientId !== ADMIN_CLIENT_ID) return ErrorCode.INVALID_TOPIC_EXCEPTION
  if (records === null || records.length < BATCH_HEADER_BYTES) return ErrorCode.INVALID_RECORD
  if (batchHeader.magic(records, 0) !== 2) return ErrorCode.INVALID_RECORD
  if (batchHeader.sizeBytes(records, 0) !== records.length) return ErrorCode.INVALID_RECORD
  // By its number: one that names no codec is for the log to refuse, after the checksum.
  const codec = batchHeader.attributes(records, 0) & CODEC_MASK
  if (context.apiVersion < ZSTD_VERSION_MIN && codec === CODEC_ZSTD) return ErrorCode.UNSUPPORTED_COMPRESSION_TYPE
  return ErrorCode.NONE
}

function acceptance(index: number, outcome: Accepted): PartitionAnswer {
  return {
    index,
    errorCode: ErrorCode.NONE,
    baseOffset: outcome.baseOffset,
    logAppendTimeMs: outcome.logAppendTimeMs,
    logStartOffset: outcome.logStartOffset,
    recordErrors: [],
    errorMessage: null,
  }
}

function refusal(index: number, errorCode: number): PartitionAnswer {
  return { index, errorCode, baseOffset: -1, logAppendTimeMs: -1, logStartOffset: -1, recordErrors: [], errorMessage: null }
}

/** Codes whose answer carries no log start offset, as the batch never got as far as the log. */
const BEFORE_THE_LOG: ReadonlySet<number> = new Set([
  ErrorCode.CORRUPT_MESSAGE,
  ErrorCode.MESSAGE_TOO_LARGE,
  ErrorCode.RECORD_LIST_TOO_LARGE,
  ErrorCode.KAFKA_STORAGE_ERROR,
  ErrorCode.NOT_LEADER_OR_FOLLOWER,
])

function refusedByLog(
  index: number,
  outcome: {
    readonly errorCode: number
    readonly message: string
    readonly recordErrors: readonly { readonly batchIndex: number; readonly message: string }[]
  },
  logStartOffset: number,
): PartitionAnswer {
  const answer = refusal(index, outcome.errorCode)
  if (!BEFORE_THE_LOG.has(outcome.errorCode)) answer.logStartOffset = logStartOffset
  if (outcome.recordErrors.length > 0) {
    answer.errorMessage = outcome.message
    answer.recordErrors = outcome.recordErrors.map((error) => ({ batchIndex: error.batchIndex, batchIndexErrorMessage: error.message }))
  }
  return answer
}

/** Appends of one request whose durability is awaited, and the answers that they spoil if that fails. */
class PendingAppends {
  readonly #open = new Set<PartitionAnswer>()
  #onSettled: (() => void) | undefined

  get isSettled(): boolean {
    return this.#open.size === 0
  }

  /** Listens from now on: whatever becomes of the request, no failure is one that nobody handles. */
  add(durable: Promise<void>, answer: PartitionAnswer): void {
    this.#open.add(answer)
    durable.then(
      () => this.#close(answer),
      () => {
        if (this.#open.has(answer)) Object.assign(answer, refusal(answer.index, ErrorCode.KAFKA_STORAGE_ERROR))
        this.#close(answer)
      },
    )
  }

  /**
   * Resolves when every append is durable, has failed (its answer becomes KAFKA_STORAGE_ERROR) or is not durable in time (REQUEST_TIMED_OUT:
   * the records are in the log and may become durable yet, which idempotent producers cope with). Without `timeoutMs` there is no such
   * time: what the leader alone does is never timed in Kafka. Never rejects.
   */
  settled(clock: Clock, timeoutMs: number | undefined): Promise<void> {
    return new Promise((resolve) => {
      const expire = (): void => {
        for (const answer of this.#open) answer.errorCode = ErrorCode.REQUEST_TIMED_OUT
        this.#open.clear()
        resolve()
      }
      const timer = timeoutMs === undefined ? undefined : clock.timer(timeoutMs, expire)
      this.#onSettled = () => {
        timer?.cancel()
        resolve()
      }
    })
  }

  #close(answer: PartitionAnswer): void {
    if (this.#open.delete(answer) && this.#open.size === 0) this.#onSettled?.()
  }
}
