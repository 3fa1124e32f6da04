/**
 * @module wire/messages/12-heartbeat — keeps a member of a classic group alive.
 *
 * - 3: static members (KIP-345)
 * - 4: flexible
 */
import type { RequestInput, RequestOf, ResponseInput, ResponseOf } from '../message.ts'
import { api } from '../message.ts'
import { errorCode, int32, string } from '../schema.ts'

export const Heartbeat = api(12, 'Heartbeat', {
  versions: '0-4',
  flexible: 4,
  request: {
    groupId: string,
    generationId: int32,
    memberId: string,
    groupInstanceId: string.in('3+').nullable(),
  },
  response: {
    throttleTimeMs: int32.in('1+'),
    errorCode,
  },
})

export type HeartbeatRequest = RequestOf<typeof Heartbeat>
export type HeartbeatResponse = ResponseOf<typeof Heartbeat>
export type HeartbeatRequestInput = RequestInput<typeof Heartbeat>
export type HeartbeatResponseInput = ResponseInput<typeof Heartbeat>
