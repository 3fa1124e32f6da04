/**
 * @module wire/messages/45-alter-partition-reassignments — changes the replicas of partitions (KIP-455).
 *
 * - 1: whether the replication factor may change (KIP-860)
 */
import type { RequestInput, RequestOf, ResponseInput, ResponseOf } from '../message.ts'
import { api } from '../message.ts'
import { array, bool, errorCode, int32, string } from '../schema.ts'

export const AlterPartitionReassignments = api(45, 'AlterPartitionReassignments', {
  versions: '0-1',
  flexible: 0,
  listeners: ['broker', 'controller'],
  request: {
    timeoutMs: int32.default(60000),
    allowReplicationFactorChange: bool.in('1+').default(true),
    topics: array({
      name: string,
      partitions: array({
        partitionIndex: int32,
        replicas: array(int32).nullable(),
      }),
    }),
  },
  response: {
    throttleTimeMs: int32,
    allowReplicationFactorChange: bool.in('1+').default(true),
    errorCode,
    errorMessage: string.orNull(),
    responses: array({
      name: string,
      partitions: array({
        partitionIndex: int32,
        errorCode,
        errorMessage: string.orNull(),
      }),
    }),
  },
})

export type AlterPartitionReassignmentsRequest = RequestOf<typeof AlterPartitionReassignments>
export type AlterPartitionReassignmentsResponse = ResponseOf<typeof AlterPartitionReassignments>
export type AlterPartitionReassignmentsRequestInput = RequestInput<typeof AlterPartitionReassignments>
export type AlterPartitionReassignmentsResponseInput = ResponseInput<typeof AlterPartitionReassignments>
