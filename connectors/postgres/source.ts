/**
 * @module connector-postgres/source — the plugin: one task that reads the tables once and then streams.
 */
import { defineSource, FatalError, isEngineError, type SourceRecordInput, type SourceTaskContext } from '@millrace/sdk'
import { type Config, definition } from './config.ts'
import { checkConfig } from './config-check.ts'
import { unheeded } from './config-lacked.ts'
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
    const names = unheeded(properties)
    if (names.length > 0) log.warn(`these keys have no effect in this version: ${names.join(', ')}`)
    return [properties]
  },
  run: runTask,
})

/** Runs of a task in a row that ended with an error that may pass, nothing having come. */
const failedCounts = new WeakMap<SourceTaskContext, number>()

/** `errors.max.retries`: the error that the engine gets, which is final once it came too often. Below 0: never. */
function afterRetries(error: unknown, countMax: number, context: SourceTaskContext): unknown {
  if (countMax < 0 || !isEngineError(error) || error.next !== 'retry') return error
  const count = (failedCounts.get(context) ?? 0) + 1
  failedCounts.set(context, count)
  if (count <= countMax) return error
  const remedy = `errors.max.retries = ${countMax} is reached: remove the cause and restart the task`
  return new FatalError('retries-exhausted', error.message.replace('; it is tried again', ''), remedy, { cause: error })
}

async function* runTask(config: Config, context: SourceTaskContext): AsyncGenerator<readonly SourceRecordInput[], void> {
  const run = new Run(config, context)
  try {
    for await (const records of run.records()) {
      failedCounts.delete(context)
      yield records
    }
  } catch (error) {
    // What breaks after the order to stop is the stopping.
    if (!context.signal.aborted) throw afterRetries(error, config['errors.max.retries'], context)
  } finally {
    await run.close()
  }
}
