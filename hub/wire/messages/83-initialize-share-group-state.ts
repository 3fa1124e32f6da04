/**
 * @module wire/messages/83-initialize-share-group-state — creates the state of share partitions (KIP-932).
 */
import type { RequestInput, RequestOf, ResponseInput, ResponseOf } from '../message.ts'
import { api } from '../message.ts'
import { array, errorCode, int32, offset, string, uuid } from '../schema.ts'

export const InitializeShareGroupState = api(83, 'InitializeShareGroupState', {
  versions: '0',
  flexible: 0,
  request: {
    groupId: string,
    topics: array({
      topicId: uuid,
      partitions: array({
        partition: int32,
        stateEpoch: int32,
        startOffset: offset,
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

export type InitializeShareGroupStateRequest = RequestOf<typeof InitializeShareGroupState>
export type InitializeShareGroupStateResponse = ResponseOf<typeof InitializeShareGroupState>
export type InitializeShareGroupStateRequestInput = RequestInput<typeof InitializeShareGroupState>
export type InitializeShareGroupStateResponseInput = ResponseInput<typeof InitializeShareGroupState>
