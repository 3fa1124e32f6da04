/**
 * @module api/09-offset-fetch — reads a group's positions. Versions 1–10.
 *
 * 2: null means all topics. 5: leader epoch (KIP-320). 7: require stable (KIP-447). 8: several groups
 * (KIP-709). 9: members of KIP-848 groups. 10: topic ids; the coordinator is asked by name and the ids are put back here.
 */
import type { MetadataImage } from '../cluster/index.ts'
import { ErrorCode, OffsetFetch, type RequestOf } from '../wire/index.ts'
import { callerOf } from './group-caller.ts'
import { defineHandler } from './handler.ts'

/** First version that names topics by id. */
const TOPIC_ID_VERSION_MIN = 10

type Group = RequestOf<typeof OffsetFetch>['groups'][number]

export const offsetFetch = defineHandler({
  api: OffsetFetch,
  overlaps: false,
  create: (broker) => async (request, context) => {
    if (context.apiVersion < TOPIC_ID_VERSION_MIN) return broker.groups.offsetFetch(request, callerOf(context))
    const image = broker.controller.image
    const groups = request.groups.map((group) => withNames(group, image))
    const answered = await broker.groups.offsetFetch({ ...request, groups }, callerOf(context))
    return {
      ...answered,
      groups: (answered.groups ?? []).map((group, at) => ({
        ...group,
        topics: [
          // A topic without an id has been deleted; a client of this version could not tell which one it was.
          ...(group.topics ?? []).flatMap((topic) => {
            const topicId = image.topicsByName.get(topic.name ?? '')?.topicId
            return topicId === undefined ? [] : [{ ...topic, topicId }]
          }),
          ...unknownTopics(request.groups[at], image),
        ],
      })),
    }
  },
})

function withNames(group: Group, image: MetadataImage): Group {
  if (group.topics === null) return group
  const topics = group.topics.flatMap((topic) => {
    const name = image.topicsById.get(topic.topicId)?.name
    return name === undefined ? [] : [{ ...topic, name }]
  })
  return { ...group, topics }
}

function unknownTopics(group: Group | undefined, image: MetadataImage) {
  const unknown = (group?.topics ?? []).filter((topic) => !image.topicsById.has(topic.topicId))
  return unknown.map((topic) => ({
    name: '',
    topicId: topic.topicId,
    partitions: topic.partitionIndexes.map((partitionIndex) => ({
      partitionIndex,
      committedOffset: -1,
      committedLeaderEpoch: -1,
      metadata: '',
      errorCode: ErrorCode.UNKNOWN_TOPIC_ID,
    })),
  }))
}
