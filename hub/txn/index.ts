/** @module txn — the transaction coordinator. */
export { createTransactionCoordinator } from './coordinator.ts'
export type { TopicPartition } from './partitions.ts'
export { producerIdSource } from './producer-ids.ts'
export { transactionConfig } from './transaction-config.ts'
export type { MarkerWriter, TransactionCoordinator } from './types.ts'
