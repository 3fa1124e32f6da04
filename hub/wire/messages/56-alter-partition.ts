/**
 * @module wire/messages/56-alter-partition — asks the controller to change in-sync replicas (KIP-497).
 *
 * - 2: topic ids
 * - 3: broker epochs of the new in-sync replicas (KIP-903)
 */
import type { RequestInput, RequestOf, ResponseInput, ResponseOf } from '../message.ts'
import { api } from '../message.ts'
import { array, errorCode, int8, int32, offset, uuid } from '../schema.ts'

export const AlterPartition = api(56, 'AlterPartition', {
  versions: '2-3',
  flexible: 0,
  listeners: ['controller'],
  request: {
    brokerId: int32,
    brokerEpoch: offset.default(-1),
    topics: array({
      topicId: uuid,
      partitions: array({
        partitionIndex: int32,
        leaderEpoch: int32,
        newIsr: array(int32).in('2'),
        newIsrWithEpochs: array({
          brokerId: int32,
          brokerEpoch: offset.default(-1),
        }).in('3+'),
        leaderRecoveryState: int8.default(0),
        partitionEpoch: int32,
      }),
    }),
  },
  response: {
    throttleTimeMs: int32,
    errorCode,
    topics: array({
      topicId: uuid,
      partitions: array({
        partitionIndex: int32,
        errorCode,
        leaderId: int32,
        leaderEpoch: int32,
        isr: array(int32),
        leaderRecoveryState: int8.default(0),
        partitionEpoch: int32,
      }),
    }),
  },
})

export type AlterPartitionRequest = RequestOf<typeof AlterPartition>
export type AlterPartitionResponse = ResponseOf<typeof AlterPartition>
export type AlterPartitionRequestInput = RequestInput<typeof AlterPartition>
export type AlterPartitionResponseInput = ResponseInput<typeof AlterPartition>
