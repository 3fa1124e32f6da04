/**
 * @module wire/messages/41-describe-delegation-token — lists delegation tokens.
 *
 * - 2: flexible
 * - 3: requester (KIP-373)
 */
import type { RequestInput, RequestOf, ResponseInput, ResponseOf } from '../message.ts'
import { api } from '../message.ts'
import { array, bytes, errorCode, int32, offset, string } from '../schema.ts'

export const DescribeDelegationToken = api(41, 'DescribeDelegationToken', {
  versions: '1-3',
  flexible: 2,
  listeners: ['broker', 'controller'],
  request: {
    owners: array({
      principalType: string,
      principalName: string,
    }).orNull(),
  },
  response: {
    errorCode,
    tokens: array({
      principalType: string,
      principalName: string,
      tokenRequesterPrincipalType: string.in('3+'),
      tokenRequesterPrincipalName: string.in('3+'),
      issueTimestamp: offset,
      expiryTimestamp: offset,
      maxTimestamp: offset,
      tokenId: string,
      hmac: bytes,
      renewers: array({
        principalType: string,
        principalName: string,
      }),
    }),
    throttleTimeMs: int32,
  },
})

export type DescribeDelegationTokenRequest = RequestOf<typeof DescribeDelegationToken>
export type DescribeDelegationTokenResponse = ResponseOf<typeof DescribeDelegationToken>
export type DescribeDelegationTokenRequestInput = RequestInput<typeof DescribeDelegationToken>
export type DescribeDelegationTokenResponseInput = ResponseInput<typeof DescribeDelegationToken>
