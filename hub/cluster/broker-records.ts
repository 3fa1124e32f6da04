/** @module cluster/broker-records — records of brokers (KIP-631): applied to an image, and written from one. */
import type { BrokerRegistrationChangeRecord, DecodedOf, RegisterBrokerRecord } from '../wire/index.ts'
import type { BrokerState } from './image.ts'
import type { ImageEdit } from './image-edit.ts'
import { UnusableRecordError } from './unusable-record-error.ts'

export function applyRegisterBroker(edit: ImageEdit, value: DecodedOf<typeof RegisterBrokerRecord>): void {
  edit.brokers.set(value.brokerId, {
    brokerId: value.brokerId,
    brokerEpoch: value.brokerEpoch,
    incarnationId: value.incarnationId,
    rack: value.rack,
    fenced: value.fenced,
    inControlledShutdown: value.inControlledShutdown,
    endpoints: value.endPoints,
    features: value.features,
    logDirs: value.logDirs,
    cordonedLogDirs: value.cordonedLogDirs,
  })
}

/** The other way. */
export function registerBrokerValue(broker: BrokerState): Parameters<typeof RegisterBrokerRecord.encode>[0] {
  return {
    brokerId: broker.brokerId,
    incarnationId: broker.incarnationId,
    brokerEpoch: broker.brokerEpoch,
    endPoints: [...broker.endpoints],
    features: [...broker.features],
    rack: broker.rack,
    fenced: broker.fenced,
    inControlledShutdown: broker.inControlledShutdown,
    logDirs: [...broker.logDirs],
    cordonedLogDirs: broker.cordonedLogDirs === null ? null : [...broker.cordonedLogDirs],
  }
}

export function setFenced(edit: ImageEdit, brokerId: number, fenced: boolean): void {
  change(edit, brokerId, { fenced })
}

/** −1, 0 and 1 are «off», «as it was» and «on» (KIP-841). */
export function applyBrokerChange(edit: ImageEdit, value: DecodedOf<typeof BrokerRegistrationChangeRecord>): void {
  change(edit, value.brokerId, {
    ...(value.fenced === 0 ? {} : { fenced: value.fenced > 0 }),
    ...(value.inControlledShutdown === 0 ? {} : { inControlledShutdown: value.inControlledShutdown > 0 }),
    ...(value.logDirs.length === 0 ? {} : { logDirs: value.logDirs }),
    ...(value.cordonedLogDirs === null ? {} : { cordonedLogDirs: value.cordonedLogDirs }),
  })
}

function change(edit: ImageEdit, brokerId: number, changes: Partial<BrokerState>): void {
  const broker = edit.brokers.get(brokerId)
  if (broker === undefined) throw new UnusableRecordError('a broker change', `names broker ${brokerId}, which is not registered`)
  edit.brokers.set(brokerId, { ...broker, ...changes })
}
