/**
 * @module wire/messages/42-delete-groups — deletes groups that have no members.
 *
 * - 2: flexible
 */
import type { RequestInput, RequestOf, ResponseInput, ResponseOf } from '../message.ts'
import { api } from '../message.ts'
import { array, errorCode, int32, string } from '../schema.ts'

export const DeleteGroups = api(42, 'DeleteGroups', {
  versions: '0-2',
  flexible: 2,
  request: {
    groupsNames: array(string),
  },
  response: {
    throttleTimeMs: int32,
    results: array({
      groupId: string,
      errorCode,
    }),
  },
})

export type DeleteGroupsRequest = RequestOf<typeof DeleteGroups>
export type DeleteGroupsResponse = ResponseOf<typeof DeleteGroups>
export type DeleteGroupsRequestInput = RequestInput<typeof DeleteGroups>
export type DeleteGroupsResponseInput = ResponseInput<typeof DeleteGroups>
