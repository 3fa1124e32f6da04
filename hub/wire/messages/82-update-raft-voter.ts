/**
 * @module wire/messages/82-update-raft-voter — updates endpoints and versions of a voter (KIP-853).
 */
import type { RequestInput, RequestOf, ResponseInput, ResponseOf } from '../message.ts'
import { api } from '../message.ts'
import { array, errorCode, int16, int32, string, struct, uint16, uuid } from '../schema.ts'

export const UpdateRaftVoter = api(82, 'UpdateRaftVoter', {
  versions: '0',
  flexible: 0,
  listeners: ['controller'],
  request: {
    clusterId: string.orNull(),
    currentLeaderEpoch: int32,
    voterId: int32,
    voterDirectoryId: uuid,
    listeners: array({
      name: string,
      host: string,
      port: uint16,
    }),
    kRaftVersionFeature: struct({
      minSupportedVersion: int16,
      maxSupportedVersion: int16,
    }),
  },
  response: {
    throttleTimeMs: int32,
    errorCode,
    currentLeader: struct({
      leaderId: int32.default(-1),
      leaderEpoch: int32.default(-1),
      host: string,
      port: int32,
    }).tag(0),
  },
})

export type UpdateRaftVoterRequest = RequestOf<typeof UpdateRaftVoter>
export type UpdateRaftVoterResponse = ResponseOf<typeof UpdateRaftVoter>
export type UpdateRaftVoterRequestInput = RequestInput<typeof UpdateRaftVoter>
export type UpdateRaftVoterResponseInput = ResponseInput<typeof UpdateRaftVoter>
