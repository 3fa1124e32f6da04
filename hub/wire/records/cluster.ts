/**
 * @module wire/records/cluster — metadata records of settings, features, quotas, producer ids and of the metadata log
 * itself.
 */
import { record } from '../message.ts'
import { array, bool, float64, int8, int16, int32, offset, string } from '../schema.ts'

/** A setting of a resource; null takes it away. */
export const ConfigRecord = record(4, 'ConfigRecord', {
  versions: '0',
  flexible: 0,
  fields: {
    resourceType: int8,
    resourceName: string,
    name: string,
    value: string.orNull(),
  },
})

/** Finalized level of a feature, 0 for none (KIP-584). */
export const FeatureLevelRecord = record(12, 'FeatureLevelRecord', {
  versions: '0',
  flexible: 0,
  fields: {
    name: string,
    featureLevel: int16,
  },
})

/** A client quota, set or removed. */
export const ClientQuotaRecord = record(14, 'ClientQuotaRecord', {
  versions: '0',
  flexible: 0,
  fields: {
    entity: array({
      entityType: string,
      entityName: string.orNull(),
    }),
    key: string,
    value: float64,
    remove: bool,
  },
})

/** A block of producer ids was given to a broker (KIP-730). */
export const ProducerIdsRecord = record(15, 'ProducerIdsRecord', {
  versions: '0',
  flexible: 0,
  fields: {
    brokerId: int32,
    brokerEpoch: offset.default(-1),
    nextProducerId: offset,
  },
})

/** Records up to the end belong together (KIP-868). */
export const BeginTransactionRecord = record(23, 'BeginTransactionRecord', {
  versions: '0',
  flexible: 0,
  fields: {
    name: string.nullable().tag(0),
  },
})

/** What began is now in force. */
export const EndTransactionRecord = record(24, 'EndTransactionRecord', {
  versions: '0',
  flexible: 0,
  fields: {},
})

/** What began never was. */
export const AbortTransactionRecord = record(25, 'AbortTransactionRecord', {
  versions: '0',
  flexible: 0,
  fields: {
    reason: string.nullable().tag(0),
  },
})

/** Says only that the log goes on (KIP-835). */
export const NoOpRecord = record(20, 'NoOpRecord', {
  versions: '0',
  flexible: 0,
  fields: {},
})

/** State of a migration from ZooKeeper (KIP-866). */
export const ZkMigrationStateRecord = record(21, 'ZkMigrationStateRecord', {
  versions: '0',
  flexible: 0,
  fields: {
    zkMigrationState: int8,
  },
})
