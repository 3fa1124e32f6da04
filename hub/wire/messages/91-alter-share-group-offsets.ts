/**
 * @module wire/messages/91-alter-share-group-offsets — sets the start offsets of share groups (KIP-932).
 */
import type { RequestInput, RequestOf, ResponseInput, ResponseOf } from '../message.ts'
import { api } from '../message.ts'
import { array, errorCode, int32, offset, string, uuid } from '../schema.ts'

export const AlterShareGroupOffsets = api(91, 'AlterShareGroupOffsets', {
  versions: '0',
  flexible: 0,
  request: {
    groupId: string,
    topics: array({
      topicName: string,
      partitions: array({
        partitionIndex: int32,
        startOffset: offset,
      }),
    }),
  },
  response: {
    throttleTimeMs: int32,
    errorCode,
    errorMessage: string.nullable(),
    responses: array({
      topicName: string,
      topicId: uuid,
      partitions: array({
        partitionIndex: int32,
        errorCode,
        errorMessage: string.nullable(),
      }),
    }),
  },
})

export type AlterShareGroupOffsetsRequest = RequestOf<typeof AlterShareGroupOffsets>
export type AlterShareGroupOffsetsResponse = ResponseOf<typeof AlterShareGroupOffsets>
export type AlterShareGroupOffsetsRequestInput = RequestInput<typeof AlterShareGroupOffsets>
export type AlterShareGroupOffsetsResponseInput = ResponseInput<typeof AlterShareGroupOffsets>
