/**
 * @module wire/messages/39-renew-delegation-token — renews a delegation token.
 *
 * - 2: flexible
 */
import type { RequestInput, RequestOf, ResponseInput, ResponseOf } from '../message.ts'
import { api } from '../message.ts'
import { bytes, errorCode, int32, offset } from '../schema.ts'

export const RenewDelegationToken = api(39, 'RenewDelegationToken', {
  versions: '1-2',
  flexible: 2,
  listeners: ['broker', 'controller'],
  request: {
    hmac: bytes,
    renewPeriodMs: offset,
  },
  response: {
    errorCode,
    expiryTimestampMs: offset,
    throttleTimeMs: int32,
  },
})

export type RenewDelegationTokenRequest = RequestOf<typeof RenewDelegationToken>
export type RenewDelegationTokenResponse = ResponseOf<typeof RenewDelegationToken>
export type RenewDelegationTokenRequestInput = RequestInput<typeof RenewDelegationToken>
export type RenewDelegationTokenResponseInput = ResponseInput<typeof RenewDelegationToken>
