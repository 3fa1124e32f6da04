/**
 * @module wire/messages/26-end-txn — commits or aborts a transaction.
 *
 * - 3: flexible
 * - 4: TRANSACTION_ABORTABLE may be answered (KIP-890)
 * - 5: the response tells the producer's new id and epoch (transactions V2)
 */
import type { RequestInput, RequestOf, ResponseInput, ResponseOf } from '../message.ts'
import { api } from '../message.ts'
import { bool, errorCode, int16, int32, offset, string } from '../schema.ts'

export const EndTxn = api(26, 'EndTxn', {
  versions: '0-5',
  flexible: 3,
  request: {
    transactionalId: string,
    producerId: offset,
    producerEpoch: int16,
    committed: bool,
  },
  response: {
    throttleTimeMs: int32,
    errorCode,
    producerId: offset.in('5+').default(-1),
    producerEpoch: int16.in('5+').default(-1),
  },
})

export type EndTxnRequest = RequestOf<typeof EndTxn>
export type EndTxnResponse = ResponseOf<typeof EndTxn>
export type EndTxnRequestInput = RequestInput<typeof EndTxn>
export type EndTxnResponseInput = ResponseInput<typeof EndTxn>
