/** @module api/partition-lookup — finding a request's topic and partition, or the error code that says why not. */
import type { HostedTopic, Partition } from '../replica/index.ts'
import { ErrorCode, ZERO_UUID } from '../wire/index.ts'
import type { Broker } from './handler.ts'

/** A topic as a request names it: by id when the id is set, else by name. */
export interface TopicReference {
  readonly name: string
  readonly topicId: string
}

/** The hosted topic, undefined when it is unknown or none of its logs is open. */
export function findTopic(broker: Broker, reference: TopicReference): HostedTopic | undefined {
  if (reference.topicId !== ZERO_UUID) return broker.partitions.byId(reference.topicId)
  return broker.partitions.byName(reference.name)
}

/** The partition, or why it cannot be served. */
export function findPartition(
  broker: Broker,
  reference: TopicReference,
  index: number,
  topic = findTopic(broker, reference),
): Partition | number {
  return topic?.partitions[index] ?? explainMissing(broker, reference, index)
}

/** UNKNOWN_TOPIC_ID or UNKNOWN_TOPIC_OR_PARTITION for what the image does not know; retriable codes for what is about to be open, or failed to. */
function explainMissing(broker: Broker, reference: TopicReference, index: number): number {
  const image = broker.controller.image
  const byId = reference.topicId !== ZERO_UUID
  const topic = byId ? image.topicsById.get(reference.topicId) : image.topicsByName.get(reference.name)
  if (topic === undefined) return byId ? ErrorCode.UNKNOWN_TOPIC_ID : ErrorCode.UNKNOWN_TOPIC_OR_PARTITION
  if (topic.partitions[index] === undefined) return ErrorCode.UNKNOWN_TOPIC_OR_PARTITION
  if (broker.partitions.failure(topic.name, index) !== undefined) return ErrorCode.KAFKA_STORAGE_ERROR
  return ErrorCode.NOT_LEADER_OR_FOLLOWER
}
