/**
 * What a server, its administrator or a neighbour does to a connector that stands between two steps: nothing may be lost without a word,
 * and nothing may hang.
 */
import { isEngineError, parseConfig, type SourceRecord, type SourceTaskContext } from '@millrace/sdk'
import type { LogLine, SourceRun } from '@millrace/sdk/testing'
import { afterAll, describe, expect, it, onTestFinished } from 'vitest'
import { postgresSource } from '../../../connectors/postgres/index.ts'
import { Database, failure, startServer, told, until } from './database.ts'

const server = await startServer()
afterAll(() => server.service?.stop())

async function database(setup: string): Promise<Database> {
  const made = await Database.create(server, setup)
  onTestFinished(() => made.drop())
  return made
}

const table = 'CREATE TABLE t (id int PRIMARY KEY, v text);'

const tellAll = async (run: SourceRun, count: number): Promise<readonly string[]> => (await run.take(count)).map((record) => told(record))

/** A role of the test's own, gone with it. */
async function role(db: Database, options: string): Promise<Record<string, string>> {
  const name = `${db.name}_role`
  await db.query(
    `CREATE ROLE ${name} LOGIN PASSWORD 'p"\\''%ü' ${options}; GRANT ALL ON SCHEMA public TO ${name}; GRANT ALL ON ALL TABLES IN SCHEMA public TO ${name}`,
  )
  onTestFinished(async () => void (await db.query(`DROP OWNED BY ${name}; DROP ROLE ${name}`)))
  return { 'database.user': name, 'database.password': `p"\\'%ü` }
}

describe.skipIf(server.service === undefined)('a snapshot', () => {
  it('is refused where row level security would hide rows', async () => {
    const db = await database(`${table} INSERT INTO t VALUES (1, 'mine'), (2, 'hidden');
      ALTER TABLE t ENABLE ROW LEVEL SECURITY; CREATE POLICY p ON t USING (id = 1); CREATE PUBLICATION dbz_publication FOR TABLE t`)
    const reader = await role(db, 'REPLICATION')
    expect(await failure(await db.run(reader))).toMatchObject({
      next: 'fail',
      code: 'rows-hidden',
      message: expect.stringMatching(/public\.t.*row-level security.*BYPASSRLS/s),
    })
    await db.query(`ALTER ROLE ${reader['database.user']} BYPASSRLS`)
    expect(await tellAll(await db.run(reader), 2)).toEqual(['r 1=mine', 'r 2=hidden'])
  })

  it('is refused where the session does not keep its settings, as behind some poolers', async () => {
    const db = await database(table)
    expect(await failure(await db.run({ 'database.initial.statements': `SET bytea_output = 'escape'` }))).toMatchObject({
      next: 'fail',
      code: 'session-settings',
      message: expect.stringMatching(/UTC escape 3, not .*pooler/),
    })
  })

  it('starts over when a table was rewritten before it was read: its rows are seen by nobody who began before', async () => {
    const db =
      await database(`CREATE TABLE a (id int PRIMARY KEY, v text); INSERT INTO a SELECT g, repeat('x', 1000) FROM generate_series(1, 3000) g;
      CREATE TABLE b (id int PRIMARY KEY, v int); INSERT INTO b VALUES (1, 10), (2, 20)`)
    const run = await db.run({ 'max.batch.size': '10', 'max.queue.size': '20' })
    await run.take(1)
    await db.query('ALTER TABLE b ALTER v TYPE text')
    expect(await failure(run)).toMatchObject({ next: 'retry', message: expect.stringMatching(/public\.b.*altered.*starts over/) })
    await run.commit()
    const seen = new Set(await tellAll(await db.run(), 3_002))
    expect(seen).toContain('r 1=10')
    expect(seen).toContain('r 2=20')
  })

  it('does not begin with a table that the publication does not have', async () => {
    const db = await database(table)
    const other = await db.connect()
    await other.query(`BEGIN; CREATE TABLE u (id int PRIMARY KEY, v text); INSERT INTO u VALUES (1, 'a')`)
    const config = { 'publication.autocreate.mode': 'filtered' }
    const run = await db.run(config)
    const failed = failure(run)
    // The slot waits for the transaction.
    await until(async () => (await db.query(`SELECT 1 FROM pg_replication_slots WHERE slot_name = '${db.slotName}'`)).length === 1)
    await other.query('COMMIT')
    expect(await failed).toMatchObject({ next: 'retry', message: expect.stringMatching(/public\.u.*publication/) })
    await db.query(`INSERT INTO u VALUES (2, 'b')`)
    const again = await db.run(config)
    const rows = again.take(2)
    await rows
    await db.query(`INSERT INTO u VALUES (3, 'c')`)
    expect([...(await rows).map((record) => told(record)), ...(await tellAll(again, 1))]).toEqual(['r 1=a', 'r 2=b', 'c 3=c'])
  })

  it('that was not finished is not gone on with from a slot that somebody made anew', async () => {
    const db = await database(`${table} INSERT INTO t SELECT g, 'x' FROM generate_series(1, 20) g`)
    const run = await db.run({ 'max.batch.size': '2', 'max.queue.size': '4' })
    await run.take(4)
    await run.commit()
    await run.stop()
    await db.query('DELETE FROM t WHERE id = 1')
    await db.query(`SELECT pg_drop_replication_slot('${db.slotName}')`)
    await db.query(`SELECT pg_create_logical_replication_slot('${db.slotName}', 'pgoutput')`)
    expect(await failure(await db.run())).toMatchObject({ next: 'fail', code: 'slot-ahead', message: expect.stringMatching(/when_needed/) })
    expect((await tellAll(await db.run({ 'snapshot.mode': 'when_needed' }), 19)).at(0)).toBe('r 2=x')
  })
})

