/** @module config/keys/connect-worker — keys of a Connect worker: storage, group, converters, plugins, its clients. */
import { atLeast, between, defineConfig, listOf, oneOf, oneOfIgnoringCase, rule } from '@millrace/sdk'
import { clientKeys } from './client.ts'
import { clientSecurityKeys } from './client-security.ts'
import { connectRestKeys } from './connect-rest.ts'

const topicFactor = rule(
  "Positive number not larger than the number of brokers in the Kafka cluster, or -1 to use the broker's default",
  (value) => (value === -1 || (value as number) > 0 ? undefined : "Value must be positive, or -1 for the broker's default"),
)
const topicPartitions = rule("Positive number, or -1 to use the broker's default", (value) =>
  value === -1 || (value as number) > 0 ? undefined : "Value must be positive, or -1 for the broker's default",
)
/** Which algorithms there are is the worker's own affair; nothing is signed in this version. */
const anyOf = (text: string) => rule(text, () => undefined)

const { 'security.providers': _notAWorkersKey, ...workerSecurityKeys } = clientSecurityKeys

const storageKeys = defineConfig({
  'config.storage.topic': {
    type: 'STRING',
    importance: 'HIGH',
    documentation: 'Topic in which the configurations of connectors and tasks are kept. It has one partition and is compacted.',
  },
  'config.storage.replication.factor': {
    type: 'SHORT',
    default: 3,
    importance: 'LOW',
    validator: topicFactor,
    documentation: 'Replicas of the config topic when the worker creates it; what nobody sets is capped at the number of live brokers.',
  },
  'offset.storage.topic': {
    type: 'STRING',
    importance: 'HIGH',
    documentation: 'Topic in which the positions of source connectors are kept. It is compacted.',
  },
  'offset.storage.partitions': {
    type: 'INT',
    default: 25,
    importance: 'LOW',
    validator: topicPartitions,
    documentation: 'Partitions of the offset topic when the worker creates it.',
  },
  'offset.storage.replication.factor': {
    type: 'SHORT',
    default: 3,
    importance: 'LOW',
    validator: topicFactor,
    documentation: 'Replicas of the offset topic when the worker creates it; what nobody sets is capped at the number of live brokers.',
  },
  'status.storage.topic': {
    type: 'STRING',
    importance: 'HIGH',
    documentation: 'Topic in which the states of connectors and tasks are kept. It is compacted.',
  },
  'status.storage.partitions': {
    type: 'INT',
    default: 5,
    importance: 'LOW',
    validator: topicPartitions,
    documentation: 'Partitions of the status topic when the worker creates it.',
  },
  'status.storage.replication.factor': {
    type: 'SHORT',
    default: 3,
    importance: 'LOW',
    validator: topicFactor,
    documentation: 'Replicas of the status topic when the worker creates it; what nobody sets is capped at the number of live brokers.',
  },
})

const groupKeys = defineConfig({
  'group.id': {
    type: 'STRING',
    importance: 'HIGH',
    documentation: 'Name of the group of workers that share the work and the three topics.',
  },
  'session.timeout.ms': { type: 'INT', default: 10_000, importance: 'HIGH' },
  'heartbeat.interval.ms': { type: 'INT', default: 3000, importance: 'HIGH' },
  'rebalance.timeout.ms': { type: 'INT', default: 60_000, importance: 'HIGH' },
  'worker.sync.timeout.ms': { type: 'INT', default: 3000, importance: 'MEDIUM' },
  'worker.unsync.backoff.ms': { type: 'INT', default: 300_000, importance: 'MEDIUM' },
  'scheduled.rebalance.max.delay.ms': { type: 'INT', default: 300_000, importance: 'LOW', validator: between(0, 2_147_483_647) },
  'connect.protocol': { type: 'STRING', default: 'sessioned', importance: 'LOW', validator: oneOf('eager', 'compatible', 'sessioned') },
  'exactly.once.source.support': {
    type: 'STRING',
    default: 'disabled',
    importance: 'HIGH',
    validator: oneOfIgnoringCase('DISABLED', 'ENABLED', 'PREPARING'),
    documentation: 'Whether source connectors write records and positions in one transaction. This version has disabled only.',
  },
  'inter.worker.key.generation.algorithm': {
    type: 'STRING',
    default: 'HmacSHA256',
    importance: 'LOW',
    validator: anyOf('Any KeyGenerator algorithm supported by the worker JVM'),
  },
  'inter.worker.key.size': { type: 'INT', default: null, importance: 'LOW' },
  'inter.worker.key.ttl.ms': { type: 'INT', default: 3_600_000, importance: 'LOW', validator: between(0, 2_147_483_647) },
  'inter.worker.signature.algorithm': {
    type: 'STRING',
    default: 'HmacSHA256',
    importance: 'LOW',
    validator: anyOf('Any MAC algorithm supported by the worker JVM'),
  },
  'inter.worker.verification.algorithms': {
    type: 'LIST',
    default: 'HmacSHA256',
    importance: 'LOW',
    validator: anyOf('A list of one or more MAC algorithms, each supported by the worker JVM'),
  },
})

