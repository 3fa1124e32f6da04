/** What a start may believe of what the last process left: the clean mark, and bytes that were written and perhaps never synced. */
import { describe, expect, it } from 'vitest'
import type { DiskOperation, MemoryDisk } from '../../hub/io/index.ts'
import { LogFencedError, type PartitionLog } from '../../hub/log/index.ts'
import { checkBatch } from '../../hub/wire/index.ts'
import { batchOf, CONFIG, client, EVERYTHING, fill, TOPIC_ID, testWorld } from './world.ts'

const MARK = '/data/.kafka_cleanshutdown'
const FIRST_FILE = '/data/t-0/00000000000000000000.log'
const failure = (code: string): Error => Object.assign(new Error(`${code}: injected`), { code })

/** Puts the bytes at the end of the file, synced, as a torn write may look after a power cut. */
async function tear(disk: MemoryDisk, path: string): Promise<void> {
  const file = await disk.open(path, 'write')
  const torn = batchOf(['torn'.repeat(50)], { baseOffset: 5 })
  torn.fill(0, 100)
  await file.write([torn], await file.sizeBytes())
  await file.sync()
  await file.close()
}

/** Logs `t-0` and `t-1` of five records each; `t-0` ends in a torn write when the process was killed. */
async function twoLogs(end: 'closed' | 'killed') {
  const world = testWorld()
  const directory = await world.open()
  for (const partition of [0, 1]) await fill(await directory.openLog('t', partition, TOPIC_ID, CONFIG), 5)
  if (end === 'closed') await directory.close()
  else {
    await directory.abandon()
    await tear(world.disk, FIRST_FILE)
  }
  const isMarked = async (): Promise<boolean> => (await world.disk.facts(MARK)) !== undefined
  return { world, isMarked }
}

describe('the clean mark', () => {
  it.each([[], [1]])('is not given to a log that was never checked (%#)', async (...opened) => {
    const { world, isMarked } = await twoLogs('killed')
    const second = await world.open()
    for (const partition of opened) await second.openLog('t', partition, TOPIC_ID, CONFIG)
    await second.close()
    expect(await isMarked()).toBe(false)
    const third = await world.open()
    const log = await third.openLog('t', 0, TOPIC_ID, CONFIG)
    expect([log.logEndOffset, third.recoveries[0]?.truncatedBytes]).toEqual([5, expect.any(Number)])
    expect(third.recoveries[0]?.truncatedBytes).toBeGreaterThan(0)
    await third.openLog('t', 1, TOPIC_ID, CONFIG)
    await third.close()
    expect(await isMarked()).toBe(true)
  })

  it.each([[], [1]])('that was found is kept for logs that nobody touched (%#)', async (...opened) => {
    const { world, isMarked } = await twoLogs('closed')
    const second = await world.open()
    expect(await isMarked()).toBe(false)
    for (const partition of opened) await fill(await second.openLog('t', partition, TOPIC_ID, CONFIG), 1)
    await second.close()
    expect(await isMarked()).toBe(true)
  })

  it('is kept when a log could not even be opened', async () => {
    const { world, isMarked } = await twoLogs('closed')
    const second = await world.open()
    world.disk.intercept = ({ kind, path }) => {
      if (kind === 'open' && path === FIRST_FILE) throw failure('EIO')
    }
    await expect(second.openLog('t', 0, TOPIC_ID, CONFIG)).rejects.toThrow('EIO')
    await second.close()
    expect(await isMarked()).toBe(true)
    world.disk.intercept = undefined
  })

  it('is not written over a log that was used and could not be removed', async () => {
    const { world, isMarked } = await twoLogs('closed')
    const second = await world.open()
    await fill(await second.openLog('t', 0, TOPIC_ID, CONFIG), 1)
    world.disk.intercept = ({ kind, path }) => {
      if (kind === 'rename' && path === '/data/t-0') throw failure('EIO')
    }
    await expect(second.deleteLog('t', 0)).rejects.toThrow('EIO')
    await second.close()
    expect(await isMarked()).toBe(false)
  })
})

/** A process wrote a second record, whose sync failed, and was killed. */
async function unsynced(recordBytes = 100) {
  const world = testWorld()
  const directory = await world.open()
  const log = await directory.openLog('t', 0, TOPIC_ID, { ...CONFIG, segmentBytes: 100_000 })
  await fill(log, 500, recordBytes)
  await world.clock.advance(2500)
  world.disk.failNextSync()
  log.append(batchOf(['b'], { producerId: 7, producerEpoch: 0, baseSequence: 0 }), client)
  await expect(log.whenSynced(501)).rejects.toThrow(LogFencedError)
  await directory.abandon()
  const operations: DiskOperation[] = []
  world.disk.intercept = (operation) => void operations.push(operation)
  return { world, operations, size: (await world.disk.facts(FIRST_FILE))?.sizeBytes ?? 0 }
}

async function endAfterPowerCut(disk: MemoryDisk): Promise<number> {
  const log: PartitionLog = await (await testWorld(disk.crash()).open()).openLog('t', 0, TOPIC_ID, CONFIG)
  for (let offset = 0; offset < log.logEndOffset; offset++) {
    const [chunk] = (await log.read(offset, { ...EVERYTHING, maxBytes: 1 })).records
    expect(checkBatch(chunk as Buffer, 0)).toHaveProperty('sizeBytes')
  }
  return log.logEndOffset
}

