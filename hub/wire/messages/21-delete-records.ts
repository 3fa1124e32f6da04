/**
 * @module wire/messages/21-delete-records — moves the start of partitions forward.
 *
 * - 2: flexible
 */
import type { RequestInput, RequestOf, ResponseInput, ResponseOf } from '../message.ts'
import { api } from '../message.ts'
import { array, errorCode, int32, offset, string } from '../schema.ts'

export const DeleteRecords = api(21, 'DeleteRecords', {
  versions: '0-2',
  flexible: 2,
  request: {
    topics: array({
      name: string,
      partitions: array({
        partitionIndex: int32,
        offset,
      }),
    }),
    timeoutMs: int32,
  },
  response: {
    throttleTimeMs: int32,
    topics: array({
      name: string,
      partitions: array({
        partitionIndex: int32,
        lowWatermark: offset,
        errorCode,
      }),
    }),
  },
})

export type DeleteRecordsRequest = RequestOf<typeof DeleteRecords>
export type DeleteRecordsResponse = ResponseOf<typeof DeleteRecords>
export type DeleteRecordsRequestInput = RequestInput<typeof DeleteRecords>
export type DeleteRecordsResponseInput = ResponseInput<typeof DeleteRecords>
