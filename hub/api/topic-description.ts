/** @module api/topic-description — a topic as Metadata (3) and DescribeTopicPartitions (75) tell it. */
import type { PartitionImage, TopicImage } from '../cluster/index.ts'
import { ErrorCode } from '../wire/index.ts'
import { isInternalTopic } from './handler.ts'

/** All of a topic but its partitions. */
export function describeTopic(topic: TopicImage, topicAuthorizedOperations: number) {
  return {
    errorCode: ErrorCode.NONE,
    name: topic.name,
    topicId: topic.topicId,
    isInternal: isInternalTopic(topic.name),
    topicAuthorizedOperations,
  }
}

/** One partition; no replica can be offline while there is one broker. */
export function describePartition(partition: PartitionImage) {
  return {
    errorCode: ErrorCode.NONE,
    partitionIndex: partition.partition,
    leaderId: partition.leader,
    leaderEpoch: partition.leaderEpoch,
    replicaNodes: [...partition.replicas],
    isrNodes: [...partition.isr],
    offlineReplicas: [],
  }
}
