/**
 * @module wire/messages/68-consumer-group-heartbeat — keeps a member of a new consumer group alive and carries its
 * assignment (KIP-848).
 *
 * - 1: subscription by regular expression; the client makes its member id (KIP-1082)
 */
import type { RequestInput, RequestOf, ResponseInput, ResponseOf } from '../message.ts'
import { api } from '../message.ts'
import { array, errorCode, int32, string, struct, uuid } from '../schema.ts'

const topicPartitions = struct({
  topicId: uuid,
  partitions: array(int32),
})

export const ConsumerGroupHeartbeat = api(68, 'ConsumerGroupHeartbeat', {
  versions: '0-1',
  flexible: 0,
  request: {
    groupId: string,
    memberId: string,
    memberEpoch: int32,
    instanceId: string.nullable(),
    rackId: string.nullable(),
    rebalanceTimeoutMs: int32.default(-1),
    subscribedTopicNames: array(string).nullable(),
    subscribedTopicRegex: string.in('1+').nullable(),
    serverAssignor: string.nullable(),
    topicPartitions: array({
      topicId: uuid,
      partitions: array(int32),
    }).nullable(),
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

export type ConsumerGroupHeartbeatRequest = RequestOf<typeof ConsumerGroupHeartbeat>
export type ConsumerGroupHeartbeatResponse = ResponseOf<typeof ConsumerGroupHeartbeat>
export type ConsumerGroupHeartbeatRequestInput = RequestInput<typeof ConsumerGroupHeartbeat>
export type ConsumerGroupHeartbeatResponseInput = ResponseInput<typeof ConsumerGroupHeartbeat>
