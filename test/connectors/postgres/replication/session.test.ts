import { createServer, type Server } from 'node:net'
import { afterAll, describe, expect, it, onTestFinished } from 'vitest'
import { connect, createSlot, lsnOf, type ServerAddress, sqlStateOf } from '../../../../connectors/postgres/replication/index.ts'
import { service } from '../../../services.ts'
import { addressOf } from './address-of.ts'
import { eventually, freshDatabase } from './server.ts'

const found = await service('postgres')
if (found.value === undefined) console.log(`skipped: ${found.reason}`)
const url = found.value?.url ?? ''
afterAll(() => found.value?.stop())
const { signal } = new AbortController()

async function open(address: ServerAddress, until = signal) {
  const session = await connect(address, until)
  onTestFinished(() => session.close())
  return session
}

/** What an attempt to connect ends with. */
async function refusal(address: ServerAddress) {
  const error = await connect(address, signal).then(
    () => new Error('it was let in'),
    (reason: unknown) => reason as Error & { next?: string; code?: string },
  )
  return { next: 'next' in error ? error.next : undefined, code: 'code' in error ? error.code : undefined, message: error.message }
}

async function listening(server: Server): Promise<number> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => void server.close())
  return (server.address() as { port: number }).port
}

describe.skipIf(found.value === undefined)('connect', () => {
  it('makes text unambiguous, whatever the database is set to, and gives the rows of look-ups as values', async () => {
    const { address, session } = await freshDatabase(url)
    for (const setting of [
      `DateStyle = 'German'`,
      `TimeZone = 'Asia/Tokyo'`,
      'extra_float_digits = 0',
      `bytea_output = 'escape'`,
      `IntervalStyle = 'iso_8601'`,
    ]) {
      await session.query(`ALTER DATABASE ${address.database} SET ${setting}`)
    }
    const fresh = await open({ ...address, initialStatements: [`SET search_path = 'a'`, 'SELECT 1; SELECT 2'] })
    const [row] = await fresh.query(
      `SELECT 'größe' AS t, timestamptz '2020-02-29 00:00+00' AS z, 0.1::float4 AS f, '\\x00ff'::bytea AS b, interval '1 month' AS i, true AS yes,
         7::int4 AS n, 8::int8 AS n8, ARRAY['a,b', NULL] AS list, NULL AS nothing, current_setting('search_path') AS path, $1::text AS given`,
      ['it’s'],
    )
    expect(row).toEqual({
      t: 'größe',
      z: '2020-02-29 00:00:00+00',
      f: '0.1',
      b: '\\x00ff',
      i: '1 mon',
      yes: true,
      n: 7,
      n8: '8',
      list: ['a,b', null],
      nothing: null,
      path: 'a',
      given: 'it’s',
    })
    expect(fresh.serverVersion).toBe(Number((await fresh.query<{ v: string }>(`SELECT current_setting('server_version_num') AS v`))[0]?.v))
  })

  it('says what was wrong, where and what to do', async () => {
    const right = addressOf(url)
    const where = `connecting to PostgreSQL at ${right.hostname}:${right.port}`
    expect(await refusal({ ...right, password: 'wrong' })).toMatchObject({
      next: 'fail',
      code: 'wrong-password',
      message: `${where}/postgres as "postgres": password authentication failed for user "postgres"; check database.user and database.password`,
    })
    expect(await refusal({ ...right, password: '' })).toMatchObject({ next: 'fail', code: 'wrong-password' })
    expect(await refusal({ ...right, database: 'nope' })).toMatchObject({
      code: 'no-such-database',
      message: `${where}/nope as "postgres": database "nope" does not exist; check database.dbname`,
    })
    expect(await refusal({ ...right, port: await closedPort() })).toMatchObject({
      next: 'retry',
      message: expect.stringMatching(/ECONNREFUSED/) as string,
    })
    expect(await refusal({ ...right, hostname: 'nowhere.invalid' })).toMatchObject({
      next: 'retry',
      message: expect.stringMatching(/check database\.hostname/) as string,
    })
    expect(await refusal({ ...right, initialStatements: ['SELECT 1/0'] })).toMatchObject({
      code: '22012',
      message: expect.stringMatching(/^running database.initial.statements at .*: division by zero/) as string,
    })
  })

  it('gives up a server that does not answer, and one that is no PostgreSQL', async () => {
    const silent = await listening(createServer(() => undefined))
    expect(await refusal(addressOf(url, { port: silent, connectTimeoutMs: 100 }))).toMatchObject({
      next: 'retry',
      message: expect.stringMatching(/no answer within 100 ms/) as string,
    })
    const other = await listening(createServer((socket) => socket.end('HTTP/1.1 400 Bad Request\r\n\r\n')))
    expect((await refusal(addressOf(url, { port: other, connectTimeoutMs: 1_000 }))).next).toBe('retry')
  })

  it('breaks when the signal aborts: while connecting, while asking, and before', async () => {
    const silent = await listening(createServer(() => undefined))
    const first = new AbortController()
    const connecting = connect(addressOf(url, { port: silent }), first.signal)
    first.abort()
    await expect(connecting).rejects.toMatchObject({ next: 'retry' })
    await expect(connect(addressOf(url), first.signal)).rejects.toMatchObject({ next: 'retry' })
    const { session: watcher } = await freshDatabase(url)
    const second = new AbortController()
    const session = await open(addressOf(url), second.signal)
    const asking = session.query('SELECT pg_sleep(60)')
    await eventually(watcher, `SELECT state FROM pg_stat_activity WHERE pid = ${session.processId}`, 'active')
    second.abort()
    await expect(asking).rejects.toMatchObject({ next: 'retry' })
    expect(session.isOpen).toBe(false)
    await eventually(watcher, `SELECT count(*) FROM pg_stat_activity WHERE pid = ${session.processId}`, '0')
  })
})

