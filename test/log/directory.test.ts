import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { DirectoryLockedError, nodeWorld } from '../../hub/io/index.ts'
import { CorruptLogError, LogClosedError, LogDirectoryError, openLogDirectory, readIdentity } from '../../hub/log/index.ts'
import { memoryLogger } from '../../hub/observe/index.ts'
import { batchHeader } from '../../hub/wire/index.ts'
import { batchOf, CONFIG, client, EVERYTHING, IDENTITY, TOPIC_ID, testWorld } from './world.ts'

describe('identity', () => {
  it('an empty directory gets one, and keeps it', async () => {
    const world = testWorld()
    expect(await readIdentity('/data', world.disk)).toBeUndefined()
    const directory = await world.open()
    expect(directory.identity).toEqual(IDENTITY)
    expect((await world.disk.readFile('/data/meta.properties')).toString()).toBe(
      '#\ncluster.id=c1\ndirectory.id=d1\nnode.id=1\nversion=1\n',
    )
    await directory.close()
    const { disk, clock, logger } = world
    const again = await openLogDirectory('/data', { disk, clock, logger, randomFloat: () => 0 })
    expect(again.identity).toEqual(IDENTITY)
    expect(await readIdentity('/data', disk)).toEqual(IDENTITY)
  })

  it('without the right to format, an empty directory is refused', async () => {
    const { disk, clock, logger } = testWorld()
    await expect(openLogDirectory('/data', { disk, clock, logger, randomFloat: () => 0 })).rejects.toThrow(
      'log directory /data: it is not formatted',
    )
  })

  it('a directory with other things in it is refused, and left unlocked and untouched', async () => {
    const world = testWorld()
    await world.disk.writeFileAtomic('/data/precious', Buffer.from('x'))
    await expect(world.open()).rejects.toThrow(LogDirectoryError)
    await expect(world.open()).rejects.toThrow('it holds 1 entries (precious …) but no meta.properties')
    expect(await world.disk.list('/data')).toEqual(['precious'])
  })

  it('is locked while it is open', async () => {
    const world = testWorld()
    const directory = await world.open()
    await expect(world.open()).rejects.toThrow(DirectoryLockedError)
    await directory.close()
    await (await world.open()).abandon()
    await (await world.open()).close()
  })
})

describe('logs', () => {
  it('the same key is the same log, also while it is being opened', async () => {
    const directory = await testWorld().open()
    const [a, b] = await Promise.all([directory.openLog('t', 0, TOPIC_ID, CONFIG), directory.openLog('t', 0, TOPIC_ID, CONFIG)])
    expect(a).toBe(b)
    expect(await directory.openLog('t', 0, TOPIC_ID, CONFIG)).toBe(a)
    expect([...directory.logs.keys()]).toEqual(['t-0'])
  })

  it('are listed with their topic ids, opened or not', async () => {
    const world = testWorld()
    const directory = await world.open()
    await directory.openLog('a-b', 3, TOPIC_ID, CONFIG)
    await directory.openLog('__cluster_metadata', 0, 'AAAAAAAAAAAAAAAAAAAAAA', CONFIG)
    await directory.close()
    expect(await (await world.open()).listPartitions()).toEqual([
      { topic: '__cluster_metadata', partition: 0, topicId: undefined },
      { topic: 'a-b', partition: 3, topicId: TOPIC_ID },
    ])
  })

  it('of another topic id are refused', async () => {
    const world = testWorld()
    const directory = await world.open()
    await directory.openLog('t', 0, TOPIC_ID, CONFIG)
    await directory.close()
    const again = await world.open()
    await expect(again.openLog('t', 0, 'BBBBBBBBBBBBBBBBBBBBBQ', CONFIG)).rejects.toThrow(`/data/t-0: it belongs to topic id ${TOPIC_ID}`)
    await again.close()
    await world.disk.writeFileAtomic('/data/t-0/partition.metadata', Buffer.from('x'))
    await expect((await world.open()).listPartitions()).rejects.toThrow(CorruptLogError)
  })

  it('are deleted: renamed at once, gone after the delay; a new one of that name begins empty', async () => {
    const world = testWorld()
    const directory = await world.open({ recoveryPointMs: 100 })
    const log = await directory.openLog('t', 0, TOPIC_ID, CONFIG)
    for (let n = 0; n < 10; n++) log.append(batchOf(['v']), client)
    await log.whenSynced(10)
    await world.clock.advance(2500)
    const waiting = log.whenSynced(99)
    await Promise.all([expect(waiting).rejects.toThrow(LogClosedError), directory.deleteLog('t', 0)])
    const marked = async (): Promise<string[]> => (await world.disk.list('/data')).filter((name) => name.endsWith('-delete'))
    expect(await marked()).toEqual([expect.stringMatching(/^t-0\.[0-9a-f]{32}-delete$/)])
    expect(directory.logs.size).toBe(0)
    await expect(log.read(0, EVERYTHING)).rejects.toThrow(LogClosedError)
    const fresh = await directory.openLog('t', 0, 'BBBBBBBBBBBBBBBBBBBBBQ', CONFIG)
    expect([fresh.logStartOffset, fresh.logEndOffset]).toEqual([0, 0])
    fresh.append(batchOf(['w']), client)
    await fresh.whenSynced(1)
    // After a power cut the new log must not be judged by the old one's recovery point.
    const after = testWorld(world.disk.crash())
    const again = await (await after.open()).openLog('t', 0, 'BBBBBBBBBBBBBBBBBBBBBQ', CONFIG)
    expect(again.logEndOffset).toBe(1)
    expect(after.logger.messages('error')).toEqual([])
    await after.clock.advance(2500)
    expect((await after.disk.list('/data')).filter((name) => name.endsWith('-delete'))).toEqual([])
    await world.clock.advance(61_000)
    expect(await marked()).toEqual([])
    await directory.deleteLog('never', 7)
  })
})

