import { describe, expect, it } from 'vitest'
import { seededRandom } from '../../hub/io/index.ts'
import type { PartitionLog } from '../../hub/log/index.ts'
import { LogClosedError } from '../../hub/log/index.ts'
import { batchHeader, encodeBatch } from '../../hub/wire/index.ts'
import { batchOf, client, EVERYTHING, fill, openLog, range, START_MS, testWorld, walk } from './world.ts'

describe('marks', () => {
  it('come in order, and those who wait are woken in order', async () => {
    const { log, world } = await openLog()
    const events: string[] = []
    log.onAdvance(() => events.push(`${log.logEndOffset} ${log.writtenOffset} ${log.syncedOffset}`))
    log.append(batchOf(['a']), client)
    log.append(batchOf(['b']), client)
    const waits = [log.whenSynced(2), log.whenSynced(1), log.whenWritten(2), log.whenWritten(0)]
    expect([log.logEndOffset, log.writtenOffset, log.syncedOffset]).toEqual([2, 0, 0])
    let syncCount = 0
    world.disk.intercept = (operation) => void (operation.kind === 'sync' && syncCount++)
    await Promise.all(waits)
    expect(events).toEqual(['2 2 0', '2 2 2'])
    expect(syncCount).toBe(1)
  })

  it('a round takes everything that was appended during the one before: one write, one sync each', async () => {
    const { log, world } = await openLog()
    const operations: string[] = []
    let release = (): void => undefined
    const held = new Promise<void>((resolve) => (release = resolve))
    world.disk.intercept = ({ kind, path, sizeBytes }) => {
      if (!path.endsWith('.log')) return undefined
      operations.push(`${kind} ${sizeBytes}`)
      return kind === 'sync' && operations.length === 2 ? held : undefined
    }
    log.append(batchOf(['a']), client)
    await log.whenWritten(1)
    for (let n = 0; n < 5; n++) log.append(batchOf(['b']), client)
    expect(log.writtenOffset).toBe(1)
    release()
    await log.whenSynced(6)
    const one = batchOf(['a']).length
    expect(operations).toEqual([`write ${one}`, 'sync 0', `write ${5 * one}`, 'sync 0'])
  })

  it('closing tells who waits, and takes nothing more', async () => {
    const { log, directory } = await openLog()
    log.append(batchOf(['a']), client)
    const unreachable = log.whenSynced(99)
    await Promise.all([expect(unreachable).rejects.toThrow(LogClosedError), directory.close()])
    expect(log.syncedOffset).toBe(1)
    expect(() => log.append(batchOf(['a']), client)).toThrow(LogClosedError)
    await expect(log.whenSynced(2)).rejects.toThrow(LogClosedError)
  })
})

