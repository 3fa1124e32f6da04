/**
 * @module wire/messages/80-add-raft-voter — adds a voter to the metadata quorum (KIP-853).
 *
 * - 1: the answer may come before the voter set is committed
 */
import type { RequestInput, RequestOf, ResponseInput, ResponseOf } from '../message.ts'
import { api } from '../message.ts'
import { array, bool, errorCode, int32, string, uint16, uuid } from '../schema.ts'

export const AddRaftVoter = api(80, 'AddRaftVoter', {
  versions: '0-1',
  flexible: 0,
  listeners: ['broker', 'controller'],
  request: {
    clusterId: string.orNull(),
    timeoutMs: int32,
    voterId: int32,
    voterDirectoryId: uuid,
    listeners: array({
      name: string,
      host: string,
      port: uint16,
    }),
    ackWhenCommitted: bool.in('1+').default(true),
  },
  response: {
    throttleTimeMs: int32,
    errorCode,
    errorMessage: string.orNull(),
  },
})

export type AddRaftVoterRequest = RequestOf<typeof AddRaftVoter>
export type AddRaftVoterResponse = ResponseOf<typeof AddRaftVoter>
export type AddRaftVoterRequestInput = RequestInput<typeof AddRaftVoter>
export type AddRaftVoterResponseInput = ResponseInput<typeof AddRaftVoter>
