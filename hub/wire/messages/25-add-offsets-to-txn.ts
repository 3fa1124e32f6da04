/**
 * @module wire/messages/25-add-offsets-to-txn — adds the offsets of a group to a transaction.
 *
 * - 3: flexible
 * - 4: TRANSACTION_ABORTABLE may be answered (KIP-890)
 */
import type { RequestInput, RequestOf, ResponseInput, ResponseOf } from '../message.ts'
import { api } from '../message.ts'
import { errorCode, int16, int32, offset, string } from '../schema.ts'

export const AddOffsetsToTxn = api(25, 'AddOffsetsToTxn', {
  versions: '0-4',
  flexible: 3,
  request: {
    transactionalId: string,
    producerId: offset,
    producerEpoch: int16,
    groupId: string,
  },
  response: {
    throttleTimeMs: int32,
    errorCode,
  },
})

export type AddOffsetsToTxnRequest = RequestOf<typeof AddOffsetsToTxn>
export type AddOffsetsToTxnResponse = ResponseOf<typeof AddOffsetsToTxn>
export type AddOffsetsToTxnRequestInput = RequestInput<typeof AddOffsetsToTxn>
export type AddOffsetsToTxnResponseInput = ResponseInput<typeof AddOffsetsToTxn>
