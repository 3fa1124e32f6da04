/**
 * @module wire/messages/37-create-partitions — adds partitions to topics.
 *
 * - 2: flexible
 * - 3: quota errors (KIP-599)
 */
import type { RequestInput, RequestOf, ResponseInput, ResponseOf } from '../message.ts'
import { api } from '../message.ts'
import { array, bool, errorCode, int32, string } from '../schema.ts'

export const CreatePartitions = api(37, 'CreatePartitions', {
  versions: '0-3',
  flexible: 2,
  listeners: ['broker', 'controller'],
  request: {
    topics: array({
      name: string,
      count: int32,
      assignments: array({
        brokerIds: array(int32),
      }).orNull(),
    }),
    timeoutMs: int32,
    validateOnly: bool,
  },
  response: {
    throttleTimeMs: int32,
    results: array({
      name: string,
      errorCode,
      errorMessage: string.nullable(),
    }),
  },
})

export type CreatePartitionsRequest = RequestOf<typeof CreatePartitions>
export type CreatePartitionsResponse = ResponseOf<typeof CreatePartitions>
export type CreatePartitionsRequestInput = RequestInput<typeof CreatePartitions>
export type CreatePartitionsResponseInput = ResponseInput<typeof CreatePartitions>
