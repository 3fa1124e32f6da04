/**
 * @module wire/messages/20-delete-topics — deletes topics.
 *
 * - 4: flexible
 * - 5: error message
 * - 6: by topic id (KIP-516)
 */
import type { RequestInput, RequestOf, ResponseInput, ResponseOf } from '../message.ts'
import { api } from '../message.ts'
import { array, errorCode, int32, string, uuid } from '../schema.ts'

export const DeleteTopics = api(20, 'DeleteTopics', {
  versions: '1-6',
  flexible: 4,
  listeners: ['broker', 'controller'],
  request: {
    topics: array({
      name: string.nullable(),
      topicId: uuid,
    }).in('6+'),
    topicNames: array(string).in('1-5'),
    timeoutMs: int32,
  },
  response: {
    throttleTimeMs: int32,
    responses: array({
      name: string.orNull('6+'),
      topicId: uuid.in('6+'),
      errorCode,
      errorMessage: string.in('5+').nullable(),
    }),
  },
})

export type DeleteTopicsRequest = RequestOf<typeof DeleteTopics>
export type DeleteTopicsResponse = ResponseOf<typeof DeleteTopics>
export type DeleteTopicsRequestInput = RequestInput<typeof DeleteTopics>
export type DeleteTopicsResponseInput = ResponseInput<typeof DeleteTopics>
