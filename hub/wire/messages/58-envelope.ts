/**
 * @module wire/messages/58-envelope — wraps a client's request that a broker forwards to the controller (KIP-590).
 */
import type { RequestInput, RequestOf, ResponseInput, ResponseOf } from '../message.ts'
import { api } from '../message.ts'
import { bytes, errorCode } from '../schema.ts'

export const Envelope = api(58, 'Envelope', {
  versions: '0',
  flexible: 0,
  listeners: ['controller'],
  request: {
    requestData: bytes,
    requestPrincipal: bytes.orNull(),
    clientHostAddress: bytes,
  },
  response: {
    responseData: bytes.nullable(),
    errorCode,
  },
})

export type EnvelopeRequest = RequestOf<typeof Envelope>
export type EnvelopeResponse = ResponseOf<typeof Envelope>
export type EnvelopeRequestInput = RequestInput<typeof Envelope>
export type EnvelopeResponseInput = ResponseInput<typeof Envelope>