describe.skipIf(server.service === undefined)('a start that is broken off', () => {
  const points = ['creating replication slot', 'created replication slot', 'the snapshot begins', 'the snapshot is done', 'streaming from']
  const cases = points.flatMap((point) => [true, false].map((isStored) => [point, isStored] as const))

  it.each(cases)('at "%s", positions stored: %s, loses nothing when it is done again', async (point, isStored) => {
    const db = await database(`${table} INSERT INTO t SELECT g, 'x' FROM generate_series(1, 5) g`)
    const config = { 'max.batch.size': '2', 'max.queue.size': '4' }
    const rows = new Map<string, string>()
    const apply = (records: readonly SourceRecord[]) => {
      for (const text of records.map((record) => told(record))) {
        const [operation = '', key = '', value] = text.split(/[ =]/)
        if (operation === 'd') rows.delete(key)
        else if (value !== undefined) rows.set(key, value)
      }
    }
    const broken = await db.run(config)
    const lines = broken.log as LogLine[]
    lines.push = (line) => {
      if (line.message.startsWith(point)) throw new Error('broken off')
      return Array.prototype.push.call(lines, line)
    }
    await expect(
      (async () => {
        for (;;) apply((await broken.next()) ?? [])
      })(),
    ).rejects.toThrow('broken off')
    if (isStored) await broken.commit()
    await db.query(`DELETE FROM t WHERE id = 1; UPDATE t SET v = 'y' WHERE id = 2; INSERT INTO t VALUES (6, 'z')`)
    const again = await db.run(config)
    const expected = await db.query('SELECT id::text AS id, v FROM t')
    const isSame = () => rows.size === expected.length && expected.every(({ id, v }) => rows.get(id as string) === v)
    for (const endMs = performance.now() + 10_000; !isSame() && performance.now() < endMs; ) apply(await again.takeFor(50))
    expect(Object.fromEntries(rows)).toEqual(Object.fromEntries(expected.map(({ id, v }) => [id, v])))
  })
})

describe.skipIf(server.service === undefined)('two connectors', () => {
  it('share a publication: neither takes away what the other one needs', async () => {
    const db = await database(`${table} CREATE TABLE u (id int PRIMARY KEY, v text)`)
    const filtered = (name: string) => ({
      'publication.autocreate.mode': 'filtered',
      'table.include.list': `public.${name}`,
      'slot.name': `${db.slotName}_${name}`,
      'topic.prefix': name,
      'snapshot.mode': 'no_data',
    })
    const published = async () => (await db.query(`SELECT tablename FROM pg_publication_tables ORDER BY 1`)).map((row) => row['tablename'])
    const start = async (name: string) => {
      const run = await db.run(filtered(name))
      const row = tellAll(run, 1)
      await until(
        async () =>
          (await db.query(`SELECT 1 FROM pg_replication_slots WHERE active AND slot_name = '${db.slotName}_${name}'`)).length === 1,
      )
      return { run, row }
    }
    const first = await start('t')
    expect(await published()).toEqual(['t'])
    const second = await start('u')
    expect(await published()).toEqual(['t', 'u'])
    await first.run.stop()
    const again = await start('t')
    expect(await published()).toEqual(['t', 'u'])
    await db.query(`INSERT INTO t VALUES (1, 'a'); INSERT INTO u VALUES (2, 'b')`)
    expect(await again.row).toEqual(['c 1=a'])
    expect(await second.row).toEqual(['c 2=b'])
  })
})

