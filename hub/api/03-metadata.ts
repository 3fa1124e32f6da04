/**
 * @module api/03-metadata — brokers, topics, leaders. Versions 0–13.
 *
 * A topic that is not there is created when the client and `auto.create.topics.enable` allow it; the answer waits until its logs are open,
 * so that the client need not ask twice. 1: null means all topics (in 0 an empty list does). 2: cluster id. 4: the client may forbid
 * creation (KIP-204). 7: leader epochs. 8–10: authorized operations (KIP-430). 10, 12: topic ids (KIP-516). 13: top-level error (KIP-1102).
 */
import { type TopicImage, topicNameProblem } from '../cluster/index.ts'
import { ErrorCode, Metadata, type RequestOf, ZERO_UUID } from '../wire/index.ts'
import { authorizedOperations, type Broker, defineHandler, isInternalTopic, reachableBrokers } from './handler.ts'
import { describePartition, describeTopic } from './topic-description.ts'

type Request = RequestOf<typeof Metadata>

export const metadata = defineHandler({
  api: Metadata,
  overlaps: false,
  create: (broker) => async (request, context) => {
    const operations = request.includeTopicAuthorizedOperations ? authorizedOperations.topic : authorizedOperations.notAsked
    const refusals = await createMissing(broker, request)
    const image = broker.controller.image
    const wantsAll = request.topics === null || (context.apiVersion === 0 && request.topics.length === 0)
    const topics = wantsAll
      ? [...image.topicsByName.values()].map((topic) => describe(topic, operations))
      : (request.topics ?? []).map(({ name, topicId }) => {
          const topic = topicId === ZERO_UUID ? image.topicsByName.get(name ?? '') : image.topicsById.get(topicId)
          return topic === undefined ? missing(name, topicId, refusals, context.apiVersion, operations) : describe(topic, operations)
        })
    return {
      throttleTimeMs: 0,
      brokers: reachableBrokers(image, context.connection.listenerName),
      clusterId: image.clusterId,
      controllerId: image.controllerId,
      topics,
      clusterAuthorizedOperations: request.includeClusterAuthorizedOperations
        ? authorizedOperations.cluster
        : authorizedOperations.notAsked,
      errorCode: ErrorCode.NONE,
    }
  },
})

function describe(topic: TopicImage, topicAuthorizedOperations: number) {
  return { ...describeTopic(topic, topicAuthorizedOperations), partitions: topic.partitions.map(describePartition) }
}

/** First version in which a topic's name may be null. */
const NULL_NAME_VERSION_MIN = 12

function missing(
  name: string | null,
  topicId: string,
  refusals: ReadonlyMap<string, number>,
  apiVersion: number,
  topicAuthorizedOperations: number,
) {
  const byId = topicId !== ZERO_UUID
  const byName = topicNameProblem(name ?? '') === undefined ? ErrorCode.UNKNOWN_TOPIC_OR_PARTITION : ErrorCode.INVALID_TOPIC_EXCEPTION
  return {
    errorCode: byId ? ErrorCode.UNKNOWN_TOPIC_ID : (refusals.get(name ?? '') ?? byName),
    name: byId && apiVersion >= NULL_NAME_VERSION_MIN ? null : (name ?? ''),
    topicId,
    isInternal: isInternalTopic(name ?? ''),
    partitions: [],
    topicAuthorizedOperations,
  }
}

/** Creates what may be created; resolves with the error code per topic that was refused. */
async function createMissing(broker: Broker, request: Request): Promise<ReadonlyMap<string, number>> {
  const refusals = new Map<string, number>()
  if (!request.allowAutoTopicCreation || request.topics === null || !broker.config().brokerConfig['auto.create.topics.enable'])
    return refusals
  const names = new Set<string>()
  let groupsTopicWanted = false
  for (const { name, topicId } of request.topics) {
    if (topicId !== ZERO_UUID || name === null || broker.controller.image.topicsByName.has(name)) continue
    if (isInternalTopic(name)) groupsTopicWanted ||= name === '__consumer_offsets'
    else names.add(name)
  }
  if (groupsTopicWanted) await broker.ensureOffsetsTopic()
  if (names.size === 0) return refusals
  const specs = [...names].map((name) => ({ name, partitionCount: -1, replicationFactor: -1, assignments: [], configs: [] }))
  for (const outcome of await broker.controller.createTopics(specs, { validateOnly: false })) {
    if (outcome.errorCode !== ErrorCode.NONE) refusals.set(outcome.name, outcome.errorCode)
  }
  await broker.partitions.settled()
  return refusals
}
