/**
 * @module wire/messages/64-unregister-broker — removes a broker's registration (KIP-631).
 */
import type { RequestInput, RequestOf, ResponseInput, ResponseOf } from '../message.ts'
import { api } from '../message.ts'
import { errorCode, int32, string } from '../schema.ts'

export const UnregisterBroker = api(64, 'UnregisterBroker', {
  versions: '0',
  flexible: 0,
  listeners: ['broker', 'controller'],
  request: {
    brokerId: int32,
  },
  response: {
    throttleTimeMs: int32,
    errorCode,
    errorMessage: string.orNull(),
  },
})

export type UnregisterBrokerRequest = RequestOf<typeof UnregisterBroker>
export type UnregisterBrokerResponse = ResponseOf<typeof UnregisterBroker>
export type UnregisterBrokerRequestInput = RequestInput<typeof UnregisterBroker>
export type UnregisterBrokerResponseInput = ResponseInput<typeof UnregisterBroker>
