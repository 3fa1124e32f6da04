/**
 * @module wire/messages/24-add-partitions-to-txn — adds partitions to a transaction.
 *
 * - 3: flexible
 * - 4: many transactions at once and verification only, between brokers (KIP-890)
 * - 5: transactions V2
 */
import type { RequestInput, RequestOf, ResponseInput, ResponseOf } from '../message.ts'
import { api } from '../message.ts'
import { array, bool, errorCode, int16, int32, offset, string, struct } from '../schema.ts'

const addPartitionsToTxnTopic = struct({
  name: string,
  partitions: array(int32),
})

const addPartitionsToTxnPartitionResult = struct({
  partitionIndex: int32,
  partitionErrorCode: int16,
})

const addPartitionsToTxnTopicResult = struct({
  name: string,
  resultsByPartition: array(addPartitionsToTxnPartitionResult),
})

export const AddPartitionsToTxn = api(24, 'AddPartitionsToTxn', {
  versions: '0-5',
  flexible: 3,
  request: {
    transactions: array({
      transactionalId: string,
      producerId: offset,
      producerEpoch: int16,
      verifyOnly: bool.default(false),
      topics: array(addPartitionsToTxnTopic),
    }).in('4+'),
    v3AndBelowTransactionalId: string.in('0-3'),
    v3AndBelowProducerId: offset.in('0-3'),
    v3AndBelowProducerEpoch: int16.in('0-3'),
    v3AndBelowTopics: array(addPartitionsToTxnTopic).in('0-3'),
  },
  response: {
    throttleTimeMs: int32,
    errorCode: errorCode.in('4+'),
    resultsByTransaction: array({
      transactionalId: string,
      topicResults: array(addPartitionsToTxnTopicResult),
    }).in('4+'),
    resultsByTopicV3AndBelow: array(addPartitionsToTxnTopicResult).in('0-3'),
  },
})

export type AddPartitionsToTxnRequest = RequestOf<typeof AddPartitionsToTxn>
export type AddPartitionsToTxnResponse = ResponseOf<typeof AddPartitionsToTxn>
export type AddPartitionsToTxnRequestInput = RequestInput<typeof AddPartitionsToTxn>
export type AddPartitionsToTxnResponseInput = ResponseInput<typeof AddPartitionsToTxn>
