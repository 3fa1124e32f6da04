/**
 * @module connector-postgres/source — the plugin: one task that reads the tables once and then streams.
 */
import { defineSource, type SourceRecordInput, type SourceTaskContext } from '@millrace/sdk'
import { type Config, definition } from './config.ts'
import { checkConfig } from './config-check.ts'
import { refuseChanging, unheeded } from './config-lacked.ts'
import { Run } from './source-run.ts'

/** Captures the changes of a PostgreSQL database: a snapshot by COPY, then logical replication; Debezium's events, keys and positions. */
export const postgresSource = defineSource({
  class: 'io.debezium.connector.postgresql.PostgresConnector',
  version: '3.7.0',
  aliases: ['millrace.postgres.Source'],
  taskClass: 'io.debezium.connector.postgresql.PostgresConnectorTask',
  documentation:
    'Captures changes from PostgreSQL: a snapshot of the tables, then logical replication by pgoutput. Configuration, events and stored offsets are those of Debezium 3.7.0.',
  config: definition,
  validate: checkConfig,
  plan(_config, { properties, log }) {
    refuseChanging(properties)
    const names = unheeded(properties)
    if (names.length > 0) log.warn(`these keys have no effect in this version: ${names.join(', ')}`)
    return [properties]
  },
  run: runTask,
})

async function* runTask(config: Config, context: SourceTaskContext): AsyncGenerator<readonly SourceRecordInput[], void> {
  const run = new Run(config, context)
  try {
    yield* run.records()
  } catch (error) {
    // What breaks after the order to stop is the stopping.
    if (!context.signal.aborted) throw error
  } finally {
    await run.close()
  }
}
