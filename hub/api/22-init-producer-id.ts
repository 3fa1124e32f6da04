/**
 * @module api/22-init-producer-id — a producer id for an idempotent producer. Versions 0–5.
 *
 * 3: the old id and epoch come along (KIP-360); without a transaction a fresh id is always given. 6 (two-phase commit) is not stable in
 * Kafka and not advertised. A transactional id is refused with INVALID_REQUEST as long as there are no transactions (see skipped.md).
 */
import { ErrorCode, InitProducerId } from '../wire/index.ts'
import { defineHandler } from './handler.ts'
import { producerIdSource } from './producer-ids.ts'

const NO_PRODUCER_ID = -1
const NO_PRODUCER_EPOCH = -1

export const initProducerId = defineHandler({
  api: InitProducerId,
  overlaps: false,
  create: (broker) => {
    const nextProducerId = producerIdSource(broker.controller)
    return async (request) => {
      const refuse = (errorCode: number) => ({ throttleTimeMs: 0, errorCode, producerId: NO_PRODUCER_ID, producerEpoch: NO_PRODUCER_EPOCH })
      if (request.transactionalId !== null) return refuse(ErrorCode.INVALID_REQUEST)
      if ((request.producerId === NO_PRODUCER_ID) !== (request.producerEpoch === NO_PRODUCER_EPOCH))
        return refuse(ErrorCode.INVALID_REQUEST)
      try {
        return { throttleTimeMs: 0, errorCode: ErrorCode.NONE, producerId: await nextProducerId(), producerEpoch: 0 }
      } catch (error) {
        broker.logger.error('cannot allocate producer ids', { error })
        return refuse(ErrorCode.COORDINATOR_NOT_AVAILABLE)
      }
    }
  },
})
