/**
 * @module wire/coordinator-record — keys and values of the coordinators' topics (`__consumer_offsets`,
 * `__transaction_state`, `__share_group_state`).
 *
 * A key is an int16 record type and a body of version 0; a value is an int16 version and a body. Types are counted per
 * topic. Keys of unknown type come from newer brokers and are not an error (Kafka skips them).
 */
import { DecodeError } from './errors.ts'
import type { DataMessage, DecodedOf, Message } from './message.ts'
import { Reader } from './reader.ts'
import { GroupMetadataKey } from './records/classic-group.ts'
import {
  ConsumerGroupCurrentMemberAssignmentKey,
  ConsumerGroupMemberMetadataKey,
  ConsumerGroupMetadataKey,
  ConsumerGroupPartitionMetadataKey,
  ConsumerGroupRegularExpressionKey,
  ConsumerGroupTargetAssignmentMemberKey,
  ConsumerGroupTargetAssignmentMetadataKey,
} from './records/consumer-group.ts'
import { LegacyOffsetCommitKey, OffsetCommitKey } from './records/offsets.ts'
import {
  ShareGroupCurrentMemberAssignmentKey,
  ShareGroupMemberMetadataKey,
  ShareGroupMetadataKey,
  ShareGroupStatePartitionMetadataKey,
  ShareGroupTargetAssignmentMemberKey,
  ShareGroupTargetAssignmentMetadataKey,
} from './records/share-group.ts'
import { ShareSnapshotKey, ShareUpdateKey } from './records/share-state.ts'
import {
  StreamsGroupCurrentMemberAssignmentKey,
  StreamsGroupMemberMetadataKey,
  StreamsGroupMetadataKey,
  StreamsGroupTargetAssignmentMemberKey,
  StreamsGroupTargetAssignmentMetadataKey,
  StreamsGroupTopologyKey,
} from './records/streams-group.ts'
import { TransactionLogKey } from './records/transaction.ts'
import { encodeVersioned } from './versioned.ts'
import { Writer } from './writer.ts'

const KEY_VERSION = 0

const groupKeys = [
  LegacyOffsetCommitKey,
  OffsetCommitKey,
  GroupMetadataKey,
  ConsumerGroupMetadataKey,
  ConsumerGroupPartitionMetadataKey,
  ConsumerGroupMemberMetadataKey,
  ConsumerGroupTargetAssignmentMetadataKey,
  ConsumerGroupTargetAssignmentMemberKey,
  ConsumerGroupCurrentMemberAssignmentKey,
  ConsumerGroupRegularExpressionKey,
  ShareGroupMemberMetadataKey,
  ShareGroupMetadataKey,
  ShareGroupTargetAssignmentMetadataKey,
  ShareGroupTargetAssignmentMemberKey,
  ShareGroupCurrentMemberAssignmentKey,
  ShareGroupStatePartitionMetadataKey,
  StreamsGroupMetadataKey,
  StreamsGroupMemberMetadataKey,
  StreamsGroupTargetAssignmentMetadataKey,
  StreamsGroupTargetAssignmentMemberKey,
  StreamsGroupCurrentMemberAssignmentKey,
  StreamsGroupTopologyKey,
] as const
const transactionKeys = [TransactionLogKey] as const
const shareKeys = [ShareSnapshotKey, ShareUpdateKey] as const

/** Which coordinator's topic a key comes from. */
export type Coordinator = 'group' | 'transaction' | 'share'

/** A decoded key, told apart by `name`. */
export type CoordinatorKey<M extends AnyKey> = M extends AnyKey
  ? { readonly name: M['name']; readonly record: M; readonly value: DecodedOf<M> }
  : never
/** A key of `__consumer_offsets`. */
export type GroupKey = CoordinatorKey<(typeof groupKeys)[number]>
/** A key of `__transaction_state`. */
export type TransactionKey = CoordinatorKey<(typeof transactionKeys)[number]>
/** A key of `__share_group_state`. */
export type ShareKey = CoordinatorKey<(typeof shareKeys)[number]>
type AnyKey = DataMessage<string, number, unknown, unknown>

const keysByType: { readonly [C in Coordinator]: ReadonlyMap<number, AnyKey> } = {
  group: byType(groupKeys),
  transaction: byType(transactionKeys),
  share: byType(shareKeys),
}

function byType(keys: readonly AnyKey[]): ReadonlyMap<number, AnyKey> {
  return new Map(keys.map((key) => [key.apiKey, key]))
}

/** Key of a coordinator's record: type prefix and body. */
export function encodeCoordinatorKey<N extends string, K extends number, D, I>(record: DataMessage<N, K, D, I>, value: I): Buffer {
  const writer = new Writer()
  writer.int16(record.apiKey)
  record.encode(value, KEY_VERSION, writer)
  return writer.toBuffer()
}

/** Value of a coordinator's record: version prefix and body, by default in the highest version. */
export function encodeCoordinatorValue<D, I>(message: Message<D, I>, value: I, version: number = message.versions.max): Buffer {
  return encodeVersioned(message, value, version)
}

/** Reads a key; undefined for a type that we don't know. Throws DecodeError. */
export function decodeCoordinatorKey(buffer: Buffer, coordinator?: 'group'): GroupKey | undefined
export function decodeCoordinatorKey(buffer: Buffer, coordinator: 'transaction'): TransactionKey | undefined
export function decodeCoordinatorKey(buffer: Buffer, coordinator: 'share'): ShareKey | undefined
export function decodeCoordinatorKey(buffer: Buffer, coordinator: Coordinator = 'group'): unknown {
  const reader = new Reader(buffer)
  const record = keysByType[coordinator].get(reader.int16())
  return record === undefined ? undefined : { name: record.name, record, value: record.decode(reader, KEY_VERSION) }
}

/** Reads a value in the version that it names; a version that we don't know is a DecodeError, as in Kafka. */
export function decodeCoordinatorValue<D, I>(message: Message<D, I>, buffer: Buffer): D {
  const reader = new Reader(buffer)
  const version = reader.int16()
  const { min, max } = message.versions
  if (version < min || version > max) throw new DecodeError(`version ${version}`, message.name)
  return message.decode(reader, version)
}
