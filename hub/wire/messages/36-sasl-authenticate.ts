/**
 * @module wire/messages/36-sasl-authenticate — carries one SASL token in each direction.
 *
 * - 1: session lifetime (KIP-368)
 * - 2: flexible
 */
import type { RequestInput, RequestOf, ResponseInput, ResponseOf } from '../message.ts'
import { api } from '../message.ts'
import { bytes, errorCode, offset, string } from '../schema.ts'

export const SaslAuthenticate = api(36, 'SaslAuthenticate', {
  versions: '0-2',
  flexible: 2,
  listeners: ['broker', 'controller'],
  request: {
    authBytes: bytes,
  },
  response: {
    errorCode,
    errorMessage: string.orNull(),
    authBytes: bytes,
    sessionLifetimeMs: offset.in('1+').default(0),
  },
})

export type SaslAuthenticateRequest = RequestOf<typeof SaslAuthenticate>
export type SaslAuthenticateResponse = ResponseOf<typeof SaslAuthenticate>
export type SaslAuthenticateRequestInput = RequestInput<typeof SaslAuthenticate>
export type SaslAuthenticateResponseInput = ResponseInput<typeof SaslAuthenticate>
