/**
 * @module wire/messages/85-write-share-group-state — writes the state of share partitions (KIP-932).
 *
 * - 1: count of delivered records (KIP-1226)
 */
import type { RequestInput, RequestOf, ResponseInput, ResponseOf } from '../message.ts'
import { api } from '../message.ts'
import { array, errorCode, int8, int16, int32, offset, string, uuid } from '../schema.ts'

export const WriteShareGroupState = api(85, 'WriteShareGroupState', {
  versions: '0-1',
  flexible: 0,
  request: {
    groupId: string,
    topics: array({
      topicId: uuid,
      partitions: array({
        partition: int32,
        stateEpoch: int32,
        leaderEpoch: int32,
        startOffset: offset,
        deliveryCompleteCount: int32.in('1+').default(-1),
        stateBatches: array({
          firstOffset: offset,
          lastOffset: offset,
          deliveryState: int8,
          deliveryCount: int16,
        }),
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
      }),
    }),
  },
})

export type WriteShareGroupStateRequest = RequestOf<typeof WriteShareGroupState>
export type WriteShareGroupStateResponse = ResponseOf<typeof WriteShareGroupState>
export type WriteShareGroupStateRequestInput = RequestInput<typeof WriteShareGroupState>
export type WriteShareGroupStateResponseInput = ResponseInput<typeof WriteShareGroupState>
