/**
 * @module wire/messages/53-begin-quorum-epoch — announces a new raft leader to the voters (KIP-595).
 *
 * - 1: directory ids and endpoints (KIP-853)
 */
import type { RequestInput, RequestOf, ResponseInput, ResponseOf } from '../message.ts'
import { api } from '../message.ts'
import { array, errorCode, int32, string, uint16, uuid } from '../schema.ts'

export const BeginQuorumEpoch = api(53, 'BeginQuorumEpoch', {
  versions: '0-1',
  flexible: 1,
  listeners: ['controller'],
  request: {
    clusterId: string.nullable(),
    voterId: int32.in('1+').default(-1),
    topics: array({
      topicName: string,
      partitions: array({
        partitionIndex: int32,
        voterDirectoryId: uuid.in('1+'),
        leaderId: int32,
        leaderEpoch: int32,
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

export type BeginQuorumEpochRequest = RequestOf<typeof BeginQuorumEpoch>
export type BeginQuorumEpochResponse = ResponseOf<typeof BeginQuorumEpoch>
export type BeginQuorumEpochRequestInput = RequestInput<typeof BeginQuorumEpoch>
export type BeginQuorumEpochResponseInput = ResponseInput<typeof BeginQuorumEpoch>