describe('read', () => {
  it('returns the whole batch that holds the offset, from memory at once', async () => {
    const { log } = await openLog()
    log.append(batchOf(['a', 'b', 'c']), client)
    const found = log.readFromMemory(1, { ...EVERYTHING, endOffset: 3 })
    expect(found?.records.map((chunk) => batchHeader.baseOffset(chunk, 0))).toEqual([0])
    expect(log.readFromMemory(3, EVERYTHING)).toEqual({ records: [], sizeBytes: 0 })
    expect(await log.read(99, EVERYTHING)).toEqual({ records: [], sizeBytes: 0 })
  })

  it.each([
    ['memory', 1 << 30],
    ['the file', 0],
  ])('keeps its limits, out of %s', async (_where, tailBytesPerLog) => {
    const { log } = await openLog({}, { tailBytesPerLog, tailBytesTotal: tailBytesPerLog })
    await fill(log, 20)
    await fill(log, 1, 40_000)
    await fill(log, 5)
    const one = batchOf(['x'.repeat(100)]).length
    const sizes = async (offset: number, maxBytes: number, minOneBatch: boolean, endOffset = 26): Promise<number[]> =>
      (await log.read(offset, { maxBytes, minOneBatch, endOffset })).records.flatMap((chunk) => {
        const all: number[] = []
        for (let at = 0; at < chunk.length; at += batchHeader.sizeBytes(chunk, at)) all.push(batchHeader.baseOffset(chunk, at))
        return all
      })
    expect(await sizes(3, 3 * one + 10, true)).toEqual([3, 4, 5])
    expect(await sizes(3, 3 * one, false)).toEqual([3, 4, 5])
    expect(await sizes(3, one - 1, true)).toEqual([3])
    expect(await sizes(3, one - 1, false)).toEqual([])
    expect(await sizes(18, 10_000, true)).toEqual([18, 19])
    expect(await sizes(20, 10_000, true)).toEqual([20])
    expect(await sizes(20, 10_000, false)).toEqual([])
    expect(await sizes(18, 1 << 20, true)).toEqual([18, 19, 20, 21, 22, 23, 24, 25])
    expect(await sizes(3, 1 << 20, true, 6)).toEqual([3, 4, 5])
    expect(await sizes(6, 1 << 20, true, 6)).toEqual([])
  })

  it('reads every record of many segments out of files, whatever the size of the pieces', async () => {
    const { log, directory, world } = await openLog(
      { segmentBytes: 20_000, indexIntervalBytes: 512 },
      { tailBytesPerLog: 2000, tailBytesTotal: 2000, closedSegmentsOpenMax: 2 },
    )
    const random = seededRandom(3)
    for (let n = 0; n < 600; n++) {
      log.append(batchOf(['v'.repeat(Math.floor(random.float() * 3000 * (n % 7 === 0 ? 5 : 0.1)))], { timestampMs: START_MS + n }), client)
      if (n % 50 === 0) await log.whenSynced(log.logEndOffset)
    }
    await log.whenSynced(600)
    expect(log.segmentCount).toBeGreaterThan(10)
    for (const maxBytes of [1, 700, 5000, 1 << 20]) expect(await walk(log, 0, maxBytes)).toEqual(range(0, 600))
    for (let n = 0; n < 50; n++) {
      const from = Math.floor(random.float() * 600)
      const { records } = await log.read(from, { ...EVERYTHING, maxBytes: 1000 })
      expect(batchHeader.baseOffset(records[0] as Buffer, 0)).toBe(from)
    }
    await directory.close()
    const again = await openLog({ segmentBytes: 20_000 }, { closedSegmentsOpenMax: 2 }, world)
    expect(await walk(again.log, 0, 5000)).toEqual(range(0, 600))
  })

  it('names the file and the place when an old segment is damaged, and goes on behind it', async () => {
    const { log, directory, world } = await openLog({ segmentBytes: 5000, indexIntervalBytes: 300 })
    await fill(log, 100)
    await directory.close()
    const path = '/data/t-0/00000000000000000000.log'
    const file = await world.disk.open(path, 'write')
    const size = batchOf(['x'.repeat(100)]).length
    await file.write([Buffer.alloc(20, 0xff)], 5 * size)
    await file.sync()
    const again = await openLog({ segmentBytes: 5000 }, {}, world)
    expect(await walk(again.log, 40, 1000)).toEqual(range(40, 100))
    const found = await again.log.read(0, { ...EVERYTHING, maxBytes: 3 * size })
    expect(found.sizeBytes).toBe(3 * size)
    await expect(again.log.read(5, EVERYTHING)).rejects.toThrow(`${path} is corrupt: at byte ${5 * size}`)
    expect(again.log.append(batchOf(['new']), client)).toMatchObject({ baseOffset: 100 })
  })
})

describe('segments', () => {
  it('roll by size, and a batch never spans two', async () => {
    const { log, world } = await openLog({ segmentBytes: 1000 })
    await fill(log, 30)
    const one = batchOf(['x'.repeat(100)]).length
    const perSegment = Math.floor(1000 / one)
    expect(log.segmentCount).toBe(Math.ceil(30 / perSegment))
    expect(log.sizeBytes).toBe(30 * one)
    const names = (await world.disk.list('/data/t-0')).filter((name) => name.endsWith('.log'))
    expect(names).toEqual(range(0, log.segmentCount).map((n) => `${String(n * perSegment).padStart(20, '0')}.log`))
    for (const name of names.slice(0, -1)) expect((await world.disk.facts(`/data/t-0/${name}`))?.sizeBytes).toBe(perSegment * one)
  })

  it('roll by the time in the records, jitter taken off', async () => {
    const { log } = await openLog({ segmentMs: 1000 })
    await fill(log, 101, 10, 10)
    expect(log.segmentCount).toBe(1)
    log.append(batchOf(['late'], { timestampMs: START_MS + 1001 }), client)
    expect(log.segmentCount).toBe(2)
    const jittered = await openLog({ segmentMs: 1000, segmentJitterMs: 1000 }, {}, testWorld())
    await fill(jittered.log, 101, 10, 10)
    expect(jittered.log.segmentCount).toBeGreaterThan(1)
  })

  it('roll by the wall clock when records have no time', async () => {
    const { log, world } = await openLog({ segmentMs: 1000 })
    const untimed = (): Buffer => batchOf(['v'], { timestampMs: -1 })
    log.append(untimed(), client)
    world.clock.setWallClock(START_MS + 1001)
    log.append(untimed(), client)
    expect(log.segmentCount).toBe(2)
  })

  it('roll when an index is full', async () => {
    const { log } = await openLog({ segmentIndexBytes: 24, indexIntervalBytes: 1 })
    await fill(log, 10)
    // Two time entries of 12 bytes fit, one place is kept for the last one: the time index is full after one entry.
    expect(log.segmentCount).toBe(5)
  })

  it('roll when an offset no longer fits into 31 bits', async () => {
    const { log } = await openLog()
    const raft = { origin: 'raft', leaderEpoch: 0 } as const
    log.append(batchOf(['a'], { lastOffsetDelta: 2 ** 31 - 1 }), raft)
    expect([log.segmentCount, log.logEndOffset]).toEqual([1, 2 ** 31])
    log.append(batchOf(['b']), raft)
    expect(log.segmentCount).toBe(2)
    await log.whenSynced(log.logEndOffset)
    expect((await log.read(2 ** 31, EVERYTHING)).records).toHaveLength(1)
  })

  it('have index files whose sizes are multiples of an entry once they are closed', async () => {
    const { log, directory, world } = await openLog({ segmentBytes: 3000, indexIntervalBytes: 200 })
    await fill(log, 100)
    await directory.close()
    const names = await world.disk.list('/data/t-0')
    for (const base of names.filter((name) => name.endsWith('.log')).map((name) => name.slice(0, 20))) {
      const [offsets, times] = [
        await world.disk.readFile(`/data/t-0/${base}.index`),
        await world.disk.readFile(`/data/t-0/${base}.timeindex`),
      ]
      expect([offsets.length % 8, times.length % 12]).toEqual([0, 0])
      expect(offsets.length).toBeGreaterThan(0)
      // The last time entry of a closed segment is its largest time.
      expect(Number(times.readBigInt64BE(times.length - 12))).toBeGreaterThan(START_MS)
    }
  })
})

