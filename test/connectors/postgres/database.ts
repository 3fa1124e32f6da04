/**
 * @module test/connectors/postgres/database — a database of a test's own on a real server, and the connector's configuration for it.
 */
import { MemoryOffsets, runSource, type SourceRun } from '@millrace/sdk/testing'
import { isEngineError, type SourceRecord, type Struct } from '@millrace/sdk'
import pg from 'pg'
import { postgresSource } from '../../../connectors/postgres/index.ts'
import { type Service, service } from '../../services.ts'

/** A server for the tests of a file; `reason`: why there is none. */
export interface Server {
  readonly service: Service | undefined
  readonly reason: string | undefined
}

export async function startServer(): Promise<Server> {
  const found = await service('postgres')
  if (found.value === undefined) console.log(`skipped: ${found.reason}`)
  return { service: found.value, reason: found.reason }
}

let count = 0

/** See the module. */
export class Database {
  readonly name: string
  readonly slotName: string
  readonly offsets = new MemoryOffsets()
  readonly url: URL
  client: pg.Client
  readonly #runs: SourceRun[] = []
  readonly #more: pg.Client[] = []

  private constructor(server: string, name: string) {
    this.name = name
    this.slotName = `slot_${name}`
    this.url = new URL(server)
    this.url.pathname = `/${name}`
    this.client = newClient(this.url)
  }

  /** Makes the database and runs `setup` in it. */
  static async create(server: Server, setup: string): Promise<Database> {
    const url = server.service?.url ?? ''
    const name = `d${process.pid}_${++count}`
    const admin = newClient(new URL(url))
    await admin.connect()
    await admin.query(`CREATE DATABASE ${name}`)
    await admin.end()
    const database = new Database(url, name)
    await database.client.connect()
    await database.client.query(setup)
    return database
  }

  get config(): Record<string, string> {
    return {
      'database.hostname': this.url.hostname,
      'database.port': this.url.port,
      'database.user': decodeURIComponent(this.url.username),
      'database.password': decodeURIComponent(this.url.password),
      'database.dbname': this.name,
      'topic.prefix': 'dbz',
      'slot.name': this.slotName,
      'status.update.interval.ms': '100',
    }
  }

  async query(text: string): Promise<readonly Record<string, unknown>[]> {
    const result = await this.client.query<Record<string, unknown>>(text)
    return result.rows ?? []
  }

  /** Another connection, closed with the database. */
  async connect(): Promise<pg.Client> {
    const client = newClient(this.url)
    await client.connect()
    this.#more.push(client)
    return client
  }

  /** As {@link connect}, to another database of the server. */
  async connectTo(name: string): Promise<pg.Client> {
    const client = newClient(Object.assign(new URL(this.url), { pathname: `/${name}` }))
    await client.connect()
    this.#more.push(client)
    return client
  }

  /** After the server was started again. */
  async reconnect(): Promise<void> {
    this.client = newClient(this.url)
    await this.client.connect()
  }

  /** Starts the connector where it was. */
  async run(config: Record<string, string> = {}): Promise<SourceRun> {
    const run = await runSource(postgresSource, { config: { ...this.config, ...config }, offsets: this.offsets })
    this.#runs.push(run)
    return run
  }

  /** The slot's confirmed position, as the server prints it. */
  async confirmed(): Promise<string> {
    const [slot] = await this.query(
      `SELECT confirmed_flush_lsn::text AS lsn FROM pg_replication_slots WHERE slot_name = '${this.slotName}'`,
    )
    return String(slot?.['lsn'])
  }

  /** Resolves when the connector streams; takes it there first if `run` is given, which then has a batch pending. */
  async streaming(run?: SourceRun): Promise<void> {
    void run?.next().catch(() => undefined)
    await until(async () => {
      const rows = await this.query(`SELECT 1 FROM pg_stat_replication r JOIN pg_replication_slots s ON s.active_pid = r.pid
        WHERE s.slot_name = '${this.slotName}' AND s.slot_type = 'logical' AND r.state = 'streaming'`)
      return rows.length === 1
    })
  }

  /** Whether one position is before the other. */
  async isBefore(one: string, other: string): Promise<boolean> {
    const [row] = await this.query(`SELECT '${one}'::pg_lsn < '${other}'::pg_lsn AS before`)
    return row?.['before'] === true
  }

  /** Ends everything and leaves nothing behind. */
  async drop(): Promise<void> {
    for (const run of this.#runs) await run.stop().catch(() => undefined)
    for (const client of this.#more) await client.end().catch(() => undefined)
    await until(async () => {
      await this.query(
        `SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots WHERE database = current_database() AND NOT active`,
      )
      return (await this.query('SELECT 1 FROM pg_replication_slots WHERE database = current_database()')).length === 0
    })
    await this.client.end()
    const admin = newClient(Object.assign(new URL(this.url), { pathname: '/postgres' }))
    await admin.connect()
    await admin.query(`DROP DATABASE ${this.name} WITH (FORCE)`)
    await admin.end()
  }
}

function newClient(url: URL): pg.Client {
  const client = new pg.Client({ connectionString: url.href })
  // A server that goes away under the test is the test's doing.
  client.on('error', () => undefined)
  return client
}

/** Waits for a condition; asks every 20 ms, fails after `timeoutMs`. */
export async function until(condition: () => Promise<boolean> | boolean, timeoutMs = 10_000): Promise<void> {
  const endMs = performance.now() + timeoutMs
  while (!(await condition())) {
    if (performance.now() > endMs) throw new Error(`not within ${timeoutMs} ms: ${condition.toString()}`)
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
}

/** `op key`, or `op key=value`: what a record says, short enough to compare. */
export function told(record: SourceRecord, column = 'v'): string {
  const key = record.key === null ? '-' : `${Object.values(record.key as Struct)[0] as number}`
  if (record.value === null) return `tombstone ${key}`
  const { op, after } = record.value as unknown as { readonly op: string; readonly after: Struct | null }
  return `${op} ${key}${after === null ? '' : `=${after[column] as string}`}`
}

/** `source.snapshot` of a record, as it is printed. */
export function markerOf(record: SourceRecord): unknown {
  const { source } = record.value as unknown as { readonly source: Struct }
  return source['snapshot'] ?? 'false'
}

/** What the source threw, all that it gave before being passed over. */
export async function failure(
  run: SourceRun,
): Promise<{ readonly next: string; readonly code: string | undefined; readonly message: string }> {
  try {
    for (;;) if ((await run.next()) === undefined) throw new Error('the source returned')
  } catch (error) {
    if (!isEngineError(error)) throw error
    return { next: error.next, code: (error as { readonly code?: string }).code, message: error.message }
  }
}
