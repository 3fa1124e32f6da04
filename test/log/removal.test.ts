/** Logs that go or give way: topic ids, deletion and re-creation, strays, DeleteRecords. */
import { describe, expect, it } from 'vitest'
import type { MemoryDisk } from '../../hub/io/index.ts'
import { LogClosedError, LogDirectoryError } from '../../hub/log/index.ts'
import { batchOf, CONFIG, client, EVERYTHING, fill, openLog, TOPIC_ID, testWorld } from './world.ts'

const OTHER_ID = 'BBBBBBBBBBBBBBBBBBBBBQ'
const failure = (code: string): Error => Object.assign(new Error(`${code}: injected`), { code })

describe('a topic that is created again under its name', () => {
  it('never gets the open log of the earlier one', async () => {
    const { directory, log } = await openLog()
    await expect(directory.openLog('t', 0, OTHER_ID, CONFIG)).rejects.toThrow(LogDirectoryError)
    expect(await directory.openLog('t', 0, TOPIC_ID, CONFIG)).toBe(log)
  })

  it('nor the one that is being opened', async () => {
    const directory = await testWorld().open()
    const [first, second] = await Promise.allSettled([TOPIC_ID, OTHER_ID].map((topicId) => directory.openLog('t', 0, topicId, CONFIG)))
    expect(first).toMatchObject({ status: 'fulfilled', value: { topicId: TOPIC_ID } })
    expect(second).toMatchObject({ status: 'rejected', reason: expect.any(LogDirectoryError) })
  })

  it.each([OTHER_ID, TOPIC_ID])('waits for the removal that was asked for before: %s', async (topicId) => {
    const { directory, log } = await openLog()
    await fill(log, 5)
    const removal = directory.deleteLog('t', 0)
    const fresh = await directory.openLog('t', 0, topicId, CONFIG)
    await removal
    expect([fresh.topicId, fresh.logEndOffset]).toEqual([topicId, 0])
    expect(() => log.append(batchOf(['v']), client)).toThrow(LogClosedError)
    await fill(fresh, 2)
    expect(directory.logs.get('t-0')).toBe(fresh)
  })

  it.each([OTHER_ID, TOPIC_ID])('waits for an opening and its removal, all asked for at once: %s', async (topicId) => {
    const world = testWorld()
    const directory = await world.open()
    const first = directory.openLog('t', 0, TOPIC_ID, CONFIG)
    const removals = [directory.deleteLog('t', 0), directory.deleteLog('t', 0)]
    const [fresh, shared] = await Promise.all([directory.openLog('t', 0, topicId, CONFIG), directory.openLog('t', 0, topicId, CONFIG)])
    await Promise.all(removals)
    expect(fresh).toBe(shared)
    expect(fresh).not.toBe(await first)
    await fill(fresh, 2)
    expect(await directory.listPartitions()).toEqual([{ topic: 't', partition: 0, topicId }])
  })

  it('comes after a removal that failed and is made up for', async () => {
    const { world, directory, log } = await openLog()
    await fill(log, 5)
    world.disk.intercept = ({ kind, path }) => {
      if (kind === 'rename' && path === '/data/t-0') throw failure('EMFILE')
    }
    await expect(directory.deleteLog('t', 0)).rejects.toThrow('EMFILE')
    await expect(directory.openLog('t', 0, OTHER_ID, CONFIG)).rejects.toThrow('EMFILE')
    world.disk.intercept = undefined
    expect(await directory.openLog('t', 0, OTHER_ID, CONFIG)).toMatchObject({ topicId: OTHER_ID, logEndOffset: 0 })
  })
})

describe('directories that are no logs', () => {
  it('are not listed, whatever their name; those of old and of empty logs are', async () => {
    const world = testWorld()
    const directory = await world.open()
    await world.disk.makeDirectory('/data/backup-2024')
    await world.disk.writeFileAtomic('/data/backup-2024/precious.txt', Buffer.from('mine'))
    await world.disk.makeDirectory('/data/my.notes-delete')
    await world.disk.writeFileAtomic('/data/file-1', Buffer.from('mine'))
    await world.disk.makeDirectory('/data/old-3')
    await world.disk.writeFileAtomic('/data/old-3/00000000000000000000.log', Buffer.alloc(0))
    await directory.openLog('t', 0, 'AAAAAAAAAAAAAAAAAAAAAA', CONFIG)
    expect(await directory.listPartitions()).toEqual([
      { topic: 'old', partition: 3, topicId: undefined },
      { topic: 't', partition: 0, topicId: 'AAAAAAAAAAAAAAAAAAAAAA' },
    ])
    await directory.close()
    const again = await world.open()
    await world.clock.advance(5000)
    await again.close()
    expect(await world.disk.facts('/data/my.notes-delete')).toBeDefined()
    expect(await world.disk.facts('/data/backup-2024/precious.txt')).toBeDefined()
  })

  it('strays are set aside under Kafka’s name, durably, and kept', async () => {
    const { world, directory, log } = await openLog()
    await fill(log, 5)
    await directory.close()
    const again = await world.open()
    const path = await again.setAside('t', 0)
    expect(path).toMatch(/^\/data\/t-0\.[0-9a-f]{32}-stray$/)
    expect(await again.setAside('t', 0)).toBeUndefined()
    expect(await again.listPartitions()).toEqual([])
    const fresh = await again.openLog('t', 0, OTHER_ID, CONFIG)
    expect(fresh.logEndOffset).toBe(0)
    await fill(fresh, 1)
    await world.clock.advance(100_000)
    await again.close()
    const after = testWorld(world.disk.crash())
    const third = await after.open()
    await after.clock.advance(5000)
    expect(await third.listPartitions()).toEqual([{ topic: 't', partition: 0, topicId: OTHER_ID }])
    expect(await after.disk.facts(`${path}/00000000000000000000.log`)).toMatchObject({ sizeBytes: log.sizeBytes })
  })
})

