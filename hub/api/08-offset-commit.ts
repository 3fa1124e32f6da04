/**
 * @module api/08-offset-commit — keeps a group's positions. Versions 2–10.
 *
 * Topics and partitions that do not exist are answered here, the rest by the coordinator. 6: leader epoch (KIP-320). 7: static members
 * (KIP-345). 9: members of KIP-848 groups. 10: topic ids (KIP-848).
 */
import type { MetadataImage } from '../cluster/index.ts'
import { ErrorCode, OffsetCommit, type RequestOf } from '../wire/index.ts'
import { partExisting } from './existing-partitions.ts'
import { callerOf } from './group-caller.ts'
import { defineHandler } from './handler.ts'

/** First version that names topics by id. */
const TOPIC_ID_VERSION_MIN = 10

type TopicRequest = RequestOf<typeof OffsetCommit>['topics'][number]

export const offsetCommit = defineHandler({
  api: OffsetCommit,
  overlaps: true,
  create: (broker) => async (request, context) => {
    const image = broker.controller.image
    const byId = context.apiVersion >= TOPIC_ID_VERSION_MIN
    const topics = request.topics.map((topic) => (byId ? withName(topic, image) : withId(topic, image)))
    const { existing, merge } = partExisting(image, topics, (topic) =>
      byId && topic.name === '' ? ErrorCode.UNKNOWN_TOPIC_ID : ErrorCode.UNKNOWN_TOPIC_OR_PARTITION,
    )
    if (existing.length === 0) return { throttleTimeMs: 0, topics: merge([]) }
    const answered = await broker.groups.offsetCommit({ ...request, topics: existing }, callerOf(context))
    return { throttleTimeMs: 0, topics: merge(answered.topics) }
  },
})

/** A topic that does not exist has no name. */
function withName(topic: TopicRequest, image: MetadataImage): TopicRequest {
  return { ...topic, name: image.topicsById.get(topic.topicId)?.name ?? '' }
}

function withId(topic: TopicRequest, image: MetadataImage): TopicRequest {
  return { ...topic, topicId: image.topicsByName.get(topic.name)?.topicId ?? topic.topicId }
}
