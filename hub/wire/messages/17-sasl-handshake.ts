/**
 * @module wire/messages/17-sasl-handshake — picks the SASL mechanism.
 *
 * - 1: the exchange then runs in SaslAuthenticate
 */
import type { RequestInput, RequestOf, ResponseInput, ResponseOf } from '../message.ts'
import { api } from '../message.ts'
import { array, errorCode, string } from '../schema.ts'

export const SaslHandshake = api(17, 'SaslHandshake', {
  versions: '0-1',
  listeners: ['broker', 'controller'],
  request: {
    mechanism: string,
  },
  response: {
    errorCode,
    mechanisms: array(string),
  },
})

export type SaslHandshakeRequest = RequestOf<typeof SaslHandshake>
export type SaslHandshakeResponse = ResponseOf<typeof SaslHandshake>
export type SaslHandshakeRequestInput = RequestInput<typeof SaslHandshake>
export type SaslHandshakeResponseInput = ResponseInput<typeof SaslHandshake>