describe('what was written and perhaps not synced', () => {
  it('is on the device before it counts as synced: a retry answered as duplicate survives a power cut', async () => {
    const { world } = await unsynced()
    const directory = await world.open()
    const log = await directory.openLog('t', 0, TOPIC_ID, CONFIG)
    expect(log.syncedOffset).toBe(501)
    expect(log.append(batchOf(['b'], { producerId: 7, producerEpoch: 0, baseSequence: 0 }), client)).toMatchObject({ duplicate: true })
    await log.whenSynced(501)
    expect(await endAfterPowerCut(world.disk)).toBe(501)
  })

  it('is written again, as pages of a failed sync may count as clean, and nothing below the recovery point is', async () => {
    const { world, operations, size } = await unsynced(1000)
    const directory = await world.open()
    operations.length = 0
    await directory.openLog('t', 0, TOPIC_ID, CONFIG)
    const ofData = operations.filter(({ kind, path }) => path.endsWith('.log') && ['write', 'sync'].includes(kind))
    expect(ofData.map(({ kind }) => kind)).toEqual(['write', 'sync'])
    expect(ofData[0]?.sizeBytes).toBe(batchOf(['b']).length)
    expect(size).toBeGreaterThan(90_000)
    const last = operations.filter(({ kind }) => kind === 'sync' || kind === 'syncDirectory').at(-1)
    expect(last).toMatchObject({ kind: 'syncDirectory', path: '/data/t-0' })
  })

  it('over several segments and in small pieces', async () => {
    const world = testWorld()
    const directory = await world.open({ recoveryPointMs: 1_000_000 })
    const log = await directory.openLog('t', 0, TOPIC_ID, { ...CONFIG, segmentBytes: 1000 })
    world.disk.intercept = ({ kind, path }) => {
      if (kind === 'sync' && path.endsWith('.log')) throw failure('EIO')
    }
    for (let n = 0; n < 30; n++) log.append(batchOf([`v${n}`]), client)
    await log.whenWritten(30)
    await expect(log.whenSynced(30)).rejects.toThrow(LogFencedError)
    await directory.abandon()
    world.disk.intercept = undefined
    const again = await (await world.open({ recoveryChunkBytes: 150 })).openLog('t', 0, TOPIC_ID, CONFIG)
    expect([again.syncedOffset, again.segmentCount]).toEqual([30, 3])
    expect(await endAfterPowerCut(world.disk)).toBe(30)
  })

  it('does not count when the device will not have it: the log is not opened, and may be tried again', async () => {
    const { world } = await unsynced()
    const directory = await world.open()
    world.disk.failNextSync()
    await expect(directory.openLog('t', 0, TOPIC_ID, CONFIG)).rejects.toThrow('EIO')
    expect(directory.logs.size).toBe(0)
    expect((await directory.openLog('t', 0, TOPIC_ID, CONFIG)).syncedOffset).toBe(501)
    expect(await endAfterPowerCut(world.disk)).toBe(501)
  })

  it('is synced at least when there is no space to write it again', async () => {
    const { world } = await unsynced()
    const directory = await world.open()
    world.disk.failNextWrite('ENOSPC', 10)
    expect((await directory.openLog('t', 0, TOPIC_ID, CONFIG)).syncedOffset).toBe(501)
    expect(await endAfterPowerCut(world.disk)).toBe(501)
    expect(world.logger.messages('warn')).toContain('the end of a log is synced without being written again')
  })

  it('costs nothing after an orderly end', async () => {
    const world = testWorld()
    const directory = await world.open()
    await fill(await directory.openLog('t', 0, TOPIC_ID, CONFIG), 5)
    await directory.close()
    const again = await world.open()
    const kinds: string[] = []
    world.disk.intercept = ({ kind }) => void kinds.push(kind)
    await again.openLog('t', 0, TOPIC_ID, CONFIG)
    expect(kinds.filter((kind) => ['write', 'sync', 'syncDirectory', 'replace'].includes(kind))).toEqual([])
  })

  it('leaves no gap: a segment whose file outlived the end of the one before it goes', async () => {
    const world = testWorld()
    const directory = await world.open()
    const log = await directory.openLog('t', 0, TOPIC_ID, { ...CONFIG, segmentBytes: 600 })
    await fill(log, 2)
    let left: MemoryDisk | undefined
    world.disk.intercept = ({ kind, path }) => {
      // The new names are durable, the bytes that come before them are not.
      if (kind === 'sync' && path.endsWith('.log')) left ??= world.disk.crash()
    }
    for (let n = 0; n < 5; n++) log.append(batchOf(['x'.repeat(100)]), client)
    await log.whenSynced(7)
    const disk = left as MemoryDisk
    expect((await disk.list('/data/t-0')).filter((name) => name.endsWith('.log')).length).toBeGreaterThan(1)
    const after = await (await testWorld(disk).open()).openLog('t', 0, TOPIC_ID, CONFIG)
    expect([after.logEndOffset, after.segmentCount]).toEqual([2, 1])
    await fill(after, 3)
    expect((await after.read(2, EVERYTHING)).records).not.toEqual([])
  })
})