describe('deleted records', () => {
  it('stay deleted after a power cut, also when the new start is the beginning of a segment', async () => {
    const { world, directory, log } = await openLog({ segmentBytes: 500 })
    await fill(log, 20)
    await world.clock.advance(2500)
    const names = (await world.disk.list('/data/t-0')).filter((name) => name.endsWith('.log'))
    const start = Number.parseInt(names[3] ?? '', 10)
    await log.advanceLogStart(start)
    const lefts = [world.disk.crash()]
    // At each step of what comes after: the checkpoints are written, files removed.
    world.disk.intercept = () => void lefts.push(world.disk.crash())
    await fill(log, 1)
    await world.clock.advance(65_000)
    world.disk.intercept = undefined
    expect(lefts.length).toBeGreaterThan(10)
    for (const left of lefts) {
      const again = await (await testWorld(left).open()).openLog('t', 0, TOPIC_ID, { ...CONFIG, segmentBytes: 500 })
      expect([again.logStartOffset, again.logEndOffset]).toEqual([start, expect.any(Number)])
    }
    await directory.close()
  })

  it('stay deleted when the checkpoint is written for another log while the files go', async () => {
    const { world, directory, log } = await openLog({ segmentBytes: 500 })
    const other = await directory.openLog('u', 0, OTHER_ID, CONFIG)
    await fill(log, 20)
    await fill(other, 2)
    await world.clock.advance(2500)
    const names = (await world.disk.list('/data/t-0')).filter((name) => name.endsWith('.log'))
    const start = Number.parseInt(names[3] ?? '', 10)
    let left: MemoryDisk | undefined
    world.disk.intercept = async ({ kind, path }) => {
      if (kind !== 'syncDirectory' || path !== '/data/t-0') return
      world.disk.intercept = undefined
      await other.advanceLogStart(1)
      left = world.disk.crash()
    }
    await log.advanceLogStart(start)
    const again = await (await testWorld(left as MemoryDisk).open()).openLog('t', 0, TOPIC_ID, CONFIG)
    expect(again.logStartOffset).toBe(start)
  })

  it('stay deleted when a start in the midst of a segment gave way to retention', async () => {
    const { world, log } = await openLog({ segmentBytes: 500 })
    await fill(log, 20)
    await world.clock.advance(2500)
    await log.advanceLogStart(1)
    log.config = { ...CONFIG, segmentBytes: 500, retentionBytes: 0 }
    const lefts: ReturnType<typeof world.disk.crash>[] = []
    world.disk.intercept = () => void lefts.push(world.disk.crash())
    expect(await log.retain(20)).toBeGreaterThan(3)
    world.disk.intercept = undefined
    lefts.push(world.disk.crash())
    for (const left of lefts) {
      const again = await (await testWorld(left).open()).openLog('t', 0, TOPIC_ID, CONFIG)
      expect(again.logStartOffset).toBeGreaterThanOrEqual(1)
      expect((await again.read(again.logStartOffset, EVERYTHING)).records.length).toBe(again.logStartOffset < 20 ? 1 : 0)
    }
  })

  it('what cannot be removed now is removed later', async () => {
    const { world, directory, log } = await openLog({ segmentBytes: 500, fileDeleteDelayMs: 0 }, { retentionCheckMs: 10_000 })
    await fill(log, 20)
    world.disk.intercept = ({ kind, path }) => {
      if (kind === 'remove' && path.endsWith('.deleted')) throw failure('EMFILE')
    }
    await log.advanceLogStart(15)
    await fill(log, 1)
    await world.clock.advance(2500)
    const deleted = async (): Promise<string[]> => (await world.disk.list('/data/t-0')).filter((name) => name.endsWith('.deleted'))
    expect((await deleted()).length).toBeGreaterThan(2)
    world.disk.intercept = undefined
    await world.clock.advance(15_000)
    await fill(log, 1)
    await world.clock.advance(2500)
    expect(await deleted()).toEqual([])
    await directory.close()
  })
})
