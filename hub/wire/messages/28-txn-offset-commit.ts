/**
 * @module wire/messages/28-txn-offset-commit — stores offsets of a group within a transaction.
 *
 * - 2: leader epochs
 * - 3: flexible; member and generation for fencing (KIP-447)
 * - 4: TRANSACTION_ABORTABLE may be answered (KIP-890)
 * - 5: transactions V2
 */
import type { RequestInput, RequestOf, ResponseInput, ResponseOf } from '../message.ts'
import { api } from '../message.ts'
import { array, errorCode, int16, int32, offset, string } from '../schema.ts'

export const TxnOffsetCommit = api(28, 'TxnOffsetCommit', {
  versions: '0-5',
  flexible: 3,
  request: {
    transactionalId: string,
    groupId: string,
    producerId: offset,
    producerEpoch: int16,
    generationId: int32.in('3+').default(-1),
    memberId: string.in('3+').default(''),
    groupInstanceId: string.in('3+').nullable(),
    topics: array({
      name: string,
      partitions: array({
        partitionIndex: int32,
        committedOffset: offset,
        committedLeaderEpoch: int32.in('2+').default(-1),
        committedMetadata: string.orNull(),
      }),
    }),
  },
  response: {
    throttleTimeMs: int32,
    topics: array({
      name: string,
      partitions: array({
        partitionIndex: int32,
        errorCode,
      }),
    }),
  },
})

export type TxnOffsetCommitRequest = RequestOf<typeof TxnOffsetCommit>
export type TxnOffsetCommitResponse = ResponseOf<typeof TxnOffsetCommit>
export type TxnOffsetCommitRequestInput = RequestInput<typeof TxnOffsetCommit>
export type TxnOffsetCommitResponseInput = ResponseInput<typeof TxnOffsetCommit>