describe.skipIf(server.service === undefined)('the stream', () => {
  it('ends within a second of the order to stop, though the catalog does not answer', async () => {
    const db = await database(table)
    const run = await db.run()
    await db.streaming(run)
    const other = await db.connect()
    await db.query('CREATE TABLE u (id int PRIMARY KEY, v text)')
    await other.query('BEGIN; LOCK TABLE pg_attrdef IN ACCESS EXCLUSIVE MODE')
    await db.query(`INSERT INTO u VALUES (1, 'a')`)
    await until(
      async () =>
        (await other.query(`SELECT 1 FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()`)).rowCount ===
        1,
    )
    const beginMs = performance.now()
    await run.stop(1_000)
    expect(performance.now() - beginMs).toBeLessThan(1_000)
    await other.query('ROLLBACK')
  })

  it('tells when a table leaves the filter by its new name', async () => {
    const db = await database(table)
    const run = await db.run({ 'table.include.list': 'public.t' })
    const first = tellAll(run, 1)
    await db.streaming()
    await db.query(`INSERT INTO t VALUES (1, 'a'); ALTER TABLE t RENAME TO s; INSERT INTO s VALUES (2, 'b')`)
    expect(await first).toEqual(['c 1=a'])
    void run.next().catch(() => undefined)
    await until(() => run.log.some(({ message }) => /public\.t is public\.s now, .*no longer captured/.test(message)))
  })

  it('survives that nobody takes anything for longer than the server waits for a sign of life', async () => {
    const db = await database(table)
    const run = await db.run({
      'status.update.interval.ms': '10000',
      'database.initial.statements': `SET wal_sender_timeout = '1s'`,
    })
    const walsender = () => db.query(`SELECT active_pid AS pid FROM pg_replication_slots WHERE slot_name = '${db.slotName}'`)
    const first = run.take(1)
    await db.streaming()
    await db.query(`INSERT INTO t SELECT g, repeat('x', 10000) FROM generate_series(1, 5000) g`)
    await first
    const before = await walsender()
    await db.query('SELECT pg_sleep(3)')
    expect(before).toEqual([{ pid: expect.any(Number) }])
    expect(await walsender()).toEqual(before)
    expect((await run.take(4_000)).length).toBeGreaterThan(3_999)
  })
})

describe.skipIf(server.service === undefined)('a replica identity', () => {
  it('is not waited for so long that it holds up everybody who comes for the table', async () => {
    const db = await database(`${table} CREATE UNIQUE INDEX byid ON t (id)`)
    const reader = await db.connect()
    await reader.query('BEGIN; SELECT FROM t')
    const config = { 'replica.identity.autoset.values': 'public.t:INDEX byid' }
    const run = await db.run(config)
    const row = tellAll(run, 1)
    await until(() => run.log.some(({ level, message }) => level === 'error' && /public\.t could not be set.*lock timeout/.test(message)))
    await db.streaming()
    await db.query(`INSERT INTO t VALUES (1, 'a')`)
    expect(await row).toEqual(['c 1=a'])
    await run.commit()
    await run.stop()
    await reader.query('COMMIT')
    const set = () => db.query(`SELECT indexrelid::regclass::text AS name FROM pg_index WHERE indisreplident`)
    for (const isSet of [false, true]) {
      if (isSet) await reader.query('BEGIN; SELECT FROM t')
      const again = await db.run(config)
      void again.next().catch(() => undefined)
      await db.streaming()
      expect(await set()).toEqual([{ name: 'byid' }])
      // The second time it is what it should be, and no lock is asked for.
      expect(again.log.map(({ level }) => level)).not.toContain('error')
      await again.stop()
    }
  })
})

