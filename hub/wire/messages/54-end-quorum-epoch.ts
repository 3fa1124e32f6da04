/**
 * @module wire/messages/54-end-quorum-epoch — says that a raft leader steps down (KIP-595).
 *
 * - 1: directory ids and endpoints (KIP-853)
 */
import type { RequestInput, RequestOf, ResponseInput, ResponseOf } from '../message.ts'
import { api } from '../message.ts'
import { array, errorCode, int32, string, uint16, uuid } from '../schema.ts'

export const EndQuorumEpoch = api(54, 'EndQuorumEpoch', {
  versions: '0-1',
  flexible: 1,
  listeners: ['controller'],
  request: {
    clusterId: string.nullable(),
    topics: array({
      topicName: string,
      partitions: array({
        partitionIndex: int32,
        leaderId: int32,
        leaderEpoch: int32,
        preferredSuccessors: array(int32).in('0'),
        preferredCandidates: array({
          candidateId: int32,
          candidateDirectoryId: uuid,
        }).in('1+'),
      }),
    }),
    leaderEndpoints: array({
      name: string,
      host: string,
      port: uint16,
    }).in('1+'),
  },
  response: {
    errorCode,
    topics: array({
      topicName: string,
      partitions: array({
        partitionIndex: int32,
        errorCode,
        leaderId: int32,
        leaderEpoch: int32,
      }),
    }),
    nodeEndpoints: array({
      nodeId: int32,
      host: string,
      port: uint16,
    })
      .in('1+')
      .tag(0),
  },
})

export type EndQuorumEpochRequest = RequestOf<typeof EndQuorumEpoch>
export type EndQuorumEpochResponse = ResponseOf<typeof EndQuorumEpoch>
export type EndQuorumEpochRequestInput = RequestInput<typeof EndQuorumEpoch>
export type EndQuorumEpochResponseInput = ResponseInput<typeof EndQuorumEpoch>
