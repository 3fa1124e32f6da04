import { setImmediate as turn } from 'node:timers/promises'
import type { SourceOffset } from '@millrace/sdk'
import { afterEach, describe, expect, it } from 'vitest'
import type { EventSettings } from '../../../connectors/postgres/events/index.ts'
import { Cursor, type Resume } from '../../../connectors/postgres/position.ts'
import { StreamPlace, sourcePartition } from '../../../connectors/postgres/position-place.ts'
import type { ReplicationStream, Session, StreamItem } from '../../../connectors/postgres/replication/index.ts'
import { streamChanges } from '../../../connectors/postgres/streaming.ts'
import { Heartbeat } from '../../../connectors/postgres/streaming-heartbeat.ts'
import { StreamTables } from '../../../connectors/postgres/streaming-tables.ts'

/** Messages of the server by protocol version 1, as bytes. */
function bytes(letter: string, ...parts: readonly (readonly [size: 1 | 2 | 4 | 8, value: number] | string)[]): Buffer {
  const encoded = parts.map((part) => {
    if (typeof part === 'string') return Buffer.from(part)
    const [size, value] = part
    const buffer = Buffer.alloc(size)
    if (size === 8) buffer.writeBigUInt64BE(BigInt(value))
    else buffer.writeUIntBE(value, 0, size)
    return buffer
  })
  return Buffer.concat([Buffer.from(letter), ...encoded])
}
const data = (walStart: number, message: Buffer): StreamItem => ({ kind: 'data', walStart, bytes: message })
const begin = (walStart: number, commitLsn: number, xid = 7) => data(walStart, bytes('B', [8, commitLsn], [8, 0], [4, xid]))
const commit = (commitLsn: number, endLsn: number) => data(endLsn, bytes('C', [1, 0], [8, commitLsn], [8, endLsn], [8, 0]))
const relation = data(0, bytes('R', [4, 1], 'public\0', 't\0', 'd', [2, 0]))
const insert = (walStart: number) => data(walStart, bytes('I', [4, 1], 'N', [2, 0]))
const keepalive = (walEnd: number, isReplyRequested = false): StreamItem => ({ kind: 'keepalive', walEnd, isReplyRequested })

/** A stream that says what a test says: what a real server sends within a transaction, and when, cannot be arranged. */
class ScriptedStream implements ReplicationStream {
  readonly processId = 1
  readonly #queue: (readonly StreamItem[])[] = []
  #wake: () => void = () => undefined

  async next(): Promise<readonly StreamItem[]> {
    for (let items = this.#queue.shift(); ; items = this.#queue.shift()) {
      if (items !== undefined) return items
      await new Promise<void>((resolve) => {
        this.#wake = resolve
      })
    }
  }

  push(...items: readonly StreamItem[]): void {
    this.#queue.push(items)
    this.#wake()
  }

  acknowledge(): void {}

  async close(): Promise<void> {}
}

const ends: AbortController[] = []
afterEach(() => {
  for (const end of ends.splice(0)) end.abort()
})

/** Streaming of a table that is not captured: positions move, and no record comes. */
function streaming(resume: Resume = { kind: 'position', commitLsn: 100, ordinal: 0 }, heartbeatMs = 0) {
  const stream = new ScriptedStream()
  const end = new AbortController()
  ends.push(end)
  const time = { nowMs: 0, acknowledged: 0, checked: Promise.resolve() }
  const advances: SourceOffset[] = []
  const cursor = new Cursor(resume)
  const quiet = () => undefined
  const generator = streamChanges({
    stream,
    tables: new StreamTables({} as Session, {} as EventSettings, () => false, new Map(), { warn: quiet }),
    cursor,
    place: new StreamPlace(cursor, sourcePartition('dbz'), null),
    heartbeat: new Heartbeat('beats', 'dbz', heartbeatMs, 0),
    offsets: { advance: (_partition, offset) => void advances.push(offset) },
    log: { debug: quiet, info: quiet, warn: quiet, error: quiet },
    batchCountMax: 10,
    batchBytesMax: 1_000,
    advanceIntervalMs: 50,
    doneLsn: resume.kind === 'position' ? resume.commitLsn : 0,
    searchEndLsn: 400,
    check: () => time.checked,
    isAcknowledged: (lsn) => lsn <= time.acknowledged,
    nowMs: () => time.nowMs,
    signal: end.signal,
  })
  const outcome = generator.next()
  outcome.catch(quiet)
  const push = async (nowMs: number, ...items: readonly StreamItem[]): Promise<readonly unknown[]> => {
    time.nowMs = nowMs
    stream.push(...items)
    await turn()
    return advances.map((offset) => offset['millrace_commit_lsn'])
  }
  return { push, time, outcome, advances }
}

