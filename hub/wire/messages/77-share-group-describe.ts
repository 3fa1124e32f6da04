/**
 * @module wire/messages/77-share-group-describe — describes share groups (KIP-932).
 *
 * - 0 was early access and is gone
 */
import type { RequestInput, RequestOf, ResponseInput, ResponseOf } from '../message.ts'
import { api } from '../message.ts'
import { array, bool, errorCode, int32, string, struct, uuid } from '../schema.ts'

const topicPartitions = struct({
  topicId: uuid,
  topicName: string,
  partitions: array(int32),
})

const assignment = struct({
  topicPartitions: array(topicPartitions),
})

export const ShareGroupDescribe = api(77, 'ShareGroupDescribe', {
  versions: '1',
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
        rackId: string.nullable(),
        memberEpoch: int32,
        clientId: string,
        clientHost: string,
        subscribedTopicNames: array(string),
        assignment,
      }),
      authorizedOperations: int32.default(-2_147_483_648),
    }),
  },
})

export type ShareGroupDescribeRequest = RequestOf<typeof ShareGroupDescribe>
export type ShareGroupDescribeResponse = ResponseOf<typeof ShareGroupDescribe>
export type ShareGroupDescribeRequestInput = RequestInput<typeof ShareGroupDescribe>
export type ShareGroupDescribeResponseInput = ResponseInput<typeof ShareGroupDescribe>
