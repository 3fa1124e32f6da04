/**
 * @module wire/records/brokers — metadata records of brokers and controllers in `__cluster_metadata`.
 */
import { record } from '../message.ts'
import { array, bool, int8, int16, int32, offset, string, uint16, uuid } from '../schema.ts'

/**
 * A broker registers. 1: controlled shutdown; 2: migration from ZooKeeper (KIP-866); 3: log directories (KIP-858); 4: cordoned ones
 * (KIP-1066).
 */
export const RegisterBrokerRecord = record(0, 'RegisterBrokerRecord', {
  versions: '0-4',
  flexible: 0,
  fields: {
    brokerId: int32,
    isMigratingZkBroker: bool.in('2+').default(false),
    incarnationId: uuid,
    brokerEpoch: offset,
    endPoints: array({
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
    fenced: bool.default(true),
    inControlledShutdown: bool.in('1+').default(false),
    logDirs: array(uuid).in('3+').tag(0),
    cordonedLogDirs: array(uuid).in('4+').nullable().tag(1),
  },
})

/** A broker's registration goes. */
export const UnregisterBrokerRecord = record(1, 'UnregisterBrokerRecord', {
  versions: '0',
  flexible: 0,
  fields: {
    brokerId: int32,
    brokerEpoch: offset,
  },
})

/** A broker is fenced, unfenced, or shuts down. 2: log directories (KIP-858); 3: cordoned ones (KIP-1066). */
export const BrokerRegistrationChangeRecord = record(17, 'BrokerRegistrationChangeRecord', {
  versions: '0-3',
  flexible: 0,
  fields: {
    brokerId: int32,
    brokerEpoch: offset,
    fenced: int8.tag(0),
    inControlledShutdown: int8.in('1+').tag(1),
    logDirs: array(uuid).in('2+').tag(2),
    cordonedLogDirs: array(uuid).in('3+').nullable().tag(3),
  },
})

/** A broker is fenced (older form). */
export const FenceBrokerRecord = record(7, 'FenceBrokerRecord', {
  versions: '0',
  flexible: 0,
  fields: {
    id: int32,
    epoch: offset,
  },
})

/** A broker is unfenced (older form). */
export const UnfenceBrokerRecord = record(8, 'UnfenceBrokerRecord', {
  versions: '0',
  flexible: 0,
  fields: {
    id: int32,
    epoch: offset,
  },
})

/** A controller registers (KIP-919). */
export const RegisterControllerRecord = record(27, 'RegisterControllerRecord', {
  versions: '0',
  flexible: 0,
  fields: {
    controllerId: int32,
    incarnationId: uuid,
    zkMigrationReady: bool,
    endPoints: array({
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
})
