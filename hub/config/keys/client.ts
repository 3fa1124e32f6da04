/** @module config/keys/client — client keys: connections, metadata, metrics. */
import { atLeast, defineConfig, listOf, oneOf, oneOfIgnoringCase } from '@millrace/sdk'

/** Keys that every client has, security left out. */
export const clientKeys = defineConfig({
  'client.dns.lookup': {
    type: 'STRING',
    default: 'use_all_dns_ips',
    importance: 'MEDIUM',
    validator: oneOf('use_all_dns_ips', 'resolve_canonical_bootstrap_servers_only'),
  },
  'config.providers': { type: 'LIST', default: '', importance: 'LOW', validator: listOf() },
  'metadata.max.age.ms': {
    type: 'LONG',
    default: 300_000,
    importance: 'LOW',
    validator: atLeast(0),
    documentation: 'Age at which metadata is fetched again even if nothing seems to have changed.',
  },
  'metadata.recovery.rebootstrap.trigger.ms': { type: 'LONG', default: 300_000, importance: 'LOW', validator: atLeast(0) },
  'metadata.recovery.strategy': {
    type: 'STRING',
    default: 'rebootstrap',
    importance: 'LOW',
    validator: oneOfIgnoringCase('REBOOTSTRAP', 'NONE'),
  },
  'metric.reporters': {
    type: 'LIST',
    default: 'org.apache.kafka.common.metrics.JmxReporter',
    importance: 'LOW',
    validator: listOf({ emptyAllowed: false }),
  },
  'metrics.num.samples': { type: 'INT', default: 2, importance: 'LOW', validator: atLeast(1) },
  'metrics.recording.level': { type: 'STRING', default: 'INFO', importance: 'LOW', validator: oneOf('INFO', 'DEBUG', 'TRACE') },
  'metrics.sample.window.ms': { type: 'LONG', default: 30_000, importance: 'LOW', validator: atLeast(0) },
  'reconnect.backoff.max.ms': {
    type: 'LONG',
    default: 1000,
    importance: 'LOW',
    validator: atLeast(0),
    documentation: 'Longest pause before an attempt to reconnect.',
  },
  'reconnect.backoff.ms': {
    type: 'LONG',
    default: 50,
    importance: 'LOW',
    validator: atLeast(0),
    documentation: 'Pause before the first attempt to reconnect to a broker.',
  },
  'request.timeout.ms': {
    type: 'INT',
    default: 30_000,
    importance: 'MEDIUM',
    validator: atLeast(0),
    documentation: 'How long the client waits for the answer to one request.',
  },
  'retry.backoff.max.ms': {
    type: 'LONG',
    default: 1000,
    importance: 'LOW',
    validator: atLeast(0),
    documentation: 'Longest pause before a repetition.',
  },
  'retry.backoff.ms': {
    type: 'LONG',
    default: 100,
    importance: 'LOW',
    validator: atLeast(0),
    documentation: 'Pause before the first repetition of a failed request.',
  },
  'send.buffer.bytes': { type: 'INT', default: 131_072, importance: 'MEDIUM', validator: atLeast(-1) },
  'socket.connection.setup.timeout.max.ms': {
    type: 'LONG',
    default: 30_000,
    importance: 'MEDIUM',
    documentation: 'How long an attempt to connect may take at most after repeated failures.',
  },
  'socket.connection.setup.timeout.ms': {
    type: 'LONG',
    default: 10_000,
    importance: 'MEDIUM',
    documentation: 'How long the first attempt to connect may take.',
  },
})
