/**
 * @module config/keys/broker — every key of a hub's file: Kafka's broker keys, where Millrace's defaults differ, and our own.
 */
import { atLeast, defineConfig, listOf, oneOf } from '@millrace/sdk'
import { brokerClusterKeys } from './broker-cluster.ts'
import { brokerGroupKeys } from './broker-groups.ts'
import { brokerLogKeys } from './broker-log.ts'
import { brokerNetworkKeys } from './broker-network.ts'
import { brokerRemoteKeys } from './broker-remote.ts'
import { brokerSecurityKeys } from './broker-security.ts'
import { brokerShareStreamsKeys } from './broker-share-streams.ts'
import { brokerTransactionKeys } from './broker-transactions.ts'

/** The broker keys of Kafka 4.3.1 with Kafka's defaults. */
export const kafkaBrokerKeys = {
  ...brokerClusterKeys,
  ...brokerNetworkKeys,
  ...brokerLogKeys,
  ...brokerGroupKeys,
  ...brokerTransactionKeys,
  ...brokerSecurityKeys,
  ...brokerShareStreamsKeys,
  ...brokerRemoteKeys,
}

/**
 * Where a hub without a file differs from Kafka (design §2): it starts as a lone node on loopback with its data beside it,
 * and the first consumer of a group does not wait 3 s for others.
 */
export const millraceDefaults = defineConfig({
  'node.id': { ...brokerClusterKeys['node.id'], default: 1 },
  'process.roles': {
    ...brokerClusterKeys['process.roles'],
    default: 'broker,controller,connect',
    validator: listOf({ allowed: ['broker', 'controller', 'connect', 'registry', 'console'], emptyAllowed: false }),
  },
  'controller.listener.names': { ...brokerClusterKeys['controller.listener.names'], default: '', validator: listOf() },
  listeners: { ...brokerNetworkKeys.listeners, default: 'PLAINTEXT://127.0.0.1:9092' },
  'log.dirs': { ...brokerLogKeys['log.dirs'], default: './millrace-data', validator: listOf({ emptyAllowed: false }) },
  'group.initial.rebalance.delay.ms': { ...brokerGroupKeys['group.initial.rebalance.delay.ms'], default: 0 },
})

/** Keys of our own; all begin with `millrace.`. */
export const millraceKeys = defineConfig({
  'millrace.log.flush.on.ack': {
    type: 'STRING',
    default: 'fsync',
    importance: 'HIGH',
    validator: oneOf('fsync', 'pagecache'),
    documentation:
      'When acks=all is answered and a record becomes readable: fsync after it is on the device, pagecache after the operating system has it, as Kafka does.',
  },
  'millrace.http.listeners': {
    type: 'LIST',
    default: 'http://127.0.0.1:9644',
    importance: 'MEDIUM',
    validator: listOf(),
    documentation: 'Addresses that serve /metrics and /health of the process; empty serves none.',
  },
  'millrace.log.level': {
    type: 'STRING',
    default: 'info',
    importance: 'LOW',
    validator: oneOf('error', 'warn', 'info', 'debug'),
    documentation: 'How much is logged to stderr.',
  },
  'millrace.log.slow.request.ms': {
    type: 'LONG',
    default: 1_000,
    importance: 'LOW',
    validator: atLeast(-1),
    documentation:
      'A request that took the broker longer than this is logged with the time of each phase; what a fetch or a join waits on purpose does not count. -1 logs none.',
  },
  'millrace.disk.free.bytes.min': {
    type: 'LONG',
    default: 64 * 1024 * 1024,
    importance: 'MEDIUM',
    validator: atLeast(0),
    documentation: 'While the device of log.dirs has less than this free, produce is refused with a retriable error; reads go on.',
  },
  'millrace.disk.free.bytes.resume': {
    type: 'LONG',
    default: 128 * 1024 * 1024,
    importance: 'MEDIUM',
    validator: atLeast(0),
    documentation: 'Produce that was refused for lack of space is taken again when so much is free.',
  },
  'millrace.shutdown.timeout.ms': {
    type: 'LONG',
    default: 30_000,
    importance: 'LOW',
    validator: atLeast(0),
    documentation: 'How long a stop waits for requests under way before connections are cut.',
  },
})

/** What a hub's file may hold and what holds without it. */
export const brokerConfigDefinition = { ...kafkaBrokerKeys, ...millraceDefaults, ...millraceKeys }
