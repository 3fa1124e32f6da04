/**
 * @module wire/messages/76-share-group-heartbeat — keeps a member of a share group alive (KIP-932).
 *
 * - 0 was early access and is gone
 */
import type { RequestInput, RequestOf, ResponseInput, ResponseOf } from '../message.ts'
import { api } from '../message.ts'
import { array, errorCode, int32, string, struct, uuid } from '../schema.ts'

const topicPartitions = struct({
  topicId: uuid,
  partitions: array(int32),
})

export const ShareGroupHeartbeat = api(76, 'ShareGroupHeartbeat', {
  versions: '1',
  flexible: 0,
  request: {
    groupId: string,
    memberId: string,
    memberEpoch: int32,
    rackId: string.nullable(),
    subscribedTopicNames: array(string).nullable(),
  },
  response: {
    throttleTimeMs: int32,
    errorCode,
    errorMessage: string.nullable(),
    memberId: string.nullable(),
    memberEpoch: int32,
    heartbeatIntervalMs: int32,
    assignment: struct({
      topicPartitions: array(topicPartitions),
    }).nullable(),
  },
})

export type ShareGroupHeartbeatRequest = RequestOf<typeof ShareGroupHeartbeat>
export type ShareGroupHeartbeatResponse = ResponseOf<typeof ShareGroupHeartbeat>
export type ShareGroupHeartbeatRequestInput = RequestInput<typeof ShareGroupHeartbeat>
export type ShareGroupHeartbeatResponseInput = ResponseInput<typeof ShareGroupHeartbeat>
