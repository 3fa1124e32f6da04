/**
 * @module cluster/delete-topics — decides on the removal of topics, by name or by id (KIP-516).
 * Source of the messages: kafka.server.ControllerApis of Kafka 4.3.1.
 */
import { ErrorCode, encodeMetadataRecord, errorMessage, RemoveTopicRecord, ZERO_UUID } from '../wire/index.ts'
import { type Circumstances, type Decision, type Problem, problem, SUCCESS } from './decision.ts'
import type { TopicImage } from './types.ts'

export interface DeletedTopic {
  readonly name: string | null
  readonly topicId: string
}

export type DeleteTopicOutcome = DeletedTopic & Problem

/** One outcome per distinct topic of the request; a success names the topic both ways. */
export function decideDeleteTopics({ image }: Circumstances, topics: readonly DeletedTopic[]): Decision<DeleteTopicOutcome> {
  const records: Buffer[] = []
  const removed = new Set<string>()
  const outcomes = [...Map.groupBy(topics, (topic) => `${topic.name ?? ''} ${topic.topicId}`).values()].map((same): DeleteTopicOutcome => {
    const { name, topicId } = same[0] as DeletedTopic
    const refused = requestProblem(name, topicId, same.length)
    if (refused !== undefined) return { name, topicId, ...refused }
    const topic: TopicImage | undefined = name === null ? image.topicsById.get(topicId) : image.topicsByName.get(name)
    if (topic === undefined) return { name, topicId, ...unknownTopic(name) }
    if (removed.has(topic.topicId)) {
      return { name, topicId, ...problem(ErrorCode.INVALID_REQUEST, 'The provided topic name maps to an ID that was already supplied.') }
    }
    removed.add(topic.topicId)
    records.push(encodeMetadataRecord(RemoveTopicRecord, { topicId: topic.topicId }))
    return { name: topic.name, topicId: topic.topicId, ...SUCCESS }
  })
  return { records, outcomes }
}

function requestProblem(name: string | null, topicId: string, count: number): Problem | undefined {
  const refuse = (message: string): Problem => problem(ErrorCode.INVALID_REQUEST, message)
  if (name !== null && topicId !== ZERO_UUID) return refuse('You may not specify both topic name and topic id.')
  if (name === null && topicId === ZERO_UUID) return refuse('Neither topic name nor id were specified.')
  if (count > 1) return refuse(name === null ? 'Duplicate topic id.' : 'Duplicate topic name.')
  return undefined
}

function unknownTopic(name: string | null): Problem {
  const errorCode = name === null ? ErrorCode.UNKNOWN_TOPIC_ID : ErrorCode.UNKNOWN_TOPIC_OR_PARTITION
  return problem(errorCode, errorMessage(errorCode))
}
