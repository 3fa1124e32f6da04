/**
 * @module wire/messages/10-find-coordinator — finds the coordinator of a group, a transactional id or a share
 * partition.
 *
 * - 1: key type, error message
 * - 3: flexible
 * - 4: many keys at once (KIP-699)
 * - 5: transaction aborts may be retried (KIP-890)
 * - 6: share groups (KIP-932)
 */
import type { RequestInput, RequestOf, ResponseInput, ResponseOf } from '../message.ts'
import { api } from '../message.ts'
import { array, errorCode, int8, int32, string } from '../schema.ts'

export const FindCoordinator = api(10, 'FindCoordinator', {
  versions: '0-6',
  flexible: 3,
  request: {
    key: string.in('0-3'),
    keyType: int8.in('1+').default(0),
    coordinatorKeys: array(string).in('4+'),
  },
  response: {
    throttleTimeMs: int32.in('1+'),
    errorCode: errorCode.in('0-3'),
    errorMessage: string.in('1-3').orNull(),
    nodeId: int32.in('0-3'),
    host: string.in('0-3'),
    port: int32.in('0-3'),
    coordinators: array({
      key: string,
      nodeId: int32,
      host: string,
      port: int32,
      errorCode,
      errorMessage: string.orNull(),
    }).in('4+'),
  },
})

export type FindCoordinatorRequest = RequestOf<typeof FindCoordinator>
export type FindCoordinatorResponse = ResponseOf<typeof FindCoordinator>
export type FindCoordinatorRequestInput = RequestInput<typeof FindCoordinator>
export type FindCoordinatorResponseInput = ResponseInput<typeof FindCoordinator>