async function closedPort(): Promise<number> {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as { port: number }
  await new Promise((resolve) => server.close(resolve))
  return port
}

describe.skipIf(found.value === undefined)('Session', () => {
  it('tells the SQLSTATE, and goes on after an error', async () => {
    const session = await open(addressOf(url))
    const error: unknown = await session.query('SELECT * FROM nowhere', [], 'looking').catch((reason: unknown) => reason)
    expect(error).toMatchObject({
      next: 'fail',
      message: expect.stringMatching(/^looking at .*: relation "nowhere" does not exist/) as string,
    })
    expect(sqlStateOf(error)).toBe('42P01')
    expect(await session.query('SELECT 1 AS one')).toEqual([{ one: 1 }])
  })

  it('answers one after another', async () => {
    const session = await open(addressOf(url))
    const answers = await Promise.allSettled([session.query('SELECT 1 AS n'), session.query('SELECT 1/0'), session.query('SELECT 3 AS n')])
    expect(answers.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled'])
  })

  it('does not wait longer than it was told, and has the server end the statement', async () => {
    const { session: watcher } = await freshDatabase(url)
    const session = await open(addressOf(url, { queryTimeoutMs: 100 }))
    await expect(session.query('SELECT pg_sleep(60)')).rejects.toMatchObject({
      next: 'retry',
      message: expect.stringMatching(/no answer within 100 ms/) as string,
    })
    await eventually(watcher, `SELECT count(*) FROM pg_stat_activity WHERE pid = ${session.processId}`, '0')
    await expect(session.query('SELECT 1')).rejects.toMatchObject({ next: 'retry' })
  })

  it('is broken when the server ends it', async () => {
    const { session: watcher } = await freshDatabase(url)
    const session = await open(addressOf(url))
    const asking = session.query('SELECT pg_sleep(60)')
    await eventually(watcher, `SELECT state FROM pg_stat_activity WHERE pid = ${session.processId}`, 'active')
    await watcher.query(`SELECT pg_terminate_backend(${session.processId})`)
    await expect(asking).rejects.toMatchObject({ next: 'retry', message: expect.stringMatching(/administrator command/) as string })
    await expect(session.query('SELECT 1')).rejects.toMatchObject({ next: 'retry' })
  })

  it('closes while a statement is under way', async () => {
    const { session: watcher } = await freshDatabase(url)
    const session = await open(addressOf(url))
    const asking = session.query('SELECT pg_sleep(60)')
    await eventually(watcher, `SELECT state FROM pg_stat_activity WHERE pid = ${session.processId}`, 'active')
    await Promise.all([session.close(), expect(asking).rejects.toMatchObject({ next: 'retry' })])
    await eventually(watcher, `SELECT count(*) FROM pg_stat_activity WHERE pid = ${session.processId}`, '0')
  })
})

describe.skipIf(found.value === undefined)('createSlot', () => {
  it('exports the snapshot of its consistent point', async () => {
    const { address, session } = await freshDatabase(url, 'CREATE TABLE t (id int); INSERT INTO t VALUES (1)')
    const slot = await createSlot(address, { name: `slot_${address.database}`, isFailover: true }, signal)
    await session.query('INSERT INTO t VALUES (2)')
    await session.query('BEGIN ISOLATION LEVEL REPEATABLE READ')
    await session.query(`SET TRANSACTION SNAPSHOT '${slot.snapshotName}'`)
    await slot.release()
    await slot.release()
    expect(await session.query('SELECT id FROM t')).toEqual([{ id: 1 }])
    await session.query('COMMIT')
    const [made] = await session.query<{ lsn: string; failover: boolean }>(
      `SELECT confirmed_flush_lsn::text AS lsn${session.serverVersion >= 170_000 ? ', failover' : ''} FROM pg_replication_slots WHERE slot_name = 'slot_${address.database}'`,
    )
    expect(lsnOf(made?.lsn ?? '')).toBe(slot.consistentPoint)
    if (session.serverVersion >= 170_000) expect(made?.failover).toBe(true)
  })

  it('fails where the name is taken and where the user may not', async () => {
    const { address, session } = await freshDatabase(url)
    const name = `slot_${address.database}`
    await (await createSlot(address, { name, isFailover: false }, signal)).release()
    await expect(createSlot(address, { name, isFailover: false }, signal)).rejects.toMatchObject({ next: 'fail', code: 'already-there' })
    const role = `role_${address.database}`
    await session.query(`CREATE ROLE ${role} LOGIN PASSWORD 'p'`)
    onTestFinished(async () => {
      const admin = await open(addressOf(url))
      await admin.query(`DROP ROLE ${role}`)
    })
    await expect(createSlot({ ...address, user: role, password: 'p' }, { name: 'other', isFailover: false }, signal)).rejects.toMatchObject(
      {
        next: 'fail',
        code: 'replication-not-allowed',
      },
    )
  })

  it('leaves no slot behind when it is stopped while it waits for a transaction', async () => {
    const { address, session } = await freshDatabase(url, 'CREATE TABLE t (id int)')
    const writer = await open(address)
    await writer.query('BEGIN')
    await writer.query('INSERT INTO t VALUES (1)')
    const stop = new AbortController()
    const making = createSlot(address, { name: `slot_${address.database}`, isFailover: false }, stop.signal)
    const slots = `SELECT count(*) FROM pg_replication_slots WHERE database = '${address.database}'`
    await eventually(session, slots, '1')
    stop.abort()
    await expect(making).rejects.toMatchObject({ next: 'retry' })
    await eventually(session, slots, '0')
    await writer.query('ROLLBACK')
  })
})
