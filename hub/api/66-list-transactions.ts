/**
 * @module api/66-list-transactions — the transactional ids that this broker coordinates, by filters. Versions 0–2.
 *
 * 1: by how long a transaction is open (KIP-994). 2: by a pattern of the id (KIP-1152).
 */
import { ListTransactions } from '../wire/index.ts'
import { defineHandler } from './handler.ts'

export const listTransactions = defineHandler({
  api: ListTransactions,
  overlaps: false,
  create: (broker) => (request) => broker.transactions.listTransactions(request),
})
