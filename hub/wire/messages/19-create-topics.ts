/**
 * @module wire/messages/19-create-topics — creates topics.
 *
 * - 4: default partition count and replication factor (KIP-464)
 * - 5: flexible; the response tells the settings (KIP-525)
 * - 7: topic ids (KIP-516)
 */
import type { RequestInput, RequestOf, ResponseInput, ResponseOf } from '../message.ts'
import { api } from '../message.ts'
import { array, bool, errorCode, int8, int16, int32, string, uuid } from '../schema.ts'

export const CreateTopics = api(19, 'CreateTopics', {
  versions: '2-7',
  flexible: 5,
  listeners: ['broker', 'controller'],
  request: {
    topics: array({
      name: string,
      numPartitions: int32,
      replicationFactor: int16,
      assignments: array({
        partitionIndex: int32,
        brokerIds: array(int32),
      }),
      configs: array({
        name: string,
        value: string.orNull(),
      }),
    }),
    timeoutMs: int32.default(60000),
    validateOnly: bool.default(false),
  },
  response: {
    throttleTimeMs: int32,
    topics: array({
      name: string,
      topicId: uuid.in('7+'),
      errorCode,
      errorMessage: string.orNull(),
      topicConfigErrorCode: int16.in('5+').tag(0),
      numPartitions: int32.in('5+').default(-1),
      replicationFactor: int16.in('5+').default(-1),
      configs: array({
        name: string,
        value: string.orNull(),
        readOnly: bool,
        configSource: int8.default(-1),
        isSensitive: bool,
      })
        .in('5+')
        .orNull(),
    }),
  },
})

export type CreateTopicsRequest = RequestOf<typeof CreateTopics>
export type CreateTopicsResponse = ResponseOf<typeof CreateTopics>
export type CreateTopicsRequestInput = RequestInput<typeof CreateTopics>
export type CreateTopicsResponseInput = ResponseInput<typeof CreateTopics>
