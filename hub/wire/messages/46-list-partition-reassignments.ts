/**
 * @module wire/messages/46-list-partition-reassignments — lists running reassignments (KIP-455).
 */
import type { RequestInput, RequestOf, ResponseInput, ResponseOf } from '../message.ts'
import { api } from '../message.ts'
import { array, errorCode, int32, string } from '../schema.ts'

export const ListPartitionReassignments = api(46, 'ListPartitionReassignments', {
  versions: '0',
  flexible: 0,
  listeners: ['broker', 'controller'],
  request: {
    timeoutMs: int32.default(60000),
    topics: array({
      name: string,
      partitionIndexes: array(int32),
    }).nullable(),
  },
  response: {
    throttleTimeMs: int32,
    errorCode,
    errorMessage: string.orNull(),
    topics: array({
      name: string,
      partitions: array({
        partitionIndex: int32,
        replicas: array(int32),
        addingReplicas: array(int32),
        removingReplicas: array(int32),
      }),
    }),
  },
})

export type ListPartitionReassignmentsRequest = RequestOf<typeof ListPartitionReassignments>
export type ListPartitionReassignmentsResponse = ResponseOf<typeof ListPartitionReassignments>
export type ListPartitionReassignmentsRequestInput = RequestInput<typeof ListPartitionReassignments>
export type ListPartitionReassignmentsResponseInput = ResponseInput<typeof ListPartitionReassignments>
