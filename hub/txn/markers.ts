/**
 * @module txn/markers — writes the markers of a decided transaction, to each of its partitions until it stands.
 *
 * Partitions do not wait for each other: one that is fenced, or not open yet, is tried again and keeps only this transaction from its
 * completion. One that was deleted meanwhile has nothing left to decide. One that knows a higher epoch of the producer, or of the coordinator,
 * was decided by somebody else.
 */
import type { Clock } from '../io/index.ts'
import type { Marker } from '../log/index.ts'
import type { Logger } from '../observe/index.ts'
import { ErrorCode } from '../wire/index.ts'
import { partitionsOf, type TopicPartition } from './partitions.ts'
import type { TransactionFields } from './transaction.ts'
import type { TransactionLimits } from './transaction-config.ts'
import type { MarkerWriter } from './types.ts'

/** What the writing of markers works with. */
export interface MarkerTools {
  readonly clock: Clock
  readonly logger: Logger
  readonly limits: TransactionLimits
  readonly markers: MarkerWriter
}

/** Answers of a partition that was decided without us. */
const DECIDED: ReadonlySet<number> = new Set([ErrorCode.INVALID_PRODUCER_EPOCH, ErrorCode.TRANSACTION_COORDINATOR_FENCED])
/** Attempts at one partition before the log hears of it. */
const ATTEMPTS_UNTOLD = 3

/** The marker that a prepared transaction's fields speak of. */
export function markerOf(fields: TransactionFields, coordinatorEpoch: number): Marker {
  return {
    producerId: fields.producerId,
    producerEpoch: fields.producerEpoch,
    coordinatorEpoch,
    isCommit: fields.state === 'PrepareCommit',
    transactionVersion: fields.clientTransactionVersion,
  }
}

/** Resolves when every partition has the marker or needs none; rejects when `signal` aborts first. */
export async function writeMarkers(
  transactionalId: string,
  fields: TransactionFields,
  marker: Marker,
  tools: MarkerTools,
  signal: AbortSignal,
): Promise<void> {
  await Promise.all(Array.from(partitionsOf(fields.partitions), (partition) => writeOne(transactionalId, partition, marker, tools, signal)))
}

async function writeOne(
  transactionalId: string,
  partition: TopicPartition,
  marker: Marker,
  { clock, logger, limits, markers }: MarkerTools,
  signal: AbortSignal,
): Promise<void> {
  const name = `${partition.topic}-${partition.partition}`
  for (let attempt = 1, backoffMs = limits.retryBackoffMs; ; attempt++, backoffMs = Math.min(backoffMs * 2, limits.retryBackoffMsMax)) {
    const errorCode = await markers.write(partition, marker)
    if (errorCode === ErrorCode.NONE) return
    if (errorCode === ErrorCode.UNKNOWN_TOPIC_OR_PARTITION) {
      logger.info(`${name} is gone: it gets no marker of transactional id ${transactionalId}`)
      return
    }
    if (DECIDED.has(errorCode)) {
      logger.warn(`${name} takes no marker of transactional id ${transactionalId}: its transaction was ended by a later epoch`, {
        errorCode,
      })
      return
    }
    if (attempt === ATTEMPTS_UNTOLD) {
      logger.warn(`${name} has no marker of transactional id ${transactionalId} yet; trying on`, { errorCode })
    }
    await clock.sleep(backoffMs, signal)
  }
}
