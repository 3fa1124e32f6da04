/**
 * @module group/next/records — consumer groups as Kafka's records of `__consumer_offsets`, in version 0 of each as Kafka 4.3.1 writes.
 */
import {
  ConsumerGroupCurrentMemberAssignmentKey,
  ConsumerGroupCurrentMemberAssignmentValue,
  ConsumerGroupMemberMetadataKey,
  ConsumerGroupMemberMetadataValue,
  ConsumerGroupMetadataKey,
  ConsumerGroupMetadataValue,
  ConsumerGroupPartitionMetadataKey,
  ConsumerGroupRegularExpressionKey,
  ConsumerGroupRegularExpressionValue,
  ConsumerGroupTargetAssignmentMemberKey,
  ConsumerGroupTargetAssignmentMemberValue,
  ConsumerGroupTargetAssignmentMetadataKey,
  ConsumerGroupTargetAssignmentMetadataValue,
  decodeCoordinatorValue,
  encodeCoordinatorKey,
  encodeCoordinatorValue,
} from '../../wire/index.ts'
import type { GroupKey } from '../../wire/index.ts'
import type { GroupRecord } from '../records.ts'
import type { ConsumerRecord } from './draft.ts'
import type { MemberProgress, MemberSubscription, Reconciliation } from './group.ts'
import { partitionsOf } from './partitions.ts'
import type { OwnedPartitions, Partitions } from './partitions.ts'

/** Kafka's numbers of the states. */
const reconciliationNumbers: Readonly<Record<Reconciliation, number>> = {
  Stable: 0,
  UnrevokedPartitions: 1,
  UnreleasedPartitions: 2,
  Unknown: 127,
}
const reconciliations = new Map(Object.entries(reconciliationNumbers).map(([name, number]) => [number, name as Reconciliation] as const))

/** The bytes of a record. */
export function encodeRecord(groupId: string, record: ConsumerRecord): GroupRecord {
  return { key: encodeKey(groupId, record), value: record.value === null ? null : encodeValue(record) }
}

/** Reads a record of a consumer group; undefined for a key of another kind. Throws DecodeError. */
export function decodeConsumerRecord(key: GroupKey, value: Buffer | null): ConsumerRecord | undefined {
  switch (key.name) {
    case 'ConsumerGroupMetadataKey':
      return { type: 'group', value: value === null ? null : readGroup(value) }
    case 'ConsumerGroupMemberMetadataKey':
      return { type: 'member', memberId: key.value.memberId, value: value === null ? null : readMember(value) }
    case 'ConsumerGroupCurrentMemberAssignmentKey':
      return { type: 'progress', memberId: key.value.memberId, value: value === null ? null : readProgress(value) }
    case 'ConsumerGroupTargetAssignmentMetadataKey':
      return { type: 'assignment', value: value === null ? null : readAssignment(value) }
    case 'ConsumerGroupTargetAssignmentMemberKey':
      return { type: 'target', memberId: key.value.memberId, value: value === null ? null : readTarget(value) }
    case 'ConsumerGroupRegularExpressionKey':
      return { type: 'regex', regex: key.value.regularExpression, value: value === null ? null : readRegex(value) }
    case 'ConsumerGroupPartitionMetadataKey':
      return { type: 'partitionMetadata', value: value === null ? null : 'present' }
    default:
      return undefined
  }
}

function encodeKey(groupId: string, record: ConsumerRecord): Buffer {
  switch (record.type) {
    case 'group':
      return encodeCoordinatorKey(ConsumerGroupMetadataKey, { groupId })
    case 'member':
      return encodeCoordinatorKey(ConsumerGroupMemberMetadataKey, { groupId, memberId: record.memberId })
    case 'progress':
      return encodeCoordinatorKey(ConsumerGroupCurrentMemberAssignmentKey, { groupId, memberId: record.memberId })
    case 'assignment':
      return encodeCoordinatorKey(ConsumerGroupTargetAssignmentMetadataKey, { groupId })
    case 'target':
      return encodeCoordinatorKey(ConsumerGroupTargetAssignmentMemberKey, { groupId, memberId: record.memberId })
    case 'regex':
      return encodeCoordinatorKey(ConsumerGroupRegularExpressionKey, { groupId, regularExpression: record.regex })
    case 'partitionMetadata':
      return encodeCoordinatorKey(ConsumerGroupPartitionMetadataKey, { groupId })
  }
}

function encodeValue(record: ConsumerRecord): Buffer | null {
  if (record.value === null) return null
  switch (record.type) {
    case 'group':
      return encodeCoordinatorValue(ConsumerGroupMetadataValue, {
        epoch: record.value.groupEpoch,
        metadataHash: record.value.metadataHash,
      })
    case 'member':
      return encodeMember(record.value)
    case 'progress':
      return encodeProgress(record.value)
    case 'assignment':
      return encodeCoordinatorValue(ConsumerGroupTargetAssignmentMetadataValue, {
        assignmentEpoch: record.value.assignmentEpoch,
        assignmentTimestamp: record.value.assignmentTimestampMs,
      })
    case 'target':
      return encodeCoordinatorValue(ConsumerGroupTargetAssignmentMemberValue, { topicPartitions: targetList(record.value) })
    case 'regex':
      return encodeCoordinatorValue(ConsumerGroupRegularExpressionValue, {
        topics: [...record.value.topicNames],
        version: record.value.version,
        timestamp: record.value.timestampMs,
      })
    case 'partitionMetadata':
      // Only its tombstone is ever written (KIP-1101).
      return null
  }
}

