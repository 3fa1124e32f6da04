/**
 * @module api/26-end-txn — commits or aborts a transaction: the answer comes when the decision is on the device, the markers follow. Versions 0–5.
 *
 * 2: PRODUCER_FENCED (KIP-588). 4: TRANSACTION_ABORTABLE. 5: the end raises the producer's epoch, and the answer tells it (KIP-890).
 */
import { EndTxn } from '../wire/index.ts'
import { defineHandler } from './handler.ts'

export const endTxn = defineHandler({
  api: EndTxn,
  overlaps: false,
  create:
    (broker) =>
    (request, { apiVersion }) =>
      broker.transactions.endTxn(request, { apiVersion }),
})
