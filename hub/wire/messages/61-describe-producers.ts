/**
 * @module wire/messages/61-describe-producers — describes producers of partitions, to find hanging transactions
 * (KIP-664).
 */
import type { RequestInput, RequestOf, ResponseInput, ResponseOf } from '../message.ts'
import { api } from '../message.ts'
import { array, errorCode, int32, offset, string } from '../schema.ts'

export const DescribeProducers = api(61, 'DescribeProducers', {
  versions: '0',
  flexible: 0,
  request: {
    topics: array({
      name: string,
      partitionIndexes: array(int32),
    }),
  },
  response: {
    throttleTimeMs: int32,
    topics: array({
      name: string,
      partitions: array({
        partitionIndex: int32,
        errorCode,
        errorMessage: string.nullable(),
        activeProducers: array({
          producerId: offset,
          producerEpoch: int32,
          lastSequence: int32.default(-1),
          lastTimestamp: offset.default(-1),
          coordinatorEpoch: int32,
          currentTxnStartOffset: offset.default(-1),
        }),
      }),
    }),
  },
})

export type DescribeProducersRequest = RequestOf<typeof DescribeProducers>
export type DescribeProducersResponse = ResponseOf<typeof DescribeProducers>
export type DescribeProducersRequestInput = RequestInput<typeof DescribeProducers>
export type DescribeProducersResponseInput = ResponseInput<typeof DescribeProducers>