const taskKeys = defineConfig({
  'key.converter': {
    type: 'CLASS',
    importance: 'HIGH',
    documentation: 'Converter of record keys for connectors that name none; its own settings follow under key.converter.',
  },
  'key.converter.plugin.version': { type: 'STRING', default: null, importance: 'LOW' },
  'value.converter': {
    type: 'CLASS',
    importance: 'HIGH',
    documentation: 'Converter of record values for connectors that name none; its own settings follow under value.converter.',
  },
  'value.converter.plugin.version': { type: 'STRING', default: null, importance: 'LOW' },
  'header.converter': {
    type: 'CLASS',
    default: 'org.apache.kafka.connect.storage.SimpleHeaderConverter',
    importance: 'LOW',
    documentation: 'Converter of record headers for connectors that name none.',
  },
  'header.converter.plugin.version': { type: 'STRING', default: null, importance: 'LOW' },
  'offset.flush.interval.ms': {
    type: 'LONG',
    default: 60_000,
    importance: 'LOW',
    documentation: 'How often tasks store how far they have come.',
  },
  'offset.flush.timeout.ms': {
    type: 'LONG',
    default: 5000,
    importance: 'LOW',
    documentation: 'How long storing positions may take before it is given up and tried again at the next interval.',
  },
  'task.shutdown.graceful.timeout.ms': {
    type: 'LONG',
    default: 5000,
    importance: 'LOW',
    documentation: 'How long tasks may take to end; then they are cut off without a last commit.',
  },
  'topic.creation.enable': {
    type: 'BOOLEAN',
    default: true,
    importance: 'LOW',
    documentation: 'Whether source connectors may create topics by their topic.creation settings.',
  },
  'topic.tracking.enable': {
    type: 'BOOLEAN',
    default: true,
    importance: 'LOW',
    documentation: 'Whether the topics that connectors use are remembered.',
  },
  'topic.tracking.allow.reset': {
    type: 'BOOLEAN',
    default: true,
    importance: 'LOW',
    documentation: 'Whether a request may make the worker forget the topics that a connector has used.',
  },
  'plugin.path': {
    type: 'LIST',
    default: null,
    importance: 'LOW',
    validator: listOf(),
    documentation: 'Folders in which plugins lie, as packages or as single files.',
  },
  'plugin.discovery': {
    type: 'STRING',
    default: 'hybrid_warn',
    importance: 'LOW',
    validator: oneOfIgnoringCase('ONLY_SCAN', 'SERVICE_LOAD', 'HYBRID_WARN', 'HYBRID_FAIL'),
  },
  'connector.client.config.override.policy': {
    type: 'STRING',
    default: 'All',
    importance: 'MEDIUM',
    documentation:
      'Which client settings a connector may override with producer.override., consumer.override. and admin.override.: All, None, Principal, or Allowlist with connector.client.config.override.allowlist.',
  },
})

/** The keys of a distributed worker. Names, types and defaults are those of Kafka 4.3.1. */
export const connectWorkerKeys = defineConfig({
  ...clientKeys,
  ...workerSecurityKeys,
  'bootstrap.servers': {
    type: 'LIST',
    importance: 'HIGH',
    validator: listOf(),
    documentation: 'Addresses by which the cluster is found, host:port separated by commas.',
  },
  'client.id': {
    type: 'STRING',
    default: '',
    importance: 'LOW',
    documentation: "Name of the worker's clients in the broker's logs and quotas.",
  },
  'config.providers': {
    type: 'LIST',
    default: '',
    importance: 'LOW',
    validator: listOf(),
    documentation: 'Names of the config providers that replace variables in configurations of connectors.',
  },
  'connections.max.idle.ms': {
    type: 'LONG',
    default: 540_000,
    importance: 'MEDIUM',
    documentation: 'A connection that carried nothing for this time is closed.',
  },
  'metrics.recording.level': { type: 'STRING', default: 'INFO', importance: 'LOW', validator: oneOf('INFO', 'DEBUG') },
  'receive.buffer.bytes': { type: 'INT', default: 32_768, importance: 'MEDIUM', validator: atLeast(-1) },
  'request.timeout.ms': {
    type: 'INT',
    default: 40_000,
    importance: 'MEDIUM',
    validator: atLeast(0),
    documentation: 'How long a client waits for the answer to one request.',
  },
  'socket.connection.setup.timeout.max.ms': { type: 'LONG', default: 30_000, importance: 'LOW', validator: atLeast(0) },
  'socket.connection.setup.timeout.ms': {
    type: 'LONG',
    default: 10_000,
    importance: 'LOW',
    validator: atLeast(0),
    documentation: 'How long an attempt to connect may take.',
  },
  ...storageKeys,
  ...groupKeys,
  ...taskKeys,
  ...connectRestKeys,
})

/** Keys of our own for a worker. */
export const millraceConnectKeys = defineConfig({
  'millrace.tasks.isolation': {
    type: 'STRING',
    default: 'thread',
    importance: 'MEDIUM',
    validator: oneOf('thread', 'shared', 'inline'),
    documentation:
      'Where connectors run: thread gives each one a thread of its own, shared puts many into one thread (for hundreds of small ones), inline runs them on the main thread (for tests and debugging).',
  },
})

/** What a worker's file may hold and what holds without it. */
export const connectWorkerDefinition = { ...connectWorkerKeys, ...millraceConnectKeys }
