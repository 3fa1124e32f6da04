import { afterAll, describe, expect, it, onTestFinished } from 'vitest'
import type { Struct } from '@millrace/sdk'
import { Database, markerOf, startServer, told, until } from './database.ts'

const server = await startServer()
afterAll(() => server.service?.stop())

async function database(setup: string): Promise<Database> {
  const made = await Database.create(server, setup)
  onTestFinished(() => made.drop())
  return made
}

const table = 'CREATE TABLE t (id int PRIMARY KEY, v text);'

describe.skipIf(server.service === undefined)('the source', () => {
  it('reads the tables, then streams from the same moment', async () => {
    const db = await database(`${table} INSERT INTO t VALUES (1, 'a'), (2, 'b'); CREATE TABLE empty (id int PRIMARY KEY);
      CREATE TABLE u (id int PRIMARY KEY, v text); INSERT INTO u VALUES (7, 'x')`)
    const run = await db.run()
    const rows = await run.take(3)
    expect(rows.map((record) => [told(record), record.topic, markerOf(record)])).toEqual([
      ['r 1=a', 'dbz.public.t', 'first'],
      ['r 2=b', 'dbz.public.t', 'last_in_data_collection'],
      ['r 7=x', 'dbz.public.u', 'last'],
    ])
    expect(rows.map(({ sourceOffset }) => sourceOffset?.['snapshot_completed'])).toEqual([false, false, true])
    await db.query(`INSERT INTO t VALUES (3, 'c'); UPDATE t SET v = 'cc' WHERE id = 3; DELETE FROM t WHERE id = 3`)
    expect((await run.take(4)).map((record) => told(record))).toEqual(['c 3=c', 'u 3=cc', 'd 3', 'tombstone 3'])
  })

  it('neither loses nor repeats what is written while it reads', async () => {
    const db = await database(`${table} INSERT INTO t SELECT g, 'old' FROM generate_series(1, 3000) g`)
    const writer = await db.connect()
    let isWriting = true
    let written = 0
    const writing = (async () => {
      for (; isWriting; written++) await writer.query(`INSERT INTO t VALUES (${10_000 + written}, 'new')`)
    })()
    const run = await db.run()
    const records = await run.take(3_000)
    isWriting = false
    await writing
    const seen = records.map((record) => told(record))
    while (seen.length < 3_000 + written) seen.push(...(await run.take(1)).map((record) => told(record)))
    const keys = seen.map((text) => text.replace(/^\w /, ''))
    expect(new Set(keys).size).toBe(keys.length)
    expect(keys.length).toBe(3_000 + written)
    expect(await run.takeFor(200)).toEqual([])
  })

  it('goes on in the middle of a transaction, without loss or repeat', async () => {
    const db = await database(table)
    let run = await db.run({ 'max.batch.size': '3', 'max.queue.size': '9' })
    await db.streaming(run)
    const first = run.take(3)
    await db.query(`INSERT INTO t SELECT g, 'x' FROM generate_series(1, 10) g; INSERT INTO t VALUES (11, 'y')`)
    expect((await first).map((record) => told(record))).toEqual(['c 1=x', 'c 2=x', 'c 3=x'])
    await run.commit()
    await run.stop()
    run = await db.run()
    expect((await run.take(8)).map((record) => told(record))).toEqual([...[4, 5, 6, 7, 8, 9, 10].map((id) => `c ${id}=x`), 'c 11=y'])
    expect(await run.takeFor(200)).toEqual([])
  })

  it('goes on by what Debezium has stored', async () => {
    const db = await database(table)
    let run = await db.run({ 'snapshot.mode': 'no_data', 'max.batch.size': '2', 'max.queue.size': '9' })
    await db.streaming(run)
    const first = run.take(2)
    await db.query(`INSERT INTO t VALUES (1, 'x'), (2, 'x'), (3, 'x'); INSERT INTO t VALUES (4, 'x')`)
    const [, second] = await first
    await run.stop()
    const { millrace_commit_lsn: _commitLsn, millrace_ordinal: _ordinal, ...debezium } = second?.sourceOffset ?? {}
    db.offsets.store({ server: 'dbz' }, debezium)
    run = await db.run()
    expect((await run.take(2)).map((record) => told(record))).toEqual(['c 3=x', 'c 4=x'])
    expect(await run.takeFor(200)).toEqual([])
  })

  it('starts a snapshot over that was broken off, and loses no delete', async () => {
    const db = await database(`${table} INSERT INTO t SELECT g, 'a' FROM generate_series(1, 9) g`)
    let run = await db.run({ 'max.batch.size': '4', 'max.queue.size': '9' })
    expect(await run.take(4)).toHaveLength(4)
    await run.commit()
    await run.stop()
    await db.query(`DELETE FROM t WHERE id = 2; UPDATE t SET v = 'b' WHERE id = 3; INSERT INTO t VALUES (10, 'c')`)
    run = await db.run()
    const rows = await run.take(9)
    expect(rows.map((record) => told(record))).toEqual([...[1, 4, 5, 6, 7, 8, 9].map((id) => `r ${id}=a`), 'r 3=b', 'r 10=c'])
    expect([markerOf(rows[0]!), markerOf(rows[8]!)]).toEqual(['first', 'last'])
    expect((await run.take(4)).map((record) => told(record))).toEqual(['d 2', 'tombstone 2', 'u 3=b', 'c 10=c'])
  })

  it('stands still between snapshot and stream without loss', async () => {
    const db = await database(`${table} INSERT INTO t VALUES (1, 'a')`)
    let run = await db.run()
    expect(await run.take(1)).toHaveLength(1)
    await run.commit()
    await run.stop()
    await db.query(`INSERT INTO t VALUES (2, 'b')`)
    run = await db.run()
    expect((await run.take(1)).map((record) => told(record))).toEqual(['c 2=b'])
    expect(await run.takeFor(200)).toEqual([])
  })

  it('lets the server forget what other tables write, but only what is stored', async () => {
    const db = await database(`${table} CREATE TABLE busy (id int PRIMARY KEY)`)
    const run = await db.run({ 'table.include.list': 'public.t' })
    await db.streaming(run)
    const quiet = run.takeFor(1_000)
    const before = await db.confirmed()
    for (let id = 0; id < 20; id++) await db.query(`INSERT INTO busy VALUES (${id})`)
    const [{ lsn }] = (await db.query('SELECT pg_current_wal_lsn()::text AS lsn')) as readonly [{ readonly lsn: string }]
    expect(await quiet).toEqual([])
    expect(await db.confirmed()).toBe(before)
    const [position] = await run.commit()
    expect(Object.keys(position?.offset ?? {}).filter((key) => !key.startsWith('millrace_'))).toContain('snapshot_completed')
    await until(async () => !(await db.isBefore(await db.confirmed(), lsn)))
    // What it has told so far is what a restart goes on from.
    await db.query(`INSERT INTO t VALUES (1, 'a')`)
    expect((await run.take(1)).map((record) => told(record))).toEqual(['c 1=a'])
    await run.stop()
    expect((await (await db.run({ 'table.include.list': 'public.t' })).take(1)).map((record) => told(record))).toEqual(['c 1=a'])
  })

  it('remembers a snapshot that had no row', async () => {
    const db = await database(table)
    const run = await db.run()
    await db.streaming(run)
    await run.commit()
    expect(db.offsets.read({ server: 'dbz' })).toMatchObject({ snapshot_completed: true, millrace_ordinal: 0 })
  })

  it('takes tables that are made, altered and renamed while it runs', async () => {
    const db = await database(table)
    const run = await db.run()
    await db.streaming(run)
    const records = run.take(5)
    await db.query(`CREATE TABLE fresh (id int PRIMARY KEY, v text); INSERT INTO fresh VALUES (1, 'f')`)
    await db.query(`ALTER TABLE t ADD w int NOT NULL DEFAULT 5; INSERT INTO t VALUES (1, 'a')`)
    await db.query(`ALTER TABLE t DROP COLUMN w; INSERT INTO t VALUES (2, 'b')`)
    await db.query(`BEGIN; INSERT INTO t VALUES (3, 'c'); ALTER TABLE t RENAME TO s; INSERT INTO s VALUES (4, 'd'); COMMIT`)
    expect((await records).map((record) => `${record.topic} ${told(record)}`)).toEqual([
      'dbz.public.fresh c 1=f',
      'dbz.public.t c 1=a',
      'dbz.public.t c 2=b',
      'dbz.public.t c 3=c',
      'dbz.public.s c 4=d',
    ])
  })

  it('takes tables without a key, and types that it does not know', async () => {
    const db = await database(`CREATE TYPE pair AS (a int, b text); CREATE TABLE t (v text, p pair); INSERT INTO t VALUES ('a', (1, 'x'))`)
    const run = await db.run({ 'include.unknown.datatypes': 'true' })
    const [row] = await run.take(1)
    expect(row?.key).toBeNull()
    expect((row?.value as unknown as { readonly after: { readonly p: unknown } } | undefined)?.after.p).toEqual(Buffer.from('(1,x)'))
    const next = run.take(2)
    await db.query(
      `INSERT INTO t VALUES ('b', (2, 'y')); CREATE TYPE later AS ENUM ('m', 'n'); CREATE TABLE w (id int PRIMARY KEY, v later); INSERT INTO w VALUES (1, 'n')`,
    )
    expect((await next).map((record) => told(record))).toEqual(['c -=b', 'c 1=n'])
    expect(run.log.some(({ level, message }) => level === 'warn' && /public\.t has no key/.test(message))).toBe(true)
  })

  it('knows the labels that an enum gains', async () => {
    const db = await database(
      `CREATE TYPE mood AS ENUM ('sad', 'happy'); CREATE TABLE t (id int PRIMARY KEY, v mood); INSERT INTO t VALUES (1, 'sad')`,
    )
    const run = await db.run()
    await run.take(1)
    await db.streaming(run)
    const records = run.take(2)
    await db.query(`INSERT INTO t VALUES (2, 'happy')`)
    await db.query(`ALTER TYPE mood ADD VALUE 'ecstatic'`)
    await db.query(`INSERT INTO t VALUES (3, 'ecstatic')`)
    const allowed = (await records).map(({ valueSchema }) => {
      const after = valueSchema?.fields?.find(({ name }) => name === 'after')?.schema
      return after?.fields?.find(({ name }) => name === 'v')?.schema.parameters?.['allowed']
    })
    expect(allowed).toEqual(['sad,happy', 'sad,happy,ecstatic'])
  })

  it.each([
    ['initial_only', ['r 1=a'], []],
    ['no_data', [], ['c 2=b']],
    ['never', [], ['c 2=b']],
    ['always', ['r 1=a'], ['c 2=b']],
  ] as const)('snapshot.mode=%s', async (mode, snapshot, stream) => {
    const db = await database(`${table} INSERT INTO t VALUES (1, 'a')`)
    const run = await db.run({ 'snapshot.mode': mode })
    expect((await run.take(snapshot.length)).map((record) => told(record))).toEqual(snapshot)
    if (mode !== 'initial_only') await db.streaming(run)
    await db.query(`INSERT INTO t VALUES (2, 'b')`)
    expect((await run.takeFor(300)).map((record) => told(record))).toEqual(stream)
    if (mode === 'initial_only')
      expect(await db.query('SELECT 1 FROM pg_replication_slots WHERE database = current_database()')).toEqual([])
  })

  it('makes a slot that standbys keep, and locks tables, when it is told to', async () => {
    const db = await database(`${table} INSERT INTO t VALUES (1, 'a')`)
    const run = await db.run({ 'slot.failover': 'true', 'snapshot.locking.mode': 'shared', 'publish.via.partition.root': 'true' })
    expect(await run.take(1)).toHaveLength(1)
    const [version] = (await db.query(`SELECT current_setting('server_version_num')::int >= 170000 AS has`)) as readonly [
      { readonly has: boolean },
    ]
    const column = version.has ? 'failover' : 'true AS failover'
    expect(await db.query(`SELECT ${column} FROM pg_replication_slots WHERE slot_name = '${db.slotName}'`)).toEqual([{ failover: true }])
    expect(await db.query('SELECT pubviaroot FROM pg_publication')).toEqual([{ pubviaroot: true }])
  })

  it('tells of a null that was there before its column was made NOT NULL, and stops where a delete does not tell the key', async () => {
    const db = await database(`CREATE TABLE t (id int PRIMARY KEY, v text); CREATE TABLE u (id int PRIMARY KEY, v text NOT NULL UNIQUE);
      ALTER TABLE u REPLICA IDENTITY USING INDEX u_v_key; INSERT INTO u VALUES (1, 'x')`)
    const run = await db.run()
    await run.take(1)
    // Before, the snapshot's transaction holds the tables.
    await db.streaming(run)
    await db.query(`BEGIN; INSERT INTO t VALUES (2, NULL); UPDATE t SET v = 'b'; ALTER TABLE t ALTER v SET NOT NULL; COMMIT`)
    expect((await run.take(2)).map((record) => ((record.value as Struct)['after'] as Struct)['v'])).toEqual([null, 'b'])
    await db.query(`DELETE FROM u`)
    await expect(run.take(1)).rejects.toThrow(/^table public\.u: column id of the key .* set message\.key\.columns = public\.u:v;/)
  })

  it('tells of a row that stands in an inheriting table under that name only, as the stream does', async () => {
    const db = await database(`CREATE TABLE base (id int PRIMARY KEY, v text); CREATE TABLE child (PRIMARY KEY (id)) INHERITS (base);
      INSERT INTO base VALUES (1, 'b'); INSERT INTO child VALUES (2, 'c')`)
    const run = await db.run()
    const names = async (count: number): Promise<string[]> => (await run.take(count)).map((record) => `${record.topic} ${told(record)}`)
    expect(await names(2)).toEqual(['dbz.public.base r 1=b', 'dbz.public.child r 2=c'])
    await db.query(`UPDATE base SET v = v || v`)
    expect((await names(2)).sort()).toEqual(['dbz.public.base u 1=bb', 'dbz.public.child u 2=cc'])
    expect(await run.takeFor(100)).toEqual([])
  })

  it('tells of partitions under one name, the one that the stream has', async () => {
    const db = await database(`CREATE TABLE p (id int PRIMARY KEY, v text) PARTITION BY RANGE (id);
      CREATE TABLE p1 PARTITION OF p FOR VALUES FROM (0) TO (10); INSERT INTO p VALUES (1, 'a')`)
    for (const [isRoot, topic] of [
      ['false', 'dbz.public.p1'],
      ['true', 'dbz.public.p'],
    ] as const) {
      const names = {
        'publish.via.partition.root': isRoot,
        'publication.name': `pub_${isRoot}`,
        'slot.name': `${db.slotName}_${isRoot}`,
        'topic.prefix': 'dbz',
      }
      db.offsets.store({ server: 'dbz' }, { millrace_commit_lsn: 0, millrace_ordinal: 0 })
      const run = await db.run({ ...names, 'snapshot.mode': 'when_needed' })
      expect((await run.take(1)).map((record) => record.topic)).toEqual([topic])
      const more = run.take(1)
      await db.query(`UPDATE p SET v = 'b'`)
      expect((await more).map((record) => record.topic)).toEqual([topic])
      await run.stop()
    }
  })

  it('reads by SELECTs of the user’s', async () => {
    const db = await database(`${table} INSERT INTO t SELECT g, 'v' || g FROM generate_series(1, 4) g`)
    const run = await db.run({
      'snapshot.select.statement.overrides': 'public.t',
      'snapshot.select.statement.overrides.public.t': 'select v, id from public.t where id > 2 order by id desc;',
    })
    expect((await run.take(2)).map((record) => told(record))).toEqual(['r 4=v4', 'r 3=v3'])
    await run.stop()
    await db.query(`SELECT pg_drop_replication_slot('${db.slotName}')`)
    const wrong = await db.run({
      'snapshot.select.statement.overrides': 'public.t',
      'snapshot.select.statement.overrides.public.t': 'select id from public.t',
    })
    await expect(wrong.next()).rejects.toThrow(/column "v" does not exist.*snapshot\.select\.statement\.overrides\.public\.t/s)
  })

  it('tells that it lives, when asked to', async () => {
    const db = await database(table)
    const run = await db.run({ 'heartbeat.interval.ms': '100', 'topic.heartbeat.prefix': 'hb' })
    const [first] = await run.take(1)
    expect(first).toMatchObject({ topic: 'hb.dbz', partition: 0 })
    expect({ ...(first?.key as object) }).toEqual({ serverName: 'dbz' })
    expect(Object.keys(first?.sourceOffset ?? {}).sort()).toEqual(['lsn', 'millrace_commit_lsn', 'millrace_ordinal', 'ts_usec', 'txId'])
  })

  it('drops the slot when it stops, if it is told to', async () => {
    const db = await database(table)
    const run = await db.run({ 'slot.drop.on.stop': 'true', 'snapshot.mode': 'no_data' })
    await db.streaming(run)
    await run.stop()
    expect(await db.query(`SELECT 1 FROM pg_replication_slots WHERE slot_name = '${db.slotName}'`)).toEqual([])
  })
})
