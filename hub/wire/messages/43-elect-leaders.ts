/**
 * @module wire/messages/43-elect-leaders — elects leaders of partitions.
 *
 * - 1: unclean elections (KIP-460)
 * - 2: flexible
 */
import type { RequestInput, RequestOf, ResponseInput, ResponseOf } from '../message.ts'
import { api } from '../message.ts'
import { array, errorCode, int8, int32, string } from '../schema.ts'

export const ElectLeaders = api(43, 'ElectLeaders', {
  versions: '0-2',
  flexible: 2,
  listeners: ['broker', 'controller'],
  request: {
    electionType: int8.in('1+'),
    topicPartitions: array({
      topic: string,
      partitions: array(int32),
    }).orNull(),
    timeoutMs: int32.default(60000),
  },
  response: {
    throttleTimeMs: int32,
    errorCode: errorCode.in('1+'),
    replicaElectionResults: array({
      topic: string,
      partitionResult: array({
        partitionId: int32,
        errorCode,
        errorMessage: string.orNull(),
      }),
    }),
  },
})

export type ElectLeadersRequest = RequestOf<typeof ElectLeaders>
export type ElectLeadersResponse = ResponseOf<typeof ElectLeaders>
export type ElectLeadersRequestInput = RequestInput<typeof ElectLeaders>
export type ElectLeadersResponseInput = ResponseInput<typeof ElectLeaders>
