/**
 * @module wire/messages/70-controller-registration — registers a controller with the active one (KIP-919).
 */
import type { RequestInput, RequestOf, ResponseInput, ResponseOf } from '../message.ts'
import { api } from '../message.ts'
import { array, bool, errorCode, int16, int32, string, uint16, uuid } from '../schema.ts'

export const ControllerRegistration = api(70, 'ControllerRegistration', {
  versions: '0',
  flexible: 0,
  listeners: ['controller'],
  request: {
    controllerId: int32,
    incarnationId: uuid,
    zkMigrationReady: bool,
    listeners: array({
      name: string,
      host: string,
      port: uint16,
      securityProtocol: int16,
    }),
    features: array({
      name: string,
      minSupportedVersion: int16,
      maxSupportedVersion: int16,
    }),
  },
  response: {
    throttleTimeMs: int32,
    errorCode,
    errorMessage: string.orNull(),
  },
})

export type ControllerRegistrationRequest = RequestOf<typeof ControllerRegistration>
export type ControllerRegistrationResponse = ResponseOf<typeof ControllerRegistration>
export type ControllerRegistrationRequestInput = RequestInput<typeof ControllerRegistration>
export type ControllerRegistrationResponseInput = ResponseInput<typeof ControllerRegistration>