describe.skipIf(server.service === undefined)('a role’s settings', () => {
  it('change nothing of what is read, and break nothing off', async () => {
    const db = await database(`CREATE TABLE t (id int PRIMARY KEY, v text, at timestamptz, d interval, f float8, b bytea);
      CREATE FUNCTION slow() RETURNS text LANGUAGE sql AS $$ SELECT pg_sleep(0.3)::text $$;
      INSERT INTO t VALUES (1, 'a', '2024-01-02 03:04:05.678+02', '1 year 2 days -3 hours', 0.1::float8 + 0.2::float8, '\\x00ff')`)
    const plain = await (await db.run({ 'snapshot.mode': 'initial_only' })).take(1)
    const user = await role(db, 'SUPERUSER')
    const [version] = await db.query(`SELECT current_setting('server_version_num') AS number`)
    for (const setting of [
      `DateStyle = 'SQL, DMY'`,
      `TimeZone = 'Asia/Kolkata'`,
      `IntervalStyle = 'iso_8601'`,
      'extra_float_digits = 0',
      `bytea_output = 'escape'`,
      `client_encoding = 'LATIN1'`,
      'statement_timeout = 100',
      'lock_timeout = 100',
      'idle_in_transaction_session_timeout = 100',
      'idle_session_timeout = 100',
      ...(Number(version?.['number']) >= 170_000 ? ['transaction_timeout = 100'] : []),
      `default_transaction_isolation = 'serializable'`,
      'quote_all_identifiers = on',
      'standard_conforming_strings = off',
      'row_security = on',
    ]) {
      await db.query(`ALTER ROLE ${user['database.user']} SET ${setting}`)
    }
    const run = await db.run({
      ...user,
      'snapshot.select.statement.overrides': 'public.t',
      'snapshot.select.statement.overrides.public.t': 'SELECT t.* FROM t, slow() WHERE id > 0',
      'topic.prefix': 'dbz2',
    })
    const after = (record: unknown) => (record as { readonly value: { readonly after: unknown } }).value.after
    const [row] = await run.take(1)
    expect(after(row)).toMatchObject({ id: 1, v: 'a' })
    expect(after(row)).toEqual(after(plain[0]))
    await db.query('SELECT pg_sleep(0.3)')
    const next = run.take(1)
    await until(
      async () => (await db.query(`SELECT 1 FROM pg_replication_slots WHERE active AND slot_name = '${db.slotName}'`)).length === 1,
    )
    await db.query('SELECT pg_sleep(0.3)')
    await db.query(`INSERT INTO t SELECT 2, v, at, d, f, b FROM t`)
    const [streamed] = await next
    expect({ ...(after(streamed) as object), id: 1 }).toEqual(after(plain[0]))
  })
})

