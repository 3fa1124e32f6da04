/**
 * @module wire/messages/22-init-producer-id — gives a producer its id and epoch.
 *
 * - 2: flexible
 * - 3: the producer tells its id and epoch to have the epoch raised (KIP-360)
 * - 4: PRODUCER_FENCED replaces INVALID_PRODUCER_EPOCH (KIP-588)
 * - 5: transactions V2 (KIP-890)
 * - 6: two-phase commit (KIP-939); not stable, not advertised
 */
import type { RequestInput, RequestOf, ResponseInput, ResponseOf } from '../message.ts'
import { api } from '../message.ts'
import { bool, errorCode, int16, int32, offset, string } from '../schema.ts'

export const InitProducerId = api(22, 'InitProducerId', {
  versions: '0-6',
  flexible: 2,
  advertised: '0-5',
  request: {
    transactionalId: string.orNull(),
    transactionTimeoutMs: int32,
    producerId: offset.in('3+').default(-1),
    producerEpoch: int16.in('3+').default(-1),
    enable2Pc: bool.in('6+').default(false),
    keepPreparedTxn: bool.in('6+').default(false),
  },
  response: {
    throttleTimeMs: int32,
    errorCode,
    producerId: offset.default(-1),
    producerEpoch: int16,
    ongoingTxnProducerId: offset.in('6+').default(-1),
    ongoingTxnProducerEpoch: int16.in('6+').default(-1),
  },
})

export type InitProducerIdRequest = RequestOf<typeof InitProducerId>
export type InitProducerIdResponse = ResponseOf<typeof InitProducerId>
export type InitProducerIdRequestInput = RequestInput<typeof InitProducerId>
export type InitProducerIdResponseInput = ResponseInput<typeof InitProducerId>
