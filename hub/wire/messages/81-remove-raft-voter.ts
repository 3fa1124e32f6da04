/**
 * @module wire/messages/81-remove-raft-voter — removes a voter from the metadata quorum (KIP-853).
 */
import type { RequestInput, RequestOf, ResponseInput, ResponseOf } from '../message.ts'
import { api } from '../message.ts'
import { errorCode, int32, string, uuid } from '../schema.ts'

export const RemoveRaftVoter = api(81, 'RemoveRaftVoter', {
  versions: '0',
  flexible: 0,
  listeners: ['broker', 'controller'],
  request: {
    clusterId: string.orNull(),
    voterId: int32,
    voterDirectoryId: uuid,
  },
  response: {
    throttleTimeMs: int32,
    errorCode,
    errorMessage: string.orNull(),
  },
})

export type RemoveRaftVoterRequest = RequestOf<typeof RemoveRaftVoter>
export type RemoveRaftVoterResponse = ResponseOf<typeof RemoveRaftVoter>
export type RemoveRaftVoterRequestInput = RequestInput<typeof RemoveRaftVoter>
export type RemoveRaftVoterResponseInput = ResponseInput<typeof RemoveRaftVoter>
