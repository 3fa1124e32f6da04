/**
 * @module wire/messages/69-consumer-group-describe — describes new consumer groups (KIP-848).
 *
 * - 1: type of each member
 */
import type { RequestInput, RequestOf, ResponseInput, ResponseOf } from '../message.ts'
import { api } from '../message.ts'
import { array, bool, errorCode, int8, int32, string, struct, uuid } from '../schema.ts'

const topicPartitions = struct({
  topicId: uuid,
  topicName: string,
  partitions: array(int32),
})

const assignment = struct({
  topicPartitions: array(topicPartitions),
})

export const ConsumerGroupDescribe = api(69, 'ConsumerGroupDescribe', {
  versions: '0-1',
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
      assignorName: string,
      members: array({
        memberId: string,
        instanceId: string.nullable(),
        rackId: string.nullable(),
        memberEpoch: int32,
        clientId: string,
        clientHost: string,
        subscribedTopicNames: array(string),
        subscribedTopicRegex: string.nullable(),
        assignment,
        targetAssignment: assignment,
        memberType: int8.in('1+').default(-1),
      }),
      authorizedOperations: int32.default(-2_147_483_648),
    }),
  },
})

export type ConsumerGroupDescribeRequest = RequestOf<typeof ConsumerGroupDescribe>
export type ConsumerGroupDescribeResponse = ResponseOf<typeof ConsumerGroupDescribe>
export type ConsumerGroupDescribeRequestInput = RequestInput<typeof ConsumerGroupDescribe>
export type ConsumerGroupDescribeResponseInput = ResponseInput<typeof ConsumerGroupDescribe>
