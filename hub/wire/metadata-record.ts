/**
 * @module wire/metadata-record — records of the metadata log (`__cluster_metadata`): frame version, type, version, body.
 *
 * The three leading numbers are unsigned varints; the frame version is 1. Bytes behind the body are an error here, unlike
 * in requests: a metadata log is read by the same program that wrote it, so garbage means damage.
 */
import { DecodeError } from './errors.ts'
import type { DataMessage, DecodedOf } from './message.ts'
import { Reader } from './reader.ts'
import {
  AccessControlEntryRecord,
  DelegationTokenRecord,
  RemoveAccessControlEntryRecord,
  RemoveDelegationTokenRecord,
  RemoveUserScramCredentialRecord,
  UserScramCredentialRecord,
} from './records/access.ts'
import {
  BrokerRegistrationChangeRecord,
  FenceBrokerRecord,
  RegisterBrokerRecord,
  RegisterControllerRecord,
  UnfenceBrokerRecord,
  UnregisterBrokerRecord,
} from './records/brokers.ts'
import {
  AbortTransactionRecord,
  BeginTransactionRecord,
  ClientQuotaRecord,
  ConfigRecord,
  EndTransactionRecord,
  FeatureLevelRecord,
  NoOpRecord,
  ProducerIdsRecord,
  ZkMigrationStateRecord,
} from './records/cluster.ts'
import { ClearElrRecord, PartitionChangeRecord, PartitionRecord, RemoveTopicRecord, TopicRecord } from './records/topics.ts'
import { Writer } from './writer.ts'

const FRAME_VERSION = 1

const metadataRecords = [
  RegisterBrokerRecord,
  UnregisterBrokerRecord,
  TopicRecord,
  PartitionRecord,
  ConfigRecord,
  PartitionChangeRecord,
  FenceBrokerRecord,
  UnfenceBrokerRecord,
  RemoveTopicRecord,
  DelegationTokenRecord,
  UserScramCredentialRecord,
  FeatureLevelRecord,
  ClientQuotaRecord,
  ProducerIdsRecord,
  BrokerRegistrationChangeRecord,
  AccessControlEntryRecord,
  RemoveAccessControlEntryRecord,
  NoOpRecord,
  ZkMigrationStateRecord,
  RemoveUserScramCredentialRecord,
  BeginTransactionRecord,
  EndTransactionRecord,
  AbortTransactionRecord,
  RemoveDelegationTokenRecord,
  RegisterControllerRecord,
  ClearElrRecord,
] as const

type AnyRecord = DataMessage<string, number, unknown, unknown>
type Named<M extends AnyRecord> = M extends AnyRecord
  ? { readonly name: M['name']; readonly version: number; readonly value: DecodedOf<M> }
  : never

/** A decoded metadata record, told apart by `name`. */
export type MetadataRecord = Named<(typeof metadataRecords)[number]>
/** Names of all metadata records. */
export type MetadataRecordName = MetadataRecord['name']

const byType: ReadonlyMap<number, AnyRecord> = new Map(metadataRecords.map((record) => [record.apiKey, record]))

/** A metadata record as it stands in the log, by default in its highest version. */
export function encodeMetadataRecord<N extends MetadataRecordName, K extends number, D, I>(
  record: DataMessage<N, K, D, I>,
  value: I,
  version: number = record.versions.max,
): Buffer {
  const writer = new Writer()
  writer.varint(FRAME_VERSION)
  writer.varint(record.apiKey)
  writer.varint(version)
  record.encode(value, version, writer)
  return writer.toBuffer()
}

/** Reads a metadata record. Throws DecodeError, also for a type or version that we don't know. */
export function decodeMetadataRecord(buffer: Buffer): MetadataRecord {
  const reader = new Reader(buffer)
  const frameVersion = reader.varint()
  if (frameVersion !== FRAME_VERSION) throw new DecodeError(`frame version ${frameVersion}`)
  const type = reader.varint()
  const version = reader.varint()
  const record = byType.get(type)
  if (record === undefined) throw new DecodeError(`metadata record of type ${type}`)
  const { min, max } = record.versions
  if (version < min || version > max) throw new DecodeError(`version ${version}`, record.name)
  const value = record.decode(reader, version)
  if (reader.remaining > 0) throw new DecodeError(`${reader.remaining} bytes behind the record`, record.name)
  return { name: record.name, version, value } as MetadataRecord
}
