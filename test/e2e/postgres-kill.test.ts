/**
 * @module test/e2e/postgres-kill — a hub with a Postgres source is killed (−9) at random moments, from before the snapshot until far into the stream, while
 * two writers insert, update, change keys and delete; in some rounds the server is killed too. In the end each topic, compacted by key, is its table, no
 * change is missing on the way, and the slot never stood beyond what was stored.
 *
 * The seed is named by a failure; MILLRACE_SEED takes that seed again (not its timing). MILLRACE_LONG: 100 kills.
 */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Client } from 'pg'
import { afterAll, afterEach, describe, expect, it } from 'vitest'
import { seededRandom } from '../../hub/io/index.ts'
import { connected, createDatabase, type Database } from '../connectors/postgres/golden/server.ts'
import { type HubProcess, startHubProcess } from '../hub-process.ts'
import { service } from '../services.ts'
import {
  compacted,
  eventOf,
  faultsOfOthers,
  faultsOfSlot,
  positionLsn,
  readTopic,
  type Row,
  type SlotSample,
  type TableEvent,
  walk,
} from './postgres-checker.ts'
import { makeTables, TABLES, type TableName, Writer, WRITER_COUNT } from './postgres-writer.ts'

const isLong = process.env['MILLRACE_LONG'] !== undefined
const seed = Number(process.env['MILLRACE_SEED'] ?? Math.floor(Math.random() * 1_000_000))
const plan = isLong
  ? { roundCount: 20, killCount: 5, rowCount: 8_000, crashCount: 10 }
  : { roundCount: 2, killCount: 2, rowCount: 3_000, crashCount: 2 }
/** Most that is waited for the moment that a kill is meant for. */
const POINT_MS_MAX = 10_000
/** From that moment on. */
const SNAPSHOT_MS_MAX = 1_000
const STREAM_MS_MAX = 600
/** How records go to the broker, by turns: one small request at a time, which makes a snapshot last long enough to be cut off in its middle, or by default. */
const SENDING = [{ 'producer.override.batch.size': '16384', 'producer.override.max.in.flight.requests.per.connection': '1' }, {}] as const
const SAMPLE_MS = 25
const CATCH_UP_MS_MAX = 90_000

const postgres = await service('postgres')
let folder: string | undefined
let hub: HubProcess | undefined
/** What a test began, to be ended whatever comes. */
const leftovers: (() => Promise<unknown>)[] = []

afterEach(async () => {
  for (const end of leftovers.splice(0).reverse()) await end()
})

afterAll(async () => {
  await hub?.end('SIGKILL')
  await postgres.value?.stop()
  if (folder !== undefined) await rm(folder, { recursive: true, force: true })
})

async function startHub(): Promise<HubProcess> {
  folder ??= await mkdtemp(join(tmpdir(), 'millrace-postgres-kill-'))
  hub = await startHubProcess({
    directory: join(folder, 'data'),
    connect: true,
    overrides: {
      'connect.offset.storage.topic': 'connect-offsets',
      'connect.offset.storage.partitions': '1',
      'connect.offset.flush.interval.ms': '50',
    },
  })
  return hub
}

/** Looks at the slot now and then, as long as there is a server to ask. */
class SlotWatch {
  readonly samples: SlotSample[] = []
  readonly #database: Database
  readonly #url: string
  #isStopped = false
  #running: Promise<void> = Promise.resolve()

  constructor(url: string, database: Database) {
    this.#url = url
    this.#database = database
  }

  start(): void {
    this.#running = this.#run()
  }

  async stop(): Promise<void> {
    this.#isStopped = true
    await this.#running
  }

