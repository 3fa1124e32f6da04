/**
 * @module wire/messages/84-read-share-group-state — reads the state of share partitions (KIP-932).
 */
import type { RequestInput, RequestOf, ResponseInput, ResponseOf } from '../message.ts'
import { api } from '../message.ts'
import { array, errorCode, int8, int16, int32, offset, string, uuid } from '../schema.ts'

export const ReadShareGroupState = api(84, 'ReadShareGroupState', {
  versions: '0',
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
        startOffset: offset,
        stateBatches: array({
          firstOffset: offset,
          lastOffset: offset,
          deliveryState: int8,
          deliveryCount: int16,
        }),
      }),
    }),
  },
})

export type ReadShareGroupStateRequest = RequestOf<typeof ReadShareGroupState>
export type ReadShareGroupStateResponse = ResponseOf<typeof ReadShareGroupState>
export type ReadShareGroupStateRequestInput = RequestInput<typeof ReadShareGroupState>
export type ReadShareGroupStateResponseInput = ResponseInput<typeof ReadShareGroupState>
