/** @module test/connectors/postgres/golden/server — fresh databases on a running server, and a client that takes every value as the server's text. */
import { randomBytes } from 'node:crypto'
import { Client } from 'pg'

/** A database that nobody has used, and a name for its slot. */
export interface Database {
  readonly name: string
  readonly slotName: string
  /** Keys that tell a connector how to reach it. */
  readonly connection: Readonly<Record<string, string>>
  readonly client: Client
  /** Ends all sessions, drops slots and database. */
  drop(): Promise<void>
}

/** Values as text, lists of columns: what psql would print. */
const asText = { getTypeParser: () => (text: string | Buffer) => String(text) }

/** A client that is connected to the server of `url`, on another database where one is named. */
export async function connected(url: string, database?: string): Promise<Client> {
  const target = new URL(url)
  if (database !== undefined) target.pathname = `/${database}`
  const client = new Client({ connectionString: target.href, types: asText })
  // A connection that a test's fault cuts says so by the query that fails.
  client.on('error', () => undefined)
  await client.connect()
  return client
}

/** Keys that tell a connector how to reach a database of the server. */
export function connectionKeys(url: string, database: string): Readonly<Record<string, string>> {
  const { hostname, port, username, password } = new URL(url)
  return {
    'database.hostname': hostname,
    'database.port': port,
    'database.user': decodeURIComponent(username),
    'database.password': decodeURIComponent(password),
    'database.dbname': database,
  }
}

/** Makes a database. Its slot's name is its own: slots are of the whole server. */
export async function createDatabase(url: string): Promise<Database> {
  const name = `golden_${randomBytes(6).toString('hex')}`
  const admin = await connected(url)
  try {
    await admin.query(`create database ${name}`)
  } finally {
    await admin.end()
  }
  const client = await connected(url, name)
  const drop = async (): Promise<void> => {
    await client.end()
    const last = await connected(url)
    try {
      await dropSlots(last, name)
      await last.query(`drop database ${name} with (force)`)
    } finally {
      await last.end()
    }
  }
  return { name, slotName: `slot_of_${name}`, connection: connectionKeys(url, name), client, drop }
}

/** A slot can be dropped only when nobody reads it. */
async function dropSlots(admin: Client, database: string): Promise<void> {
  for (;;) {
    const { rows } = await admin.query<{ slot_name: string; active_pid: string | null }>(
      'select slot_name, active_pid from pg_replication_slots where database = $1',
      [database],
    )
    if (rows.length === 0) return
    for (const { slot_name: slot, active_pid: pid } of rows) {
      if (pid === null)
        await admin.query('select pg_drop_replication_slot(slot_name) from pg_replication_slots where slot_name = $1 and not active', [
          slot,
        ])
      else await admin.query('select pg_terminate_backend($1)', [pid])
    }
  }
}
