/**
 * @module wire/messages/88-streams-group-heartbeat — keeps a member of a streams group alive and carries its tasks
 * (KIP-1071).
 */
import type { RequestInput, RequestOf, ResponseInput, ResponseOf } from '../message.ts'
import { api } from '../message.ts'
import { array, bool, errorCode, int8, int16, int32, offset, string, struct, uint16 } from '../schema.ts'

const keyValue = struct({
  key: string,
  value: string,
})

const topicInfo = struct({
  name: string,
  partitions: int32,
  replicationFactor: int16,
  topicConfigs: array(keyValue),
})

const taskIds = struct({
  subtopologyId: string,
  partitions: array(int32),
})

const endpoint = struct({
  host: string,
  port: uint16,
})

const taskOffset = struct({
  subtopologyId: string,
  partition: int32,
  offset,
})

const status = struct({
  statusCode: int8,
  statusDetail: string,
})

const topicPartition = struct({
  topic: string,
  partitions: array(int32),
})

export const StreamsGroupHeartbeat = api(88, 'StreamsGroupHeartbeat', {
  versions: '0',
  flexible: 0,
  request: {
    groupId: string,
    memberId: string,
    memberEpoch: int32,
    endpointInformationEpoch: int32,
    instanceId: string.nullable(),
    rackId: string.nullable(),
    rebalanceTimeoutMs: int32.default(-1),
    topology: struct({
      epoch: int32,
      subtopologies: array({
        subtopologyId: string,
        sourceTopics: array(string),
        sourceTopicRegex: array(string),
        stateChangelogTopics: array(topicInfo),
        repartitionSinkTopics: array(string),
        repartitionSourceTopics: array(topicInfo),
        copartitionGroups: array({
          sourceTopics: array(int16),
          sourceTopicRegex: array(int16),
          repartitionSourceTopics: array(int16),
        }),
      }),
    }).nullable(),
    activeTasks: array(taskIds).nullable(),
    standbyTasks: array(taskIds).nullable(),
    warmupTasks: array(taskIds).nullable(),
    processId: string.nullable(),
    userEndpoint: endpoint.nullable(),
    clientTags: array(keyValue).nullable(),
    taskOffsets: array(taskOffset).nullable(),
    taskEndOffsets: array(taskOffset).nullable(),
    shutdownApplication: bool.default(false),
  },
  response: {
    throttleTimeMs: int32,
    errorCode,
    errorMessage: string.nullable(),
    memberId: string,
    memberEpoch: int32,
    heartbeatIntervalMs: int32,
    acceptableRecoveryLag: int32,
    taskOffsetIntervalMs: int32,
    status: array(status).orNull(),
    activeTasks: array(taskIds).nullable(),
    standbyTasks: array(taskIds).nullable(),
    warmupTasks: array(taskIds).nullable(),
    endpointInformationEpoch: int32,
    partitionsByUserEndpoint: array({
      userEndpoint: endpoint,
      activePartitions: array(topicPartition),
      standbyPartitions: array(topicPartition),
    }).nullable(),
  },
})

export type StreamsGroupHeartbeatRequest = RequestOf<typeof StreamsGroupHeartbeat>
export type StreamsGroupHeartbeatResponse = ResponseOf<typeof StreamsGroupHeartbeat>
export type StreamsGroupHeartbeatRequestInput = RequestInput<typeof StreamsGroupHeartbeat>
export type StreamsGroupHeartbeatResponseInput = ResponseInput<typeof StreamsGroupHeartbeat>
