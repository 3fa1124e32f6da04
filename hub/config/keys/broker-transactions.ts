/** @module config/keys/broker-transactions — broker keys: transactions. */
import { atLeast, defineConfig } from '@millrace/sdk'

/** Keys of transactions. Names, types and defaults are those of Kafka 4.3.1. */
export const brokerTransactionKeys = defineConfig({
  'add.partitions.to.txn.retry.backoff.max.ms': {
    type: 'INT',
    default: 100,
    importance: 'HIGH',
    validator: atLeast(0),
    documentation: 'How long a request of a transaction waits for the end of the one before it is answered CONCURRENT_TRANSACTIONS.',
  },
  'add.partitions.to.txn.retry.backoff.ms': { type: 'INT', default: 20, importance: 'HIGH', validator: atLeast(1) },
  'transaction.abort.timed.out.transaction.cleanup.interval.ms': {
    type: 'INT',
    default: 10_000,
    importance: 'LOW',
    validator: atLeast(1),
    documentation: 'How often transactions that are open for too long are looked for.',
  },
  'transaction.max.timeout.ms': {
    type: 'INT',
    default: 900_000,
    importance: 'HIGH',
    validator: atLeast(1),
    documentation: 'The longest timeout that a producer may ask for.',
  },
  'transaction.partition.verification.enable': {
    type: 'BOOLEAN',
    default: true,
    importance: 'LOW',
    documentation: 'Whether a batch of a transaction is taken only when the coordinator knows its partition to take part.',
  },
  'transaction.remove.expired.transaction.cleanup.interval.ms': {
    type: 'INT',
    default: 3_600_000,
    importance: 'LOW',
    validator: atLeast(1),
    documentation: 'How often transactional ids that were not used for too long are looked for.',
  },
  'transaction.state.log.load.buffer.size': { type: 'INT', default: 5_242_880, importance: 'HIGH', validator: atLeast(1) },
  'transaction.state.log.min.isr': {
    type: 'INT',
    default: 2,
    importance: 'HIGH',
    validator: atLeast(1),
    documentation: 'The min.insync.replicas of the topic of transactions, when it is made.',
  },
  'transaction.state.log.num.partitions': {
    type: 'INT',
    default: 50,
    importance: 'HIGH',
    validator: atLeast(1),
    documentation: 'Partitions of the topic of transactions, when it is made.',
  },
  'transaction.state.log.replication.factor': {
    type: 'SHORT',
    default: 3,
    importance: 'HIGH',
    validator: atLeast(1),
    documentation: 'Replicas of the topic of transactions, when it is made.',
  },
  'transaction.state.log.segment.bytes': {
    type: 'INT',
    default: 104_857_600,
    importance: 'HIGH',
    validator: atLeast(1),
    documentation: 'The segment.bytes of the topic of transactions, when it is made.',
  },
  'transaction.two.phase.commit.enable': { type: 'BOOLEAN', default: false, importance: 'LOW' },
  'transactional.id.expiration.ms': {
    type: 'INT',
    default: 604_800_000,
    importance: 'HIGH',
    validator: atLeast(1),
    documentation: 'How long a transactional id is remembered that is not used.',
  },
})
