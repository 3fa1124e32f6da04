/**
 * @module test/e2e/postgres-writer — changes two tables all the while, and keeps the list of what it changed, in the order in which it was committed: what a
 * connector must tell of.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import type { Client } from 'pg'
import { seededRandom } from '../../hub/io/index.ts'
import { connected } from '../connectors/postgres/golden/server.ts'

export const TABLES = ['accounts', 'notes'] as const
export type TableName = (typeof TABLES)[number]

/** One change that was committed. */
export interface Change {
  /** As {@link changeText} writes it: no two are the same. */
  readonly text: string
  /** Before this time nobody could see it. */
  readonly begunMs: number
}

/** `c 12 3`: row 12 made with version 3; `u 12 4`; `d 12`. A key is made once and deleted once, a version is given once. */
export function changeText(operation: string, id: number, version: number | null): string {
  return version === null ? `${operation} ${id}` : `${operation} ${id} ${version}`
}

/** Writers share the tables by the remainder of the key. */
export const WRITER_COUNT = 2

/** Pause between transactions, in milliseconds: 0 to this. */
const PAUSE_MS_MAX = 6
/** Statements in a transaction: 1 to this. */
const STATEMENT_COUNT_MAX = 6
/** Between tries to reach a server that is gone. */
const RECONNECT_MS = 20

/** Tables of `rowCount` rows each, and one that no connector is to capture. */
export async function makeTables(client: Client, rowCount: number): Promise<void> {
  await client.query('create table progress(writer int primary key, number bigint not null)')
  await client.query(`insert into progress select g, 0 from generate_series(0, ${WRITER_COUNT - 1}) g`)
  for (const table of TABLES) {
    await client.query(`create table ${table}(id bigint primary key, version bigint not null, body text not null)`)
    await client.query(`insert into ${table} select g, 0, repeat(md5(g::text), 6) from generate_series(0, ${rowCount - 1}) g`)
  }
  // Values beyond 2 KB of this table stand outside of the row; an update that leaves them alone does not log them but for this identity.
  await client.query('alter table notes alter body set storage external, alter body set not null')
  await client.query('alter table notes replica identity full')
}

/** What a transaction is about to change. */
interface Draft {
  readonly statements: string[]
  readonly changes: { readonly table: TableName; readonly text: string }[]
  /** Taken over once it is committed. */
  readonly live: Record<TableName, number[]>
}

export class Writer {
  readonly #url: string
  readonly #database: string
  readonly #number: number
  readonly #random: ReturnType<typeof seededRandom>
  readonly #histories: Record<TableName, Change[]> = { accounts: [], notes: [] }
  #live: Record<TableName, number[]>
  #nextId: number
  #version = 0
  #transactionCount = 0
  #isStopped = false
  #running: Promise<void> = Promise.resolve()

  constructor(options: {
    readonly url: string
    readonly database: string
    readonly number: number
    readonly rowCount: number
    readonly seed: number
  }) {
    this.#url = options.url
    this.#database = options.database
    this.#number = options.number
    this.#random = seededRandom(options.seed)
    const own = Array.from({ length: options.rowCount }, (_, id) => id).filter((id) => id % WRITER_COUNT === this.#number)
    this.#live = { accounts: own, notes: own }
    this.#nextId = (Math.ceil(options.rowCount / WRITER_COUNT) + 1) * WRITER_COUNT + this.#number
  }

  /** What was committed to a table, in order. */
  history(table: TableName): readonly Change[] {
    return this.#histories[table]
  }

  start(): void {
    this.#running = this.#run()
  }

  /** Resolves when the last transaction is decided. Rejects with what went wrong. */
  async stop(): Promise<void> {
    this.#isStopped = true
    await this.#running
  }

  async #run(): Promise<void> {
    let client = await connected(this.#url, this.#database)
    while (!this.#isStopped) {
      const draft = this.#draft()
      const begunMs = Date.now()
      let isCommitted: boolean
      try {
        isCommitted = await this.#transact(client, draft)
      } catch {
        client = await this.#reconnect(client)
        isCommitted = await this.#isDone(client)
      }
      if (isCommitted) {
        for (const { table, text } of draft.changes) this.#histories[table].push({ text, begunMs })
        this.#live = draft.live
      }
      await sleep(this.#below(PAUSE_MS_MAX + 1))
    }
    await client.end()
  }

  /** False: it was taken back on purpose. Rejects when nobody knows whether it was committed. */
  async #transact(client: Client, draft: Draft): Promise<boolean> {
    const isTakenBack = this.#below(20) === 0
    this.#transactionCount++
    await client.query('begin')
    for (const statement of draft.statements) await client.query(statement)
    await client.query(`update progress set number = ${this.#transactionCount} where writer = ${this.#number}`)
    await client.query(isTakenBack ? 'rollback' : 'commit')
    return !isTakenBack
  }

  async #reconnect(broken: Client): Promise<Client> {
    await broken.end().catch(() => undefined)
    for (;;) {
      try {
        return await connected(this.#url, this.#database)
      } catch {
        await sleep(RECONNECT_MS)
      }
    }
  }

  /** Whether the transaction that was cut off had been committed: the server knows its number then. */
  async #isDone(client: Client): Promise<boolean> {
    const { rows } = await client.query<{ number: string }>(`select number from progress where writer = ${this.#number}`)
    return Number(rows[0]?.number) === this.#transactionCount
  }

  #draft(): Draft {
    const draft: Draft = { statements: [], changes: [], live: { accounts: [...this.#live.accounts], notes: [...this.#live.notes] } }
    const count = 1 + this.#below(STATEMENT_COUNT_MAX)
    for (let at = 0; at < count; at++) this.#addStatement(draft, TABLES[this.#below(TABLES.length)] ?? 'accounts')
    return draft
  }

  #addStatement({ statements, changes, live }: Draft, table: TableName): void {
    const ids = live[table]
    const add = (operation: string, id: number, version: number | null): unknown =>
      changes.push({ table, text: changeText(operation, id, version) })
    const kind = this.#below(10)
    if (kind < 3 || ids.length < 10) {
      const [id, version] = [this.#newId(), ++this.#version]
      statements.push(`insert into ${table} values (${id}, ${version}, ${this.#body(table)})`)
      add('c', id, version)
      ids.push(id)
      return
    }
    const index = this.#below(ids.length)
    const id = ids[index] ?? 0
    if (kind < 5) {
      statements.push(`delete from ${table} where id = ${id}`)
      add('d', id, null)
      ids[index] = ids.at(-1) ?? 0
      ids.pop()
    } else if (kind < 6) {
      const [next, version] = [this.#newId(), ++this.#version]
      statements.push(`update ${table} set id = ${next}, version = ${version} where id = ${id}`)
      add('d', id, null)
      add('c', next, version)
      ids[index] = next
    } else {
      const version = ++this.#version
      const body = this.#below(2) === 0 ? '' : `, body = ${this.#body(table)}`
      statements.push(`update ${table} set version = ${version}${body} where id = ${id}`)
      add('u', id, version)
    }
  }

  /** Long ones only where the log holds them whole. */
  #body(table: TableName): string {
    const isLong = table === 'notes' && this.#below(4) === 0
    return `repeat(md5('${this.#below(1_000_000)}'), ${isLong ? 90 : 1 + this.#below(4)})`
  }

  #newId(): number {
    const id = this.#nextId
    this.#nextId += WRITER_COUNT
    return id
  }

  #below(count: number): number {
    return Math.floor(this.#random.float() * count)
  }
}
