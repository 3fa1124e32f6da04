/**
 * @module wire/messages/16-list-groups — lists groups.
 *
 * - 3: flexible
 * - 4: filter by state (KIP-518)
 * - 5: filter by type (KIP-848)
 */
import type { RequestInput, RequestOf, ResponseInput, ResponseOf } from '../message.ts'
import { api } from '../message.ts'
import { array, errorCode, int32, string } from '../schema.ts'

export const ListGroups = api(16, 'ListGroups', {
  versions: '0-5',
  flexible: 3,
  request: {
    statesFilter: array(string).in('4+'),
    typesFilter: array(string).in('5+'),
  },
  response: {
    throttleTimeMs: int32.in('1+'),
    errorCode,
    groups: array({
      groupId: string,
      protocolType: string,
      groupState: string.in('4+'),
      groupType: string.in('5+'),
    }),
  },
})

export type ListGroupsRequest = RequestOf<typeof ListGroups>
export type ListGroupsResponse = ResponseOf<typeof ListGroups>
export type ListGroupsRequestInput = RequestInput<typeof ListGroups>
export type ListGroupsResponseInput = ResponseInput<typeof ListGroups>
