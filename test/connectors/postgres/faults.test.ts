import { createServer } from 'node:net'
import { parseConfig } from '@millrace/sdk'
import { MemoryOffsets, runSource } from '@millrace/sdk/testing'
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

async function issues(config: Record<string, string>) {
  return await postgresSource.validate?.(parseConfig(postgresSource.config, config), {
    properties: config,
    signal: new AbortController().signal,
  })
}

describe.skipIf(server.service === undefined)('a configuration is refused', () => {
  it('where the server refuses it, with the key to look at', async () => {
    const db = await database(`CREATE ROLE reader_${process.pid} LOGIN PASSWORD 'p'`)
    onTestFinished(async () => void (await db.query(`DROP ROLE reader_${process.pid}`)))
    expect(await issues(db.config)).toEqual([])
    const refused = async (change: Record<string, string>) =>
      (await issues({ ...db.config, ...change }))?.map(({ key, message }) => `${key}: ${message}`)
    expect(await refused({ 'database.dbname': 'nope' })).toEqual([
      expect.stringMatching(/^database\.dbname: Error while validating.*"nope" does not exist/),
    ])
    expect(await refused({ 'database.hostname': 'host.invalid' })).toEqual([expect.stringMatching(/^database\.hostname: .*host\.invalid/)])
    expect(await refused({ 'database.port': '1' })).toEqual([expect.stringMatching(/^database\.hostname: .*ECONNREFUSED [\d.:]+$/)])
    expect(await refused({ 'database.user': `reader_${process.pid}`, 'database.password': 'p' })).toEqual([
      expect.stringMatching(/^database\.user: .*REPLICATION are not assigned to user: reader_/),
    ])
    expect(await refused({ 'database.sslmode': 'verify-full' })).toEqual([expect.stringMatching(/^database\.sslmode: .*SSL/)])
  })

  it('where its keys do not go together', async () => {
    const db = await database('')
    expect(await issues({ ...db.config, 'table.include.list': 'a.b', 'table.exclude.list': 'c.d', 'max.queue.size': '100' })).toEqual([
      { key: 'table.exclude.list', message: `The 'table.exclude.list' value is invalid: "table.include.list" is already specified` },
      { key: 'max.queue.size', message: `The 'max.queue.size' value is invalid: Must be larger than the maximum batch size` },
    ])
  })

  it('in bounded time by a server that does not answer', async () => {
    const silent = createServer().listen(0, '127.0.0.1')
    await new Promise((resolve) => silent.once('listening', resolve))
    onTestFinished(() => void silent.close())
    const { port } = silent.address() as { readonly port: number }
    const config = {
      'database.hostname': '127.0.0.1',
      'database.port': String(port),
      'database.user': 'u',
      'database.dbname': 'd',
      'topic.prefix': 'p',
    }
    expect(await issues({ ...config, 'connection.validation.timeout.ms': '200' })).toEqual([
      { key: 'database.hostname', message: expect.stringMatching(/timed out|within 200 ms/) },
    ])
    // A task that has not got through yet stops at once, too.
    const run = await runSource(postgresSource, { config })
    void run.next().catch(() => undefined)
    const beginMs = performance.now()
    await run.stop()
    expect(performance.now() - beginMs).toBeLessThan(1_000)
  })
})

