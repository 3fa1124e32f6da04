/**
 * @module wire/messages/08-offset-commit — stores offsets of a group.
 *
 * - 2-4: retention time of the request
 * - 5: no more retention time (KIP-211)
 * - 6: leader epochs (KIP-320)
 * - 7: static members (KIP-345)
 * - 8: flexible
 * - 9: members of the new consumer protocol (KIP-848)
 * - 10: topic ids
 */
import type { RequestInput, RequestOf, ResponseInput, ResponseOf } from '../message.ts'
import { api } from '../message.ts'
import { array, errorCode, int32, offset, string, uuid } from '../schema.ts'

export const OffsetCommit = api(8, 'OffsetCommit', {
  versions: '2-10',
  flexible: 8,
  request: {
    groupId: string,
    generationIdOrMemberEpoch: int32.default(-1),
    memberId: string,
    groupInstanceId: string.in('7+').nullable(),
    retentionTimeMs: offset.in('2-4').default(-1),
    topics: array({
      name: string.in('2-9'),
      topicId: uuid.in('10+'),
      partitions: array({
        partitionIndex: int32,
        committedOffset: offset,
        committedLeaderEpoch: int32.in('6+').default(-1),
        committedMetadata: string.orNull(),
      }),
    }),
  },
  response: {
    throttleTimeMs: int32.in('3+'),
    topics: array({
      name: string.in('2-9'),
      topicId: uuid.in('10+'),
      partitions: array({
        partitionIndex: int32,
        errorCode,
      }),
    }),
  },
})

export type OffsetCommitRequest = RequestOf<typeof OffsetCommit>
export type OffsetCommitResponse = ResponseOf<typeof OffsetCommit>
export type OffsetCommitRequestInput = RequestInput<typeof OffsetCommit>
export type OffsetCommitResponseInput = ResponseInput<typeof OffsetCommit>