describe('closing', () => {
  it('leaves a mark that spares the next start every scan', async () => {
    const world = testWorld()
    const directory = await world.open()
    const log = await directory.openLog('t', 0, TOPIC_ID, CONFIG)
    for (let n = 0; n < 500; n++) log.append(batchOf(['v'.repeat(1000)]), client)
    await directory.close()
    expect((await world.disk.readFile('/data/.kafka_cleanshutdown')).toString()).toBe('{"version":0,"brokerEpoch":-1}')
    expect((await world.disk.readFile('/data/recovery-point-offset-checkpoint')).toString()).toBe('0\n1\nt 0 500\n')
    expect((await world.disk.readFile('/data/replication-offset-checkpoint')).toString()).toBe('0\n1\nt 0 500\n')
    const again = await world.open()
    expect(await world.disk.facts('/data/.kafka_cleanshutdown')).toBeUndefined()
    expect((await again.openLog('t', 0, TOPIC_ID, CONFIG)).logEndOffset).toBe(500)
    expect(again.recoveries[0]?.scannedBytes).toBeLessThan(10_000)
    expect(again.recoveries[0]?.truncatedBytes).toBe(0)
  })

  it('the recovery point moves, so that a kill costs little to recover', async () => {
    const world = testWorld()
    const directory = await world.open({ recoveryPointBytes: 100_000 })
    const log = await directory.openLog('t', 0, TOPIC_ID, { ...CONFIG, segmentBytes: 300_000 })
    for (let n = 0; n < 1000; n++) {
      log.append(batchOf(['v'.repeat(1000)], { producerId: 3, producerEpoch: 0, baseSequence: n }), client)
      if (n % 10 === 0) await log.whenSynced(log.logEndOffset)
    }
    await log.whenSynced(1000)
    await directory.abandon()
    const again = await world.open()
    const reopened = await again.openLog('t', 0, TOPIC_ID, CONFIG)
    expect(reopened.logEndOffset).toBe(1000)
    expect(again.recoveries[0]?.scannedBytes).toBeLessThan(250_000)
    for (let n = 995; n < 1000; n++) {
      expect(reopened.append(batchOf(['v'.repeat(1000)], { producerId: 3, producerEpoch: 0, baseSequence: n }), client)).toMatchObject({
        duplicate: true,
        baseOffset: n,
      })
    }
  })

  it('takes no append behind the last round', async () => {
    const world = testWorld()
    const directory = await world.open()
    const log = await directory.openLog('t', 0, TOPIC_ID, CONFIG)
    log.append(batchOf(['v'], { producerId: 3, producerEpoch: 0, baseSequence: 0 }), client)
    let refusedCount = 0
    // Tries at every step of closing.
    world.disk.intercept = () => {
      try {
        log.append(batchOf(['v'], { producerId: 3, producerEpoch: 0, baseSequence: 1 }), client)
      } catch (error) {
        if (error instanceof LogClosedError) refusedCount++
      }
    }
    await directory.close()
    world.disk.intercept = undefined
    expect(refusedCount).toBeGreaterThan(5)
    const again = await (await world.open()).openLog('t', 0, TOPIC_ID, CONFIG)
    expect(again.logEndOffset).toBe(1)
    expect(again.append(batchOf(['v'], { producerId: 3, producerEpoch: 0, baseSequence: 1 }), client)).toMatchObject({
      duplicate: false,
      baseOffset: 1,
    })
  })

  it('an idle directory writes nothing', async () => {
    const world = testWorld()
    const directory = await world.open()
    const log = await directory.openLog('t', 0, TOPIC_ID, CONFIG)
    log.append(batchOf(['v']), client)
    await log.whenSynced(1)
    await world.clock.advance(5000)
    const operations: string[] = []
    world.disk.intercept = ({ kind, path }) => void operations.push(`${kind} ${path}`)
    await world.clock.advance(60_000)
    expect(operations).toEqual([])
    // That of the housekeeping and that of the cleaner.
    expect(world.clock.timerCount).toBe(2)
  })
})

