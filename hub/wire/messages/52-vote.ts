/**
 * @module wire/messages/52-vote — asks a voter for its vote in a raft election (KIP-595).
 *
 * - 1: directory ids of voters (KIP-853)
 * - 2: pre-votes (KIP-996)
 */
import type { RequestInput, RequestOf, ResponseInput, ResponseOf } from '../message.ts'
import { api } from '../message.ts'
import { array, bool, errorCode, int32, offset, string, uint16, uuid } from '../schema.ts'

export const Vote = api(52, 'Vote', {
  versions: '0-2',
  flexible: 0,
  listeners: ['controller'],
  request: {
    clusterId: string.nullable(),
    voterId: int32.in('1+').default(-1),
    topics: array({
      topicName: string,
      partitions: array({
        partitionIndex: int32,
        replicaEpoch: int32,
        replicaId: int32,
        replicaDirectoryId: uuid.in('1+'),
        voterDirectoryId: uuid.in('1+'),
        lastOffsetEpoch: int32,
        lastOffset: offset,
        preVote: bool.in('2+'),
      }),
    }),
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
        voteGranted: bool,
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

export type VoteRequest = RequestOf<typeof Vote>
export type VoteResponse = ResponseOf<typeof Vote>
export type VoteRequestInput = RequestInput<typeof Vote>
export type VoteResponseInput = ResponseInput<typeof Vote>
