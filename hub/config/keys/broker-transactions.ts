/** @module config/keys/broker-transactions — broker keys: transactions. */
import { atLeast, defineConfig } from '@millrace/sdk'

/** Keys of transactions. Names, types and defaults are those of Kafka 4.3.1. */
export const brokerTransactionKeys = defineConfig({
  'add.partitions.to.txn.retry.backoff.max.ms': { type: 'INT', default: 100, importance: 'HIGH', validator: atLeast(0) },
  'add.partitions.to.txn.retry.backoff.ms': { type: 'INT', default: 20, importance: 'HIGH', validator: atLeast(1) },
  'transaction.abort.timed.out.transaction.cleanup.interval.ms': { type: 'INT', default: 10_000, importance: 'LOW', validator: atLeast(1) },
  'transaction.max.timeout.ms': { type: 'INT', default: 900_000, importance: 'HIGH', validator: atLeast(1) },
  'transaction.partition.verification.enable': { type: 'BOOLEAN', default: true, importance: 'LOW' },
  'transaction.remove.expired.transaction.cleanup.interval.ms': {
    type: 'INT',
    default: 3_600_000,
    importance: 'LOW',
    validator: atLeast(1),
  },
  'transaction.state.log.load.buffer.size': { type: 'INT', default: 5_242_880, importance: 'HIGH', validator: atLeast(1) },
  'transaction.state.log.min.isr': { type: 'INT', default: 2, importance: 'HIGH', validator: atLeast(1) },
  'transaction.state.log.num.partitions': { type: 'INT', default: 50, importance: 'HIGH', validator: atLeast(1) },
  'transaction.state.log.replication.factor': { type: 'SHORT', default: 3, importance: 'HIGH', validator: atLeast(1) },
  'transaction.state.log.segment.bytes': { type: 'INT', default: 104_857_600, importance: 'HIGH', validator: atLeast(1) },
  'transaction.two.phase.commit.enable': { type: 'BOOLEAN', default: false, importance: 'LOW' },
  'transactional.id.expiration.ms': {
    type: 'INT',
    default: 604_800_000,
    importance: 'HIGH',
    validator: atLeast(1),
  },
})
