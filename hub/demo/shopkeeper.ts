/** @module demo/shopkeeper — opens the shop in a PostgreSQL, and keeps it going: changes rows at a pace, and counts what was committed. */
import { randomBytes } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import type pg from 'pg'
import { loadPackage } from './packages.ts'
import type { PostgresServer } from './postgres.ts'
import { deedAt, SHOP, SHOP_SCHEMA, SHOP_TABLES, type ShopDeed } from './shop.ts'
import type { ChangeCounts } from './verify.ts'

/** The shop's database. */
export interface Shop {
  /** `postgresql://shop:…@127.0.0.1:5432/shop`, of an ordinary role that owns the tables and may replicate. */
  readonly url: string
  readonly password: string
  /** Rows of each table at the start. */
  readonly firstRowCounts: ReadonlyMap<string, number>
  /** A connection of its own. */
  connect(): Promise<pg.Client>
}

/** Makes the role, the database, the tables and the first rows. */
export async function openShop(server: PostgresServer): Promise<Shop> {
  const { default: driver } = await loadPackage<{ default: typeof pg }>('pg', ['@millrace/connector-postgres'])
  const password = randomBytes(4).toString('hex')
  const url = `postgresql://${SHOP}:${password}@${server.host}:${server.port}/${SHOP}`
  const connectTo = async (connectionString: string): Promise<pg.Client> => {
    const client = new driver.Client({ connectionString, application_name: 'millrace demo' })
    // What goes wrong is told by the query that meets it; a connection that ends in between must not end the process.
    client.on('error', () => {})
    await client.connect()
    return client
  }
  const admin = await connectTo(server.url)
  try {
    await admin.query(`CREATE ROLE ${SHOP} LOGIN REPLICATION PASSWORD '${password}'`)
    await admin.query(`CREATE DATABASE ${SHOP} OWNER ${SHOP}`)
  } finally {
    await admin.end()
  }
  const owner = await connectTo(url)
  try {
    for (const statement of SHOP_SCHEMA) await owner.query(statement)
    return { url, password, firstRowCounts: await rowCounts(owner), connect: () => connectTo(url) }
  } finally {
    await owner.end()
  }
}

/** Rows of each table now. */
export async function rowCounts(client: pg.Client): Promise<Map<string, number>> {
  const counts = SHOP_TABLES.map((table) => `(SELECT count(*)::int FROM ${table}) AS ${table}`).join(', ')
  const { rows } = await client.query<Record<string, number>>(`SELECT ${counts}`)
  return new Map(SHOP_TABLES.map((table) => [table, rows[0]?.[table] ?? 0]))
}

/** The rows of a table, each value as the text that the connector gives it. */
export async function rowsOf(client: pg.Client, table: string): Promise<readonly Readonly<Record<string, string>>[]> {
  const values =
    table === 'orders'
      ? `id, product, quantity, total, status, to_char(placed AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') AS placed, customer_id, product_id`
      : '*'
  const { rows } = await client.query<Record<string, unknown>>(`SELECT ${values} FROM ${table} ORDER BY id`)
  return rows.map((row) => Object.fromEntries(Object.entries(row).map(([name, value]) => [name, String(value)])))
}

/** What a shopkeeper has done. */
export class ShopBook {
  readonly #counts = new Map<string, { inserted: number; updated: number; deleted: number }>()

  /** Rows that a committed statement changed. */
  enter(table: string, command: string, rowCount: number): void {
    let counts = this.#counts.get(table)
    if (counts === undefined) this.#counts.set(table, (counts = { inserted: 0, updated: 0, deleted: 0 }))
    if (command === 'INSERT') counts.inserted += rowCount
    else if (command === 'UPDATE') counts.updated += rowCount
    else if (command === 'DELETE') counts.deleted += rowCount
  }

  of(table: string): ChangeCounts {
    return this.#counts.get(table) ?? { inserted: 0, updated: 0, deleted: 0 }
  }

  get total(): number {
    let total = 0
    for (const { inserted, updated, deleted } of this.#counts.values()) total += inserted + updated + deleted
    return total
  }
}

/** Does one deed as one transaction; resolves with the number of rows that it changed. */
export async function doDeed(client: pg.Client, { statements }: ShopDeed, book: ShopBook): Promise<number> {
  let results: pg.QueryResult[]
  try {
    results = (await client.query(['BEGIN', ...statements, 'COMMIT'].join(';\n'))) as unknown as pg.QueryResult[]
  } catch (error) {
    await client.query('ROLLBACK').catch(() => {})
    throw error
  }
  let total = 0
  statements.forEach((statement, index) => {
    const { command = '', rowCount } = results[index + 1] ?? {}
    const table = /^(?:INSERT INTO|UPDATE|DELETE FROM)\s+(\w+)/.exec(statement)?.[1] ?? ''
    book.enter(table, command, rowCount ?? 0)
    total += rowCount ?? 0
  })
  return total
}

/** Changes exactly so many rows, as fast as it goes. Rejects with the server's error or the signal's reason. */
export async function changeRows(shop: Shop, changeCount: number, book: ShopBook, signal: AbortSignal): Promise<void> {
  const client = await shop.connect()
  try {
    while (book.total < changeCount) {
      signal.throwIfAborted()
      await doDeed(client, deedAt(Math.random(), changeCount - book.total), book)
    }
  } finally {
    await client.end()
  }
}

/** Times of the endless way. */
const PACE = { retryMs: 1_000, countMs: 1_000, sleepMsMax: 250 } as const

/** Keeps changing rows at a pace until the signal; what goes wrong is said and tried again. */
export async function keepShop(
  shop: Shop,
  changesPerSecond: number,
  book: ShopBook,
  signal: AbortSignal,
  tell: { rows(count: number): void; problem(text: string | undefined): void },
): Promise<void> {
  while (!signal.aborted) {
    let client: pg.Client | undefined
    try {
      client = await shop.connect()
      await keepPace(client, changesPerSecond, book, signal, tell)
    } catch (error) {
      if (!signal.aborted) tell.problem((error as Error).message)
      await sleep(PACE.retryMs, undefined, { signal }).catch(() => {})
    } finally {
      await client?.end().catch(() => {})
    }
  }
}

async function keepPace(
  client: pg.Client,
  changesPerSecond: number,
  book: ShopBook,
  signal: AbortSignal,
  tell: { rows(count: number): void; problem(text: string | undefined): void },
): Promise<void> {
  const startMs = performance.now()
  let done = 0
  let countAtMs = 0
  while (!signal.aborted) {
    const nowMs = performance.now()
    if (nowMs >= countAtMs) {
      tell.rows([...(await rowCounts(client)).values()].reduce((sum, count) => sum + count, 0))
      countAtMs = nowMs + PACE.countMs
    }
    const dueMs = startMs + (done * 1000) / changesPerSecond
    if (nowMs < dueMs) {
      await sleep(Math.min(PACE.sleepMsMax, dueMs - nowMs), undefined, { signal }).catch(() => {})
      continue
    }
    done += await doDeed(client, deedAt(Math.random(), Number.POSITIVE_INFINITY), book)
    tell.problem(undefined)
  }
}
