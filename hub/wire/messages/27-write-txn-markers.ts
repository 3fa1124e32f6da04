/**
 * @module wire/messages/27-write-txn-markers — writes commit or abort markers into partitions; sent by transaction
 * coordinators.
 *
 * - 1: flexible
 * - 2: transaction version of the marker (KIP-1228)
 */
import type { RequestInput, RequestOf, ResponseInput, ResponseOf } from '../message.ts'
import { api } from '../message.ts'
import { array, bool, errorCode, int8, int16, int32, offset, string } from '../schema.ts'

export const WriteTxnMarkers = api(27, 'WriteTxnMarkers', {
  versions: '1-2',
  flexible: 1,
  request: {
    markers: array({
      producerId: offset,
      producerEpoch: int16,
      transactionResult: bool,
      topics: array({
        name: string,
        partitionIndexes: array(int32),
      }),
      coordinatorEpoch: int32,
      transactionVersion: int8.in('2+').default(0),
    }),
  },
  response: {
    markers: array({
      producerId: offset,
      topics: array({
        name: string,
        partitions: array({
          partitionIndex: int32,
          errorCode,
        }),
      }),
    }),
  },
})

export type WriteTxnMarkersRequest = RequestOf<typeof WriteTxnMarkers>
export type WriteTxnMarkersResponse = ResponseOf<typeof WriteTxnMarkers>
export type WriteTxnMarkersRequestInput = RequestInput<typeof WriteTxnMarkers>
export type WriteTxnMarkersResponseInput = ResponseInput<typeof WriteTxnMarkers>
