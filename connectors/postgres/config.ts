/**
 * @module connector-postgres/config — the configuration: its definition, and what of it goes to which part of the connector.
 */
import { type ConfigDefinition, type ConfigOf, type TaskConfig, defineConfig } from '@millrace/sdk'
import { connectionKeys } from './config-connection.ts'
import { eventKeys } from './config-events.ts'
import { placeholderOf, wordOf } from './config-rules.ts'
import { snapshotKeys } from './config-snapshot.ts'
import {
  columnFilter,
  type EventSettings,
  type HeaderFacts,
  keyColumnsRule,
  type Operation,
  type TableFilter,
  tableFilter,
} from './events/index.ts'
import type { PublishedOperation } from './publication-plan.ts'
import type { ServerAddress, SslMode } from './replication/index.ts'
import type { SnapshotMode } from './snapshot-plan.ts'
import type { ValueSettings } from './values/index.ts'

/** The Debezium release whose events and positions these are; `source.version` of every event. */
export const DEBEZIUM_VERSION = '3.7.0.Final'

/** Every key, in the order in which they are shown. */
export const definition = defineConfig({ ...connectionKeys, ...eventKeys, ...snapshotKeys } satisfies ConfigDefinition)

/** A parsed configuration. */
export type Config = ConfigOf<typeof definition>

const addressLimits = {
  /** Milliseconds to reach the server and to be let in; 30,000. */
  connectTimeoutMs: 30_000,
} as const

/** Where the server is. `timeoutMs` bounds the connecting. */
export function addressOf(config: Config, timeoutMs: number = addressLimits.connectTimeoutMs): ServerAddress {
  return {
    hostname: config['database.hostname'],
    port: config['database.port'],
    database: config['database.dbname'],
    user: config['database.user'],
    password: config['database.password']?.value ?? '',
    ssl: {
      mode: wordOf(config['database.sslmode']) as SslMode,
      rootCertFile: config['database.sslrootcert'],
      certFile: config['database.sslcert'],
      keyFile: config['database.sslkey'],
      keyPassword: config['database.sslpassword']?.value ?? null,
    },
    tcpKeepAlive: config['database.tcpKeepAlive'],
    initialStatements: statementsOf(config['database.initial.statements']),
    connectTimeoutMs: timeoutMs,
    queryTimeoutMs: config['database.query.timeout.ms'],
    applicationName: 'Millrace',
  }
}

/** Statements with semicolons between; two semicolons are one of the text. */
function statementsOf(text: string | null): readonly string[] {
  if (text === null) return []
  const parts = text.match(/(?:;;|[^;])+/g) ?? []
  return parts.map((part) => part.replaceAll(';;', ';').trim()).filter((part) => part !== '')
}

/** What decides how values look. */
export function valueSettings(config: Config): ValueSettings {
  return {
    decimalMode: wordOf(config['decimal.handling.mode']) as ValueSettings['decimalMode'],
    timePrecisionMode: wordOf(config['time.precision.mode']) as ValueSettings['timePrecisionMode'],
    binaryMode: wordOf(config['binary.handling.mode']) as ValueSettings['binaryMode'],
    intervalMode: wordOf(config['interval.handling.mode']) as ValueSettings['intervalMode'],
    hstoreMode: wordOf(config['hstore.handling.mode']) as ValueSettings['hstoreMode'],
    moneyFractionDigits: config['money.fraction.digits'],
    includeUnknown: config['include.unknown.datatypes'],
    unavailablePlaceholder: placeholderOf(config['unavailable.value.placeholder']),
  }
}

/** What decides how events look. `run` names this run of the task in headers. */
export function eventSettings(config: Config, run: HeaderFacts, nowUs: () => bigint): EventSettings {
  const keyColumns = config['message.key.columns']
  return {
    connectorVersion: DEBEZIUM_VERSION,
    topicPrefix: config['topic.prefix'],
    topicDelimiter: config['topic.delimiter'],
    databaseName: config['database.dbname'],
    values: valueSettings(config),
    tombstonesOnDelete: config['tombstones.on.delete'],
    skippedOperations: new Set(config['skipped.operations'].map(wordOf).filter((word) => word !== 'none') as Operation[]),
    extendedHeaders: config['extended.headers.enabled'] ? run : null,
    isColumnCaptured: columnFilter(listText(config['column.include.list']), listText(config['column.exclude.list'])),
    keyColumnsOf: keyColumns === null ? null : keyColumnsRule(keyColumns),
    skipMessagesWithoutChange: config['skip.messages.without.change'],
    nowUs,
  }
}

/** Which tables are captured. */
export function capturedTables(config: Config): TableFilter {
  return tableFilter({
    schemaInclude: listText(config['schema.include.list']),
    schemaExclude: listText(config['schema.exclude.list']),
    tableInclude: listText(config['table.include.list']),
    tableExclude: listText(config['table.exclude.list']),
    ignoreBuiltin: true,
  })
}

const operationWords = { c: 'insert', u: 'update', d: 'delete', t: 'truncate' } as const

/** What a publication has to send; null where skipped.operations is not set: everything, as Debezium asks for. */
export function publishedOperations(
  { skippedOperations }: Pick<EventSettings, 'skippedOperations'>,
  properties: TaskConfig,
): readonly PublishedOperation[] | null {
  if (properties['skipped.operations'] === undefined) return null
  return (Object.keys(operationWords) as Operation[])
    .filter((letter) => !skippedOperations.has(letter))
    .map((letter) => operationWords[letter])
}

/** Which of the captured tables are in a snapshot. */
export function snapshotTables(config: Config): TableFilter {
  return tableFilter({
    schemaInclude: null,
    schemaExclude: null,
    tableInclude: listText(config['snapshot.include.collection.list']),
    tableExclude: null,
    ignoreBuiltin: true,
  })
}

/** A list as its text: commas within an expression were cut, too. */
function listText(list: readonly string[] | null): string | null {
  return list === null ? null : list.join(',')
}

/** `never` is the old name of `no_data`. */
export function snapshotMode(config: Config): SnapshotMode {
  const mode = wordOf(config['snapshot.mode'])
  return (mode === 'never' ? 'no_data' : mode) as SnapshotMode
}

/** SELECT statements by `schema.table`, for tables whose snapshot is not the whole table. */
export function snapshotOverrides(config: Config, properties: TaskConfig): ReadonlyMap<string, string> {
  const names = (config['snapshot.select.statement.overrides'] ?? '').split(',').map((name) => name.trim())
  const entries = names.flatMap((name) => {
    const statement = properties[`snapshot.select.statement.overrides.${name}`]
    return name === '' || statement === undefined || statement.trim() === '' ? [] : [[name, statement] as const]
  })
  return new Map(entries)
}

/** The topic of heartbeats. */
export function heartbeatTopic(config: Config): string {
  return config['topic.heartbeat.name'] ?? `${config['topic.heartbeat.prefix']}${config['topic.delimiter']}${config['topic.prefix']}`
}

/** Options of START_REPLICATION beside our own. */
export function streamParameters(config: Config): Readonly<Record<string, string>> {
  const parts = (config['slot.stream.params'] ?? '').split(';').map((part) => part.trim())
  return Object.fromEntries(
    parts
      .filter((part) => part.includes('='))
      .map((part) => [part.slice(0, part.indexOf('=')).trim(), part.slice(part.indexOf('=') + 1).trim()]),
  )
}