describe.skipIf(server.service === undefined)('the source fails', () => {
  it.each([
    [{ 'database.user': 'nobody_here' }, /"nobody_here".*check database\.user and database\.password/],
    [{ 'database.password': 'wrong' }, /password authentication failed.*check database\.user and database\.password/],
    [{ 'database.dbname': 'nope' }, /"nope" does not exist.*check database\.dbname/],
  ] as const)('with %j', async (change, message) => {
    const db = await database('')
    expect(await failure(await db.run(change))).toMatchObject({ next: 'fail', message: expect.stringMatching(message) })
  })

  it('where the slot is gone, and reads the tables anew if it may', async () => {
    const db = await database(`${table} INSERT INTO t VALUES (1, 'a')`)
    const run = await db.run()
    await run.take(1)
    await run.commit()
    await run.stop()
    await until(
      async () =>
        (
          await db.query(
            `SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots WHERE slot_name = '${db.slotName}' AND NOT active`,
          )
        ).length === 1,
    )
    expect(await failure(await db.run())).toMatchObject({
      next: 'fail',
      code: 'slot-missing',
      message: expect.stringMatching(/is gone.*when_needed/),
    })
    expect((await (await db.run({ 'snapshot.mode': 'when_needed' })).take(1)).map((record) => told(record))).toEqual(['r 1=a'])
  })

  it('where somebody else has read from the slot', async () => {
    const db = await database(table)
    const run = await db.run()
    await db.streaming(run)
    await run.commit()
    await run.stop()
    await db.query(`INSERT INTO t VALUES (1, 'a')`)
    await until(
      async () => (await db.query(`SELECT 1 FROM pg_replication_slots WHERE slot_name = '${db.slotName}' AND NOT active`)).length === 1,
    )
    await db.query(`SELECT pg_replication_slot_advance('${db.slotName}', pg_current_wal_lsn())`)
    expect(await failure(await db.run())).toMatchObject({
      next: 'fail',
      code: 'slot-ahead',
      message: expect.stringMatching(/somebody else/),
    })
  })

  it('where the slot stays in use, and takes it when it is free', async () => {
    const db = await database(table)
    const first = await db.run()
    await db.streaming(first)
    const other = { config: { ...db.config, 'snapshot.mode': 'no_data', 'slot.max.retries': '3' }, offsets: new MemoryOffsets() }
    const second = await runSource(postgresSource, other)
    expect(await failure(second)).toMatchObject({
      next: 'fail',
      code: 'slot-in-use',
      message: expect.stringMatching(/by the server process \d+, after 4 attempts/),
    })
    expect(second.log.filter(({ level, message }) => level === 'warn' && /in use/.test(message))).toHaveLength(3)
    const third = await runSource(postgresSource, { ...other, config: { ...other.config, 'slot.max.retries': '1000' } })
    onTestFinished(() => third.stop())
    const records = third.take(1)
    await until(() => third.log.some(({ message }) => /in use/.test(message)))
    await first.stop()
    await db.query(`INSERT INTO t VALUES (1, 'a')`)
    expect((await records).map((record) => told(record))).toEqual(['c 1=a'])
    // A snapshot that nothing could follow is not begun.
    const reader = await runSource(postgresSource, { ...other, config: { ...other.config, 'snapshot.mode': 'initial' } })
    expect(await failure(reader)).toMatchObject({ code: 'slot-in-use' })
    expect(reader.batchCounts).toEqual([])
  })

  it('where the publication is missing, was dropped, or has nothing to publish', async () => {
    const db = await database(`${table} INSERT INTO t VALUES (1, 'a')`)
    const mode = { 'snapshot.mode': 'no_data' }
    expect(await failure(await db.run({ ...mode, 'publication.autocreate.mode': 'disabled' }))).toMatchObject({
      code: 'publication-missing',
      message: expect.stringMatching(/"dbz_publication" does not exist.*CREATE PUBLICATION/),
    })
    expect(
      await failure(await db.run({ ...mode, 'publication.autocreate.mode': 'filtered', 'table.include.list': 'public.zzz' })),
    ).toMatchObject({
      code: 'no-table-captured',
    })
    const run = await db.run(mode)
    const failed = failure(run)
    await until(
      async () => (await db.query(`SELECT 1 FROM pg_replication_slots WHERE slot_name = '${db.slotName}' AND active`)).length === 1,
    )
    await db.query('DROP PUBLICATION dbz_publication')
    await db.query(`INSERT INTO t VALUES (2, 'b')`)
    expect(await failed).toMatchObject({ next: 'fail', code: 'publication-missing', message: expect.stringMatching(/dbz_publication/) })
  })

  it('where the list of tables grew and shrank, not', async () => {
    const db = await database(`${table} CREATE TABLE u (id int PRIMARY KEY)`)
    const tables = async () =>
      (await db.query('SELECT tablename::text AS name FROM pg_publication_tables ORDER BY 1')).map(({ name }) => name)
    for (const [list, expected] of [
      ['public.t', ['t']],
      ['public.t,public.u', ['t', 'u']],
      ['public.u', ['u']],
    ] as const) {
      const run = await db.run({ 'publication.autocreate.mode': 'filtered', 'table.include.list': list })
      await db.streaming(run)
      await run.commit()
      await run.stop()
      expect(await tables()).toEqual(expected)
    }
  })
})

