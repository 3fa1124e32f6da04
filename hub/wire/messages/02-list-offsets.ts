/**
 * @module wire/messages/02-list-offsets — finds offsets by timestamp; -1 asks for the end, -2 for the start, -3 for
 * the largest timestamp (KIP-734), -4 for the local start (KIP-405), -5 for the end of the tiered part.
 *
 * - 1: one offset per partition
 * - 2: isolation level
 * - 4: leader epochs (KIP-320)
 * - 6: flexible
 * - 7: largest timestamp
 * - 8: local start
 * - 9: end of the tiered part
 * - 10: timeout for remote lookups (KIP-1075)
 * - 11: earliest pending upload
 */
import type { RequestInput, RequestOf, ResponseInput, ResponseOf } from '../message.ts'
import { api } from '../message.ts'
import { array, errorCode, int8, int32, offset, string } from '../schema.ts'

export const ListOffsets = api(2, 'ListOffsets', {
  versions: '1-11',
  flexible: 6,
  request: {
    replicaId: int32,
    isolationLevel: int8.in('2+'),
    topics: array({
      name: string,
      partitions: array({
        partitionIndex: int32,
        currentLeaderEpoch: int32.in('4+').default(-1),
        timestamp: offset,
      }),
    }),
    timeoutMs: int32.in('10+'),
  },
  response: {
    throttleTimeMs: int32.in('2+'),
    topics: array({
      name: string,
      partitions: array({
        partitionIndex: int32,
        errorCode,
        timestamp: offset.default(-1),
        offset: offset.default(-1),
        leaderEpoch: int32.in('4+').default(-1),
      }),
    }),
  },
})

export type ListOffsetsRequest = RequestOf<typeof ListOffsets>
export type ListOffsetsResponse = ResponseOf<typeof ListOffsets>
export type ListOffsetsRequestInput = RequestInput<typeof ListOffsets>
export type ListOffsetsResponseInput = ResponseInput<typeof ListOffsets>
