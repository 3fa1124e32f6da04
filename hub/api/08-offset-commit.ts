/**
 * @module api/08-offset-commit — keeps a group's positions. Versions 2–10.
 *
 * Topics and partitions that do not exist are answered here, the rest by the coordinator. 6: leader epoch (KIP-320). 7: static members
 * (KIP-345). 9: members of KIP-848 groups. 10: topic ids (KIP-848).
 */
import { ErrorCode, OffsetCommit, type RequestOf } from '../wire/index.ts'
import { callerOf } from './group-caller.ts'
import { type Broker, defineHandler } from './handler.ts'

/** First version that names topics by id. */
const TOPIC_ID_VERSION_MIN = 10

type TopicRequest = RequestOf<typeof OffsetCommit>['topics'][number]

export const offsetCommit = defineHandler({
  api: OffsetCommit,
  overlaps: true,
  create: (broker) => async (request, context) => {
    const resolved = request.topics.map((topic) => resolve(broker, topic, context.apiVersion))
    const known = resolved.flatMap(({ topic, partitions }) => (partitions.length === 0 ? [] : [{ ...topic, partitions }]))
    const errors = new Map<string, number>()
    if (known.length > 0) {
      const answered = await broker.groups.offsetCommit({ ...request, topics: known }, callerOf(context))
      known.forEach((topic, at) => {
        for (const partition of answered.topics[at]?.partitions ?? [])
          errors.set(`${topic.name}-${partition.partitionIndex}`, partition.errorCode)
      })
    }
    const topics = resolved.map(({ topic, missing }) => ({
      name: topic.name,
      topicId: topic.topicId,
      partitions: topic.partitions.map(({ partitionIndex }) => ({
        partitionIndex,
        errorCode: missing.get(partitionIndex) ?? errors.get(`${topic.name}-${partitionIndex}`) ?? ErrorCode.UNKNOWN_SERVER_ERROR,
      })),
    }))
    return { throttleTimeMs: 0, topics }
  },
})

/** Fills in what the request left out of name and id, and parts the partitions that exist from those that don't. */
function resolve(broker: Broker, topic: TopicRequest, apiVersion: number) {
  const image = broker.controller.image
  const byId = apiVersion >= TOPIC_ID_VERSION_MIN
  const found = byId ? image.topicsById.get(topic.topicId) : image.topicsByName.get(topic.name)
  const errorCode = found === undefined && byId ? ErrorCode.UNKNOWN_TOPIC_ID : ErrorCode.UNKNOWN_TOPIC_OR_PARTITION
  const missing = new Map<number, number>()
  const partitions = topic.partitions.filter(({ partitionIndex }) => {
    if (found?.partitions[partitionIndex] !== undefined) return true
    missing.set(partitionIndex, errorCode)
    return false
  })
  return { topic: { ...topic, name: found?.name ?? topic.name, topicId: found?.topicId ?? topic.topicId }, partitions, missing }
}
