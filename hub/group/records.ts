/**
 * @module group/records — groups and offsets as Kafka's records of `__consumer_offsets`.
 *
 * Written in the versions that Kafka 4.3.1 writes: GroupMetadataValue 3 (the highest that is not flexible); OffsetCommitValue 4,
 * which carries the topic id, or 1 when the commit brought its own expiry (OffsetCommit 2–4). Read in every version.
 */
import {
  GroupMetadataKey,
  GroupMetadataValue,
  OffsetCommitKey,
  OffsetCommitValue,
  decodeCoordinatorKey,
  decodeCoordinatorValue,
  encodeCoordinatorKey,
  encodeCoordinatorValue,
} from '../wire/index.ts'
import type { GroupKey } from '../wire/index.ts'
import type { GroupMetadata } from './machine.ts'

const GROUP_METADATA_VALUE_VERSION = 3
const OFFSET_COMMIT_VALUE_VERSION = 4
const OFFSET_COMMIT_VALUE_VERSION_WITH_EXPIRY = 1

/** A record to append; a null value is a tombstone. */
export interface GroupRecord {
  readonly key: Buffer
  readonly value: Buffer | null
}

/** A committed offset. */
export interface CommittedOffset {
  readonly offset: number
  /** −1: not known. */
  readonly leaderEpoch: number
  readonly metadata: string
  readonly commitTimestampMs: number
  /** −1: by `offsets.retention.minutes`. */
  readonly expireTimestampMs: number
  /** Zero uuid: not known. */
  readonly topicId: string
}

/** Whose offset. */
export interface OffsetKey {
  readonly groupId: string
  readonly topic: string
  readonly partition: number
}

/** A record of the log, read. */
export type LoadedRecord =
  | { readonly kind: 'offset'; readonly key: OffsetKey; readonly value: CommittedOffset | null }
  | { readonly kind: 'group'; readonly groupId: string; readonly value: GroupMetadata | null }
  /** Of a consumer group (KIP-848). */
  | { readonly kind: 'consumer'; readonly groupId: string; readonly key: GroupKey }
  /** Of a group of share or streams (KIP-932, KIP-1071): left as it is. */
  | { readonly kind: 'foreign'; readonly name: string; readonly groupId: string; readonly tombstone: boolean }
  /** Of a key type that we don't know. */
  | { readonly kind: 'unknown'; readonly keyType: number }

/** The record of a committed offset, or its tombstone. */
export function offsetRecord(key: OffsetKey, value: CommittedOffset | null): GroupRecord {
  return {
    key: encodeCoordinatorKey(OffsetCommitKey, { group: key.groupId, topic: key.topic, partition: key.partition }),
    value: value === null ? null : offsetValue(value),
  }
}

/** The record of a group's generation, or its tombstone. */
export function groupRecord(groupId: string, metadata: GroupMetadata | null): GroupRecord {
  return {
    key: encodeCoordinatorKey(GroupMetadataKey, { group: groupId }),
    value: metadata === null ? null : groupValue(metadata),
  }
}

/** Reads a record. Throws DecodeError for a malformed one or a value of a version that we don't know. */
export function decodeRecord(key: Buffer, value: Buffer | null): LoadedRecord {
  const decoded = decodeCoordinatorKey(key)
  if (decoded === undefined) return { kind: 'unknown', keyType: key.readInt16BE(0) }
  switch (decoded.name) {
    case 'OffsetCommitKey':
    case 'LegacyOffsetCommitKey': {
      const { group, topic, partition } = decoded.value
      return { kind: 'offset', key: { groupId: group, topic, partition }, value: value === null ? null : readOffset(value) }
    }
    case 'GroupMetadataKey':
      return { kind: 'group', groupId: decoded.value.group, value: value === null ? null : readGroup(value) }
    case 'ConsumerGroupMetadataKey':
    case 'ConsumerGroupMemberMetadataKey':
    case 'ConsumerGroupCurrentMemberAssignmentKey':
    case 'ConsumerGroupTargetAssignmentMetadataKey':
    case 'ConsumerGroupTargetAssignmentMemberKey':
    case 'ConsumerGroupRegularExpressionKey':
    case 'ConsumerGroupPartitionMetadataKey':
      return { kind: 'consumer', groupId: decoded.value.groupId, key: decoded }
    default:
      return { kind: 'foreign', name: decoded.name, groupId: decoded.value.groupId, tombstone: value === null }
  }
}

function offsetValue(value: CommittedOffset): Buffer {
  const { offset, leaderEpoch, metadata, topicId } = value
  const fields = { offset, metadata, commitTimestamp: value.commitTimestampMs }
  if (value.expireTimestampMs !== -1) {
    return encodeCoordinatorValue(
      OffsetCommitValue,
      { ...fields, expireTimestamp: value.expireTimestampMs },
      OFFSET_COMMIT_VALUE_VERSION_WITH_EXPIRY,
    )
  }
  return encodeCoordinatorValue(OffsetCommitValue, { ...fields, leaderEpoch, topicId }, OFFSET_COMMIT_VALUE_VERSION)
}

function groupValue(metadata: GroupMetadata): Buffer {
  return encodeCoordinatorValue(
    GroupMetadataValue,
    {
      protocolType: metadata.protocolType,
      generation: metadata.generationId,
      protocol: metadata.protocolName,
      leader: metadata.leaderId,
      currentStateTimestamp: metadata.stateTimestampMs,
      members: metadata.members.map((member) => ({
        memberId: member.memberId,
        groupInstanceId: member.groupInstanceId,
        clientId: member.clientId,
        clientHost: member.clientHost,
        rebalanceTimeout: member.rebalanceTimeoutMs,
        sessionTimeout: member.sessionTimeoutMs,
        subscription: member.subscription,
        assignment: member.assignment,
      })),
    },
    GROUP_METADATA_VALUE_VERSION,
  )
}

function readOffset(value: Buffer): CommittedOffset {
  const read = decodeCoordinatorValue(OffsetCommitValue, value)
  return {
    offset: read.offset,
    leaderEpoch: read.leaderEpoch,
    metadata: read.metadata,
    commitTimestampMs: read.commitTimestamp,
    expireTimestampMs: read.expireTimestamp,
    topicId: read.topicId,
  }
}

function readGroup(value: Buffer): GroupMetadata {
  const read = decodeCoordinatorValue(GroupMetadataValue, value)
  return {
    protocolType: read.protocolType,
    generationId: read.generation,
    protocolName: read.protocol,
    leaderId: read.leader,
    stateTimestampMs: read.currentStateTimestamp,
    members: read.members.map((member) => ({
      memberId: member.memberId,
      groupInstanceId: member.groupInstanceId,
      clientId: member.clientId,
      clientHost: member.clientHost,
      rebalanceTimeoutMs: member.rebalanceTimeout,
      sessionTimeoutMs: member.sessionTimeout,
      // Copies: the record is a view into a batch that need not stay in memory.
      subscription: Buffer.from(member.subscription),
      assignment: Buffer.from(member.assignment),
    })),
  }
}
