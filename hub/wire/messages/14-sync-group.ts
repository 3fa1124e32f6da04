/**
 * @module wire/messages/14-sync-group — hands the leader's assignment to the members of a classic group.
 *
 * - 3: static members (KIP-345)
 * - 4: flexible
 * - 5: protocol type and name
 */
import type { RequestInput, RequestOf, ResponseInput, ResponseOf } from '../message.ts'
import { api } from '../message.ts'
import { array, bytes, errorCode, int32, string } from '../schema.ts'

export const SyncGroup = api(14, 'SyncGroup', {
  versions: '0-5',
  flexible: 4,
  request: {
    groupId: string,
    generationId: int32,
    memberId: string,
    groupInstanceId: string.in('3+').nullable(),
    protocolType: string.in('5+').nullable(),
    protocolName: string.in('5+').nullable(),
    assignments: array({
      memberId: string,
      assignment: bytes,
    }),
  },
  response: {
    throttleTimeMs: int32.in('1+'),
    errorCode,
    protocolType: string.in('5+').nullable(),
    protocolName: string.in('5+').nullable(),
    assignment: bytes,
  },
})

export type SyncGroupRequest = RequestOf<typeof SyncGroup>
export type SyncGroupResponse = ResponseOf<typeof SyncGroup>
export type SyncGroupRequestInput = RequestInput<typeof SyncGroup>
export type SyncGroupResponseInput = ResponseInput<typeof SyncGroup>
