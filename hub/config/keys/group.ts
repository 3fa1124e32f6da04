/** @module config/keys/group — group keys. */
import { atLeast, defineConfig, oneOf } from '@millrace/sdk'
import { offsetReset } from './rules.ts'

/** What a group can set for itself; where it does not, the broker key of the same name with `group.` before it holds. */
export const groupKeys = defineConfig({
  'consumer.assignment.interval.ms': {
    type: 'INT',
    default: 1000,
    importance: 'MEDIUM',
    validator: atLeast(0),
    documentation: 'Shortest time between two assignments of this consumer group.',
  },
  'consumer.heartbeat.interval.ms': {
    type: 'INT',
    default: 5000,
    importance: 'MEDIUM',
    validator: atLeast(1),
    documentation: 'How often the members of this consumer group are told to report.',
  },
  'consumer.session.timeout.ms': {
    type: 'INT',
    default: 45_000,
    importance: 'MEDIUM',
    validator: atLeast(1),
    documentation: 'How long a member of this consumer group may be silent before it is removed.',
  },
  'share.assignment.interval.ms': { type: 'INT', default: 1000, importance: 'MEDIUM', validator: atLeast(0) },
  'share.auto.offset.reset': { type: 'STRING', default: 'latest', importance: 'MEDIUM', validator: offsetReset('latest', 'earliest') },
  'share.delivery.count.limit': { type: 'INT', default: 5, importance: 'MEDIUM', validator: atLeast(2) },
  'share.heartbeat.interval.ms': { type: 'INT', default: 5000, importance: 'MEDIUM', validator: atLeast(1) },
  'share.isolation.level': {
    type: 'STRING',
    default: 'read_uncommitted',
    importance: 'MEDIUM',
    validator: oneOf('read_committed', 'read_uncommitted'),
  },
  'share.partition.max.record.locks': { type: 'INT', default: 2000, importance: 'MEDIUM', validator: atLeast(100) },
  'share.record.lock.duration.ms': { type: 'INT', default: 30_000, importance: 'MEDIUM', validator: atLeast(1000) },
  'share.renew.acknowledge.enable': { type: 'BOOLEAN', default: true, importance: 'MEDIUM' },
  'share.session.timeout.ms': { type: 'INT', default: 45_000, importance: 'MEDIUM', validator: atLeast(1) },
  'streams.assignment.interval.ms': { type: 'INT', default: 1000, importance: 'MEDIUM', validator: atLeast(0) },
  'streams.heartbeat.interval.ms': { type: 'INT', default: 5000, importance: 'MEDIUM', validator: atLeast(1) },
  'streams.initial.rebalance.delay.ms': { type: 'INT', default: 3000, importance: 'MEDIUM', validator: atLeast(0) },
  'streams.num.standby.replicas': { type: 'INT', default: 0, importance: 'MEDIUM', validator: atLeast(0) },
  'streams.session.timeout.ms': { type: 'INT', default: 45_000, importance: 'MEDIUM', validator: atLeast(1) },
})
