/**
 * @module wire/messages/86-delete-share-group-state — deletes the state of share partitions (KIP-932).
 */
import type { RequestInput, RequestOf, ResponseInput, ResponseOf } from '../message.ts'
import { api } from '../message.ts'
import { array, errorCode, int32, string, uuid } from '../schema.ts'

export const DeleteShareGroupState = api(86, 'DeleteShareGroupState', {
  versions: '0',
  flexible: 0,
  request: {
    groupId: string,
    topics: array({
      topicId: uuid,
      partitions: array({
        partition: int32,
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

export type DeleteShareGroupStateRequest = RequestOf<typeof DeleteShareGroupState>
export type DeleteShareGroupStateResponse = ResponseOf<typeof DeleteShareGroupState>
export type DeleteShareGroupStateRequestInput = RequestInput<typeof DeleteShareGroupState>
export type DeleteShareGroupStateResponseInput = ResponseInput<typeof DeleteShareGroupState>
