/** @module api/65-describe-transactions — transactional ids, and the partitions of what is open. Version 0 (KIP-664). */
import { DescribeTransactions } from '../wire/index.ts'
import { defineHandler } from './handler.ts'

export const describeTransactions = defineHandler({
  api: DescribeTransactions,
  overlaps: false,
  create: (broker) => (request) => broker.transactions.describeTransactions(request),
})
