/**
 * @module wire/messages/40-expire-delegation-token — changes when a delegation token expires.
 *
 * - 2: flexible
 */
import type { RequestInput, RequestOf, ResponseInput, ResponseOf } from '../message.ts'
import { api } from '../message.ts'
import { bytes, errorCode, int32, offset } from '../schema.ts'

export const ExpireDelegationToken = api(40, 'ExpireDelegationToken', {
  versions: '1-2',
  flexible: 2,
  listeners: ['broker', 'controller'],
  request: {
    hmac: bytes,
    expiryTimePeriodMs: offset,
  },
  response: {
    errorCode,
    expiryTimestampMs: offset,
    throttleTimeMs: int32,
  },
})

export type ExpireDelegationTokenRequest = RequestOf<typeof ExpireDelegationToken>
export type ExpireDelegationTokenResponse = ResponseOf<typeof ExpireDelegationToken>
export type ExpireDelegationTokenRequestInput = RequestInput<typeof ExpireDelegationToken>
export type ExpireDelegationTokenResponseInput = ResponseInput<typeof ExpireDelegationToken>
