/**
 * @module test/connectors/postgres/values/record-texts — makes test/golden/cdc/postgres-text anew: what a server sends, as text, for the
 * scenarios of test/golden/cdc/postgres that are about values.
 *
 * ```sh
 * npx node --conditions=millrace-source test/connectors/postgres/values/record-texts.ts postgres://postgres:postgres@127.0.0.1:5432/postgres
 * ```
 * The rows of the snapshot come by COPY, the later ones out of a slot, in sessions with the settings of the connector.
 */
import { readFileSync, writeFileSync } from 'node:fs'
import { readTables, readTypes } from '../../../../connectors/postgres/catalog/index.ts'
import { NULL_TEXT, type PgType, type RowText, type Types } from '../../../../connectors/postgres/model.ts'
import { decodeMessage } from '../../../../connectors/postgres/pgoutput/index.ts'
import {
  connect,
  copyRows,
  quoteIdentifier,
  rowCursor,
  type ServerAddress,
  type Session,
} from '../../../../connectors/postgres/replication/index.ts'
import { readScript } from '../golden/script.ts'
import { type Database, createDatabase } from '../golden/server.ts'
import type { RecordedChange, RecordedShape, RecordedTexts, Text } from './texts.ts'

const golden = new URL('../../../golden/cdc/', import.meta.url)
const scenarios = [
  'defaults',
  'replica-identity',
  'toast',
  'types-arrays',
  'types-binary',
  'types-char',
  'types-domain',
  'types-geometric',
  'types-interval',
  'types-misc',
  'types-numeric',
  'types-numeric-special',
  'types-numeric-special-snapshot',
  'types-time',
]

const [url] = process.argv.slice(2)
if (url === undefined) throw new Error('which server: postgres://user:password@host:port/database')
for (const scenario of scenarios) {
  const database = await createDatabase(url)
  try {
    const texts = await record(scenario, database)
    writeFileSync(new URL(`postgres-text/${scenario}.json`, golden), `${JSON.stringify(texts, null, 1)}\n`)
  } finally {
    await database.drop()
  }
}

async function record(scenario: string, database: Database): Promise<RecordedTexts> {
  const script = readScript(readFileSync(new URL(`postgres/${scenario}.sql`, golden), 'utf8'))
  const { client, slotName, connection } = database
  for (const statement of script.setup) await client.query(statement)
  const session = await connect(addressOf(connection), new AbortController().signal)
  try {
    await session.query('create publication recorded for all tables')
    await session.query(`select pg_create_logical_replication_slot('${slotName}', 'pgoutput')`)
    const stages: RecordedTexts['stages'][number][] = [{ shape: await shapeOf(session), changes: await snapshotOf(session) }]
    for (const step of script.steps) {
      if (step.kind !== 'sql') continue
      for (const statement of step.statements) await client.query(statement).catch(() => undefined)
      stages.push({ shape: await shapeOf(session), changes: await changesOf(session, slotName) })
    }
    const [{ version }] = (await session.query<{ version: string }>('select version()')) as [{ version: string }]
    return { server: version.split(' ').slice(0, 2).join(' '), stages }
  } finally {
    await session.close()
  }
}

function addressOf(keys: Readonly<Record<string, string>>): ServerAddress {
  return {
    hostname: keys['database.hostname']!,
    port: Number(keys['database.port']),
    database: keys['database.dbname']!,
    user: keys['database.user']!,
    password: keys['database.password']!,
    ssl: { mode: 'disable', rootCertFile: null, certFile: null, keyFile: null, keyPassword: null },
    tcpKeepAlive: true,
    initialStatements: [],
    connectTimeoutMs: 10_000,
    queryTimeoutMs: 0,
    applicationName: 'record-texts',
  }
}

/** Tables with their columns, and the types that these stand on. */
async function shapeOf(session: Session): Promise<RecordedShape> {
  const types = await readTypes(session)
  const tables = await readTables(session)
  const used = new Map<number, PgType>()
  for (const { columns } of tables) for (const { typeOid } of columns) addType(types, typeOid, used)
  return { types: [...used.values()], tables: Object.fromEntries(tables.map(({ name, columns }) => [name, columns])) }
}

function addType(types: Types, oid: number, used: Map<number, PgType>): void {
  const type = types.get(oid)
  if (type === undefined || used.has(oid)) return
  used.set(oid, type)
  addType(types, type.elementOid, used)
  addType(types, type.baseOid, used)
}

async function snapshotOf(session: Session): Promise<readonly RecordedChange[]> {
  const changes: RecordedChange[] = []
  for (const { name, columns } of await readTables(session)) {
    const list = columns.map((column) => quoteIdentifier(column.name)).join(', ')
    const cursor = rowCursor(columns.length)
    const names = columns.map((column) => column.name)
    for await (const rows of copyRows(
      session,
      `select ${list} from ${quoteIdentifier(name)}`,
      columns.length,
      new AbortController().signal,
    )) {
      for (let row = rows.next(cursor); row !== null; row = rows.next(cursor))
        changes.push({ table: name, before: null, after: textsOf(names, row) })
    }
  }
  return changes
}

async function changesOf(session: Session, slotName: string): Promise<readonly RecordedChange[]> {
  const rows = await session.query<{ data: string }>(
    `select encode(data, 'hex') as data from pg_logical_slot_get_binary_changes('${slotName}', null, null, 'proto_version', '1', 'publication_names', 'recorded')`,
  )
  const relations = new Map<number, { name: string; columns: readonly string[] }>()
  const changes: RecordedChange[] = []
  for (const { data } of rows) {
    const message = decodeMessage(Buffer.from(data, 'hex'))
    if (message.kind === 'relation') relations.set(message.oid, { name: message.name, columns: message.columns.map(({ name }) => name) })
    if (message.kind !== 'insert' && message.kind !== 'update' && message.kind !== 'delete') continue
    const { name, columns } = relations.get(message.relationOid)!
    const old = message.kind === 'insert' ? null : message.old
    changes.push({
      table: name,
      before: old === null ? null : textsOf(columns, old),
      after: message.kind === 'delete' ? null : textsOf(columns, message.row),
    })
  }
  return changes
}

function textsOf(names: readonly string[], { bytes, bounds }: RowText): Readonly<Record<string, Text>> {
  return Object.fromEntries(
    names.map((name, index): [string, Text] => {
      const start = bounds[2 * index]!
      if (start < 0) return [name, start === NULL_TEXT ? null : { unchanged: true }]
      return [name, bytes.toString('utf8', start, bounds[2 * index + 1])]
    }),
  )
}
