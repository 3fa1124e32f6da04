/**
 * @module api/20-delete-topics — removes topics. Versions 1–6.
 *
 * The answer comes when the removal is durable; the files go later (`file.delete.delay.ms`). 3: TOPIC_DELETION_DISABLED. 5: messages.
 * 6: topic ids (KIP-516).
 */
import { DeleteTopics, ErrorCode, type RequestOf, ZERO_UUID } from '../wire/index.ts'
import { defineHandler } from './handler.ts'

/** First version that names topics by name or id, each in a struct. */
const TOPIC_ID_VERSION_MIN = 6
/** First version that knows TOPIC_DELETION_DISABLED. */
const DELETION_DISABLED_VERSION_MIN = 3

interface Answer {
  readonly name: string | null
  readonly topicId: string
  readonly errorCode: number
  readonly errorMessage: string | null
}

export const deleteTopics = defineHandler({
  api: DeleteTopics,
  overlaps: false,
  create: (broker) => async (request, context) => {
    const wanted =
      context.apiVersion >= TOPIC_ID_VERSION_MIN ? request.topics : request.topicNames.map((name) => ({ name, topicId: ZERO_UUID }))
    if (!broker.config().brokerConfig['delete.topic.enable']) {
      const errorCode = context.apiVersion >= DELETION_DISABLED_VERSION_MIN ? ErrorCode.TOPIC_DELETION_DISABLED : ErrorCode.INVALID_REQUEST
      return { throttleTimeMs: 0, responses: wanted.map((topic) => ({ ...topic, errorCode, errorMessage: 'Topic deletion is disabled.' })) }
    }
    const { answers, accepted } = check(wanted)
    const outcomes = accepted.length === 0 ? [] : await broker.controller.deleteTopics(accepted)
    const responses: Answer[] = [...answers]
    for (const { name, topicId, errorCode, errorMessage } of outcomes) responses.push({ name, topicId, errorCode, errorMessage })
    return { throttleTimeMs: 0, responses }
  },
})

type Wanted = Pick<RequestOf<typeof DeleteTopics>['topics'][number], 'name' | 'topicId'>

/** Refuses what names nothing, two things, or the same thing twice; each is answered once. */
function check(wanted: readonly Wanted[]): { readonly answers: Answer[]; readonly accepted: Wanted[] } {
  const answers = new Map<string, Answer>()
  const accepted = new Map<string, Wanted>()
  for (const { name, topicId } of wanted) {
    const byName = name !== null
    const byId = topicId !== ZERO_UUID
    const key = byName ? `name ${name}` : `id ${topicId}`
    const refuse = (message: string): void =>
      void answers.set(key, { name, topicId, errorCode: ErrorCode.INVALID_REQUEST, errorMessage: message })
    if (byName && byId) refuse('You may not specify both topic name and topic id.')
    else if (!byName && !byId) refuse('Neither topic name nor id were specified.')
    else if (accepted.has(key) || answers.has(key)) {
      accepted.delete(key)
      refuse(byName ? 'Duplicate topic name.' : 'Duplicate topic id.')
    } else accepted.set(key, { name, topicId })
  }
  return { answers: [...answers.values()], accepted: [...accepted.values()] }
}
