import { describe, expect, it } from 'vitest'
import { decodeRecords } from '../../hub/wire/index.ts'
import { batchOf, client, EVERYTHING, fill, openLog, range, START_MS, testWorld, walk } from './world.ts'

describe('retention', () => {
  it('by size drops what is over, and the log start follows', async () => {
    const { log, world, directory } = await openLog({ segmentBytes: 1000, retentionBytes: 2500, fileDeleteDelayMs: 60_000 })
    await fill(log, 30)
    const before = log.segmentCount
    expect(await log.retain(0)).toBe(0)
    const removed = await log.retain(30)
    expect(removed).toBe(before - log.segmentCount)
    expect(log.sizeBytes).toBeGreaterThanOrEqual(2500)
    expect(log.sizeBytes).toBeLessThan(3500)
    expect(log.logStartOffset).toBeGreaterThan(0)
    expect((await walk(log, log.logStartOffset, 1000))[0]).toBe(log.logStartOffset)
    const marked = async (): Promise<number> => (await world.disk.list('/data/t-0')).filter((name) => name.endsWith('.log.deleted')).length
    expect(await marked()).toBe(removed)
    await world.clock.advance(62_000)
    expect(await marked()).toBe(0)
    const start = log.logStartOffset
    await directory.close()
    expect((await openLog({}, {}, world)).log.logStartOffset).toBe(start)
  })

  it('by time drops the expired, the active segment too, and offsets go on', async () => {
    const { log, world, directory } = await openLog({ segmentBytes: 1000, retentionMs: 10_000 })
    await fill(log, 30)
    world.clock.setWallClock(START_MS + 10_100)
    const removed = await log.retain(30)
    expect(removed).toBeGreaterThan(0)
    expect(log.segmentCount).toBeGreaterThan(1)
    world.clock.setWallClock(START_MS + 60_000)
    await log.retain(30)
    expect([log.segmentCount, log.sizeBytes, log.logStartOffset, log.logEndOffset]).toEqual([1, 0, 30, 30])
    log.append(batchOf(['new'], { timestampMs: START_MS + 60_000 }), client)
    await log.whenSynced(31)
    await directory.close()
    const again = await openLog({}, {}, world)
    expect([again.log.logStartOffset, again.log.logEndOffset]).toEqual([30, 31])
  })

  it('runs by itself', async () => {
    const { log, world } = await openLog({ segmentBytes: 1000, retentionBytes: 0 }, { retentionCheckMs: 5000 })
    await fill(log, 30)
    await world.clock.advance(7000)
    expect([log.segmentCount, log.logStartOffset]).toEqual([1, 30])
  })

  it('forgets producers that were silent for long, not those that send old records', async () => {
    const { log, world } = await openLog({}, { retentionCheckMs: 1000, producerIdExpirationMs: 10_000 })
    const send = (baseSequence: number): unknown =>
      log.append(batchOf(['v'], { producerId: 5, producerEpoch: 0, baseSequence, timestampMs: 1 }), client)
    send(0)
    await world.clock.advance(5000)
    expect(send(0)).toMatchObject({ duplicate: true, baseOffset: 0 })
    expect(send(7)).toMatchObject({ kind: 'refused' })
    await world.clock.advance(8000)
    expect(send(7)).toMatchObject({ kind: 'appended', duplicate: false })
  })

  it('compacted topics keep everything', async () => {
    const { log, world } = await openLog({ segmentBytes: 1000, retentionMs: 1, retentionBytes: 1, cleanupPolicies: new Set(['compact']) })
    await fill(log, 30)
    world.clock.setWallClock(START_MS + 60_000)
    expect(await log.retain(30)).toBe(0)
  })

  it('delete-records moves the start durably and drops whole segments below', async () => {
    const { log, world, directory } = await openLog({ segmentBytes: 1000 })
    await fill(log, 30)
    const before = log.segmentCount
    await log.advanceLogStart(17)
    expect(log.logStartOffset).toBe(17)
    expect(log.segmentCount).toBeLessThan(before)
    await expect(log.advanceLogStart(31)).rejects.toThrow(RangeError)
    await log.advanceLogStart(5)
    expect(log.logStartOffset).toBe(17)
    await directory.abandon()
    const again = await openLog({}, {}, testWorld(world.disk.crash()))
    expect(again.log.logStartOffset).toBe(17)
  })

  it('delete-records leaves the judgement by time and size to their own hour', async () => {
    const { log, world } = await openLog({ segmentBytes: 1000, retentionMs: 60_000, retentionBytes: 0 })
    await fill(log, 30)
    world.clock.setWallClock(START_MS + 3_600_000)
    await log.advanceLogStart(1)
    expect([log.logStartOffset, log.logEndOffset]).toEqual([1, 30])
  })

  it('a reader that is at work when its segment goes still gets its bytes', async () => {
    const { log, world } = await openLog({ segmentBytes: 20_000, retentionBytes: 0 }, { tailBytesPerLog: 0, tailBytesTotal: 0 })
    await fill(log, 10, 9000)
    let release = (): void => undefined
    const held = new Promise<void>((resolve) => (release = resolve))
    let readCount = 0
    world.disk.intercept = ({ kind, path }) =>
      kind === 'read' && path.endsWith('00000000000000000000.log') && readCount++ === 0 ? held : undefined
    // The batch is larger than the first read, so that a second one follows.
    const reading = log.read(0, { ...EVERYTHING, maxBytes: 1 })
    await Promise.resolve()
    expect(await log.retain(10)).toBe(5)
    release()
    expect((await reading).sizeBytes).toBeGreaterThan(9000)
    expect(readCount).toBe(2)
  })
})

describe('truncate', () => {
  it('drops what is at and beyond the offset, in memory and on disk', async () => {
    const { log, world, directory } = await openLog({ segmentBytes: 1000, indexIntervalBytes: 200 })
    await fill(log, 30)
    await log.truncate(11)
    expect([log.logEndOffset, log.writtenOffset, log.syncedOffset]).toEqual([11, 11, 11])
    expect(await walk(log, 0, 500)).toEqual(range(0, 11))
    log.append(batchOf(['other']), client)
    await log.whenSynced(12)
    expect(decodeRecords((await log.read(11, EVERYTHING)).records[0] as Buffer, 0).map((record) => String(record.value))).toEqual(['other'])
    await directory.abandon()
    const again = await openLog({}, {}, testWorld(world.disk.crash()))
    expect(await walk(again.log, 0, 500)).toEqual(range(0, 12))
    await again.log.truncate(0)
    expect(again.log.logEndOffset).toBe(0)
  })
})
