/**
 * @module api/25-add-offsets-to-txn — the offsets of a group join a transaction. Versions 0–4.
 *
 * It adds the partition of `__consumer_offsets` that serves the group; clients that speak version 2 of transactions leave that to
 * TxnOffsetCommit (KIP-890). 2: PRODUCER_FENCED (KIP-588). 4: TRANSACTION_ABORTABLE.
 */
import { AddOffsetsToTxn } from '../wire/index.ts'
import { defineHandler } from './handler.ts'

export const addOffsetsToTxn = defineHandler({
  api: AddOffsetsToTxn,
  overlaps: false,
  create:
    (broker) =>
    (request, { apiVersion }) =>
      broker.transactions.addOffsetsToTxn(request, { apiVersion }),
})
