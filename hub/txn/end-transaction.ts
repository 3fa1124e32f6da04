/**
 * @module txn/end-transaction — the rules of EndTxn, and of the aborts that nobody asked for. Pure.
 *
 * Until version 4 (TV1) a transaction ends in its epoch: whoever names another one is fenced, and the same end asked for twice is fine. From
 * version 5 (TV2) the end raises the epoch, so a retry names the epoch before (or, where that was the last one, the producer id before),
 * and the present epoch speaks of the next transaction, which may be one that the broker has heard nothing of:
 *
 * ```
 *                   abort: retry   abort: present        commit: retry   commit: present
 *   Empty           fenced         ends, epoch rises     fenced          INVALID_TXN_STATE
 *   CompleteAbort   told again     ends, epoch rises     INVALID_…       INVALID_TXN_STATE
 *   CompleteCommit  INVALID_…      ends, epoch rises     told again      INVALID_TXN_STATE
 *   Prepare…        retry: the same end for afterwards, the other one INVALID_TXN_STATE; present: for afterwards
 * ```
 * Source: KIP-890; org.apache.kafka.coordinator.transaction, kafka.coordinator.transaction.TransactionCoordinator of Kafka 4.3.1.
 */
import { ErrorCode } from '../wire/index.ts'
import { NO_PARTITIONS } from './partitions.ts'
import { answered, appending, code, identity, isExhausted, refused, unchanged, waiting } from './steps.ts'
import {
  type Answer,
  type Circumstances,
  EPOCH_BUMP_VERSION,
  EPOCH_MAX,
  NO_PRODUCER_EPOCH,
  NO_PRODUCER_ID,
  NO_TIMEOUT,
  type Step,
  type Transaction,
  type TransactionFields,
  type TransactionRequest,
  type TransactionVersion,
} from './transaction.ts'

type Request = Extract<TransactionRequest, { readonly type: 'endTransaction' }>

/** Nothing was begun since InitProducerId. */
export function endEmpty(transaction: Transaction, request: Request, circumstances: Circumstances): Step {
  const judged = judgeProducer(transaction, request, isPresent(transaction.fields, request))
  if (judged !== undefined) return judged
  return isBumping(request) && !request.isCommit
    ? prepare(transaction, request, circumstances, true)
    : refused(transaction, ErrorCode.INVALID_TXN_STATE)
}

/** There is a transaction to end. */
export function endOngoing(transaction: Transaction, request: Request, circumstances: Circumstances): Step {
  const judged = judgeProducer(transaction, request, isPresent(transaction.fields, request))
  return judged ?? prepare(transaction, request, circumstances, false)
}

/** The last transaction has ended. */
export function endComplete(transaction: Transaction, request: Request, circumstances: Circumstances): Step {
  const { fields } = transaction
  const isSame = request.isCommit === (fields.state === 'CompleteCommit')
  if (!isBumping(request)) {
    const judged = judgeProducer(transaction, request, isPresent(fields, request))
    return judged ?? refused(transaction, isSame ? ErrorCode.NONE : ErrorCode.INVALID_TXN_STATE)
  }
  const isRetry = isBefore(fields, request) || isBeforeRotation(fields, request)
  const judged = judgeProducer(transaction, request, isRetry || isPresent(fields, request))
  if (judged !== undefined) return judged
  if (isRetry) return isSame ? answered(transaction, identity(fields)) : refused(transaction, ErrorCode.INVALID_TXN_STATE)
  return request.isCommit ? refused(transaction, ErrorCode.INVALID_TXN_STATE) : prepare(transaction, request, circumstances, true)
}

/** A record, or markers, are on their way: for afterwards. TV1 is judged first, by what is in force. */
export function endUnderWay(transaction: Transaction, request: Request): Step {
  if (isBumping(request)) return waiting(transaction)
  return judgeProducer(transaction, request, isPresent(transaction.fields, request)) ?? waiting(transaction)
}

/** The transaction is open: whether for too long. */
export function timeOutOngoing(transaction: Transaction, circumstances: Circumstances): Step {
  const { startMs, timeoutMs } = transaction.fields
  if (timeoutMs === NO_TIMEOUT || startMs + timeoutMs >= circumstances.nowMs) return unchanged(transaction)
  return abortByFence(transaction, circumstances, null)
}

/**
 * Aborts an open transaction in an epoch that its producer does not have (through PrepareEpochFence, which never stands in a record): in the
 * version that the cluster speaks, since no client asked. `answer` is for whoever caused it.
 */
