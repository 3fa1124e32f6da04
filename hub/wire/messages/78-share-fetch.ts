/**
 * @module wire/messages/78-share-fetch — fetches and acknowledges records for a share group (KIP-932).
 *
 * - 0 was early access and is gone
 * - 2: acquisition mode and renewal of locks (KIP-1206, KIP-1222)
 */
import type { RequestInput, RequestOf, ResponseInput, ResponseOf } from '../message.ts'
import { api } from '../message.ts'
import { array, bool, errorCode, int8, int16, int32, offset, records, string, struct, uuid } from '../schema.ts'

export const ShareFetch = api(78, 'ShareFetch', {
  versions: '1-2',
  flexible: 0,
  request: {
    groupId: string.nullable(),
    memberId: string.orNull(),
    shareSessionEpoch: int32,
    maxWaitMs: int32,
    minBytes: int32,
    maxBytes: int32.default(2_147_483_647),
    maxRecords: int32,
    batchSize: int32,
    shareAcquireMode: int8.in('2+').default(0),
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
    forgottenTopicsData: array({
      topicId: uuid,
      partitions: array(int32),
    }),
  },
  response: {
    throttleTimeMs: int32,
    errorCode,
    errorMessage: string.nullable(),
    acquisitionLockTimeoutMs: int32,
    responses: array({
      topicId: uuid,
      partitions: array({
        partitionIndex: int32,
        errorCode,
        errorMessage: string.nullable(),
        acknowledgeErrorCode: int16,
        acknowledgeErrorMessage: string.nullable(),
        currentLeader: struct({
          leaderId: int32,
          leaderEpoch: int32,
        }),
        records,
        acquiredRecords: array({
          firstOffset: offset,
          lastOffset: offset,
          deliveryCount: int16,
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

export type ShareFetchRequest = RequestOf<typeof ShareFetch>
export type ShareFetchResponse = ResponseOf<typeof ShareFetch>
export type ShareFetchRequestInput = RequestInput<typeof ShareFetch>
export type ShareFetchResponseInput = ResponseInput<typeof ShareFetch>
