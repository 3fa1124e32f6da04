/**
 * @module wire/messages/15-describe-groups — describes classic groups.
 *
 * - 3: authorized operations (KIP-430)
 * - 4: static members (KIP-345)
 * - 5: flexible
 * - 6: error message; an unknown group is GROUP_ID_NOT_FOUND (KIP-1043)
 */
import type { RequestInput, RequestOf, ResponseInput, ResponseOf } from '../message.ts'
import { api } from '../message.ts'
import { array, bool, bytes, errorCode, int32, string } from '../schema.ts'

export const DescribeGroups = api(15, 'DescribeGroups', {
  versions: '0-6',
  flexible: 5,
  request: {
    groups: array(string),
    includeAuthorizedOperations: bool.in('3+'),
  },
  response: {
    throttleTimeMs: int32.in('1+'),
    groups: array({
      errorCode,
      errorMessage: string.in('6+').nullable(),
      groupId: string,
      groupState: string,
      protocolType: string,
      protocolData: string,
      members: array({
        memberId: string,
        groupInstanceId: string.in('4+').nullable(),
        clientId: string,
        clientHost: string,
        memberMetadata: bytes,
        memberAssignment: bytes,
      }),
      authorizedOperations: int32.in('3+').default(-2_147_483_648),
    }),
  },
})

export type DescribeGroupsRequest = RequestOf<typeof DescribeGroups>
export type DescribeGroupsResponse = ResponseOf<typeof DescribeGroups>
export type DescribeGroupsRequestInput = RequestInput<typeof DescribeGroups>
export type DescribeGroupsResponseInput = ResponseInput<typeof DescribeGroups>
