/**
 * @module wire/messages/38-create-delegation-token — creates a delegation token.
 *
 * - 2: flexible
 * - 3: owner and requester may differ (KIP-373)
 */
import type { RequestInput, RequestOf, ResponseInput, ResponseOf } from '../message.ts'
import { api } from '../message.ts'
import { array, bytes, errorCode, int32, offset, string } from '../schema.ts'

export const CreateDelegationToken = api(38, 'CreateDelegationToken', {
  versions: '1-3',
  flexible: 2,
  listeners: ['broker', 'controller'],
  request: {
    ownerPrincipalType: string.in('3+').orNull(),
    ownerPrincipalName: string.in('3+').orNull(),
    renewers: array({
      principalType: string,
      principalName: string,
    }),
    maxLifetimeMs: offset,
  },
  response: {
    errorCode,
    principalType: string,
    principalName: string,
    tokenRequesterPrincipalType: string.in('3+'),
    tokenRequesterPrincipalName: string.in('3+'),
    issueTimestampMs: offset,
    expiryTimestampMs: offset,
    maxTimestampMs: offset,
    tokenId: string,
    hmac: bytes,
    throttleTimeMs: int32,
  },
})

export type CreateDelegationTokenRequest = RequestOf<typeof CreateDelegationToken>
export type CreateDelegationTokenResponse = ResponseOf<typeof CreateDelegationToken>
export type CreateDelegationTokenRequestInput = RequestInput<typeof CreateDelegationToken>
export type CreateDelegationTokenResponseInput = ResponseInput<typeof CreateDelegationToken>
