/**
 * @module txn/add-partitions — partitions join a transaction: AddPartitionsToTxn, AddOffsetsToTxn, and the first batch of a client that
 * speaks TV2 (KIP-890). Pure.
 */
import { ErrorCode } from '../wire/index.ts'
import { hasPartition, withPartitions } from './partitions.ts'
import { appending, code, refused } from './steps.ts'
import type { TopicPartition } from './partitions.ts'
import type { Circumstances, Step, Transaction, TransactionRequest } from './transaction.ts'

type Request = Extract<TransactionRequest, { readonly type: 'addPartitions' }>

/** The first partitions of a transaction. */
export function addToIdle(transaction: Transaction, request: Request, circumstances: Circumstances): Step {
  return judgeProducer(transaction, request) ?? append(transaction, request, circumstances, circumstances.nowMs)
}

/** Further ones; those that take part already are fine at once. */
export function addToOngoing(transaction: Transaction, request: Request, circumstances: Circumstances): Step {
  const { fields } = transaction
  const judged = judgeProducer(transaction, request)
  if (judged !== undefined) return judged
  if (request.partitions.every((partition) => hasPartition(fields.partitions, partition))) return refused(transaction, ErrorCode.NONE)
  return append(transaction, request, circumstances, fields.startMs)
}

/**
 * Whether each partition takes part, for a broker that is about to append to it (KIP-890 part 1): an error code each. Changes nothing.
 */
export function verifyPartitions(
  transaction: Transaction | null,
  producer: { readonly producerId: number; readonly producerEpoch: number },
  partitions: readonly TopicPartition[],
): number[] {
  const all = (errorCode: number): number[] => partitions.map(() => errorCode)
  if (transaction === null) return all(ErrorCode.INVALID_PRODUCER_ID_MAPPING)
  const { fields } = transaction
  if (fields.producerId !== producer.producerId) return all(ErrorCode.INVALID_PRODUCER_ID_MAPPING)
  if (fields.producerEpoch !== producer.producerEpoch) return all(ErrorCode.PRODUCER_FENCED)
  if (fields.state === 'PrepareCommit' || fields.state === 'PrepareAbort') return all(ErrorCode.CONCURRENT_TRANSACTIONS)
  return partitions.map((partition) => (hasPartition(fields.partitions, partition) ? ErrorCode.NONE : ErrorCode.TRANSACTION_ABORTABLE))
}

function judgeProducer(transaction: Transaction, { producerId, producerEpoch }: Request): Step | undefined {
  const { fields } = transaction
  if (fields.producerId !== producerId) return refused(transaction, ErrorCode.INVALID_PRODUCER_ID_MAPPING)
  return fields.producerEpoch === producerEpoch ? undefined : refused(transaction, ErrorCode.PRODUCER_FENCED)
}

function append(transaction: Transaction, request: Request, { nowMs }: Circumstances, startMs: number): Step {
  const { fields } = transaction
  const next = {
    ...fields,
    state: 'Ongoing',
    previousProducerId: fields.producerId,
    partitions: withPartitions(fields.partitions, request.partitions),
    startMs,
    lastUpdateMs: nowMs,
    clientTransactionVersion: request.clientTransactionVersion,
  } as const
  return appending(transaction, next, code(ErrorCode.NONE))
}
