/** @module test/connectors/postgres/acceptance — the source against the contract of the SDK, on a real server: from a slot that is there, and with a snapshot. */
import { postgresSource } from '@millrace/connector-postgres'
import { type SourceRecord, toPlain } from '@millrace/sdk'
import { type SourceDriver, type SourcePlace, sourceAcceptance } from '@millrace/sdk/testing'
import { afterAll, describe, it } from 'vitest'
import { service } from '../../services.ts'
import { createDatabase, type Database } from './golden/server.ts'

const postgres = await service('postgres')

afterAll(async () => {
  await postgres.value?.stop()
})

const url = postgres.value?.url ?? ''
const rowCount = 6

async function withTable(): Promise<Database> {
  const database = await createDatabase(url)
  await database.client.query('create table t(id int primary key, v text)')
  return database
}

function keysFor({ connection, slotName }: Database): Readonly<Record<string, string>> {
  return { ...connection, 'topic.prefix': 'p', 'slot.name': slotName, 'status.update.interval.ms': '50' }
}

/** Sessions of the connector; ours is one of them, too. */
async function sessionCount({ client, name }: Database): Promise<number> {
  const endMs = performance.now() + 5_000
  for (;;) {
    // A session that was closed is seen for a moment longer.
    const { rows } = await client.query<{ count: string }>('select count(*) from pg_stat_activity where datname = $1', [name])
    const count = Number(rows[0]?.count)
    if (count === 1 || performance.now() > endMs) return count
    await new Promise((resolve) => setTimeout(resolve, 10))
  }
}

/** An event without the times at which it was made and read. */
function identity({ topic, key, value }: SourceRecord): string {
  const plain = toPlain(value) as { readonly op?: unknown; readonly before?: unknown; readonly after?: unknown } | null
  return JSON.stringify([topic, toPlain(key), plain && [plain.op, plain.before, plain.after]])
}

function breakage(
  name: string,
  next: 'retry' | 'fail',
  keys: (database: Database) => Readonly<Record<string, string>>,
): NonNullable<SourceDriver['breakages']>[number] {
  return {
    name,
    next,
    setup: async () => {
      const database = await withTable()
      return {
        config: { ...keysFor(database), ...keys(database) },
        openCount: () => sessionCount(database),
        cleanup: () => database.drop(),
      }
    },
  }
}

const common = {
  requiredKeys: ['topic.prefix', 'database.hostname', 'database.user', 'database.dbname'],
  identity,
  quietMs: 100,
}

/** Whether a place's slot has been told anything: 1, else 0. */
const released = new WeakMap<SourcePlace, () => Promise<number>>()

/** Changes that wait in a slot: inserts, an update, a delete with its tombstone, a key change. */
const stream: SourceDriver = {
  ...common,
  setup: async () => {
    const database = await withTable()
    const { client, slotName } = database
    await client.query('create publication dbz_publication for all tables')
    await client.query(`select pg_create_logical_replication_slot($1, 'pgoutput')`, [slotName])
    for (const statement of [
      `insert into t select g, 'v' || g from generate_series(1, ${rowCount}) g`,
      `begin; update t set v = 'w' where id = 1; delete from t where id = 2; update t set id = 30 where id = 3; commit`,
      `insert into t values (31, 'x')`,
    ]) {
      await client.query(statement)
    }
    const confirmed = async (): Promise<string> => {
      const { rows } = await client.query<{ lsn: string }>(
        'select confirmed_flush_lsn lsn from pg_replication_slots where slot_name = $1',
        [slotName],
      )
      return rows[0]?.lsn ?? ''
    }
    const atFirst = await confirmed()
    const place: SourcePlace = {
      config: { ...keysFor(database), 'snapshot.mode': 'no_data' },
      recordCount: rowCount + 1 + 2 + 3 + 1,
      // Not waited for: what comes must not come before it is asked for.
      add: () => {
        void client.query(`insert into t values (40, 'later'), (41, 'later')`)
        return 2
      },
      openCount: () => sessionCount(database),
      cleanup: () => database.drop(),
    }
    released.set(place, async () => ((await confirmed()) === atFirst ? 0 : 1))
    return place
  },
  // The log before the slot's position may be forgotten.
  releasedCount: async (place) => (await released.get(place)?.()) ?? 0,
  // What one statement made of one row is two or three records: after a restart in their middle they come again.
  repeats: 'batch',
  breakages: [
    breakage('a wrong password', 'fail', () => ({ 'database.password': 'not it' })),
    breakage('a database that is not there', 'fail', ({ name }) => ({ 'database.dbname': `${name}_not` })),
    breakage('a server that is not there', 'retry', () => ({ 'database.port': '1' })),
    breakage('a publication that is missing and not to be made', 'fail', () => ({ 'publication.autocreate.mode': 'disabled' })),
  ],
}

/** Rows that are there before the connector is, and what is written once it streams. */
const snapshot: SourceDriver = {
  ...common,
  setup: async () => {
    const database = await withTable()
    await database.client.query(`insert into t select g, 'v' || g from generate_series(1, ${rowCount}) g`)
    return {
      config: keysFor(database),
      recordCount: rowCount,
      add: () => {
        void database.client.query(`insert into t values (40, 'later'); delete from t where id = 1`)
        return 3
      },
      openCount: () => sessionCount(database),
      cleanup: () => database.drop(),
    }
  },
  // A snapshot that was cut off is taken again from its beginning.
  repeats: 'batch',
}

const reason = postgres.reason === undefined ? '' : ` (${postgres.reason})`

describe.skipIf(postgres.value === undefined)(`a Postgres source that streams${reason}`, () => {
  for (const { name, run } of sourceAcceptance(postgresSource, stream)) it(name, run)
})

describe.skipIf(postgres.value === undefined)(`a Postgres source that takes a snapshot${reason}`, () => {
  for (const { name, run } of sourceAcceptance(postgresSource, snapshot)) it(name, run)
})
