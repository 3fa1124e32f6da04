/**
 * @module wire/messages/79-share-acknowledge — acknowledges records of a share group (KIP-932).
 *
 * - 0 was early access and is gone
 * - 2: renewal of locks (KIP-1222)
 */
import type { RequestInput, RequestOf, ResponseInput, ResponseOf } from '../message.ts'
import { api } from '../message.ts'
import { array, bool, errorCode, int8, int32, offset, string, struct, uuid } from '../schema.ts'

export const ShareAcknowledge = api(79, 'ShareAcknowledge', {
  versions: '1-2',
  flexible: 0,
  request: {
    groupId: string.nullable(),
    memberId: string.orNull(),
    shareSessionEpoch: int32,
    isRenewAck: bool.in('2+').default(false),
    topics: array({
      topicId: uuid,
      partitions: array({
        partitionIndex: int32,
        acknowledgementBatches: array({
          firstOffset: offset,
          lastOffset: offset,
          acknowledgeTypes: array(int8),
        }),
      }),
    }),
  },
  response: {
    throttleTimeMs: int32,
    errorCode,
    errorMessage: string.nullable(),
    acquisitionLockTimeoutMs: int32.in('2+'),
    responses: array({
      topicId: uuid,
      partitions: array({
        partitionIndex: int32,
        errorCode,
        errorMessage: string.nullable(),
        currentLeader: struct({
          leaderId: int32,
          leaderEpoch: int32,
        }),
      }),
    }),
    nodeEndpoints: array({
      nodeId: int32,
      host: string,
      port: int32,
      rack: string.nullable(),
    }),
  },
})

export type ShareAcknowledgeRequest = RequestOf<typeof ShareAcknowledge>
export type ShareAcknowledgeResponse = ResponseOf<typeof ShareAcknowledge>
export type ShareAcknowledgeRequestInput = RequestInput<typeof ShareAcknowledge>
export type ShareAcknowledgeResponseInput = ResponseInput<typeof ShareAcknowledge>
