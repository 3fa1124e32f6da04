/** Searching by time where an index entry, a batch and the log's start do not meet. */
import { describe, expect, it } from 'vitest'
import { encodeBatch } from '../../hub/wire/index.ts'
import { batchOf, client, fill, openLog, START_MS } from './world.ts'

describe('search by time', () => {
  it.each(['CreateTime', 'LogAppendTime'] as const)('finds the first record of an indexed batch: %s', async (messageTimestampType) => {
    const { log, world } = await openLog({ messageTimestampType })
    for (let n = 0; n < 60; n++) {
      await world.clock.advance(10)
      log.append(batchOf(new Array<string>(10).fill('x'.repeat(100)), { timestampMs: world.clock.nowMs() }), client)
    }
    await log.whenSynced(600)
    const firstMs = world.clock.nowMs() - 590
    for (let n = 0; n < 60; n++) {
      const expected = { offset: n * 10, timestampMs: firstMs + n * 10, leaderEpoch: 0 }
      expect(await log.offsetForTimestamp(firstMs + n * 10 - 9)).toEqual(expected)
      expect(await log.offsetForTimestamp(firstMs + n * 10)).toEqual(expected)
    }
  })

  it('names no deleted record', async () => {
    const { log } = await openLog({ segmentBytes: 1000 })
    const times = [50, 10, 40, 40, 20, 30]
    for (const at of [0, 3]) {
      const records = times.slice(at, at + 3).map((ms) => ({ key: null, value: Buffer.alloc(300), timestampMs: START_MS + ms }))
      log.append(encodeBatch({ records }), client)
    }
    await log.whenSynced(6)
    expect(log.segmentCount).toBe(2)
    const found: (number | undefined)[][] = []
    for (let start = 0; start < 6; start++) {
      await log.advanceLogStart(start)
      found.push([(await log.maxTimestamp())?.offset, (await log.offsetForTimestamp(START_MS + 35))?.offset])
    }
    expect(found).toEqual([
      [0, 0],
      [2, 2],
      [2, 2],
      [3, 3],
      [5, undefined],
      [5, undefined],
    ])
    await log.advanceLogStart(6)
    expect([await log.maxTimestamp(), await log.offsetForTimestamp(0)]).toEqual([undefined, undefined])
  })

  it('looks into a segment whose file is not there yet', async () => {
    const { log } = await openLog({ segmentBytes: 300 })
    await fill(log, 1)
    for (let n = 0; n < 3; n++) log.append(batchOf(['x'.repeat(200)], { timestampMs: START_MS + 100 + n }), client)
    const searches = [log.offsetForTimestamp(START_MS + 101), log.maxTimestamp()]
    expect([log.segmentCount, log.writtenOffset]).toEqual([4, 1])
    expect((await Promise.all(searches)).map((found) => found?.offset)).toEqual([2, 3])
  })

  it('passes over a segment that goes while it is looked into', async () => {
    const { log, directory, world } = await openLog({ segmentBytes: 300 })
    await fill(log, 6, 200)
    await directory.close()
    const again = (await openLog({ segmentBytes: 300, retentionBytes: 600 }, { tailBytesPerLog: 0, tailBytesTotal: 0 }, world)).log
    let release = (): void => undefined
    const held = new Promise<void>((resolve) => (release = resolve))
    world.disk.intercept = ({ kind, path }) => (kind === 'open' && path.endsWith(`${'0'.repeat(20)}.log`) ? held : undefined)
    const searches = [again.offsetForTimestamp(0), again.maxTimestamp()]
    world.disk.intercept = undefined
    expect(await again.retain(6)).toBe(3)
    release()
    expect((await Promise.all(searches)).map((found) => found?.offset)).toEqual([3, 5])
  })
})
