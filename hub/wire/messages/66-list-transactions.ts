/**
 * @module wire/messages/66-list-transactions — lists transactions (KIP-664).
 *
 * - 1: filter by duration (KIP-994)
 * - 2: filter by pattern of the id (KIP-1152)
 */
import type { RequestInput, RequestOf, ResponseInput, ResponseOf } from '../message.ts'
import { api } from '../message.ts'
import { array, errorCode, int32, offset, string } from '../schema.ts'

export const ListTransactions = api(66, 'ListTransactions', {
  versions: '0-2',
  flexible: 0,
  request: {
    stateFilters: array(string),
    producerIdFilters: array(offset),
    durationFilter: offset.in('1+').default(-1),
    transactionalIdPattern: string.in('2+').nullable(),
  },
  response: {
    throttleTimeMs: int32,
    errorCode,
    unknownStateFilters: array(string),
    transactionStates: array({
      transactionalId: string,
      producerId: offset,
      transactionState: string,
    }),
  },
})

export type ListTransactionsRequest = RequestOf<typeof ListTransactions>
export type ListTransactionsResponse = ResponseOf<typeof ListTransactions>
export type ListTransactionsRequestInput = RequestInput<typeof ListTransactions>
export type ListTransactionsResponseInput = ResponseInput<typeof ListTransactions>
