/**
 * @module api/75-describe-topic-partitions — topics in pages. Version 0 (KIP-966).
 *
 * Topics come in the order of their names; when the page is full, the cursor says where the next one begins. Unknown topics come first,
 * as in Kafka. A cursor has to name one of the topics asked for.
 */
import { type TopicImage, topicNameProblem } from '../cluster/index.ts'
import { DescribeTopicPartitions, ErrorCode, type RequestOf, ZERO_UUID } from '../wire/index.ts'
import { authorizedOperations, type Broker, defineHandler, isInternalTopic } from './handler.ts'
import { describePartition, describeTopic } from './topic-description.ts'

type Request = RequestOf<typeof DescribeTopicPartitions>

export const describeTopicPartitions = defineHandler({
  api: DescribeTopicPartitions,
  overlaps: false,
  create: (broker) => (request) => {
    if (isCursorWrong(request)) return refuse(request)
    const image = broker.controller.image
    const wantsAll = request.topics.length === 0
    const names = new Set(wantsAll ? image.topicsByName.keys() : request.topics.map(({ name }) => name))
    const from = request.cursor
    const sorted = [...names].sort().filter((name) => from === null || name >= from.topicName)
    const known = sorted.flatMap((name) => image.topicsByName.get(name) ?? [])
    const unknown = wantsAll ? [] : sorted.filter((name) => !image.topicsByName.has(name)).map(missing)
    const { topics, nextCursor } = page(known, request, pageLimit(broker, request))
    return { throttleTimeMs: 0, topics: [...unknown, ...topics], nextCursor }
  },
})

function pageLimit(broker: Broker, request: Request): number {
  return Math.max(1, Math.min(request.responsePartitionLimit, broker.config().brokerConfig['max.request.partition.size.limit']))
}

function page(known: readonly TopicImage[], { cursor }: Request, limit: number) {
  const topics = []
  let left = limit
  for (const topic of known) {
    const first = topic.name === cursor?.topicName ? Math.max(0, cursor.partitionIndex) : 0
    if (left === 0) return { topics, nextCursor: { topicName: topic.name, partitionIndex: first } }
    const shown = topic.partitions.slice(first, first + left)
    left -= shown.length
    topics.push(describe(topic, shown))
    const next = first + shown.length
    if (next < topic.partitions.length) return { topics, nextCursor: { topicName: topic.name, partitionIndex: next } }
  }
  return { topics, nextCursor: null }
}

function describe(topic: TopicImage, partitions: TopicImage['partitions']) {
  return {
    ...describeTopic(topic, authorizedOperations.topic),
    partitions: partitions.map((partition) => ({
      ...describePartition(partition),
      eligibleLeaderReplicas: [...partition.eligibleLeaderReplicas],
      lastKnownElr: [...partition.lastKnownElr],
    })),
  }
}

function isCursorWrong({ cursor, topics }: Request): boolean {
  if (cursor === null) return false
  return cursor.partitionIndex < 0 || (topics.length > 0 && !topics.some(({ name }) => name === cursor.topicName))
}

function refuse({ topics }: Request) {
  const refused = topics.map(({ name }) => ({
    errorCode: ErrorCode.INVALID_REQUEST,
    name,
    topicId: ZERO_UUID,
    isInternal: false,
    partitions: [],
    topicAuthorizedOperations: authorizedOperations.notAsked,
  }))
  return { throttleTimeMs: 0, topics: refused, nextCursor: null }
}

function missing(name: string) {
  const errorCode = topicNameProblem(name) === undefined ? ErrorCode.UNKNOWN_TOPIC_OR_PARTITION : ErrorCode.INVALID_TOPIC_EXCEPTION
  return {
    errorCode,
    name,
    topicId: ZERO_UUID,
    isInternal: isInternalTopic(name),
    partitions: [],
    topicAuthorizedOperations: authorizedOperations.topic,
  }
}
