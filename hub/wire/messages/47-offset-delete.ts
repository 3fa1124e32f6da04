/**
 * @module wire/messages/47-offset-delete — deletes stored offsets of a group (KIP-496).
 */
import type { RequestInput, RequestOf, ResponseInput, ResponseOf } from '../message.ts'
import { api } from '../message.ts'
import { array, errorCode, int32, string } from '../schema.ts'

export const OffsetDelete = api(47, 'OffsetDelete', {
  versions: '0',
  request: {
    groupId: string,
    topics: array({
      name: string,
      partitions: array({
        partitionIndex: int32,
      }),
    }),
  },
  response: {
    errorCode,
    throttleTimeMs: int32,
    topics: array({
      name: string,
      partitions: array({
        partitionIndex: int32,
        errorCode,
      }),
    }),
  },
})

export type OffsetDeleteRequest = RequestOf<typeof OffsetDelete>
export type OffsetDeleteResponse = ResponseOf<typeof OffsetDelete>
export type OffsetDeleteRequestInput = RequestInput<typeof OffsetDelete>
export type OffsetDeleteResponseInput = ResponseInput<typeof OffsetDelete>