function encodeMember(member: MemberSubscription): Buffer {
  return encodeCoordinatorValue(ConsumerGroupMemberMetadataValue, {
    instanceId: member.instanceId,
    rackId: member.rackId,
    clientId: member.clientId,
    clientHost: member.clientHost,
    subscribedTopicNames: [...member.topicNames],
    subscribedTopicRegex: member.topicRegex,
    rebalanceTimeoutMs: member.rebalanceTimeoutMs,
    serverAssignor: member.serverAssignor,
    classicMemberMetadata:
      member.classic === null
        ? null
        : {
            sessionTimeoutMs: member.classic.sessionTimeoutMs,
            supportedProtocols: member.classic.protocols.map(({ name, metadata }) => ({ name, metadata })),
          },
  })
}

function readMember(value: Buffer): MemberSubscription {
  const read = decodeCoordinatorValue(ConsumerGroupMemberMetadataValue, value)
  const classic = read.classicMemberMetadata
  return {
    instanceId: read.instanceId,
    rackId: read.rackId,
    clientId: read.clientId,
    clientHost: read.clientHost,
    topicNames: [...new Set(read.subscribedTopicNames)].sort(),
    topicRegex: read.subscribedTopicRegex ?? '',
    rebalanceTimeoutMs: read.rebalanceTimeoutMs,
    serverAssignor: read.serverAssignor,
    classic:
      classic === null
        ? null
        : {
            sessionTimeoutMs: classic.sessionTimeoutMs,
            // Copies: the record is a view into a batch that need not stay in memory.
            protocols: classic.supportedProtocols.map(({ name, metadata }) => ({ name, metadata: Buffer.from(metadata) })),
          },
  }
}

function encodeProgress(progress: MemberProgress): Buffer {
  return encodeCoordinatorValue(ConsumerGroupCurrentMemberAssignmentValue, {
    memberEpoch: progress.memberEpoch,
    previousMemberEpoch: progress.previousMemberEpoch,
    state: reconciliationNumbers[progress.reconciliation],
    assignedPartitions: ownedList(progress.assigned),
    partitionsPendingRevocation: ownedList(progress.pendingRevocation),
  })
}

function readProgress(value: Buffer): MemberProgress {
  const read = decodeCoordinatorValue(ConsumerGroupCurrentMemberAssignmentValue, value)
  return {
    memberEpoch: read.memberEpoch,
    previousMemberEpoch: read.previousMemberEpoch,
    reconciliation: reconciliations.get(read.state) ?? 'Unknown',
    assigned: readOwned(read.assignedPartitions, read.memberEpoch),
    pendingRevocation: readOwned(read.partitionsPendingRevocation, read.memberEpoch),
  }
}

/** Records before KIP-1251 carry no epochs: then each partition counts from the member's own. A static member that is away has −2. */
function readOwned(
  list: readonly {
    readonly topicId: string
    readonly partitions: readonly number[]
    readonly assignmentEpochs: readonly number[] | null
  }[],
  memberEpoch: number,
): OwnedPartitions {
  const fallback = Math.max(memberEpoch, 0)
  return new Map(
    list
      .filter(({ partitions }) => partitions.length > 0)
      .map(({ topicId, partitions, assignmentEpochs }) => {
        const epochs = assignmentEpochs?.length === partitions.length ? assignmentEpochs : null
        return [topicId, new Map(partitions.map((partition, at) => [partition, epochs?.[at] ?? fallback]))]
      }),
  )
}

function ownedList(owned: OwnedPartitions): { topicId: string; partitions: number[]; assignmentEpochs: number[] }[] {
  return [...owned].map(([topicId, epochs]) => {
    const sorted = [...epochs].sort(([a], [b]) => a - b)
    return { topicId, partitions: sorted.map(([partition]) => partition), assignmentEpochs: sorted.map(([, epoch]) => epoch) }
  })
}

/** In the order in which the topics came to the member: `uniform` keeps the last ones first, after a load too. */
function targetList(target: Partitions): { topicId: string; partitions: number[] }[] {
  return [...target].map(([topicId, partitions]) => ({ topicId, partitions: [...partitions].sort((a, b) => a - b) }))
}

function readTarget(value: Buffer): Partitions {
  return partitionsOf(decodeCoordinatorValue(ConsumerGroupTargetAssignmentMemberValue, value).topicPartitions)
}

function readGroup(value: Buffer): { groupEpoch: number; metadataHash: bigint } {
  const { epoch, metadataHash } = decodeCoordinatorValue(ConsumerGroupMetadataValue, value)
  return { groupEpoch: epoch, metadataHash }
}

function readAssignment(value: Buffer): { assignmentEpoch: number; assignmentTimestampMs: number } {
  const { assignmentEpoch, assignmentTimestamp } = decodeCoordinatorValue(ConsumerGroupTargetAssignmentMetadataValue, value)
  return { assignmentEpoch, assignmentTimestampMs: assignmentTimestamp }
}

function readRegex(value: Buffer): { topicNames: string[]; version: number; timestampMs: number } {
  const { topics, version, timestamp } = decodeCoordinatorValue(ConsumerGroupRegularExpressionValue, value)
  return { topicNames: [...topics].sort(), version, timestampMs: timestamp }
}
