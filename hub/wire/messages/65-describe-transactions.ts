/**
 * @module wire/messages/65-describe-transactions — describes transactions by their ids (KIP-664).
 */
import type { RequestInput, RequestOf, ResponseInput, ResponseOf } from '../message.ts'
import { api } from '../message.ts'
import { array, errorCode, int16, int32, offset, string } from '../schema.ts'

export const DescribeTransactions = api(65, 'DescribeTransactions', {
  versions: '0',
  flexible: 0,
  request: {
    transactionalIds: array(string),
  },
  response: {
    throttleTimeMs: int32,
    transactionStates: array({
      errorCode,
      transactionalId: string,
      transactionState: string,
      transactionTimeoutMs: int32,
      transactionStartTimeMs: offset,
      producerId: offset,
      producerEpoch: int16,
      topics: array({
        topic: string,
        partitions: array(int32),
      }),
    }),
  },
})

export type DescribeTransactionsRequest = RequestOf<typeof DescribeTransactions>
export type DescribeTransactionsResponse = ResponseOf<typeof DescribeTransactions>
export type DescribeTransactionsRequestInput = RequestInput<typeof DescribeTransactions>
export type DescribeTransactionsResponseInput = ResponseInput<typeof DescribeTransactions>
