/**
 * @module wire/messages/13-leave-group — takes members out of a group.
 *
 * - 3: many members, static ones by instance id (KIP-345)
 * - 4: flexible
 * - 5: reason (KIP-800)
 */
import type { RequestInput, RequestOf, ResponseInput, ResponseOf } from '../message.ts'
import { api } from '../message.ts'
import { array, errorCode, int32, string } from '../schema.ts'

export const LeaveGroup = api(13, 'LeaveGroup', {
  versions: '0-5',
  flexible: 4,
  request: {
    groupId: string,
    memberId: string.in('0-2'),
    members: array({
      memberId: string,
      groupInstanceId: string.nullable(),
      reason: string.in('5+').nullable(),
    }).in('3+'),
  },
  response: {
    throttleTimeMs: int32.in('1+'),
    errorCode,
    members: array({
      memberId: string,
      groupInstanceId: string.orNull(),
      errorCode,
    }).in('3+'),
  },
})

export type LeaveGroupRequest = RequestOf<typeof LeaveGroup>
export type LeaveGroupResponse = ResponseOf<typeof LeaveGroup>
export type LeaveGroupRequestInput = RequestInput<typeof LeaveGroup>
export type LeaveGroupResponseInput = ResponseInput<typeof LeaveGroup>