describe('back-pressure', () => {
  it('tells when too much is unwritten, and when that is over', async () => {
    const world = testWorld()
    const directory = await world.open({ unwrittenBytesMax: 3000 })
    const log = await directory.openLog('t', 0, TOPIC_ID, CONFIG)
    await directory.whenDrained()
    for (let n = 0; n < 4; n++) log.append(batchOf(['v'.repeat(1000)]), client)
    expect(directory.backlogged).toBe(true)
    await directory.whenDrained()
    expect([directory.backlogged, log.writtenOffset]).toEqual([false, 4])
  })

  it('keeps no more in memory than its limits, counting what a view keeps alive', async () => {
    const world = testWorld()
    const directory = await world.open({ tailBytesPerLog: 200_000, tailBytesTotal: 500_000 })
    const logs = await Promise.all([0, 1, 2, 3].map((partition) => directory.openLog('t', partition, TOPIC_ID, CONFIG)))
    for (let n = 0; n < 40; n++) {
      // One request of four large batches: each of them is a view of all.
      const batches = logs.map(() => batchOf(['v'.repeat(20_000)]))
      const request = Buffer.concat(batches)
      let at = 0
      for (const log of logs) {
        const size = batchHeader.sizeBytes(request, at)
        log.append(request.subarray(at, at + size), client)
        at += size
      }
      await Promise.all(logs.map((log) => log.whenSynced(log.logEndOffset)))
    }
    const inMemory = logs.map(
      (log) =>
        Array.from({ length: 40 }, (_, offset) => log.readFromMemory(offset, EVERYTHING)).filter((found) => found !== undefined).length,
    )
    for (const count of inMemory) {
      expect(count).toBeGreaterThan(3)
      expect(count * 20_000).toBeLessThanOrEqual(200_000 + 20_100)
    }
    expect(inMemory.reduce((sum, count) => sum + count, 0) * 20_000).toBeLessThanOrEqual(600_000)
    for (const log of logs) expect((await log.read(0, { ...EVERYTHING, maxBytes: 1 })).sizeBytes).toBeGreaterThan(20_000)
  })
})

describe('on a real disk', () => {
  it('writes, closes, recovers after an abandoned run, deletes, and leaves no file behind', async () => {
    const path = await mkdtemp(join(tmpdir(), 'millrace-log-'))
    try {
      const world = nodeWorld()
      const logger = memoryLogger()
      const open = () =>
        openLogDirectory(path, {
          ...world,
          logger,
          randomFloat: () => world.random.float(),
          formatIfEmpty: IDENTITY,
          limits: { freeBytesMin: 0, tailBytesPerLog: 10_000 },
        })
      const config = { ...CONFIG, segmentBytes: 200_000, fileDeleteDelayMs: 0 }
      let directory = await open()
      const log = await directory.openLog('t', 0, TOPIC_ID, config)
      for (let n = 0; n < 500; n++) log.append(batchOf(['v'.repeat(1000)], { timestampMs: 1000 + n }), client)
      await log.whenSynced(500)
      await directory.abandon()
      directory = await open()
      const again = await directory.openLog('t', 0, TOPIC_ID, config)
      expect([again.logEndOffset, again.segmentCount]).toEqual([500, 3])
      let count = 0
      for (let offset = 0; offset < 500; offset = count) {
        for (const chunk of (await again.read(offset, { ...EVERYTHING, maxBytes: 30_000 })).records) {
          for (let at = 0; at < chunk.length; at += batchHeader.sizeBytes(chunk, at))
            expect(batchHeader.baseOffset(chunk, at)).toBe(count++)
        }
      }
      expect(await again.offsetForTimestamp(1250)).toEqual({ offset: 250, timestampMs: 1250, leaderEpoch: 0 })
      await again.advanceLogStart(300)
      expect(again.segmentCount).toBe(2)
      await directory.deleteLog('t', 0)
      await directory.close()
      expect(await readdir(path)).toEqual([
        '.kafka_cleanshutdown',
        'log-start-offset-checkpoint',
        'meta.properties',
        'recovery-point-offset-checkpoint',
        'replication-offset-checkpoint',
      ])
    } finally {
      await rm(path, { recursive: true, force: true })
    }
  })
})
