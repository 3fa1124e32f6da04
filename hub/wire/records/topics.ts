/**
 * @module wire/records/topics — metadata records of topics and partitions in `__cluster_metadata`.
 */
import { record } from '../message.ts'
import { array, int8, int32, string, uuid } from '../schema.ts'

/** A topic comes into being. */
export const TopicRecord = record(2, 'TopicRecord', {
  versions: '0',
  flexible: 0,
  fields: {
    name: string,
    topicId: uuid,
  },
})

/** A topic goes, with its partitions. */
export const RemoveTopicRecord = record(9, 'RemoveTopicRecord', {
  versions: '0',
  flexible: 0,
  fields: {
    topicId: uuid,
  },
})

/** A partition as it stands. 1: log directories (KIP-858); 2: eligible leader replicas (KIP-966). */
export const PartitionRecord = record(3, 'PartitionRecord', {
  versions: '0-2',
  flexible: 0,
  fields: {
    partitionId: int32.default(-1),
    topicId: uuid,
    replicas: array(int32),
    isr: array(int32),
    removingReplicas: array(int32),
    addingReplicas: array(int32),
    leader: int32.default(-1),
    leaderRecoveryState: int8.default(0).tag(0),
    leaderEpoch: int32.default(-1),
    partitionEpoch: int32.default(-1),
    directories: array(uuid).in('1+'),
    eligibleLeaderReplicas: array(int32).in('2+').nullable().tag(1),
    lastKnownElr: array(int32).in('2+').nullable().tag(2),
  },
})

/** What of a partition changes; absent tags stay as they are. 1: log directories (KIP-858); 2: eligible leader replicas (KIP-966). */
export const PartitionChangeRecord = record(5, 'PartitionChangeRecord', {
  versions: '0-2',
  flexible: 0,
  fields: {
    partitionId: int32.default(-1),
    topicId: uuid,
    isr: array(int32).nullable().tag(0),
    leader: int32.default(-2).tag(1),
    replicas: array(int32).nullable().tag(2),
    removingReplicas: array(int32).nullable().tag(3),
    addingReplicas: array(int32).nullable().tag(4),
    leaderRecoveryState: int8.default(-1).tag(5),
    directories: array(uuid).in('1+').nullable().tag(8),
    eligibleLeaderReplicas: array(int32).in('2+').nullable().tag(6),
    lastKnownElr: array(int32).in('2+').nullable().tag(7),
  },
})

/** Empties the eligible leader replicas of a topic, or of all when the name is empty (KIP-966). */
export const ClearElrRecord = record(28, 'ClearElrRecord', {
  versions: '0',
  flexible: 0,
  fields: {
    topicName: string,
  },
})
