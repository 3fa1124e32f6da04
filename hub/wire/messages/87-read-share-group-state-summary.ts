/**
 * @module wire/messages/87-read-share-group-state-summary — reads the start offsets of share partitions (KIP-932).
 *
 * - 1: count of delivered records (KIP-1226)
 */
import type { RequestInput, RequestOf, ResponseInput, ResponseOf } from '../message.ts'
import { api } from '../message.ts'
import { array, errorCode, int32, offset, string, uuid } from '../schema.ts'

export const ReadShareGroupStateSummary = api(87, 'ReadShareGroupStateSummary', {
  versions: '0-1',
  flexible: 0,
  request: {
    groupId: string,
    topics: array({
      topicId: uuid,
      partitions: array({
        partition: int32,
        leaderEpoch: int32,
      }),
    }),
  },
  response: {
    results: array({
      topicId: uuid,
      partitions: array({
        partition: int32,
        errorCode,
        errorMessage: string.nullable(),
        stateEpoch: int32,
        leaderEpoch: int32,
        startOffset: offset,
        deliveryCompleteCount: int32.in('1+').default(-1),
      }),
    }),
  },
})

export type ReadShareGroupStateSummaryRequest = RequestOf<typeof ReadShareGroupStateSummary>
export type ReadShareGroupStateSummaryResponse = ResponseOf<typeof ReadShareGroupStateSummary>
export type ReadShareGroupStateSummaryRequestInput = RequestInput<typeof ReadShareGroupStateSummary>
export type ReadShareGroupStateSummaryResponseInput = ResponseInput<typeof ReadShareGroupStateSummary>
