/**
 * @module txn/init-producer-id — the rules of InitProducerId: a producer comes, or comes back, and whoever had the id before is fenced.
 *
 * A producer that names what it believes to be (KIP-360) gets the next epoch when it is right, the epoch it was given already when this is
 * a retry, PRODUCER_FENCED when somebody else came in between. Epochs end at 32,766; then the id gets another producer id. Pure.
 */
import { ErrorCode } from '../wire/index.ts'
import { abortByFence } from './end-transaction.ts'
import { NO_PARTITIONS } from './partitions.ts'
import { appending, code, identity, isExhausted, refused, unchanged } from './steps.ts'
import {
  type Circumstances,
  NO_PRODUCER_EPOCH,
  NO_PRODUCER_ID,
  NOT_STARTED,
  type Step,
  type Transaction,
  type TransactionFields,
  type TransactionRequest,
} from './transaction.ts'

type Request = Extract<TransactionRequest, { readonly type: 'initProducerId' }>

/** The id was never heard of, or has expired. */
export function initNew(request: Request, circumstances: Circumstances): Step {
  const { newProducerId, nowMs } = circumstances
  if (newProducerId === null) return unchanged(null, { type: 'needProducerId' })
  const fields: TransactionFields = {
    state: 'Empty',
    producerId: newProducerId,
    previousProducerId: NO_PRODUCER_ID,
    nextProducerId: NO_PRODUCER_ID,
    producerEpoch: NO_PRODUCER_EPOCH,
    lastProducerEpoch: NO_PRODUCER_EPOCH,
    timeoutMs: request.timeoutMs,
    partitions: NO_PARTITIONS,
    startMs: NOT_STARTED,
    lastUpdateMs: nowMs,
    clientTransactionVersion: 0,
  }
  return initIdle({ fields, pending: null, isLogged: true, hasFailedEpochFence: false }, request, circumstances)
}

/** No transaction is open: the epoch rises, or the producer id changes. */
export function initIdle(transaction: Transaction, request: Request, { nowMs, newProducerId }: Circumstances): Step {
  const { fields } = transaction
  const { expected, timeoutMs } = request
  if (!isHolder(fields, expected)) return refused(transaction, ErrorCode.PRODUCER_FENCED)
  const renewed = {
    ...fields,
    state: 'Empty',
    previousProducerId: fields.producerId,
    timeoutMs,
    partitions: NO_PARTITIONS,
    startMs: NOT_STARTED,
    lastUpdateMs: nowMs,
  } as const
  const isNew = fields.producerEpoch === NO_PRODUCER_EPOCH
  const isCurrent = expected === null || isNew || expected.producerEpoch === fields.producerEpoch
  if (!isCurrent) {
    if (expected.producerEpoch !== fields.lastProducerEpoch) return refused(transaction, ErrorCode.PRODUCER_FENCED)
    // A retry: had another producer come, the last epoch would be −1.
    return appending(transaction, renewed, identity(renewed))
  }
  const lastProducerEpoch = expected === null ? NO_PRODUCER_EPOCH : fields.producerEpoch
  if (!isExhausted(fields.producerEpoch)) {
    const next = { ...renewed, producerEpoch: fields.producerEpoch + 1, lastProducerEpoch }
    return appending(transaction, next, identity(next))
  }
  if (newProducerId === null) return unchanged(transaction, { type: 'needProducerId' })
  const next = { ...renewed, producerId: newProducerId, producerEpoch: 0, lastProducerEpoch }
  return appending(transaction, next, identity(next))
}

/**
 * A transaction is open: it is aborted in an epoch that fences its producer, which nobody is given; the client has to ask again when that
 * is done, and gets the epoch after it.
 */
export function initOngoing(transaction: Transaction, { expected }: Request, circumstances: Circumstances): Step {
  if (!isHolder(transaction.fields, expected)) return refused(transaction, ErrorCode.PRODUCER_FENCED)
  return abortByFence(transaction, circumstances, code(ErrorCode.CONCURRENT_TRANSACTIONS))
}

/** Whether the producer id that the producer names is, or in its last epoch was, that of this id. The epoch is looked at later. */
function isHolder(fields: TransactionFields, expected: Request['expected']): boolean {
  if (expected === null || fields.producerEpoch === NO_PRODUCER_EPOCH || expected.producerId === fields.producerId) return true
  return expected.producerId === fields.previousProducerId && isExhausted(expected.producerEpoch)
}
