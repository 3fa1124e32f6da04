/**
 * @module wire/messages/67-allocate-producer-ids — gives a broker a block of producer ids (KIP-730).
 */
import type { RequestInput, RequestOf, ResponseInput, ResponseOf } from '../message.ts'
import { api } from '../message.ts'
import { errorCode, int32, offset } from '../schema.ts'

export const AllocateProducerIds = api(67, 'AllocateProducerIds', {
  versions: '0',
  flexible: 0,
  listeners: ['controller'],
  request: {
    brokerId: int32,
    brokerEpoch: offset.default(-1),
  },
  response: {
    throttleTimeMs: int32,
    errorCode,
    producerIdStart: offset,
    producerIdLen: int32,
  },
})

export type AllocateProducerIdsRequest = RequestOf<typeof AllocateProducerIds>
export type AllocateProducerIdsResponse = ResponseOf<typeof AllocateProducerIds>
export type AllocateProducerIdsRequestInput = RequestInput<typeof AllocateProducerIds>
export type AllocateProducerIdsResponseInput = ResponseInput<typeof AllocateProducerIds>
