/**
 * @module wire/messages/92-delete-share-group-offsets — deletes the start offsets of share groups (KIP-932).
 */
import type { RequestInput, RequestOf, ResponseInput, ResponseOf } from '../message.ts'
import { api } from '../message.ts'
import { array, errorCode, int32, string, uuid } from '../schema.ts'

export const DeleteShareGroupOffsets = api(92, 'DeleteShareGroupOffsets', {
  versions: '0',
  flexible: 0,
  request: {
    groupId: string,
    topics: array({
      topicName: string,
    }),
  },
  response: {
    throttleTimeMs: int32,
    errorCode,
    errorMessage: string.nullable(),
    responses: array({
      topicName: string,
      topicId: uuid,
      errorCode,
      errorMessage: string.nullable(),
    }),
  },
})

export type DeleteShareGroupOffsetsRequest = RequestOf<typeof DeleteShareGroupOffsets>
export type DeleteShareGroupOffsetsResponse = ResponseOf<typeof DeleteShareGroupOffsets>
export type DeleteShareGroupOffsetsRequestInput = RequestInput<typeof DeleteShareGroupOffsets>
export type DeleteShareGroupOffsetsResponseInput = ResponseInput<typeof DeleteShareGroupOffsets>
