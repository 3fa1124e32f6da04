/**
 * @module test/bench/postgres — changes of a PostgreSQL table into a topic: snapshot, catching up with a log that is already written, latency at 500
 * transactions a second. The table is the one of the recorded figures of Debezium (docs/performance.md): 10 columns, 200 B a row.
 */
import { execFile } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { promisify } from 'node:util'
import { Client } from 'pg'
import { createAdmin, createConsumer } from '../../hub/client/index.ts'
import { type HubProcess, startHubProcess } from '../hub-process.ts'
import { service } from '../services.ts'

const rowCount = Number(process.env['BENCH_ROWS'] ?? 1_000_000)
const transactionCount = 3_000
const rowsPerTransaction = 100
const latencySeconds = 20
const transactionsPerSecond = 500

const COLUMNS = `id bigint primary key, number int, name varchar(40), amount numeric(12,2), at timestamptz, note varchar(120), flag boolean,
  ratio double precision, code char(8), made timestamp`
const row = (id: string): string => `${id}, (${id} % 100000)::int, 'customer number ' || ${id}, (${id} % 1000000) / 100.0,
  timestamptz '2026-01-01 00:00:00+00' + ${id} * interval '1 second', repeat('n', 90), ${id} % 2 = 0, ${id} / 3.0::float8, 'code' || (${id} % 10000),
  timestamp '2026-01-01 00:00:00' + ${id} * interval '1 millisecond'`

/** Prints the figures of the Postgres source; nothing but the reason where there is no server. */
export async function benchPostgres(): Promise<void> {
  const found = await service('postgres')
  if (found.value === undefined) {
    console.log(`postgres: ${found.reason}`)
    return
  }
  const directory = await mkdtemp(join(tmpdir(), 'millrace-bench-postgres-'))
  const sql = new Client({ connectionString: found.value.url })
  await sql.connect()
  const hub = await startHubProcess({ directory: join(directory, 'hub'), connect: true, built: true })
  try {
    await sql.query(`create table t200(${COLUMNS})`)
    await sql.query(`insert into t200 select ${row('g')} from generate_series(1, ${rowCount}) g`)
    await sql.query('vacuum analyze t200')
    const source = sourceOf(found.value.url)
    await benchSnapshot(hub, source)
    await benchCatchUp(hub, sql)
    await benchLatency(hub, sql)
    console.log(`postgres: peak memory of the hub, broker and connector together: ${(peakBytes(hub.pid) / 2 ** 20).toFixed(0)} MiB`)
    await call(hub, 'DELETE', '')
  } finally {
    await hub.end('SIGTERM')
    await sql
      .query("select pg_drop_replication_slot(slot_name) from pg_replication_slots where slot_name = 'bench' and not active")
      .catch(() => {})
    await sql.query('drop table if exists t200').catch(() => {})
    await sql.end()
    await found.value.stop()
    await rm(directory, { recursive: true, force: true })
  }
}

function sourceOf(url: string): Readonly<Record<string, string>> {
  const { hostname, port, username, password, pathname } = new URL(url)
  return {
    'connector.class': 'io.debezium.connector.postgresql.PostgresConnector',
    'database.hostname': hostname,
    'database.port': port,
    'database.user': decodeURIComponent(username),
    'database.password': decodeURIComponent(password),
    'database.dbname': pathname.slice(1),
    'topic.prefix': 'bench',
    'slot.name': 'bench',
    'publication.name': 'bench',
    'plugin.name': 'pgoutput',
    'table.include.list': 'public.t200',
    'key.converter': 'org.apache.kafka.connect.json.JsonConverter',
    'key.converter.schemas.enable': 'false',
    'value.converter': 'org.apache.kafka.connect.json.JsonConverter',
    'value.converter.schemas.enable': 'false',
  }
}

const topic = 'bench.public.t200'

async function benchSnapshot(hub: HubProcess, source: Readonly<Record<string, string>>): Promise<void> {
  const cpuBefore = cpuSeconds(hub.pid)
  const startMs = performance.now()
  await call(hub, 'PUT', '/config', source)
  const firstMs = await untilCount(hub, 1)
  await untilCount(hub, rowCount)
  const endMs = performance.now()
  print('snapshot, from the PUT', rowCount, 'rows', endMs - startMs, cpuSeconds(hub.pid) - cpuBefore)
  print('snapshot, from the first row', rowCount, 'rows', endMs - firstMs, Number.NaN)
}

/** The log is written while the connector is paused: what is measured is the connector, not the server's inserting. */
async function benchCatchUp(hub: HubProcess, sql: Client): Promise<void> {
  await call(hub, 'PUT', '/stop')
  await untilState(hub, 'STOPPED')
  for (let transaction = 0; transaction < transactionCount; transaction++) {
    const first = rowCount + 1 + transaction * rowsPerTransaction
    await sql.query(`insert into t200 select ${row('g')} from generate_series(${first}, ${first + rowsPerTransaction - 1}) g`)
  }
  const changeCount = transactionCount * rowsPerTransaction
  const cpuBefore = cpuSeconds(hub.pid)
  const startMs = performance.now()
  await call(hub, 'PUT', '/resume')
  const firstMs = await untilCount(hub, rowCount + 1)
  await untilCount(hub, rowCount + changeCount)
  const endMs = performance.now()
  print('streaming, from resume', changeCount, 'changes', endMs - startMs, cpuSeconds(hub.pid) - cpuBefore)
  print('streaming, from the first change', changeCount, 'changes', endMs - firstMs, Number.NaN)
}

