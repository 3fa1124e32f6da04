import { afterAll, describe, expect, it, onTestFinished } from 'vitest'
import { copyLimits } from '../../../../connectors/postgres/replication/copy-rows.ts'
import { connect, copyRows, rowCursor, type Session } from '../../../../connectors/postgres/replication/index.ts'
import { service } from '../../../services.ts'
import { addressOf } from './address-of.ts'
import { eventually, freshDatabase } from './server.ts'

const found = await service('postgres')
if (found.value === undefined) console.log(`skipped: ${found.reason}`)
const url = found.value?.url ?? ''
afterAll(() => found.value?.stop())
const { signal } = new AbortController()

async function open(change = {}): Promise<Session> {
  const session = await connect(addressOf(url, change), signal)
  onTestFinished(() => session.close())
  return session
}

/** Rows one at a time: a series in FROM would be made whole before the first is sent. */
const endless = `SELECT repeat('x', 1000) || generate_series(1, 1000000000)`

async function allRows(session: Session, query: string, columnCount: number): Promise<(string | null)[][]> {
  const cursor = rowCursor(columnCount)
  const rows: (string | null)[][] = []
  for await (const some of copyRows(session, query, columnCount, signal)) {
    while (some.next(cursor) !== null) {
      const { bytes, bounds } = cursor
      rows.push(
        Array.from({ length: columnCount }, (_, index) => {
          const start = bounds[2 * index] as number
          return start < 0 ? null : bytes.toString('utf8', start, bounds[2 * index + 1])
        }),
      )
    }
  }
  return rows
}

describe.skipIf(found.value === undefined)('copyRows', () => {
  it('gives what a query gives, values of a few bytes and of megabytes', async () => {
    const session = await open()
    const query = `SELECT i::text AS a, CASE WHEN i % 7 = 0 THEN NULL ELSE repeat(chr(1 + i % 300), i % 50) || E'\\t\\\\N\\n' END AS b,
      CASE WHEN i % 400 = 0 THEN repeat('größe', 600000) ELSE '' END AS c FROM generate_series(1, 1200) i`
    const expected = await session.query<{ a: string; b: string | null; c: string }>(query)
    const rows = await allRows(session, query, 3)
    expect(rows.length).toBe(1_200)
    expected.forEach(({ a, b, c }, index) => {
      const [ours] = rows.slice(index)
      if (ours?.[0] !== a || ours[1] !== b || ours[2] !== c) throw new Error(`row ${a} differs`)
    })
    expect(await session.query('SELECT 1 AS n')).toEqual([{ n: 1 }])
    expect(await allRows(session, 'SELECT 1 WHERE false', 1)).toEqual([])
  })

  it('holds two rows with two cursors', async () => {
    const session = await open()
    const cursors = [rowCursor(1), rowCursor(1)] as const
    for await (const rows of copyRows(session, `SELECT 'a' || i FROM generate_series(1, 2) i`, 1, signal)) {
      for (const cursor of cursors) rows.next(cursor)
    }
    expect(cursors.map(({ bytes, bounds }) => bytes.toString('utf8', bounds[0], bounds[1]))).toEqual(['a1', 'a2'])
  })

  it('reads no further than the consumer and its buffer', async () => {
    const session = await open()
    const { session: watcher } = await freshDatabase(url)
    const iterator = copyRows(session, `SELECT repeat('x', 10000) FROM generate_series(1, 20000)`, 1, signal)
    let byteCount = (await iterator.next()).value?.byteCount ?? 0
    // The server is stuck in its write: 200 MB do not fit into any socket.
    await eventually(watcher, `SELECT wait_event FROM pg_stat_activity WHERE pid = ${session.processId}`, 'ClientWrite')
    for (;;) {
      const { value: rows, done } = await iterator.next()
      if (done === true) break
      expect(rows.byteCount).toBeLessThan(copyLimits.bufferBytesMax + 1024 * 1024)
      byteCount += rows.byteCount
    }
    expect(byteCount).toBe(20_000 * (5 + 10_000 + 1))
  })

  it('rejects when the server fails half-way, and the session goes on', async () => {
    const session = await open()
    await expect(allRows(session, 'SELECT 1 / (5000 - i) FROM generate_series(1, 6000) i', 1)).rejects.toMatchObject({
      next: 'fail',
      code: '22012',
      message: expect.stringMatching(/^copying at .*: division by zero/) as string,
    })
    expect(await session.query('SELECT 1 AS n')).toEqual([{ n: 1 }])
  })

  it('refuses a statement while it runs, and a row of other columns than asked for', async () => {
    const session = await open()
    const iterator = copyRows(session, 'SELECT 1, 2', 1, signal)
    const { value: rows } = await iterator.next()
    await expect(session.query('SELECT 1')).rejects.toThrow('a copy is under way')
    expect(() => (rows as { next(into: unknown): unknown }).next(rowCursor(1))).toThrow('a row of more columns where 1 were asked for')
    expect((await iterator.next()).done).toBe(true)
  })

  it('ends at the server too when the consumer breaks off, and when the signal aborts', async () => {
    const { session: watcher } = await freshDatabase(url)
    const first = await open()
    for await (const rows of copyRows(first, endless, 1, signal)) if (rows.byteCount > 0) break
    expect(first.isOpen).toBe(false)
    await eventually(watcher, `SELECT count(*) FROM pg_stat_activity WHERE pid = ${first.processId}`, '0')

    const second = await open()
    const stop = new AbortController()
    const iterator = copyRows(second, endless, 1, stop.signal)
    await iterator.next()
    stop.abort()
    await expect(untilEnd(iterator)).rejects.toMatchObject({ next: 'retry' })
    await eventually(watcher, `SELECT count(*) FROM pg_stat_activity WHERE pid = ${second.processId}`, '0')
  })

  it('gives up a server that stays silent', async () => {
    const session = await open({ queryTimeoutMs: 200 })
    await expect(allRows(session, 'SELECT pg_sleep(60)', 1)).rejects.toMatchObject({
      next: 'retry',
      message: expect.stringMatching(/no row within 200 ms/) as string,
    })
  })

  it('rejects when the connection is cut', async () => {
    const { session: watcher } = await freshDatabase(url)
    const session = await open()
    const iterator = copyRows(session, endless, 1, signal)
    await iterator.next()
    await watcher.query(`SELECT pg_terminate_backend(${session.processId})`)
    await expect(untilEnd(iterator)).rejects.toMatchObject({ next: 'retry' })
  })
})

async function untilEnd(iterator: AsyncIterable<unknown>): Promise<number> {
  let count = 0
  for await (const _ of iterator) count++
  return count
}
