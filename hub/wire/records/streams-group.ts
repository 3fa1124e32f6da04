/**
 * @module wire/records/streams-group — streams groups in `__consumer_offsets` (KIP-1071).
 */
import { record } from '../message.ts'
import { array, int8, int16, int32, int64, offset, string, struct, uint16 } from '../schema.ts'

/** A streams group. */
export const StreamsGroupMetadataKey = record(17, 'StreamsGroupMetadataKey', {
  versions: '0',
  fields: {
    groupId: string,
  },
})

const lastAssignmentConfig = struct({
  key: string,
  value: string,
})

/**
 * Epoch of the group, and a hash (full 64 bits) of the metadata of its topics. The default of `lastAssignmentConfigs` is empty, not
 * null.
 */
export const StreamsGroupMetadataValue = record(17, 'StreamsGroupMetadataValue', {
  versions: '0',
  flexible: 0,
  fields: {
    epoch: int32,
    metadataHash: int64,
    validatedTopologyEpoch: int32.default(-1).tag(0),
    lastAssignmentConfigs: array(lastAssignmentConfig).orNull().tag(1),
  },
})

/** A member of a streams group. */
export const StreamsGroupMemberMetadataKey = record(19, 'StreamsGroupMemberMetadataKey', {
  versions: '0',
  fields: {
    groupId: string,
    memberId: string,
  },
})

const endpoint = struct({
  host: string,
  port: uint16,
})

const keyValue = struct({
  key: string,
  value: string,
})

/** Process, endpoint and tags of a member. */
export const StreamsGroupMemberMetadataValue = record(19, 'StreamsGroupMemberMetadataValue', {
  versions: '0',
  flexible: 0,
  fields: {
    instanceId: string.orNull(),
    rackId: string.orNull(),
    clientId: string,
    clientHost: string,
    rebalanceTimeoutMs: int32.default(-1),
    topologyEpoch: int32,
    processId: string,
    userEndpoint: endpoint.nullable(),
    clientTags: array(keyValue),
  },
})

/** Topology of a streams group. */
export const StreamsGroupTopologyKey = record(23, 'StreamsGroupTopologyKey', {
  versions: '0',
  fields: {
    groupId: string,
  },
})

const topicConfig = struct({
  key: string,
  value: string,
})

const topicInfo = struct({
  name: string,
  partitions: int32,
  replicationFactor: int16,
  topicConfigs: array(topicConfig),
})

/** Subtopologies with their source, sink and internal topics. */
export const StreamsGroupTopologyValue = record(23, 'StreamsGroupTopologyValue', {
  versions: '0',
  flexible: 0,
  fields: {
    epoch: int32,
    subtopologies: array({
      subtopologyId: string,
      sourceTopics: array(string),
      sourceTopicRegex: array(string),
      stateChangelogTopics: array(topicInfo),
      repartitionSinkTopics: array(string),
      repartitionSourceTopics: array(topicInfo),
      copartitionGroups: array({
        sourceTopics: array(int16),
        sourceTopicRegex: array(int16),
        repartitionSourceTopics: array(int16),
      }),
    }),
  },
})

/** Target assignment of a streams group. */
export const StreamsGroupTargetAssignmentMetadataKey = record(20, 'StreamsGroupTargetAssignmentMetadataKey', {
  versions: '0',
  fields: {
    groupId: string,
  },
})

/** Epoch of the target assignment. */
export const StreamsGroupTargetAssignmentMetadataValue = record(20, 'StreamsGroupTargetAssignmentMetadataValue', {
  versions: '0',
  flexible: 0,
  fields: {
    assignmentEpoch: int32,
    assignmentTimestamp: offset.default(0).tag(0),
  },
})

/** A member's share of the target assignment. */
export const StreamsGroupTargetAssignmentMemberKey = record(21, 'StreamsGroupTargetAssignmentMemberKey', {
  versions: '0',
  fields: {
    groupId: string,
    memberId: string,
  },
})

const taskIds = struct({
  subtopologyId: string,
  partitions: array(int32),
})

/** Tasks that a member is to run. */
export const StreamsGroupTargetAssignmentMemberValue = record(21, 'StreamsGroupTargetAssignmentMemberValue', {
  versions: '0',
  flexible: 0,
  fields: {
    activeTasks: array(taskIds),
    standbyTasks: array(taskIds),
    warmupTasks: array(taskIds),
  },
})

/** What a member of a streams group runs. */
export const StreamsGroupCurrentMemberAssignmentKey = record(22, 'StreamsGroupCurrentMemberAssignmentKey', {
  versions: '0',
  fields: {
    groupId: string,
    memberId: string,
  },
})

const streamsGroupCurrentMemberAssignmentValueTaskIds = struct({
  subtopologyId: string,
  partitions: array(int32),
  assignmentEpochs: array(int32).orNull().tag(0),
})

/** Epochs, state and tasks of a member. The default of `assignmentEpochs` is empty, not null. */
export const StreamsGroupCurrentMemberAssignmentValue = record(22, 'StreamsGroupCurrentMemberAssignmentValue', {
  versions: '0',
  flexible: 0,
  fields: {
    memberEpoch: int32,
    previousMemberEpoch: int32,
    state: int8,
    activeTasks: array(streamsGroupCurrentMemberAssignmentValueTaskIds),
    standbyTasks: array(streamsGroupCurrentMemberAssignmentValueTaskIds),
    warmupTasks: array(streamsGroupCurrentMemberAssignmentValueTaskIds),
    activeTasksPendingRevocation: array(streamsGroupCurrentMemberAssignmentValueTaskIds),
    standbyTasksPendingRevocation: array(streamsGroupCurrentMemberAssignmentValueTaskIds),
    warmupTasksPendingRevocation: array(streamsGroupCurrentMemberAssignmentValueTaskIds),
  },
})
