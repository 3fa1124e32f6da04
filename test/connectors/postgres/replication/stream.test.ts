import { createServer, connect as dial, type Socket } from 'node:net'
import { afterAll, describe, expect, it, onTestFinished } from 'vitest'
import type { PgOutputMessage } from '../../../../connectors/postgres/model.ts'
import { decodeMessage } from '../../../../connectors/postgres/pgoutput/index.ts'
import {
  createSlot,
  lsnText,
  openStream,
  type ReplicationStream,
  type ServerAddress,
  type Session,
  type StreamRequest,
} from '../../../../connectors/postgres/replication/index.ts'
import { streamLimits } from '../../../../connectors/postgres/replication/stream.ts'
import { service } from '../../../services.ts'
import { addressOf } from './address-of.ts'
import { eventually, freshDatabase } from './server.ts'

const found = await service('postgres')
if (found.value === undefined) console.log(`skipped: ${found.reason}`)
const url = found.value?.url ?? ''
afterAll(() => found.value?.stop())
const { signal } = new AbortController()

interface Scene {
  readonly address: ServerAddress
  readonly session: Session
  readonly slotName: string
  readonly consistentPoint: number
  readonly open: (change?: Partial<StreamRequest>, to?: ServerAddress) => Promise<ReplicationStream>
}

async function scene(setup = ''): Promise<Scene> {
  const { address, session } = await freshDatabase(
    url,
    `CREATE TABLE t (id int PRIMARY KEY, v text); CREATE PUBLICATION "p""q" FOR TABLE t;${setup}`,
  )
  const slotName = `slot_${address.database}`
  const slot = await createSlot(address, { name: slotName, isFailover: false }, signal)
  await slot.release()
  const open: Scene['open'] = async (change = {}, to = address) => {
    const request = {
      slotName,
      publicationNames: ['p"q'],
      startLsn: slot.consistentPoint,
      statusIntervalMs: 100,
      bufferBytesMax: 1 << 20,
      signal,
    }
    const stream = await openStream(to, { ...request, ...change })
    onTestFinished(() => stream.close())
    return stream
  }
  return { address, session, slotName, consistentPoint: slot.consistentPoint, open }
}

/** Reads until so many rows were inserted; what was read. */
async function untilInserts(stream: ReplicationStream, count: number): Promise<PgOutputMessage[]> {
  const messages: PgOutputMessage[] = []
  let insertCount = 0
  while (insertCount < count) {
    for (const item of await stream.next()) {
      if (item.kind !== 'data') continue
      const message = decodeMessage(item.bytes)
      if (message.kind === 'insert') insertCount++
      messages.push(message)
    }
  }
  return messages
}

/** Reads until it rejects. */
async function failure(stream: ReplicationStream): Promise<unknown> {
  try {
    for (;;) await stream.next()
  } catch (error) {
    return error
  }
}

const stand = (name: string) => `SELECT confirmed_flush_lsn FROM pg_replication_slots WHERE slot_name = '${name}'`

