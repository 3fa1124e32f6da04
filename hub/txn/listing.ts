/** @module txn/listing — DescribeTransactions and ListTransactions (KIP-664, KIP-994, KIP-1152). */
import { RE2JS, RE2JSSyntaxException } from 're2js'
import { type DescribeTransactions, ErrorCode, type ListTransactions, type RequestOf, type ResponseInput } from '../wire/index.ts'
import type { Shards } from './shards.ts'
import { TRANSACTION_STATES, type TransactionFields } from './transaction.ts'

type ListRequest = RequestOf<typeof ListTransactions>
type ListResponse = ResponseInput<typeof ListTransactions>
type Description = ResponseInput<typeof DescribeTransactions>['transactionStates'][number]

const STATE_NAMES: ReadonlySet<string> = new Set(TRANSACTION_STATES)

/** One id, with the partitions of its open transaction. */
export async function describeTransaction(shards: Shards, transactionalId: string): Promise<Description> {
  if (transactionalId === '') return undescribed(transactionalId, ErrorCode.INVALID_REQUEST)
  const shard = await shards.of(transactionalId)
  if (typeof shard === 'number') return undescribed(transactionalId, shard)
  const transaction = shard.transaction(transactionalId)
  if (transaction === null) return undescribed(transactionalId, ErrorCode.TRANSACTIONAL_ID_NOT_FOUND)
  const { state, timeoutMs, startMs, producerId, producerEpoch, partitions } = transaction.fields
  return {
    errorCode: ErrorCode.NONE,
    transactionalId,
    transactionState: state,
    transactionTimeoutMs: timeoutMs,
    transactionStartTimeMs: startMs,
    producerId,
    producerEpoch,
    topics: Array.from(partitions, ([topic, numbers]) => ({ topic, partitions: [...numbers] })),
  }
}

function undescribed(transactionalId: string, errorCode: number): Description {
  const nothing = { transactionState: '', transactionTimeoutMs: 0, transactionStartTimeMs: 0, producerId: 0, producerEpoch: 0, topics: [] }
  return { errorCode, transactionalId, ...nothing }
}

/** The ids that pass every filter of the request; one that is empty lets all pass. */
export function listTransactions(shards: Shards, request: ListRequest, nowMs: number): ListResponse {
  const nothing = { throttleTimeMs: 0, unknownStateFilters: [], transactionStates: [] }
  if (shards.isLoading()) return { ...nothing, errorCode: ErrorCode.COORDINATOR_LOAD_IN_PROGRESS }
  const passes = idFilter(request.transactionalIdPattern)
  if (passes === undefined) return { ...nothing, errorCode: ErrorCode.INVALID_REGULAR_EXPRESSION }
  const wanted = fieldsFilter(request, nowMs)
  const unknownStateFilters = request.stateFilters.filter((name) => !STATE_NAMES.has(name))
  const transactionStates: ListResponse['transactionStates'][number][] = []
  for (const shard of shards.ready()) {
    for (const [transactionalId, fields] of shard.transactions()) {
      if (!wanted(fields) || !passes(transactionalId)) continue
      transactionStates.push({ transactionalId, producerId: fields.producerId, transactionState: fields.state })
    }
  }
  return { throttleTimeMs: 0, errorCode: ErrorCode.NONE, unknownStateFilters, transactionStates }
}

function fieldsFilter(
  { stateFilters, producerIdFilters, durationFilter }: ListRequest,
  nowMs: number,
): (fields: TransactionFields) => boolean {
  const states: ReadonlySet<string> = new Set(stateFilters)
  const producerIds = new Set(producerIdFilters)
  return ({ state, producerId, startMs }) => {
    if (producerIds.size > 0 && !producerIds.has(producerId)) return false
    if (states.size > 0 && !states.has(state)) return false
    // An id without a transaction started at −1, so that it passes: as in Kafka.
    return durationFilter < 0 || nowMs - startMs > durationFilter
  }
}

/** Undefined for a pattern that is none. The whole id has to match; in time linear in its length, whatever the pattern. */
function idFilter(pattern: string | null): ((transactionalId: string) => boolean) | undefined {
  if (pattern === null || pattern === '') return () => true
  try {
    const compiled = RE2JS.compile(pattern)
    return (transactionalId) => compiled.matches(transactionalId)
  } catch (error) {
    if (error instanceof RE2JSSyntaxException) return undefined
    throw error
  }
}
