/**
 * @module wire/messages/75-describe-topic-partitions — describes partitions of topics page by page (KIP-966).
 */
import type { RequestInput, RequestOf, ResponseInput, ResponseOf } from '../message.ts'
import { api } from '../message.ts'
import { array, bool, errorCode, int32, string, struct, uuid } from '../schema.ts'

export const DescribeTopicPartitions = api(75, 'DescribeTopicPartitions', {
  versions: '0',
  flexible: 0,
  request: {
    topics: array({
      name: string,
    }),
    responsePartitionLimit: int32.default(2000),
    cursor: struct({
      topicName: string,
      partitionIndex: int32,
    }).nullable(),
  },
  response: {
    throttleTimeMs: int32,
    topics: array({
      errorCode,
      name: string.orNull(),
      topicId: uuid,
      isInternal: bool.default(false),
      partitions: array({
        errorCode,
        partitionIndex: int32,
        leaderId: int32,
        leaderEpoch: int32.default(-1),
        replicaNodes: array(int32),
        isrNodes: array(int32),
        eligibleLeaderReplicas: array(int32).nullable(),
        lastKnownElr: array(int32).nullable(),
        offlineReplicas: array(int32),
      }),
      topicAuthorizedOperations: int32.default(-2_147_483_648),
    }),
    nextCursor: struct({
      topicName: string,
      partitionIndex: int32,
    }).nullable(),
  },
})

export type DescribeTopicPartitionsRequest = RequestOf<typeof DescribeTopicPartitions>
export type DescribeTopicPartitionsResponse = ResponseOf<typeof DescribeTopicPartitions>
export type DescribeTopicPartitionsRequestInput = RequestInput<typeof DescribeTopicPartitions>
export type DescribeTopicPartitionsResponseInput = ResponseInput<typeof DescribeTopicPartitions>
