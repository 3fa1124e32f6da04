/**
 * @module wire/records/share-group — share groups in `__consumer_offsets` (KIP-932).
 */
import { record } from '../message.ts'
import { array, int8, int32, int64, offset, string, struct, uuid } from '../schema.ts'

/** A share group. */
export const ShareGroupMetadataKey = record(11, 'ShareGroupMetadataKey', {
  versions: '0',
  fields: {
    groupId: string,
  },
})

/** Epoch of the group, and a hash (full 64 bits) of the metadata of its topics. */
export const ShareGroupMetadataValue = record(11, 'ShareGroupMetadataValue', {
  versions: '0',
  flexible: 0,
  fields: {
    epoch: int32,
    metadataHash: int64,
  },
})

/** A member of a share group. */
export const ShareGroupMemberMetadataKey = record(10, 'ShareGroupMemberMetadataKey', {
  versions: '0',
  fields: {
    groupId: string,
    memberId: string,
  },
})

/** What a member subscribes to. */
export const ShareGroupMemberMetadataValue = record(10, 'ShareGroupMemberMetadataValue', {
  versions: '0',
  flexible: 0,
  fields: {
    rackId: string.orNull(),
    clientId: string,
    clientHost: string,
    subscribedTopicNames: array(string),
  },
})

/** Target assignment of a share group. */
export const ShareGroupTargetAssignmentMetadataKey = record(12, 'ShareGroupTargetAssignmentMetadataKey', {
  versions: '0',
  fields: {
    groupId: string,
  },
})

/** Epoch of the target assignment. */
export const ShareGroupTargetAssignmentMetadataValue = record(12, 'ShareGroupTargetAssignmentMetadataValue', {
  versions: '0',
  flexible: 0,
  fields: {
    assignmentEpoch: int32,
    assignmentTimestamp: offset.default(0).tag(0),
  },
})

/** A member's share of the target assignment. */
export const ShareGroupTargetAssignmentMemberKey = record(13, 'ShareGroupTargetAssignmentMemberKey', {
  versions: '0',
  fields: {
    groupId: string,
    memberId: string,
  },
})

/** Partitions that a member is to read. */
export const ShareGroupTargetAssignmentMemberValue = record(13, 'ShareGroupTargetAssignmentMemberValue', {
  versions: '0',
  flexible: 0,
  fields: {
    topicPartitions: array({
      topicId: uuid,
      partitions: array(int32),
    }),
  },
})

/** What a member of a share group reads. */
export const ShareGroupCurrentMemberAssignmentKey = record(14, 'ShareGroupCurrentMemberAssignmentKey', {
  versions: '0',
  fields: {
    groupId: string,
    memberId: string,
  },
})

const topicPartitions = struct({
  topicId: uuid,
  partitions: array(int32),
})

/** Epochs, state and partitions of a member. */
export const ShareGroupCurrentMemberAssignmentValue = record(14, 'ShareGroupCurrentMemberAssignmentValue', {
  versions: '0',
  flexible: 0,
  fields: {
    memberEpoch: int32,
    previousMemberEpoch: int32,
    state: int8,
    assignedPartitions: array(topicPartitions),
  },
})

/** Which share partitions of a group have state. */
export const ShareGroupStatePartitionMetadataKey = record(15, 'ShareGroupStatePartitionMetadataKey', {
  versions: '0',
  fields: {
    groupId: string,
  },
})

const topicPartitionsInfo = struct({
  topicId: uuid,
  topicName: string,
  partitions: array(int32),
})

const topicInfo = struct({
  topicId: uuid,
  topicName: string,
})

/** Topics whose state is being made, exists, or is being deleted. */
export const ShareGroupStatePartitionMetadataValue = record(15, 'ShareGroupStatePartitionMetadataValue', {
  versions: '0',
  flexible: 0,
  fields: {
    initializingTopics: array(topicPartitionsInfo),
    initializedTopics: array(topicPartitionsInfo),
    deletingTopics: array(topicInfo),
  },
})
