/**
 * @module wire/records/consumer-group — groups of the new consumer protocol in `__consumer_offsets` (KIP-848).
 */
import { record } from '../message.ts'
import { array, bytes, int8, int32, int64, offset, string, struct, uuid } from '../schema.ts'

/** A consumer group. */
export const ConsumerGroupMetadataKey = record(3, 'ConsumerGroupMetadataKey', {
  versions: '0',
  fields: {
    groupId: string,
  },
})

/** Epoch of the group, and a hash (full 64 bits) of the metadata of its topics (KIP-1101). */
export const ConsumerGroupMetadataValue = record(3, 'ConsumerGroupMetadataValue', {
  versions: '0',
  flexible: 0,
  fields: {
    epoch: int32,
    metadataHash: int64.default(0n).tag(0),
  },
})

/** A member of a consumer group. */
export const ConsumerGroupMemberMetadataKey = record(5, 'ConsumerGroupMemberMetadataKey', {
  versions: '0',
  fields: {
    groupId: string,
    memberId: string,
  },
})

/**
 * What a member subscribes to. `classicMemberMetadata` is null for members of the new protocol; Kafka writes that null out, its default
 * is an empty struct.
 */
export const ConsumerGroupMemberMetadataValue = record(5, 'ConsumerGroupMemberMetadataValue', {
  versions: '0',
  flexible: 0,
  fields: {
    instanceId: string.orNull(),
    rackId: string.orNull(),
    clientId: string,
    clientHost: string,
    subscribedTopicNames: array(string),
    subscribedTopicRegex: string.orNull(),
    rebalanceTimeoutMs: int32.default(-1),
    serverAssignor: string.orNull(),
    classicMemberMetadata: struct({
      sessionTimeoutMs: int32,
      supportedProtocols: array({
        name: string,
        metadata: bytes,
      }),
    })
      .orNull()
      .tag(0),
  },
})

/** Metadata of the topics of a consumer group; no longer written since the hash came (KIP-1101). */
export const ConsumerGroupPartitionMetadataKey = record(4, 'ConsumerGroupPartitionMetadataKey', {
  versions: '0',
  fields: {
    groupId: string,
  },
})

/** Partition counts of the topics that a group subscribes to. */
export const ConsumerGroupPartitionMetadataValue = record(4, 'ConsumerGroupPartitionMetadataValue', {
  versions: '0',
  flexible: 0,
  fields: {
    topics: array({
      topicId: uuid,
      topicName: string,
      numPartitions: int32,
      partitionMetadata: array({
        partition: int32,
        racks: array(string),
      }),
    }),
  },
})

/** Target assignment of a consumer group. */
export const ConsumerGroupTargetAssignmentMetadataKey = record(6, 'ConsumerGroupTargetAssignmentMetadataKey', {
  versions: '0',
  fields: {
    groupId: string,
  },
})

/** Epoch of the target assignment. */
export const ConsumerGroupTargetAssignmentMetadataValue = record(6, 'ConsumerGroupTargetAssignmentMetadataValue', {
  versions: '0',
  flexible: 0,
  fields: {
    assignmentEpoch: int32,
    assignmentTimestamp: offset.default(0).tag(0),
  },
})

/** A member's share of the target assignment. */
export const ConsumerGroupTargetAssignmentMemberKey = record(7, 'ConsumerGroupTargetAssignmentMemberKey', {
  versions: '0',
  fields: {
    groupId: string,
    memberId: string,
  },
})

/** Partitions that a member is to own. */
export const ConsumerGroupTargetAssignmentMemberValue = record(7, 'ConsumerGroupTargetAssignmentMemberValue', {
  versions: '0',
  flexible: 0,
  fields: {
    topicPartitions: array({
      topicId: uuid,
      partitions: array(int32),
    }),
  },
})

/** What a member of a consumer group owns. */
export const ConsumerGroupCurrentMemberAssignmentKey = record(8, 'ConsumerGroupCurrentMemberAssignmentKey', {
  versions: '0',
  fields: {
    groupId: string,
    memberId: string,
  },
})

const topicPartitions = struct({
  topicId: uuid,
  partitions: array(int32),
  assignmentEpochs: array(int32).orNull().tag(0),
})

/** Epochs, state, partitions owned and to be given back. The default of `assignmentEpochs` is empty, not null. */
export const ConsumerGroupCurrentMemberAssignmentValue = record(8, 'ConsumerGroupCurrentMemberAssignmentValue', {
  versions: '0',
  flexible: 0,
  fields: {
    memberEpoch: int32,
    previousMemberEpoch: int32,
    state: int8,
    assignedPartitions: array(topicPartitions),
    partitionsPendingRevocation: array(topicPartitions),
  },
})

/** A regular expression that members of a consumer group subscribe to. */
export const ConsumerGroupRegularExpressionKey = record(16, 'ConsumerGroupRegularExpressionKey', {
  versions: '0',
  fields: {
    groupId: string,
    regularExpression: string,
  },
})

/** Topics that a regular expression resolved to. */
export const ConsumerGroupRegularExpressionValue = record(16, 'ConsumerGroupRegularExpressionValue', {
  versions: '0',
  flexible: 0,
  fields: {
    topics: array(string),
    version: offset,
    timestamp: offset,
  },
})
