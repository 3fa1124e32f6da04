/**
 * @module wire/messages/89-streams-group-describe — describes streams groups (KIP-1071).
 */
import type { RequestInput, RequestOf, ResponseInput, ResponseOf } from '../message.ts'
import { api } from '../message.ts'
import { array, bool, errorCode, int16, int32, offset, string, struct, uint16 } from '../schema.ts'

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

const endpoint = struct({
  host: string,
  port: uint16,
})

const taskOffset = struct({
  subtopologyId: string,
  partition: int32,
  offset,
})

const taskIds = struct({
  subtopologyId: string,
  partitions: array(int32),
})

const assignment = struct({
  activeTasks: array(taskIds),
  standbyTasks: array(taskIds),
  warmupTasks: array(taskIds),
})

export const StreamsGroupDescribe = api(89, 'StreamsGroupDescribe', {
  versions: '0',
  flexible: 0,
  request: {
    groupIds: array(string),
    includeAuthorizedOperations: bool,
  },
  response: {
    throttleTimeMs: int32,
    groups: array({
      errorCode,
      errorMessage: string.nullable(),
      groupId: string,
      groupState: string,
      groupEpoch: int32,
      assignmentEpoch: int32,
      topology: struct({
        epoch: int32,
        subtopologies: array({
          subtopologyId: string,
          sourceTopics: array(string),
          repartitionSinkTopics: array(string),
          stateChangelogTopics: array(topicInfo),
          repartitionSourceTopics: array(topicInfo),
        }).nullable(),
      }).nullable(),
      members: array({
        memberId: string,
        memberEpoch: int32,
        instanceId: string.nullable(),
        rackId: string.nullable(),
        clientId: string,
        clientHost: string,
        topologyEpoch: int32,
        processId: string,
        userEndpoint: endpoint.nullable(),
        clientTags: array(keyValue),
        taskOffsets: array(taskOffset),
        taskEndOffsets: array(taskOffset),
        assignment,
        targetAssignment: assignment,
        isClassic: bool,
      }),
      authorizedOperations: int32.default(-2_147_483_648),
    }),
  },
})

export type StreamsGroupDescribeRequest = RequestOf<typeof StreamsGroupDescribe>
export type StreamsGroupDescribeResponse = ResponseOf<typeof StreamsGroupDescribe>
export type StreamsGroupDescribeRequestInput = RequestInput<typeof StreamsGroupDescribe>
export type StreamsGroupDescribeResponseInput = ResponseInput<typeof StreamsGroupDescribe>
