/**
 * @module wire/messages/23-offset-for-leader-epoch — finds the end offset of a leader epoch, to detect truncation.
 *
 * - 3: replica id
 * - 4: flexible
 */
import type { RequestInput, RequestOf, ResponseInput, ResponseOf } from '../message.ts'
import { api } from '../message.ts'
import { array, errorCode, int32, offset, string } from '../schema.ts'

export const OffsetForLeaderEpoch = api(23, 'OffsetForLeaderEpoch', {
  versions: '2-4',
  flexible: 4,
  request: {
    replicaId: int32.in('3+').default(-2),
    topics: array({
      topic: string,
      partitions: array({
        partition: int32,
        currentLeaderEpoch: int32.default(-1),
        leaderEpoch: int32,
      }),
    }),
  },
  response: {
    throttleTimeMs: int32,
    topics: array({
      topic: string,
      partitions: array({
        errorCode,
        partition: int32,
        leaderEpoch: int32.default(-1),
        endOffset: offset.default(-1),
      }),
    }),
  },
})

export type OffsetForLeaderEpochRequest = RequestOf<typeof OffsetForLeaderEpoch>
export type OffsetForLeaderEpochResponse = ResponseOf<typeof OffsetForLeaderEpoch>
export type OffsetForLeaderEpochRequestInput = RequestInput<typeof OffsetForLeaderEpoch>
export type OffsetForLeaderEpochResponseInput = ResponseInput<typeof OffsetForLeaderEpoch>