  async look(client: Client): Promise<void> {
    const { rows } = await client.query<{ lsn: string | null }>(
      `select confirmed_flush_lsn - '0/0'::pg_lsn lsn from pg_replication_slots where slot_name = $1`,
      [this.#database.slotName],
    )
    const [slot] = rows
    if (slot?.lsn !== undefined && slot.lsn !== null) this.samples.push({ atMs: Date.now(), confirmedLsn: Number(slot.lsn) })
  }

  async #run(): Promise<void> {
    let client: Client | undefined
    while (!this.#isStopped) {
      try {
        client ??= await connected(this.#url)
        await this.look(client)
      } catch {
        await client?.end().catch(() => undefined)
        client = undefined
      }
      await sleep(SAMPLE_MS)
    }
    await client?.end()
  }
}

type Random = ReturnType<typeof seededRandom>

async function post({ connectUrl }: HubProcess, name: string, config: Readonly<Record<string, string>>): Promise<void> {
  const body = JSON.stringify({ name, config })
  const answer = await fetch(`${connectUrl}/connectors`, { method: 'POST', headers: { 'content-type': 'application/json' }, body })
  expect(answer.status, await answer.text()).toBe(201)
}

async function statusOf({ connectUrl }: HubProcess): Promise<string> {
  return await (await fetch(`${connectUrl}/connectors?expand=status`)).text()
}

function connectorConfig(database: Database, prefix: string): Readonly<Record<string, string>> {
  const json = 'org.apache.kafka.connect.json.JsonConverter'
  return {
    'connector.class': 'io.debezium.connector.postgresql.PostgresConnector',
    'topic.prefix': prefix,
    'table.include.list': TABLES.map((table) => `public.${table}`).join(','),
    'slot.name': database.slotName,
    'status.update.interval.ms': '200',
    'key.converter': json,
    'key.converter.schemas.enable': 'false',
    'value.converter': json,
    'value.converter.schemas.enable': 'false',
    ...database.connection,
  }
}

/** What is killed next. */
type Victim = 'hub' | 'server'

/** One life of a connector, from its snapshot on; resolves with how many snapshots it began. */
async function round(url: string, number: number, victims: readonly Victim[], random: Random): Promise<number> {
  const database = await createDatabase(url)
  leftovers.push(() => database.drop())
  await makeTables(database.client, plan.rowCount)
  const writers = Array.from({ length: WRITER_COUNT }, (_, writer) => {
    return new Writer({ url, database: database.name, number: writer, rowCount: plan.rowCount, seed: seed + 100 * number + writer })
  })
  const watch = new SlotWatch(url, database)
  leftovers.push(() => Promise.allSettled([watch.stop(), ...writers.map((writer) => writer.stop())]))
  watch.start()
  for (const writer of writers) writer.start()

  const connector = `round-${number}`
  let current = hub ?? (await startHub())
  await post(current, connector, { ...connectorConfig(database, connector), ...SENDING[number % SENDING.length] })
  for (const victim of victims) {
    await killPoint(url, database, random)
    if (victim === 'server') await crashServer(random)
    else {
      await current.end('SIGKILL')
      await sleep(2 * SAMPLE_MS)
      current = await startHub()
    }
  }
  await sleep(random.float() * 500)
  for (const writer of writers) await writer.stop()

  const last = await connected(url, database.name)
  leftovers.push(() => last.end())
  await caughtUp(last, database, current, connector)
  expect(await statusOf(current)).not.toContain('FAILED')
  let snapshotCount = 0
  for (const table of TABLES) {
    const events = (await readTopic(current.bootstrap, `${connector}.public.${table}`)).map(eventOf)
    snapshotCount += events.filter(({ snapshot }) => snapshot === 'first').length
    check({ table, events, writers, rows: await rowsOf(last, table), interruptionCount: victims.length })
  }
  await watch.stop()
  expect(watch.samples.length).toBeGreaterThan(0)
  expect(faultsOfSlot(watch.samples, await readTopic(current.bootstrap, 'connect-offsets'), connector)).toEqual([])
  const answer = await fetch(`${current.connectUrl}/connectors/${connector}`, { method: 'DELETE' })
  expect(answer.status).toBe(204)
  return snapshotCount
}

async function crashServer(random: Random): Promise<void> {
  await postgres.value?.faults?.kill()
  await sleep(random.float() * 300)
  await postgres.value?.faults?.restart()
}

/** Until everything up to now has been delivered: it is stored, and the slot knows. */
async function caughtUp(client: Client, { slotName }: Database, current: HubProcess, connector: string): Promise<void> {
  const { rows } = await client.query<{ lsn: string }>(`select pg_current_wal_lsn() - '0/0'::pg_lsn lsn`)
  const endLsn = Number(rows[0]?.lsn)
  const endMs = performance.now() + CATCH_UP_MS_MAX
  for (;;) {
    const { rows: slots } = await client.query<{ lsn: string }>(
      `select confirmed_flush_lsn - '0/0'::pg_lsn lsn from pg_replication_slots where slot_name = $1`,
      [slotName],
    )
    const stored = await (await fetch(`${current.connectUrl}/connectors/${connector}/offsets`)).text()
    const { offsets = [] } = JSON.parse(stored) as { offsets?: { offset: Readonly<Record<string, unknown>> }[] }
    // A slot that is made after the last change stands behind it before anything is delivered.
    const isDone = offsets.some(({ offset }) => positionLsn(offset) >= endLsn && offset['snapshot_completed'] !== false)
    if (isDone && Number(slots[0]?.lsn) >= endLsn) return
    if (performance.now() > endMs) {
      throw new Error(
        `not at ${endLsn}: slot ${JSON.stringify(slots)}, ${stored}, ${await statusOf(current)}\n${current.stderr().slice(-4_000)}`,
      )
    }
    await sleep(SAMPLE_MS)
  }
}

/** Waits for a random moment: soon, in the middle of a snapshot, in the middle of the stream (which is where a snapshot that is done leads to, too). */
async function killPoint(url: string, { name, slotName }: Database, random: Random): Promise<void> {
  const kind = random.float()
  if (kind < 0.2) return sleep(random.float() * 700)
  const isSnapshot = kind < 0.65
  const client = await connected(url)
  try {
    const endMs = performance.now() + POINT_MS_MAX
    for (; performance.now() < endMs; await sleep(2)) {
      const { rows } = await client.query<{ phase: string }>(
        `select 'snapshot' phase from pg_stat_activity where datname = $1 and query ilike 'copy%' and state = 'active'
         union select 'stream' from pg_replication_slots join pg_stat_replication on pid = active_pid where slot_name = $2 and state = 'streaming'`,
        [name, slotName],
      )
      if (rows.some(({ phase }) => isSnapshot || phase === 'stream')) break
    }
  } finally {
    await client.end()
  }
  await sleep(random.float() * (isSnapshot ? SNAPSHOT_MS_MAX : STREAM_MS_MAX))
}

async function rowsOf(client: Client, table: TableName): Promise<readonly Row[]> {
  const { rows } = await client.query<{ id: string; version: string; body: string }>(`select * from ${table} order by id`)
  return rows.map(({ id, version, body }) => ({ id: Number(id), version: Number(version), body }))
}

interface Outcome {
  readonly table: TableName
  readonly events: readonly TableEvent[]
  readonly writers: readonly Writer[]
  readonly rows: readonly Row[]
  /** Times that the stream was cut off: after each it may go back, once. */
  readonly interruptionCount: number
}

function check({ table, events, writers, rows, interruptionCount }: Outcome): void {
  for (const [number, writer] of writers.entries()) {
    const { rewindCount, faults } = walk(events, writer.history(table), number)
    expect(faults.slice(0, 5), `${table}, writer ${number}, seed ${seed}`).toEqual([])
    expect(rewindCount, `${table}, writer ${number}, seed ${seed}`).toBeLessThanOrEqual(interruptionCount)
  }
  const histories = writers.map((writer) => writer.history(table))
  expect(faultsOfOthers(events, histories, plan.rowCount).slice(0, 5), `${table}, seed ${seed}`).toEqual([])
  const told = compacted(events)
  const different = rows.filter((row, at) => JSON.stringify(row) !== JSON.stringify(told[at]))
  expect(different.slice(0, 3), `${table}, seed ${seed}: ${rows.length} rows, ${told.length} by the topic`).toEqual([])
  expect(told.length).toBe(rows.length)
}

const title = `a Postgres source${postgres.reason === undefined ? '' : ` (${postgres.reason})`}`

describe.skipIf(postgres.value === undefined)(title, () => {
  const url = postgres.value?.url ?? ''
  const timeoutMs = isLong ? 1_500_000 : 180_000
  const random = seededRandom(seed)
  const canCrash = postgres.value?.faults !== undefined

  it(
    `loses no change in ${plan.roundCount * plan.killCount} kills of the hub between the start of the snapshot and the stream`,
    async () => {
      let snapshotCount = 0
      for (let number = 0; number < plan.roundCount; number++) {
        const victims: Victim[] = Array.from({ length: plan.killCount }, () => 'hub')
        if (canCrash && number % 2 === 1) victims.splice(Math.floor(random.float() * victims.length), 0, 'server')
        snapshotCount += await round(url, number, victims, random)
      }
      // Of so many kills some must have come in the middle of a snapshot, which then began again.
      if (isLong) expect(snapshotCount).toBeGreaterThan(plan.roundCount)
    },
    timeoutMs,
  )

  it.skipIf(!canCrash)(
    `goes on by itself after ${plan.crashCount} kills of the server, and loses no change`,
    async () => {
      const victims: Victim[] = Array.from({ length: plan.crashCount }, () => 'server')
      await round(url, plan.roundCount, victims, random)
    },
    timeoutMs,
  )
})