export function abortByFence(transaction: Transaction, circumstances: Circumstances, answer: Answer | null): Step {
  const { fields, hasFailedEpochFence } = transaction
  const { transactionVersion, newProducerId, nowMs } = circumstances
  if (transactionVersion >= EPOCH_BUMP_VERSION) {
    const next = prepared(fields, { isCommit: false, version: transactionVersion, isEmpty: false, newProducerId, nowMs })
    return next === undefined ? unchanged(transaction, { type: 'needProducerId' }) : appending(transaction, next, answer, true)
  }
  const isRaised = hasFailedEpochFence || fields.producerEpoch === EPOCH_MAX
  const producerEpoch = isRaised ? fields.producerEpoch : fields.producerEpoch + 1
  const fenced = { ...fields, producerEpoch, lastProducerEpoch: NO_PRODUCER_EPOCH }
  const next = prepared(fenced, { isCommit: false, version: 0, isEmpty: false, newProducerId: NO_PRODUCER_ID, nowMs })
  return appending(transaction, next as TransactionFields, answer, true)
}

/** The fields once every marker is written. */
export function completed(fields: TransactionFields, nowMs: number): TransactionFields {
  const { clientTransactionVersion, nextProducerId, producerId, producerEpoch } = fields
  const isRotated = clientTransactionVersion >= EPOCH_BUMP_VERSION && nextProducerId !== NO_PRODUCER_ID
  return {
    ...fields,
    state: fields.state === 'PrepareCommit' ? 'CompleteCommit' : 'CompleteAbort',
    producerId: isRotated ? nextProducerId : producerId,
    previousProducerId: producerId,
    nextProducerId: NO_PRODUCER_ID,
    producerEpoch: isRotated ? 0 : producerEpoch,
    partitions: NO_PARTITIONS,
    lastUpdateMs: nowMs,
  }
}

/** `isEmpty`: no partition was added, so there is no start that the record could tell. */
function prepare(transaction: Transaction, request: Request, { newProducerId, nowMs }: Circumstances, isEmpty: boolean): Step {
  const { isCommit, clientTransactionVersion: version } = request
  const next = prepared(transaction.fields, { isCommit, version, isEmpty, newProducerId, nowMs })
  if (next === undefined) return unchanged(transaction, { type: 'needProducerId' })
  return appending(transaction, next, isBumping(request) ? identity(completed(next, nowMs)) : code(ErrorCode.NONE))
}

interface End {
  readonly isCommit: boolean
  readonly version: TransactionVersion
  readonly isEmpty: boolean
  readonly newProducerId: number | null
  readonly nowMs: number
}

/** The fields of the decision; undefined when the producer goes on with a new id and there is none yet. */
function prepared(fields: TransactionFields, { isCommit, version, isEmpty, newProducerId, nowMs }: End): TransactionFields | undefined {
  const { producerId, producerEpoch, startMs } = fields
  const next = {
    ...fields,
    state: isCommit ? 'PrepareCommit' : 'PrepareAbort',
    previousProducerId: producerId,
    nextProducerId: NO_PRODUCER_ID,
    startMs: isEmpty ? nowMs : startMs,
    lastUpdateMs: nowMs,
    clientTransactionVersion: version,
  } as const
  if (version < EPOCH_BUMP_VERSION) return next
  const bumped = { ...next, producerEpoch: Math.min(producerEpoch + 1, EPOCH_MAX), lastProducerEpoch: producerEpoch }
  if (!isExhausted(producerEpoch)) return bumped
  return newProducerId === null ? undefined : { ...bumped, nextProducerId: newProducerId }
}

function judgeProducer(transaction: Transaction, request: Request, isEpochKnown: boolean): Step | undefined {
  const { fields } = transaction
  const isHolder = fields.producerId === request.producerId || (isBumping(request) && isBeforeRotation(fields, request))
  if (!isHolder) return refused(transaction, ErrorCode.INVALID_PRODUCER_ID_MAPPING)
  return isEpochKnown ? undefined : refused(transaction, ErrorCode.PRODUCER_FENCED)
}

function isBumping({ clientTransactionVersion }: Request): boolean {
  return clientTransactionVersion >= EPOCH_BUMP_VERSION
}

function isPresent(fields: TransactionFields, request: Request): boolean {
  return fields.producerEpoch === request.producerEpoch
}

/**
 * It speaks of the transaction whose end raised the epoch. Where the end was one of TV1 the epoch was raised by InitProducerId, and whoever
 * has the one before is fenced; Kafka takes it for a retry and tells it who its successor is.
 */
function isBefore(fields: TransactionFields, request: Request): boolean {
  return hasRaisedEpoch(fields) && fields.producerEpoch === request.producerEpoch + 1
}

/** It speaks of the transaction whose end exhausted the epochs. */
function isBeforeRotation(fields: TransactionFields, request: Request): boolean {
  if (!hasRaisedEpoch(fields) || fields.producerEpoch !== 0) return false
  return fields.previousProducerId === request.producerId && request.producerEpoch === EPOCH_MAX - 1
}

function hasRaisedEpoch({ clientTransactionVersion }: TransactionFields): boolean {
  return clientTransactionVersion >= EPOCH_BUMP_VERSION
}
