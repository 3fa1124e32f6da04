/**
 * @module wire/messages/55-describe-quorum — describes the metadata quorum (KIP-595).
 *
 * - 1: last fetch and last caught-up times (KIP-836)
 * - 2: directory ids and endpoints (KIP-853)
 */
import type { RequestInput, RequestOf, ResponseInput, ResponseOf } from '../message.ts'
import { api } from '../message.ts'
import { array, errorCode, int32, offset, string, struct, uint16, uuid } from '../schema.ts'

const replicaState = struct({
  replicaId: int32,
  replicaDirectoryId: uuid.in('2+'),
  logEndOffset: offset,
  lastFetchTimestamp: offset.in('1+').default(-1),
  lastCaughtUpTimestamp: offset.in('1+').default(-1),
})

export const DescribeQuorum = api(55, 'DescribeQuorum', {
  versions: '0-2',
  flexible: 0,
  listeners: ['broker', 'controller'],
  request: {
    topics: array({
      topicName: string,
      partitions: array({
        partitionIndex: int32,
      }),
    }),
  },
  response: {
    errorCode,
    errorMessage: string.in('2+').orNull(),
    topics: array({
      topicName: string,
      partitions: array({
        partitionIndex: int32,
        errorCode,
        errorMessage: string.in('2+').orNull(),
        leaderId: int32,
        leaderEpoch: int32,
        highWatermark: offset,
        currentVoters: array(replicaState),
        observers: array(replicaState),
      }),
    }),
    nodes: array({
      nodeId: int32,
      listeners: array({
        name: string,
        host: string,
        port: uint16,
      }),
    }).in('2+'),
  },
})

export type DescribeQuorumRequest = RequestOf<typeof DescribeQuorum>
export type DescribeQuorumResponse = ResponseOf<typeof DescribeQuorum>
export type DescribeQuorumRequestInput = RequestInput<typeof DescribeQuorum>
export type DescribeQuorumResponseInput = ResponseInput<typeof DescribeQuorum>