describe.skipIf(found.value === undefined)('openStream', () => {
  it('streams what is committed behind the start, with keepalives between', async () => {
    const { session, open } = await scene()
    const stream = await open()
    await session.query(`INSERT INTO t VALUES (1, 'a'), (2, NULL)`)
    const kinds = (await untilInserts(stream, 2)).map(({ kind }) => kind)
    expect(kinds.slice(0, 4)).toEqual(['begin', 'relation', 'insert', 'insert'])
    let keepaliveCount = 0
    let walEnd = 0
    while (keepaliveCount < 2) {
      for (const item of await stream.next()) {
        if (item.kind !== 'keepalive') continue
        keepaliveCount++
        walEnd = item.walEnd
      }
    }
    const [row] = await session.query<{ passed: boolean }>(`SELECT pg_current_wal_lsn() >= '${lsnText(walEnd)}'::pg_lsn AS passed`)
    expect(row?.passed).toBe(true)
  })

  it('acknowledges what it is told to, nothing else, and never less than before', async () => {
    const { session, slotName, consistentPoint, open } = await scene()
    const stream = await open()
    await session.query(`INSERT INTO t VALUES (1, 'a')`)
    let commit: Extract<PgOutputMessage, { readonly kind: 'commit' }> | undefined
    let keepaliveCount = 0
    while (commit === undefined || keepaliveCount < 3) {
      for (const item of await stream.next()) {
        const message = item.kind === 'data' ? decodeMessage(item.bytes) : null
        if (item.kind === 'keepalive') keepaliveCount++
        if (message?.kind === 'commit') commit = message
      }
    }
    await eventually(session, stand(slotName), lsnText(consistentPoint))
    stream.acknowledge(commit.endLsn)
    await eventually(session, stand(slotName), lsnText(commit.endLsn))
    stream.acknowledge(commit.endLsn - 1)
    await stream.next()
    await stream.close()
    await eventually(session, stand(slotName), lsnText(commit.endLsn))
    const again = await open()
    await session.query(`INSERT INTO t VALUES (2, 'b')`)
    expect((await untilInserts(again, 1)).filter(({ kind }) => kind === 'begin').length).toBe(1)
  })

  it('tells the last acknowledgement when it closes, and frees the slot', async () => {
    const { session, slotName, open } = await scene()
    const stream = await open({ statusIntervalMs: 60_000 })
    await session.query(`INSERT INTO t VALUES (1, 'a')`)
    await untilInserts(stream, 1)
    const [row] = await session.query<{ lsn: string }>('SELECT pg_current_wal_lsn()::text AS lsn')
    stream.acknowledge(Number.parseInt((row?.lsn ?? '').replace('/', ''), 16))
    const startedMs = Date.now()
    await stream.close()
    await stream.close()
    expect(Date.now() - startedMs).toBeLessThan(1_500)
    await eventually(session, `SELECT active FROM pg_replication_slots WHERE slot_name = '${slotName}'`, 'false')
    await eventually(session, stand(slotName), row?.lsn ?? '')
    await expect(stream.next()).rejects.toMatchObject({ message: expect.stringMatching(/the stream is closed/) as string })
  })

  it('keeps at most its bytes while nobody reads, and the server satisfied all the while', async () => {
    const { session, address, open } = await scene()
    const stream = await open({ bufferBytesMax: 100_000 }, { ...address, initialStatements: [`SET wal_sender_timeout = '600ms'`] })
    await session.query(`INSERT INTO t SELECT i, repeat('x', 1000) FROM generate_series(1, 30000) i`)
    // Three of the server's timeouts.
    await session.query('SELECT pg_sleep(2)')
    await eventually(session, `SELECT count(*) FROM pg_stat_replication WHERE pid = ${stream.processId}`, '1')
    let first = true
    let insertCount = 0
    while (insertCount < 30_000) {
      const items = await stream.next()
      if (first) expect(items.reduce((sum, item) => sum + (item.kind === 'data' ? item.bytes.length : 0), 0)).toBeLessThan(300_000)
      first = false
      for (const item of items) if (item.kind === 'data' && item.bytes[0] === 0x49) insertCount++
    }
  })

  it('passes on options of the plugin', async () => {
    const { session, open } = await scene()
    const stream = await open({ streamParams: { messages: 'true' } })
    await session.query(`SELECT pg_logical_emit_message(false, 'it''s', 'content')`)
    for (let seen = false; !seen; ) {
      for (const item of await stream.next()) {
        const message = item.kind === 'data' ? decodeMessage(item.bytes) : null
        if (message?.kind !== 'message') continue
        expect(message).toMatchObject({ prefix: "it's", isTransactional: false })
        expect(message.content.toString()).toBe('content')
        seen = true
      }
    }
  })
})

describe.skipIf(found.value === undefined)('openStream refuses', () => {
  it('a slot that is missing, in use, of another plugin, or of another database', async () => {
    const { session, address, slotName, open } = await scene()
    await expect(open({ slotName: 'missing' })).rejects.toMatchObject({
      next: 'fail',
      code: 'slot-missing',
      message: expect.stringMatching(
        /^streaming from slot "missing" at .*: replication slot "missing" does not exist; check slot\.name/,
      ) as string,
    })
    const stream = await open()
    await expect(open()).rejects.toMatchObject({
      next: 'retry',
      message: expect.stringMatching(new RegExp(`"${slotName}" is active for PID ${stream.processId}; it is tried again`)) as string,
    })
    await session.query(`SELECT pg_create_logical_replication_slot('other_${address.database}', 'test_decoding')`)
    await expect(open({ slotName: `other_${address.database}` })).rejects.toMatchObject({ next: 'fail', code: 'slot-elsewhere' })
    await stream.close()
    await expect(open({}, addressOf(url))).rejects.toMatchObject({ next: 'fail', code: 'slot-elsewhere' })
  })
})

/** A way to the server that can be stopped from passing anything on. */
async function proxy(to: ServerAddress): Promise<{ readonly address: ServerAddress; stall(): void; socketCount(): number }> {
  const sockets: Socket[] = []
  const server = createServer((near) => {
    const far = dial(to.port, to.hostname)
    sockets.push(near, far)
    near.on('error', () => far.destroy()).on('close', () => far.destroy())
    far.on('error', () => near.destroy()).on('close', () => near.destroy())
    near.pipe(far)
    far.pipe(near)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy()
    server.close()
  })
  return {
    address: { ...to, hostname: '127.0.0.1', port: (server.address() as { port: number }).port },
    stall: () => {
      for (const socket of sockets) {
        socket.unpipe()
        socket.pause()
      }
    },
    socketCount: () => sockets.filter(({ destroyed }) => !destroyed).length,
  }
}