describe('search by time', () => {
  it('finds the first record at or after a time, inside its batch, in every segment and after a restart', async () => {
    const { log, directory, world } = await openLog({ segmentBytes: 2000, indexIntervalBytes: 200 })
    const times: number[] = []
    for (let n = 0; n < 60; n++) {
      // Three records per batch, out of order inside it, and every tenth batch from the past.
      const base = START_MS + n * 30 - (n % 10 === 9 ? 500 : 0)
      const records = [base + 5, base, base + 20]
      times.push(...records)
      log.append(
        encodeBatch({
          compression: n % 2 ? 'lz4' : 'none',
          records: records.map((timestampMs) => ({ key: null, value: Buffer.from('v'), timestampMs })),
        }),
        client,
      )
    }
    await log.whenSynced(180)
    const check = async (of: PartitionLog): Promise<void> => {
      for (const time of [0, START_MS, START_MS + 1, START_MS + 444, START_MS + 900, START_MS + 1789, START_MS + 5000]) {
        const expected = times.findIndex((candidate) => candidate >= time)
        const found = await of.offsetForTimestamp(time)
        if (expected < 0) expect(found).toBeUndefined()
        else expect(found).toEqual({ offset: expected, timestampMs: times[expected], leaderEpoch: 0 })
      }
      const greatest = Math.max(...times)
      expect(await of.maxTimestamp()).toEqual({ offset: times.indexOf(greatest), timestampMs: greatest, leaderEpoch: 0 })
    }
    await check(log)
    await directory.close()
    const again = await openLog({ segmentBytes: 2000 }, { tailBytesPerLog: 0 }, world)
    await check(again.log)
    await again.log.advanceLogStart(100)
    expect((await again.log.offsetForTimestamp(0))?.offset).toBe(100)
  })

  it('an empty log has no time', async () => {
    const { log } = await openLog()
    expect(await log.offsetForTimestamp(0)).toBeUndefined()
    expect(await log.maxTimestamp()).toBeUndefined()
  })
})

describe('leader epochs', () => {
  it('answer as KIP-101 says, and survive', async () => {
    const { log, directory, world } = await openLog()
    expect([log.latestEpoch, log.endOffsetForEpoch(0).endOffset, log.epochForOffset(0)]).toEqual([-1, -1, -1])
    for (const leaderEpoch of [2, 2, 5, 9, 9]) log.append(batchOf(['v']), { origin: 'client', leaderEpoch })
    await log.whenSynced(5)
    const check = (of: PartitionLog): void => {
      expect(of.latestEpoch).toBe(9)
      expect([0, 1, 2, 3, 4, 99].map((offset) => of.epochForOffset(offset))).toEqual([2, 2, 5, 9, 9, 9])
      expect([1, 2, 4, 5, 8, 9, 10].map((epoch) => Object.values(of.endOffsetForEpoch(epoch)))).toEqual([
        [1, 0],
        [2, 2],
        [2, 2],
        [5, 3],
        [5, 3],
        [9, 5],
        [-1, -1],
      ])
    }
    check(log)
    await directory.close()
    expect((await world.disk.readFile('/data/t-0/leader-epoch-checkpoint')).toString()).toBe('0\n3\n2 0\n5 2\n9 3\n')
    const again = await openLog({}, {}, world)
    check(again.log)
    await again.log.advanceLogStart(3)
    expect([again.log.epochForOffset(2), again.log.epochForOffset(3)]).toEqual([-1, 9])
  })
})
