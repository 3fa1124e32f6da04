/** @module client/metadata — what the cluster looks like: immutable pictures, and how an answer makes the next one. Pure. */
import { ErrorCode, type MetadataResponse, ZERO_UUID } from '../wire/index.ts'
import type { BrokerInfo, PartitionInfo, TopicPartition } from './types.ts'

/** A topic as last seen. */
export interface TopicImage {
  readonly name: string
  /** ZERO_UUID from brokers before topic ids (KIP-516). */
  readonly topicId: string
  readonly isInternal: boolean
  /** Index is the partition. */
  readonly partitions: readonly PartitionInfo[]
}

/** The cluster as last seen. */
export interface ClusterImage {
  readonly clusterId: string | null
  readonly controllerId: number
  readonly brokers: ReadonlyMap<number, BrokerInfo>
  readonly topics: ReadonlyMap<string, TopicImage>
  /** Topics that the last answer refused, with the code. */
  readonly topicErrors: ReadonlyMap<string, number>
}

/** Before the first answer. */
export const EMPTY_IMAGE: ClusterImage = {
  clusterId: null,
  controllerId: -1,
  brokers: new Map(),
  topics: new Map(),
  topicErrors: new Map(),
}

type ResponseTopic = MetadataResponse['topics'][number]

/**
 * The picture after an answer. `complete`: the answer covers all topics, so others are gone; else they stay as they were.
 * A partition keeps its older leader when the answer's epoch is older: brokers learn of elections at different times (KIP-320).
 */
export function applyMetadata(image: ClusterImage, response: MetadataResponse, complete: boolean): ClusterImage {
  const topics = new Map(complete ? [] : image.topics)
  const topicErrors = new Map(complete ? [] : image.topicErrors)
  for (const topic of response.topics) {
    if (topic.name === null) continue
    topicErrors.delete(topic.name)
    if (topic.errorCode === ErrorCode.NONE) {
      topics.set(topic.name, topicImage(topic.name, topic, image.topics.get(topic.name)))
      continue
    }
    topicErrors.set(topic.name, topic.errorCode)
    if (topic.errorCode === ErrorCode.UNKNOWN_TOPIC_OR_PARTITION) topics.delete(topic.name)
  }
  const brokers = response.brokers.map(({ nodeId, host, port, rack }): [number, BrokerInfo] => [nodeId, { nodeId, host, port, rack }])
  return {
    clusterId: response.clusterId ?? image.clusterId,
    controllerId: response.controllerId,
    brokers: new Map(brokers),
    topics,
    topicErrors,
  }
}

function topicImage(name: string, topic: ResponseTopic, known: TopicImage | undefined): TopicImage {
  // A topic that was deleted and made anew starts its epochs from 0.
  const same = known !== undefined && known.topicId === topic.topicId
  const partitions: PartitionInfo[] = []
  for (const part of [...topic.partitions].sort((one, other) => one.partitionIndex - other.partitionIndex)) {
    const before = same ? known.partitions[part.partitionIndex] : undefined
    const stale = before !== undefined && part.leaderEpoch >= 0 && part.leaderEpoch < before.leaderEpoch
    partitions[part.partitionIndex] = stale
      ? before
      : {
          topic: name,
          partition: part.partitionIndex,
          leaderId: part.leaderId,
          leaderEpoch: part.leaderEpoch,
          replicas: part.replicaNodes,
          isr: part.isrNodes,
          offlineReplicas: part.offlineReplicas,
        }
  }
  return {
    name,
    topicId: topic.topicId,
    isInternal: topic.isInternal,
    partitions,
  }
}

/** A new leader that a Produce or Fetch answer named (KIP-951). Ignored when its epoch is not newer. */
export function applyLeader(
  image: ClusterImage,
  at: { topic: string; partition: number },
  leader: { leaderId: number; leaderEpoch: number },
  endpoints: readonly BrokerInfo[],
): ClusterImage {
  const topic = image.topics.get(at.topic)
  const known = topic?.partitions[at.partition]
  if (topic === undefined || known === undefined || leader.leaderEpoch <= known.leaderEpoch) return image
  const partitions = topic.partitions.with(at.partition, {
    ...known,
    ...leader,
  })
  const brokers = new Map(image.brokers)
  for (const endpoint of endpoints) brokers.set(endpoint.nodeId, endpoint)
  return {
    ...image,
    brokers,
    topics: new Map(image.topics).set(at.topic, { ...topic, partitions }),
  }
}

/** Whether the topic has an id of its own. */
export function hasTopicId(topic: TopicImage | undefined): topic is TopicImage {
  return topic !== undefined && topic.topicId !== ZERO_UUID
}

/** Name of the topic with this id; undefined when no known topic has it. */
export function topicNameOf(image: ClusterImage, topicId: string): string | undefined {
  for (const topic of image.topics.values()) if (topic.topicId === topicId) return topic.name
  return undefined
}

/** Whether the partition is known not to be there (any more): its topic was refused as unknown, or has fewer partitions. */
export function isGone(image: ClusterImage, { topic, partition }: TopicPartition): boolean {
  const known = image.topics.get(topic)
  if (known !== undefined) return known.partitions[partition] === undefined
  return image.topicErrors.get(topic) === ErrorCode.UNKNOWN_TOPIC_OR_PARTITION
}
