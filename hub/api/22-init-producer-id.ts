/**
 * @module api/22-init-producer-id — an id and epoch for an idempotent or transactional producer. Versions 0–5.
 *
 * 3: the old id and epoch come along (KIP-360); without a transactional id a fresh one is always given. 4: PRODUCER_FENCED (KIP-588).
 * 5: TRANSACTION_ABORTABLE. 6 (two-phase commit) is not stable in Kafka and not advertised.
 */
import { InitProducerId } from '../wire/index.ts'
import { defineHandler } from './handler.ts'

export const initProducerId = defineHandler({
  api: InitProducerId,
  overlaps: false,
  create:
    (broker) =>
    (request, { apiVersion }) =>
      broker.transactions.initProducerId(request, { apiVersion }),
})