describe.skipIf(server.service === undefined)('names and rows', () => {
  it('come through whatever letters and sizes they have', { timeout: 60_000 }, async () => {
    const plain = await database('')
    const name = `l${plain.name}`
    await plain.query(`CREATE DATABASE ${name} ENCODING 'LATIN1' LC_COLLATE 'C' LC_CTYPE 'C' TEMPLATE template0`)
    onTestFinished(async () => void (await plain.query(`DROP DATABASE ${name} WITH (FORCE)`)))
    const latin = await plain.connectTo(name)
    const columns = Array.from({ length: 1_500 }, (_, at) => `"c ${at}" int`).join(', ')
    await latin.query(`CREATE SCHEMA "é.'x"; CREATE TABLE "é.'x"."T ""ü""" (id int PRIMARY KEY, v text); INSERT INTO "é.'x"."T ""ü""" VALUES (1, 'ÄÖ''"');
      CREATE TABLE wide (id int PRIMARY KEY, ${columns}); INSERT INTO wide VALUES (1, 5); ALTER TABLE wide REPLICA IDENTITY FULL;
      CREATE TABLE long (id int PRIMARY KEY, v bytea); ALTER TABLE long ALTER v SET STORAGE EXTERNAL`)
    const run = await plain.run({ 'database.dbname': name, 'publication.name': `p"é', q` })
    onTestFinished(async () => {
      await run.stop()
      await latin.query(`SELECT pg_drop_replication_slot('${plain.slotName}')`)
    })
    const rows = await run.take(2)
    expect(rows.map((record) => told(record)).sort()).toEqual([`r 1=undefined`, `r 1=ÄÖ'"`])
    await latin.query(`UPDATE "é.'x"."T ""ü""" SET v = 'ß'; UPDATE wide SET "c 1499" = 7`)
    await latin.query(`INSERT INTO long VALUES (1, decode(repeat('00ff', 15000000), 'hex')); DELETE FROM wide`)
    const changes = (await run.take(5, 30_000)).filter(({ value }) => value !== null)
    const told4 = changes.map(({ value }) => value as unknown as Record<'op' | 'before' | 'after', Record<string, unknown> | null>)
    expect(told4.map(({ op }) => op)).toEqual(['u', 'u', 'c', 'd'])
    expect(told4[0]?.after).toEqual({ id: 1, v: 'ß' })
    expect(told4[1]).toMatchObject({ before: { 'c 0': 5, 'c 1499': null }, after: { 'c 0': 5, 'c 1499': 7 } })
    expect(told4[2]?.after?.['v']).toHaveLength(30_000_000)
    expect(told4[3]?.before).toMatchObject({ 'c 1499': 7 })
  })

  it('come through savepoints, rollbacks and changes of shape, each once and in order', async () => {
    const db = await database(`${table} CREATE TABLE p (id int, v text) PARTITION BY RANGE (id);
      CREATE TABLE p1 PARTITION OF p FOR VALUES FROM (0) TO (100); ALTER TABLE p1 REPLICA IDENTITY FULL`)
    const run = await db.run()
    const taken = run.take(10)
    await db.streaming()
    await db.query(`BEGIN; INSERT INTO t VALUES (1, 'a'); SAVEPOINT s; INSERT INTO t VALUES (2, 'lost'); ROLLBACK TO s; SAVEPOINT s2;
      INSERT INTO t VALUES (3, 'b'); RELEASE s2; ALTER TABLE t ADD COLUMN w int DEFAULT 5; INSERT INTO t VALUES (4, 'c');
      ALTER TABLE t DROP COLUMN w; INSERT INTO t VALUES (5, 'd'); COMMIT`)
    await db.query(`BEGIN; INSERT INTO t VALUES (6, 'lost'); ROLLBACK`)
    await db.query(
      `INSERT INTO p VALUES (7, 'e'); CREATE TABLE p2 PARTITION OF p FOR VALUES FROM (100) TO (200); ALTER TABLE p2 REPLICA IDENTITY FULL`,
    )
    await db.query(
      `INSERT INTO p VALUES (108, 'f'); UPDATE p SET id = 9 WHERE id = 108; ALTER TABLE p DETACH PARTITION p2; INSERT INTO p2 VALUES (110, 'g')`,
    )
    const records = await taken
    expect(records.map((record) => `${record.topic.slice(11)} ${told(record)}`)).toEqual([
      't c 1=a',
      't c 3=b',
      't c 4=c',
      't c 5=d',
      'p1 c -=e',
      'p2 c -=f',
      'p2 d -',
      'p2 tombstone -',
      'p1 c -=f',
      'p2 c -=g',
    ])
    expect(records[2]?.value).toMatchObject({ after: { id: 4, v: 'c', w: 5 } })
  })
})

describe('errors.max.retries', () => {
  it('is how often it is tried again without anything coming', async () => {
    const config = {
      'database.hostname': '127.0.0.1',
      'database.port': '1',
      'database.user': 'u',
      'database.dbname': 'd',
      'topic.prefix': 'p',
      'errors.max.retries': '2',
    }
    const context = {
      connector: 'c',
      task: 0,
      properties: config,
      signal: new AbortController().signal,
      log: { debug: () => undefined, info: () => undefined, warn: () => undefined, error: () => undefined },
      offsets: { read: async () => null, readAll: async () => [], advance: () => undefined },
      sleep: async () => undefined,
      onCommitted: () => undefined,
    } as unknown as SourceTaskContext
    const outcome = async () => {
      try {
        for await (const _ of postgresSource.run(parseConfig(postgresSource.config, config), context)) throw new Error('a batch')
        return 'returned'
      } catch (error) {
        return isEngineError(error) ? `${error.next} ${error.message}` : error
      }
    }
    expect(await outcome()).toMatch(/^retry .*ECONNREFUSED/)
    expect(await outcome()).toMatch(/^retry .*ECONNREFUSED/)
    expect(await outcome()).toMatch(/^fail .*ECONNREFUSED.*errors\.max\.retries = 2/s)
  })
})
