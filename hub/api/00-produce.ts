/**
 * @module api/00-produce — appends batches. Versions 3–13; 0–2 are advertised and refused (KAFKA-18659: librdkafka ≤ 2.11.0 reads its codecs from them).
 *
 * Every batch is appended before the handler first waits, so appends stand in arrival order; the answer comes when what `acks` asks for is
 * true of all of them. 5: log start offset. 7: zstd (KIP-110). 8: reasons per record (KIP-467). 10: leader hints (KIP-951, never needed
 * with one broker). 12: implicit enrolment in transactions (KIP-890). 13: topic ids (KIP-516).
 */
import type { Clock } from '../io/index.ts'
import type { Accepted, Acks } from '../replica/index.ts'
import { BATCH_HEADER_BYTES, batchHeader, ErrorCode, Produce, type RequestOf } from '../wire/index.ts'
import { CLOSE_CONNECTION, defineHandler, isInternalTopic, NO_ANSWER, type RequestContext } from './handler.ts'
import { findPartition, findTopic } from './partition-lookup.ts'

/** KIP-110: zstd is for clients that know it. */
const ZSTD_VERSION_MIN = 7
/** Kafka's admin client may write to internal topics. */
const ADMIN_CLIENT_ID = '__admin_client'

type Request = RequestOf<typeof Produce>

interface PartitionAnswer {
  index: number
  errorCode: number
  baseOffset: number
  logAppendTimeMs: number
  logStartOffset: number
  recordErrors: readonly { readonly batchIndex: number; readonly batchIndexErrorMessage: string }[]
  errorMessage: string | null
}

/** An append whose durability is awaited, and the answer it will spoil if that fails. */
interface Pending {
  readonly durable: Promise<void>
  readonly answer: PartitionAnswer
}

export const produce = defineHandler({
  api: Produce,
  overlaps: true,
  heldByBacklog: true,
  create: (broker) => (request, context) => {
    const pending: Pending[] = []
    const responses = request.topicData.map((data) => {
      const topic = findTopic(broker, data)
      const partitionResponses = data.partitionData.map(({ index, records }) => {
        const partition = findPartition(broker, data, index, topic)
        if (typeof partition === 'number') return refusal(index, partition)
        const refused = checkRequest(request, context, partition.topic, records)
        if (refused !== ErrorCode.NONE) return refusal(index, refused)
        const outcome = partition.append(records as Buffer, request.acks as Acks)
        if (outcome.kind === 'refused') return refusedByLog(index, outcome, partition.logStartOffset)
        const answer = acceptance(index, outcome)
        if (outcome.durable !== undefined) pending.push({ durable: outcome.durable, answer })
        return answer
      })
      return { name: data.name, topicId: data.topicId, partitionResponses }
    })
    if (request.acks === 0) {
      // A client that wants no answer still has to learn that something went wrong: Kafka closes its connection.
      const failed = responses.some((topic) => topic.partitionResponses.some((answer) => answer.errorCode !== ErrorCode.NONE))
      return failed ? CLOSE_CONNECTION : NO_ANSWER
    }
    if (pending.length === 0) return { responses }
    return whenDurable(pending, request.timeoutMs, broker.clock).then(() => ({ responses }))
  },
})

/** What can be said before the log is asked (Kafka's ProduceRequest.validateRecords): v2 only, exactly one whole batch, no zstd for old clients. */
function checkRequest(request: Request, context: RequestContext, topic: string, records: Buffer | null): number {
  if (request.acks !== -1 && request.acks !== 0 && request.acks !== 1) return ErrorCode.INVALID_REQUIRED_ACKS
  if (isInternalTopic(topic) && context.clientId !== ADMIN_CLIENT_ID) return ErrorCode.INVALID_TOPIC_EXCEPTION
  if (records === null || records.length < BATCH_HEADER_BYTES) return ErrorCode.INVALID_RECORD
  if (batchHeader.magic(records, 0) !== 2) return ErrorCode.INVALID_RECORD
  if (batchHeader.sizeBytes(records, 0) !== records.length) return ErrorCode.INVALID_RECORD
  if (batchHeader.isTransactional(records, 0)) return ErrorCode.INVALID_TXN_STATE
  if (context.apiVersion < ZSTD_VERSION_MIN && batchHeader.compression(records, 0) === 'zstd') return ErrorCode.UNSUPPORTED_COMPRESSION_TYPE
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

/**
 * Resolves when every append is durable, has failed (its answer becomes KAFKA_STORAGE_ERROR) or is not durable in time (REQUEST_TIMED_OUT: the
 * records are in the log and may become durable yet, which idempotent producers cope with). Never rejects.
 */
function whenDurable(pending: readonly Pending[], timeoutMs: number, clock: Clock): Promise<void> {
  return new Promise((resolve) => {
    const open = new Set(pending)
    const close = (entry: Pending): void => {
      if (!open.delete(entry) || open.size > 0) return
      timer.cancel()
      resolve()
    }
    const timer = clock.timer(timeoutMs, () => {
      for (const entry of open) entry.answer.errorCode = ErrorCode.REQUEST_TIMED_OUT
      open.clear()
      resolve()
    })
    for (const entry of pending) {
      entry.durable.then(
        () => close(entry),
        () => {
          if (open.has(entry)) Object.assign(entry.answer, refusal(entry.answer.index, ErrorCode.KAFKA_STORAGE_ERROR))
          close(entry)
        },
      )
    }
  })
}
