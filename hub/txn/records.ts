/**
 * @module txn/records — transactional ids as Kafka's records of `__transaction_state`.
 *
 * Written in value version 1 (flexible: producer ids before and after, the client's version) from `transaction.version` 1 on, else in 0; read
 * in both. Source: org.apache.kafka.coordinator.transaction.TransactionLog of Kafka 4.3.1.
 */
import {
  decodeCoordinatorKey,
  decodeCoordinatorValue,
  encodeCoordinatorKey,
  encodeCoordinatorValue,
  TransactionLogKey,
  TransactionLogValue,
} from '../wire/index.ts'
import { NO_PARTITIONS, type PartitionSet } from './partitions.ts'
import { NO_PRODUCER_EPOCH, TRANSACTION_STATES, type TransactionFields, type TransactionVersion } from './transaction.ts'

/** A record to append; a null value is a tombstone. */
export interface TransactionRecord {
  readonly key: Buffer
  readonly value: Buffer | null
}

/** A record of the log, read. */
export type LoadedRecord =
  | { readonly kind: 'transaction'; readonly transactionalId: string; readonly fields: TransactionFields | null }
  /** Of a key type or a state that we don't know. */
  | { readonly kind: 'unknown'; readonly what: string }

/** The record of an id; of one that is dead the tombstone. */
export function transactionRecord(transactionalId: string, fields: TransactionFields, level: TransactionVersion): TransactionRecord {
  const key = encodeCoordinatorKey(TransactionLogKey, { transactionalId })
  return { key, value: fields.state === 'Dead' ? null : encodeFields(fields, level) }
}

/** Reads a record. Throws DecodeError for a malformed one or a value of a version that we don't know. */
export function decodeRecord(key: Buffer, value: Buffer | null): LoadedRecord {
  const decoded = decodeCoordinatorKey(key, 'transaction')
  if (decoded === undefined) return { kind: 'unknown', what: `key type ${key.readInt16BE(0)}` }
  const { transactionalId } = decoded.value
  if (value === null) return { kind: 'transaction', transactionalId, fields: null }
  const read = decodeCoordinatorValue(TransactionLogValue, value)
  const state = TRANSACTION_STATES[read.transactionStatus]
  if (state === undefined || state === 'Dead' || state === 'PrepareEpochFence') {
    return { kind: 'unknown', what: `state ${read.transactionStatus}` }
  }
  const fields: TransactionFields = {
    state,
    producerId: read.producerId,
    previousProducerId: read.previousProducerId,
    nextProducerId: read.nextProducerId,
    producerEpoch: read.producerEpoch,
    lastProducerEpoch: NO_PRODUCER_EPOCH,
    timeoutMs: read.transactionTimeoutMs,
    partitions: readPartitions(read.transactionPartitions),
    startMs: read.transactionStartTimestampMs,
    lastUpdateMs: read.transactionLastUpdateTimestampMs,
    clientTransactionVersion: versionOf(read.clientTransactionVersion),
  }
  return { kind: 'transaction', transactionalId, fields }
}

function encodeFields(fields: TransactionFields, level: TransactionVersion): Buffer {
  const common = {
    producerId: fields.producerId,
    producerEpoch: fields.producerEpoch,
    transactionTimeoutMs: fields.timeoutMs,
    transactionStatus: TRANSACTION_STATES.indexOf(fields.state),
    transactionPartitions: fields.state === 'Empty' ? null : listed(fields.partitions),
    transactionLastUpdateTimestampMs: fields.lastUpdateMs,
    transactionStartTimestampMs: fields.startMs,
  }
  if (level === 0) return encodeCoordinatorValue(TransactionLogValue, common, 0)
  const { previousProducerId, nextProducerId, clientTransactionVersion } = fields
  return encodeCoordinatorValue(TransactionLogValue, { ...common, previousProducerId, nextProducerId, clientTransactionVersion }, 1)
}

function listed(partitions: PartitionSet): { topic: string; partitionIds: number[] }[] {
  return Array.from(partitions, ([topic, numbers]) => ({ topic, partitionIds: [...numbers] }))
}

function readPartitions(listing: readonly { readonly topic: string; readonly partitionIds: readonly number[] }[] | null): PartitionSet {
  if (listing === null || listing.length === 0) return NO_PARTITIONS
  return new Map(listing.map(({ topic, partitionIds }) => [topic, new Set(partitionIds)]))
}

/** Of a later version only what it has in common with 2 counts. */
function versionOf(level: number): TransactionVersion {
  return level <= 0 ? 0 : level === 1 ? 1 : 2
}
