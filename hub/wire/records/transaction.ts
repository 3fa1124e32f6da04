/**
 * @module wire/records/transaction — transactions as `__transaction_state` stores them (KIP-98; transactions V2:
 * KIP-890).
 */
import { record } from '../message.ts'
import { array, int8, int16, int32, offset, string } from '../schema.ts'

/** A transactional id. */
export const TransactionLogKey = record(0, 'TransactionLogKey', {
  versions: '0',
  fields: {
    transactionalId: string,
  },
})

/** State of a transaction. 1: flexible; former and next producer ids (KIP-890). */
export const TransactionLogValue = record(0, 'TransactionLogValue', {
  versions: '0-1',
  flexible: 1,
  fields: {
    producerId: offset,
    previousProducerId: offset.in('1+').default(-1).tag(0),
    nextProducerId: offset.in('1+').default(-1).tag(1),
    producerEpoch: int16,
    nextProducerEpoch: int16.in('1+').default(-1).tag(3),
    transactionTimeoutMs: int32,
    transactionStatus: int8,
    transactionPartitions: array({
      topic: string,
      partitionIds: array(int32),
    }).orNull(),
    transactionLastUpdateTimestampMs: offset,
    transactionStartTimestampMs: offset,
    clientTransactionVersion: int16.in('1+').default(0).tag(2),
  },
})