describe.skipIf(server.service === undefined)('the source goes on', () => {
  it('after its connection was cut', async () => {
    const db = await database(`${table} INSERT INTO t VALUES (1, 'a')`)
    const run = await db.run()
    await run.take(1)
    await run.commit()
    const failed = failure(run)
    await db.streaming()
    await db.query(`SELECT pg_terminate_backend(active_pid) FROM pg_replication_slots WHERE slot_name = '${db.slotName}'`)
    expect(await failed).toMatchObject({ next: 'retry', message: expect.stringMatching(new RegExp(db.slotName)) })
    await db.query(`INSERT INTO t VALUES (2, 'b')`)
    expect((await (await db.run()).take(1)).map((record) => told(record))).toEqual(['c 2=b'])
  })

  it('after a transaction of many rows, which it does not keep in memory', async () => {
    const db = await database(table)
    const rowCount = 100_000
    const run = await db.run({ 'snapshot.mode': 'no_data' })
    await db.streaming(run)
    await db.query(`INSERT INTO t SELECT g, repeat('x', 200) FROM generate_series(1, ${rowCount}) g`)
    const before = process.memoryUsage().arrayBuffers
    let peak = 0
    let count = 0
    while (count < rowCount) {
      count += (await run.next())?.length ?? 0
      peak = Math.max(peak, process.memoryUsage().arrayBuffers - before)
    }
    expect(count).toBe(rowCount)
    expect(run.batchCounts.every((size) => size <= 2_048 + 1)).toBe(true)
    // 30 MB of log; 8 MiB may wait, and as much may be in the hands of the garbage collector.
    expect(peak).toBeLessThan(48 * 1024 * 1024)
  })
})

// A server of this file's own: what is done to it hurts nobody else.
describe.skipIf(server.service?.faults === undefined)('the source goes on after the server', () => {
  it('has removed log that the slot needs: it fails, and makes another slot if it may', async () => {
    const db = await database(`${table} INSERT INTO t VALUES (1, 'a')`)
    const run = await db.run()
    await run.take(1)
    await run.commit()
    await run.stop()
    await db.query(`ALTER SYSTEM SET max_slot_wal_keep_size = '1MB'`)
    onTestFinished(async () => {
      await db.query('ALTER SYSTEM RESET max_slot_wal_keep_size')
      await db.query('SELECT pg_reload_conf()')
    })
    await db.query('SELECT pg_reload_conf()')
    await until(async () => {
      await db.query('INSERT INTO t SELECT max(id) + 1 FROM t; SELECT pg_switch_wal()')
      await db.query('CHECKPOINT')
      return (await db.query(`SELECT 1 FROM pg_replication_slots WHERE slot_name = '${db.slotName}' AND wal_status = 'lost'`)).length === 1
    })
    expect(await failure(await db.run())).toMatchObject({
      next: 'fail',
      code: 'slot-lost',
      message: expect.stringMatching(/max_slot_wal_keep_size/),
    })
    const again = await db.run({ 'snapshot.mode': 'when_needed' })
    expect((await again.take(1)).map((record) => told(record))).toContain('r 1=a')
    expect(again.log.some(({ level, message }) => level === 'warn' && /is lost; it is dropped and made anew/.test(message))).toBe(true)
  })

  it('was killed and started again', async () => {
    const db = await database(`${table} INSERT INTO t VALUES (1, 'a')`)
    const run = await db.run()
    await run.take(1)
    await run.commit()
    const failed = failure(run)
    await db.streaming()
    await server.service?.faults?.kill()
    expect(await failed).toMatchObject({ next: 'retry' })
    expect(await failure(await db.run())).toMatchObject({ next: 'retry', message: expect.stringMatching(/127\.0\.0\.1:\d+.*ECONNREFUSED/) })
    await server.service?.faults?.restart()
    await db.reconnect()
    await db.query(`INSERT INTO t VALUES (2, 'b')`)
    expect((await (await db.run()).take(1)).map((record) => told(record))).toEqual(['c 2=b'])
  })

  it('was told to shut down, and does not hold it up', async () => {
    const db = await database(table)
    const run = await db.run()
    await db.streaming(run)
    await run.commit()
    const failed = failure(run)
    await db.query('CREATE TABLE other (id int)')
    const [{ pid }] = (await db.query(`SELECT split_part(pg_read_file('postmaster.pid'), E'\\n', 1)::int AS pid`)) as readonly [
      { readonly pid: number },
    ]
    const beginMs = performance.now()
    process.kill(pid, 'SIGINT')
    expect(await failed).toMatchObject({ next: 'retry' })
    expect(performance.now() - beginMs).toBeLessThan(5_000)
    await server.service?.faults?.restart()
    await db.reconnect()
    await db.query(`INSERT INTO t VALUES (2, 'b')`)
    expect((await (await db.run()).take(1)).map((record) => told(record))).toEqual(['c 2=b'])
  })
})
