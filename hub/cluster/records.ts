/**
 * @module cluster/records — metadata records in both directions: image ← records, image → the records of a snapshot.
 */
import { decodeMetadataRecord, type MetadataRecord, type MetadataRecordName } from '../wire/index.ts'
import { applyBrokerChange, applyRegisterBroker, setFenced } from './broker-records.ts'
import { configKeyOf } from './config-resources.ts'
import { supportedFeatures } from './features.ts'
import type { ClusterImage } from './image.ts'
import { type BatchPosition, ImageEdit } from './image-edit.ts'
import { scramKey } from './scram.ts'
import { applyClearElr, applyPartition, applyPartitionChange } from './topic-records.ts'
import { UnusableRecordError } from './unusable-record-error.ts'

/** The image after a batch of framed records. Throws UnusableRecordError for what this build cannot honour, DecodeError for damage. */
export function applyRecords(image: ClusterImage, records: readonly Buffer[], position: BatchPosition): ClusterImage {
  const edit = new ImageEdit(image)
  for (const record of records) applyRecord(edit, decodeMetadataRecord(record))
  return edit.done(position)
}

type ValueOf<N extends MetadataRecordName> = Extract<MetadataRecord, { readonly name: N }>['value']

/** What a record does to the image; the table is total, so a record that wire learns must find its place here. */
const effects: { readonly [N in MetadataRecordName]: (edit: ImageEdit, value: ValueOf<N>) => void } = {
  TopicRecord: applyTopic,
  RemoveTopicRecord: applyRemoveTopic,
  PartitionRecord: applyPartition,
  PartitionChangeRecord: applyPartitionChange,
  ClearElrRecord: (edit, { topicName }) => applyClearElr(edit, topicName),
  ConfigRecord: applyConfig,
  FeatureLevelRecord: applyFeatureLevel,
  ProducerIdsRecord: (edit, { nextProducerId }) => {
    edit.nextProducerId = nextProducerId
  },
  RegisterBrokerRecord: applyRegisterBroker,
  UnregisterBrokerRecord: (edit, { brokerId }) => {
    edit.brokers.delete(brokerId)
  },
  FenceBrokerRecord: (edit, { id }) => setFenced(edit, id, true),
  UnfenceBrokerRecord: (edit, { id }) => setFenced(edit, id, false),
  BrokerRegistrationChangeRecord: applyBrokerChange,
  UserScramCredentialRecord: applyScramCredential,
  RemoveUserScramCredentialRecord: applyRemoveScramCredential,
  // Controllers register at each start, and Kafka writes its bootstrap records as one transaction in one batch (KIP-868).
  NoOpRecord: ignore,
  RegisterControllerRecord: ignore,
  ZkMigrationStateRecord: ignore,
  BeginTransactionRecord: ignore,
  EndTransactionRecord: ignore,
  // To pass over these would lose security or limits that somebody set, or keep what somebody took back.
  AbortTransactionRecord: refuse('AbortTransactionRecord'),
  AccessControlEntryRecord: refuse('AccessControlEntryRecord'),
  RemoveAccessControlEntryRecord: refuse('RemoveAccessControlEntryRecord'),
  DelegationTokenRecord: refuse('DelegationTokenRecord'),
  RemoveDelegationTokenRecord: refuse('RemoveDelegationTokenRecord'),
  ClientQuotaRecord: refuse('ClientQuotaRecord'),
}

function applyRecord(edit: ImageEdit, { name, value }: MetadataRecord): void {
  const apply = effects[name] as (edit: ImageEdit, value: MetadataRecord['value']) => void
  apply(edit, value)
}

function ignore(): void {}

function refuse(name: MetadataRecordName): () => never {
  return () => {
    throw new UnusableRecordError(name, 'belongs to a feature that this release does not serve')
  }
}

function applyTopic(edit: ImageEdit, { name, topicId }: ValueOf<'TopicRecord'>): void {
  if (!edit.addTopic(name, topicId))
    throw new UnusableRecordError('TopicRecord', `makes ${name} with the id ${topicId}, one of which is taken`)
}

function applyRemoveTopic(edit: ImageEdit, { topicId }: ValueOf<'RemoveTopicRecord'>): void {
  if (!edit.removeTopic(topicId)) throw new UnusableRecordError('RemoveTopicRecord', `names the topic id ${topicId}, which no topic has`)
}

function applyScramCredential(edit: ImageEdit, value: ValueOf<'UserScramCredentialRecord'>): void {
  const { name, mechanism, iterations } = value
  // Copies: what came lies in the buffer of its batch.
  const [salt, storedKey, serverKey] = [value.salt, value.storedKey, value.serverKey].map((bytes) => Buffer.from(bytes)) as [
    Buffer,
    Buffer,
    Buffer,
  ]
  edit.scramCredentials.set(scramKey(name, mechanism), { name, mechanism, iterations, salt, storedKey, serverKey })
}

function applyRemoveScramCredential(edit: ImageEdit, { name, mechanism }: ValueOf<'RemoveUserScramCredentialRecord'>): void {
  if (!edit.scramCredentials.delete(scramKey(name, mechanism)))
    throw new UnusableRecordError('RemoveUserScramCredentialRecord', `names ${name}, who has no credential of mechanism ${mechanism}`)
}

function applyConfig(edit: ImageEdit, value: ValueOf<'ConfigRecord'>): void {
  const key = configKeyOf(value.resourceType, value.resourceName)
  if (key === undefined) throw new UnusableRecordError('ConfigRecord', `sets a resource of the unknown type ${value.resourceType}`)
  edit.setConfig(key, value.name, value.value)
}

function applyFeatureLevel(edit: ImageEdit, { name, featureLevel }: ValueOf<'FeatureLevelRecord'>): void {
  const range = supportedFeatures.find((feature) => feature.name === name)
  if (range !== undefined && (featureLevel < range.minVersion || featureLevel > range.maxVersion)) {
    throw new UnusableRecordError(
      'FeatureLevelRecord',
      `sets ${name} to ${featureLevel}; this release has ${range.minVersion} to ${range.maxVersion}`,
    )
  }
  const levels = range === undefined ? edit.otherFeatures : edit.features
  if (featureLevel === 0) levels.delete(name)
  else levels.set(name, featureLevel)
}