async function benchLatency(hub: HubProcess, sql: Client): Promise<void> {
  const total = transactionsPerSecond * latencySeconds
  const first = rowCount + 1 + transactionCount * rowsPerTransaction
  const consumer = createConsumer({ bootstrapServers: hub.bootstrap })
  const delaysMs: number[] = []
  try {
    consumer.assign([{ topic, partition: 0 }])
    consumer.seekToEnd([{ topic, partition: 0 }])
    await consumer.poll(100)
    const writing = write(sql, first, total)
    const endMs = performance.now() + latencySeconds * 1_000 + 30_000
    while (delaysMs.length < total && performance.now() < endMs) {
      const records = await consumer.poll(500)
      const nowUs = Date.now() * 1_000
      for (const { value } of records) delaysMs.push((nowUs - insertedUs(value)) / 1_000)
    }
    await writing
  } finally {
    await consumer.close()
  }
  delaysMs.sort((one, other) => one - other)
  const at = (share: number): string =>
    (delaysMs[Math.min(delaysMs.length - 1, Math.floor(delaysMs.length * share))] ?? Number.NaN).toFixed(1)
  console.log(
    `postgres: ${transactionsPerSecond} transactions/s, clock in the row → consumer: p50 ${at(0.5)} · p90 ${at(0.9)} · p99 ${at(0.99)} · max ${at(1)} ms (${delaysMs.length} of ${total})`,
  )
}

/** One insert a transaction at an even pace, none waiting for the one before it to be answered. */
async function write(sql: Client, first: number, total: number): Promise<void> {
  const startMs = performance.now()
  const pending = new Set<Promise<unknown>>()
  for (let index = 0; index < total; ) {
    const due = Math.min(total, Math.floor(((performance.now() - startMs) / 1_000) * transactionsPerSecond) + 1)
    for (; index < due; index++) {
      const inserted = sql.query('insert into t200(id, at, made, note) values ($1, now(), clock_timestamp() at time zone $2, $3)', [
        first + index,
        'UTC',
        'x',
      ])
      pending.add(inserted)
      void inserted.finally(() => pending.delete(inserted))
    }
    await sleep(1)
  }
  await Promise.all(pending)
}

/** Microseconds since 1970 at which the row was made. */
function insertedUs(value: Buffer | null): number {
  const { after } = JSON.parse(value?.toString() ?? '{}') as { readonly after?: { readonly made?: number } }
  return after?.made ?? Number.NaN
}

function print(what: string, count: number, unit: string, ms: number, cpu: number): void {
  const cpuText = Number.isNaN(cpu) ? '' : ` · ${((cpu * 1e6) / count).toFixed(1)} CPU-s of the hub per million`
  console.log(
    `postgres: ${what}: ${Math.round((count * 1_000) / ms).toLocaleString('en')} ${unit}/s · ${(ms / 1_000).toFixed(2)} s${cpuText}`,
  )
}

/** Resolves with the time at which the topic has that many records. */
async function untilCount(hub: HubProcess, count: number): Promise<number> {
  const admin = createAdmin({ bootstrapServers: hub.bootstrap })
  try {
    const endMs = performance.now() + 120_000
    while (performance.now() < endMs) {
      const listed = await admin.listOffsets([{ topic, partition: 0, at: 'latest' }]).catch(() => [])
      if (listed.some(({ offset }) => (offset ?? 0) >= count)) return performance.now()
      await untilState(hub, 'RUNNING', true)
      await sleep(10)
    }
  } finally {
    await admin.close()
  }
  throw new Error(`${topic} does not have ${count} records after two minutes`)
}

/** Waits for the connector's state; fails where a task has failed. */
async function untilState(hub: HubProcess, state: string, isOnce = false): Promise<void> {
  for (let attempt = 0; attempt < 2_000; attempt++) {
    const answer = await fetch(`${hub.connectUrl}/connectors/bench/status`)
    const status = (await answer.json()) as { connector?: { state: string }; tasks?: { state: string; trace?: string }[] }
    const failed = status.tasks?.find((task) => task.state === 'FAILED')
    if (failed !== undefined) throw new Error(failed.trace)
    if (isOnce || status.connector?.state === state) return
    await sleep(10)
  }
  throw new Error(`the connector is not ${state}`)
}

async function call(hub: HubProcess, method: string, path: string, body?: object): Promise<void> {
  const init = body === undefined ? { method } : { method, headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) }
  const answer = await fetch(`${hub.connectUrl}/connectors/bench${path}`, init)
  if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${await answer.text()}`)
}

const ticksPerSecond = promisify(execFile)('getconf', ['CLK_TCK']).then(({ stdout }) => Number(stdout))
const ticks = await ticksPerSecond

/** User and system time of a process so far. */
function cpuSeconds(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? []
  return (Number(fields[11]) + Number(fields[12])) / ticks
}

function peakBytes(pid: number): number {
  return Number(/VmHWM:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) * 1_024
}