describe('a position without a record', () => {
  it('moves between transactions only, and to what was sent', async () => {
    const { push } = streaming()
    expect(await push(60, begin(150, 200), relation, insert(150), keepalive(500))).toEqual([])
    expect(await push(120, commit(200, 210), begin(300, 350))).toEqual([210])
  })

  it('moves now and then', async () => {
    const { push } = streaming()
    expect(await push(49, keepalive(110))).toEqual([])
    expect(await push(50, keepalive(110))).toEqual([110])
    expect(await push(99, keepalive(120))).toEqual([110])
    expect(await push(100, keepalive(120))).toEqual([110, 120])
    // Nothing new.
    expect(await push(500, keepalive(120))).toEqual([110, 120])
  })

  it('does not move when nothing can come any more', async () => {
    const { push, time, outcome } = streaming()
    time.checked = Promise.reject(new Error('no publication'))
    time.checked.catch(() => undefined)
    expect(await push(60, keepalive(110))).toEqual([])
    await expect(outcome).rejects.toThrow('no publication')
  })

  it('does not move before the transaction that Debezium stored has come', async () => {
    const { push } = streaming({ kind: 'debezium', startLsn: 0, txId: 7, changeLsn: 150, eventCount: 1 })
    expect(await push(60, begin(110, 120, 6), relation, insert(110), commit(120, 130), keepalive(140))).toEqual([])
    expect(await push(120, begin(150, 200, 7), relation, insert(150), commit(200, 210))).toEqual([210])
  })

  it('moves when that transaction cannot come any more', async () => {
    const { push } = streaming({ kind: 'debezium', startLsn: 0, txId: 7, changeLsn: 150, eventCount: 1 })
    expect(await push(60, keepalive(399))).toEqual([])
    expect(await push(60, keepalive(400))).toEqual([400])
  })
})

describe('a server that wants everything acknowledged', () => {
  it('is given what there is at once, and is left when that takes long', async () => {
    const { push, outcome } = streaming()
    expect(await push(1, keepalive(110, true))).toEqual([110])
    expect(await push(1_000, keepalive(110, true))).toEqual([110])
    await push(1_001, keepalive(110, true))
    await expect(outcome).rejects.toMatchObject({ next: 'retry', message: expect.stringMatching(/shuts down/) })
  })

  it('is not left when it has got it, or goes on', async () => {
    const { push, time } = streaming()
    await push(1, keepalive(110, true))
    time.acknowledged = 110
    await push(2_000, keepalive(110, true))
    time.acknowledged = 0
    await push(2_001, keepalive(120, true))
    await push(2_900, begin(150, 200), commit(200, 210))
    expect(await push(3_500, keepalive(220, true))).toContain(220)
  })
})

describe('a heartbeat', () => {
  it.each([
    [{ kind: 'position', commitLsn: 100, ordinal: 0 }, 110],
    [{ kind: 'debezium', startLsn: 0, txId: 7, changeLsn: 150, eventCount: 1 }, undefined],
  ] as const)('after %j has the position %s', async (resume, expected) => {
    const { push, outcome } = streaming(resume, 10)
    await push(20, keepalive(110))
    const { value } = await outcome
    expect(value).toHaveLength(1)
    expect(value[0]).toMatchObject({ topic: 'beats', partition: 0, value: { ts_ms: 20n } })
    expect(value[0]?.sourceOffset?.['millrace_commit_lsn']).toBe(expected)
  })
})
