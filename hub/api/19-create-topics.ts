/**
 * @module api/19-create-topics — makes topics. Versions 2–7.
 *
 * The answer comes when the record is durable and the logs are open, so a client may produce at once. 5: the created topic's settings
 * (KIP-525). 6: throttling of mutations (KIP-599, no quotas yet). 7: topic ids (KIP-516).
 */
import type { CreateTopicOutcome, CreateTopicSpec } from '../cluster/index.ts'
import { describeTopicConfig } from '../config/index.ts'
import { CreateTopics, ErrorCode, type RequestOf, ZERO_UUID } from '../wire/index.ts'
import { type Broker, defineHandler } from './handler.ts'

type TopicRequest = RequestOf<typeof CreateTopics>['topics'][number]

export const createTopics = defineHandler({
  api: CreateTopics,
  overlaps: false,
  create: (broker) => async (request) => {
    const counts = new Map<string, number>()
    for (const { name } of request.topics) counts.set(name, (counts.get(name) ?? 0) + 1)
    const specs = request.topics.filter(({ name }) => counts.get(name) === 1).map(specOf)
    const outcomes = await broker.controller.createTopics(specs, { validateOnly: request.validateOnly })
    await broker.partitions.settled()
    const byName = new Map(outcomes.map((outcome) => [outcome.name, outcome]))
    const topics = [...counts.keys()].map((name) => {
      const outcome = byName.get(name)
      if (outcome === undefined) return refusal(name, ErrorCode.INVALID_REQUEST, 'Duplicate topic name.')
      if (outcome.errorCode !== ErrorCode.NONE) return refusal(name, outcome.errorCode, outcome.errorMessage)
      return creation(
        broker,
        outcome,
        specs.find((spec) => spec.name === name),
      )
    })
    return { throttleTimeMs: 0, topics }
  },
})

function specOf(topic: TopicRequest): CreateTopicSpec {
  return {
    name: topic.name,
    partitionCount: topic.numPartitions,
    replicationFactor: topic.replicationFactor,
    assignments: topic.assignments.map(({ partitionIndex, brokerIds }) => ({ partition: partitionIndex, brokerIds })),
    configs: topic.configs.map(({ name, value }) => ({ name, value })),
  }
}

function refusal(name: string, errorCode: number, errorMessage: string | null) {
  return { name, topicId: ZERO_UUID, errorCode, errorMessage, numPartitions: -1, replicationFactor: -1, configs: [] }
}

function creation(broker: Broker, outcome: CreateTopicOutcome, spec: CreateTopicSpec | undefined) {
  const overrides = new Map((spec?.configs ?? []).flatMap(({ name, value }) => (value === null ? [] : [[name, value] as const])))
  const { brokerConfig, sources } = broker.config()
  return {
    name: outcome.name,
    topicId: outcome.topicId,
    errorCode: ErrorCode.NONE,
    errorMessage: null,
    numPartitions: outcome.partitionCount,
    replicationFactor: outcome.replicationFactor,
    configs: describeTopicConfig(overrides, brokerConfig, sources).map(({ name, value, readOnly, source, isSensitive }) => ({
      name,
      value,
      readOnly,
      configSource: source,
      isSensitive,
    })),
  }
}
