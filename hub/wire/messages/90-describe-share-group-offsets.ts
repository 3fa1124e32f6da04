/**
 * @module wire/messages/90-describe-share-group-offsets — tells the start offsets of share groups (KIP-932).
 *
 * - 1: lag (KIP-1226)
 */
import type { RequestInput, RequestOf, ResponseInput, ResponseOf } from '../message.ts'
import { api } from '../message.ts'
import { array, errorCode, int32, offset, string, uuid } from '../schema.ts'

export const DescribeShareGroupOffsets = api(90, 'DescribeShareGroupOffsets', {
  versions: '0-1',
  flexible: 0,
  request: {
    groups: array({
      groupId: string,
      topics: array({
        topicName: string,
        partitions: array(int32),
      }).orNull(),
    }),
  },
  response: {
    throttleTimeMs: int32,
    groups: array({
      groupId: string,
      topics: array({
        topicName: string,
        topicId: uuid,
        partitions: array({
          partitionIndex: int32,
          startOffset: offset,
          leaderEpoch: int32,
          lag: offset.in('1+').default(-1),
          errorCode,
          errorMessage: string.nullable(),
        }),
      }),
      errorCode,
      errorMessage: string.nullable(),
    }),
  },
})

export type DescribeShareGroupOffsetsRequest = RequestOf<typeof DescribeShareGroupOffsets>
export type DescribeShareGroupOffsetsResponse = ResponseOf<typeof DescribeShareGroupOffsets>
export type DescribeShareGroupOffsetsRequestInput = RequestInput<typeof DescribeShareGroupOffsets>
export type DescribeShareGroupOffsetsResponseInput = ResponseInput<typeof DescribeShareGroupOffsets>
