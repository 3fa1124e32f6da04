/**
 * @module wire/messages/11-join-group — joins a classic group and waits for the rebalance.
 *
 * - 1: rebalance timeout
 * - 4: first join is told its member id before it may join (KIP-394)
 * - 5: static members (KIP-345)
 * - 6: flexible
 * - 7: the response names the protocol type
 * - 8: reason of the join (KIP-800)
 * - 9: the leader may be told to skip the assignment (KIP-814)
 */
import type { RequestInput, RequestOf, ResponseInput, ResponseOf } from '../message.ts'
import { api } from '../message.ts'
import { array, bool, bytes, errorCode, int32, string } from '../schema.ts'

export const JoinGroup = api(11, 'JoinGroup', {
  versions: '0-9',
  flexible: 6,
  request: {
    groupId: string,
    sessionTimeoutMs: int32,
    rebalanceTimeoutMs: int32.in('1+').default(-1),
    memberId: string,
    groupInstanceId: string.in('5+').nullable(),
    protocolType: string,
    protocols: array({
      name: string,
      metadata: bytes,
    }),
    reason: string.in('8+').nullable(),
  },
  response: {
    throttleTimeMs: int32.in('2+'),
    errorCode,
    generationId: int32.default(-1),
    protocolType: string.in('7+').nullable(),
    protocolName: string.orNull('7+'),
    leader: string,
    skipAssignment: bool.in('9+').default(false),
    memberId: string,
    members: array({
      memberId: string,
      groupInstanceId: string.in('5+').nullable(),
      metadata: bytes,
    }),
  },
})

export type JoinGroupRequest = RequestOf<typeof JoinGroup>
export type JoinGroupResponse = ResponseOf<typeof JoinGroup>
export type JoinGroupRequestInput = RequestInput<typeof JoinGroup>
export type JoinGroupResponseInput = ResponseInput<typeof JoinGroup>
