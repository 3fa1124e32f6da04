/**
 * @module wire/messages/62-broker-registration — registers a broker with the controller (KIP-631).
 *
 * - 1: migration from ZooKeeper (KIP-866)
 * - 2: log directories (KIP-858)
 * - 3: epoch of the former registration (KIP-966)
 * - 4: features whose lowest version is 0 (KAFKA-17011)
 */
import type { RequestInput, RequestOf, ResponseInput, ResponseOf } from '../message.ts'
import { api } from '../message.ts'
import { array, bool, errorCode, int16, int32, offset, string, uint16, uuid } from '../schema.ts'

export const BrokerRegistration = api(62, 'BrokerRegistration', {
  versions: '0-4',
  flexible: 0,
  listeners: ['controller'],
  request: {
    brokerId: int32,
    clusterId: string,
    incarnationId: uuid,
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
    rack: string.orNull(),
    isMigratingZkBroker: bool.in('1+').default(false),
    logDirs: array(uuid).in('2+'),
    previousBrokerEpoch: offset.in('3+').default(-1),
  },
  response: {
    throttleTimeMs: int32,
    errorCode,
    brokerEpoch: offset.default(-1),
  },
})

export type BrokerRegistrationRequest = RequestOf<typeof BrokerRegistration>
export type BrokerRegistrationResponse = ResponseOf<typeof BrokerRegistration>
export type BrokerRegistrationRequestInput = RequestInput<typeof BrokerRegistration>
export type BrokerRegistrationResponseInput = ResponseInput<typeof BrokerRegistration>