describe.skipIf(found.value === undefined)('a stream that breaks', () => {
  it('gives what it had, then the error, when the server ends it', async () => {
    const { session, open } = await scene()
    const stream = await open()
    await session.query(`INSERT INTO t VALUES (1, 'a')`)
    await eventually(session, `SELECT sent_lsn = pg_current_wal_lsn() FROM pg_stat_replication WHERE pid = ${stream.processId}`, 'true')
    await session.query(`SELECT pg_terminate_backend(${stream.processId}, 5000)`)
    expect((await untilInserts(stream, 1)).length).toBeGreaterThan(0)
    expect(await failure(stream)).toMatchObject({
      next: 'retry',
      message: expect.stringMatching(/administrator command; it is tried again/) as string,
    })
    await expect(stream.next()).rejects.toMatchObject({ next: 'retry' })
  })

  it('is given up when nothing is heard any more', async () => {
    const { address, open } = await scene()
    const way = await proxy(address)
    const stream = await open({ statusIntervalMs: 50, silenceMs: 300 }, way.address)
    await stream.next()
    way.stall()
    const startedMs = Date.now()
    expect(await failure(stream)).toMatchObject({
      next: 'retry',
      message: expect.stringMatching(/nothing heard from the server for 300 ms/) as string,
    })
    expect(Date.now() - startedMs).toBeLessThan(3_000)
  })

  it('closes in bounded time while the way is stalled', async () => {
    const { address, open } = await scene()
    const way = await proxy(address)
    const stream = await open({}, way.address)
    way.stall()
    const startedMs = Date.now()
    await stream.close()
    expect(Date.now() - startedMs).toBeLessThan(2_500)
  })

  it('rejects when the signal aborts, and leaves nothing behind', async () => {
    const { session, slotName, address, open } = await scene()
    const before = timersAndSockets()
    const way = await proxy(address)
    const stop = new AbortController()
    const stream = await open({ signal: stop.signal }, way.address)
    const waiting = failure(stream)
    stop.abort()
    expect(await waiting).toMatchObject({ next: 'retry' })
    await stream.close()
    await eventually(session, `SELECT active FROM pg_replication_slots WHERE slot_name = '${slotName}'`, 'false')
    // The wait is a question, since a timer would be seen. The request to cancel has a connection of its own, which ends by itself.
    const deadlineMs = Date.now() + 5_000
    while (Date.now() < deadlineMs && timersAndSockets().length > before.length) await session.query('SELECT 1')
    // One that an earlier test left to close by itself may have gone meanwhile.
    expect(timersAndSockets().length).toBeLessThanOrEqual(before.length)
    expect(way.socketCount()).toBe(0)
  })

  it('fails when the publication was not there: going on would lose changes', async () => {
    const { session, open } = await scene()
    const stream = await open()
    await session.query('DROP PUBLICATION "p""q"')
    await session.query(`INSERT INTO t VALUES (1, 'a')`)
    expect(await failure(stream)).toMatchObject({ next: 'fail', code: 'publication-missing' })
  })

  it.skipIf(found.value?.faults === undefined)('lets the server stop once all is acknowledged, and does not argue until then', async () => {
    const { session, consistentPoint, open } = await scene()
    const stream = await open({ statusIntervalMs: 60_000 })
    stream.acknowledge(consistentPoint)
    await session.query(`INSERT INTO t VALUES (1, 'a')`)
    await untilInserts(stream, 1)
    // A server that was not told yet what is flushed waits for what was received only.
    await eventually(session, 'SELECT count(*) FROM pg_stat_replication WHERE flush_lsn IS NOT NULL', '1')
    onTestFinished(() => found.value?.faults?.restart())
    // The server may end this session before it has answered.
    await session.query(`COPY (SELECT) TO PROGRAM 'kill -INT $(head -1 postmaster.pid)'`).catch(() => undefined)
    const startedMs = Date.now()
    let requestCount = 0
    try {
      for (;;) {
        for (const item of await stream.next()) {
          if (item.kind !== 'keepalive' || !item.isReplyRequested) continue
          requestCount++
          if (requestCount === 5) stream.acknowledge(item.walEnd)
        }
      }
    } catch (error) {
      expect(error).toMatchObject({ next: 'retry' })
    }
    // The first is answered at once, each later one a while after the one before.
    expect(Date.now() - startedMs).toBeGreaterThan(3 * streamLimits.replyMs)
    expect(requestCount).toBeLessThan(8)
  })

  it.skipIf(found.value?.faults === undefined)('is retried when the server is killed, and streams again after its restart', async () => {
    const { session, open } = await scene()
    const stream = await open()
    await session.query(`INSERT INTO t VALUES (1, 'a')`)
    await untilInserts(stream, 1)
    onTestFinished(() => found.value?.faults?.restart())
    await found.value?.faults?.kill()
    expect(await failure(stream)).toMatchObject({ next: 'retry' })
    await expect(open()).rejects.toMatchObject({ next: 'retry' })
    await found.value?.faults?.restart()
    expect((await untilInserts(await open(), 1)).map(({ kind }) => kind).slice(0, 3)).toEqual(['begin', 'relation', 'insert'])
  })
})

/** Of this process, besides what stands in a pool of Node's own. */
function timersAndSockets(): string[] {
  return process
    .getActiveResourcesInfo()
    .filter((name) => name === 'Timeout' || name === 'TCPSocketWrap' || name === 'TLSWrap')
    .sort()
}
