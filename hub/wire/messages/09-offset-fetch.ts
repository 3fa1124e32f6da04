/**
 * @module wire/messages/09-offset-fetch — reads stored offsets of groups.
 *
 * - 2: null asks for all topics; error code of the group
 * - 5: leader epochs
 * - 6: flexible
 * - 7: refuses unstable offsets of open transactions (KIP-447)
 * - 8: many groups at once (KIP-709)
 * - 9: members of the new consumer protocol (KIP-848)
 * - 10: topic ids
 */
import type { RequestInput, RequestOf, ResponseInput, ResponseOf } from '../message.ts'
import { api } from '../message.ts'
import { array, bool, errorCode, int32, offset, string, uuid } from '../schema.ts'

export const OffsetFetch = api(9, 'OffsetFetch', {
  versions: '1-10',
  flexible: 6,
  request: {
    groupId: string.in('1-7'),
    topics: array({
      name: string,
      partitionIndexes: array(int32),
    })
      .in('1-7')
      .orNull('2-7'),
    groups: array({
      groupId: string,
      memberId: string.in('9+').nullable(),
      memberEpoch: int32.in('9+').default(-1),
      topics: array({
        name: string.in('8-9'),
        topicId: uuid.in('10+'),
        partitionIndexes: array(int32),
      }).orNull(),
    }).in('8+'),
    requireStable: bool.in('7+').default(false),
  },
  response: {
    throttleTimeMs: int32.in('3+'),
    topics: array({
      name: string,
      partitions: array({
        partitionIndex: int32,
        committedOffset: offset,
        committedLeaderEpoch: int32.in('5-7').default(-1),
        metadata: string.orNull(),
        errorCode,
      }),
    }).in('1-7'),
    errorCode: errorCode.in('2-7').default(0),
    groups: array({
      groupId: string,
      topics: array({
        name: string.in('8-9'),
        topicId: uuid.in('10+'),
        partitions: array({
          partitionIndex: int32,
          committedOffset: offset,
          committedLeaderEpoch: int32.default(-1),
          metadata: string.orNull(),
          errorCode,
        }),
      }),
      errorCode: errorCode.default(0),
    }).in('8+'),
  },
})

export type OffsetFetchRequest = RequestOf<typeof OffsetFetch>
export type OffsetFetchResponse = ResponseOf<typeof OffsetFetch>
export type OffsetFetchRequestInput = RequestInput<typeof OffsetFetch>
export type OffsetFetchResponseInput = ResponseInput<typeof OffsetFetch>
