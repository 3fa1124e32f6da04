/** @module config/keys/admin — admin keys. */
import { atLeast, between, defineConfig, listOf } from '@millrace/sdk'
import { clientKeys } from './client.ts'
import { clientSecurityKeys } from './client-security.ts'

/** Keys of the admin. Names, types and defaults are those of Kafka 4.3.1. */
export const adminKeys = defineConfig({
  'bootstrap.controllers': { type: 'LIST', default: '', importance: 'HIGH', validator: listOf() },
  'bootstrap.servers': {
    type: 'LIST',
    default: '',
    importance: 'HIGH',
    validator: listOf(),
    documentation: 'Addresses by which the cluster is found, host:port separated by commas.',
  },
  'client.id': {
    type: 'STRING',
    default: '',
    importance: 'MEDIUM',
    documentation: "Name of the client in the broker's logs, quotas and metrics.",
  },
  'connections.max.idle.ms': {
    type: 'LONG',
    default: 300_000,
    importance: 'MEDIUM',
    documentation: 'A connection that carried nothing for this time is closed.',
  },
  'default.api.timeout.ms': {
    type: 'INT',
    default: 60_000,
    importance: 'MEDIUM',
    validator: atLeast(0),
    documentation: 'How long an operation may take with all its repetitions.',
  },
  'enable.metrics.push': { type: 'BOOLEAN', default: false, importance: 'LOW' },
  'receive.buffer.bytes': { type: 'INT', default: 65_536, importance: 'MEDIUM', validator: atLeast(-1) },
  retries: {
    type: 'INT',
    default: 2_147_483_647,
    importance: 'LOW',
    validator: between(0, 2_147_483_647),
    documentation: 'How often a failed request is repeated.',
  },
  ...clientKeys,
  ...clientSecurityKeys,
})
