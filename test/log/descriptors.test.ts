/** A process, or a machine, without a free descriptor; and the account of unwritten bytes, which must come out right whatever fails. */
import { describe, expect, it } from 'vitest'
import type { Disk, MemoryDisk } from '../../hub/io/index.ts'
import { type LogDirectory, LogFencedError, openLogDirectory, TooManyFilesError } from '../../hub/log/index.ts'
import { batchOf, CONFIG, client, EVERYTHING, fill, IDENTITY, openLog, TOPIC_ID, testWorld } from './world.ts'

const failure = (code: string): Error => Object.assign(new Error(`${code}: too many open files`), { code })
const produce = (baseSequence: number): Buffer => batchOf(['v'.repeat(300)], { producerId: 7, producerEpoch: 0, baseSequence })

describe('no descriptor is left', () => {
  it.each([
    ['EMFILE', 'open'],
    ['ENFILE', 'open'],
    ['EMFILE', 'syncDirectory'],
  ] as const)('%s at a roll (%s): the round is taken back, the log lives on', async (code, where) => {
    const { world, directory, log } = await openLog({ segmentBytes: 500 })
    log.append(produce(0), client)
    await log.whenSynced(1)
    world.disk.intercept = ({ kind, path }) => {
      if (kind === where && path.startsWith('/data/t-0')) throw failure(code)
    }
    log.append(produce(1), client)
    const waits = [log.whenWritten(2), log.whenSynced(2)]
    for (const wait of waits) await expect(wait).rejects.toThrow(TooManyFilesError)
    expect([log.fenced, log.logEndOffset, log.segmentCount, directory.backlogged, directory.full]).toEqual([undefined, 1, 1, false, false])
    log.append(produce(1), client)
    await expect(log.whenSynced(2)).rejects.toThrow(TooManyFilesError)
    world.disk.intercept = undefined
    expect(log.append(produce(1), client)).toMatchObject({ baseOffset: 1, duplicate: false })
    await log.whenSynced(2)
    const again = await (await testWorld(world.disk.crash()).open()).openLog('t', 0, TOPIC_ID, CONFIG)
    expect([again.logEndOffset, again.segmentCount]).toEqual([2, 2])
    expect((await again.read(1, EVERYTHING)).records).toHaveLength(1)
  })

  it('a failed sync of a directory is no lack of descriptors: it fences', async () => {
    const { world, log } = await openLog()
    world.disk.intercept = ({ kind, path }) => {
      if (kind === 'syncDirectory' && path === '/data/t-0') throw failure('EIO')
    }
    log.append(produce(0), client)
    await expect(log.whenSynced(1)).rejects.toThrow(LogFencedError)
  })

  it('the name of a file that was taken back does not come back after a power cut', async () => {
    const { world, log } = await openLog({ segmentBytes: 500 })
    log.append(produce(0), client)
    await log.whenSynced(1)
    world.disk.failNextWrite('ENOSPC', 0)
    log.append(batchOf(['v'.repeat(300), 'w']), client)
    await expect(log.whenSynced(3)).rejects.toThrow('no space left')
    log.append(batchOf(['v']), { origin: 'coordinator', leaderEpoch: 0 })
    await log.whenSynced(2)
    const again = await (await testWorld(world.disk.crash()).open()).openLog('t', 0, TOPIC_ID, CONFIG)
    expect(again.logEndOffset).toBe(2)
  })
})

/** The disk with a count of files that are open. */
function counting(disk: MemoryDisk): { readonly disk: Disk; openCount(): number } {
  let count = 0
  const counted = new Proxy(disk, {
    get: (target, key) => {
      if (key !== 'open') {
        const value = target[key as keyof MemoryDisk] as unknown
        return typeof value === 'function' ? value.bind(target) : value
      }
      return async (path: string, mode: 'create' | 'write' | 'read') => {
        const file = await target.open(path, mode)
        count++
        const close = file.close.bind(file)
        file.close = async () => {
          count--
          await close()
        }
        return file
      }
    },
  })
  return { disk: counted, openCount: () => count }
}

describe('a log that cannot be opened', () => {
  it('leaves nothing open, at whatever step it fails, and opens when it is tried again', async () => {
    const world = testWorld()
    const first = await world.open({ recoveryPointMs: 1_000_000 })
    await fill(await first.openLog('t', 0, TOPIC_ID, { ...CONFIG, segmentBytes: 500 }), 20)
    await first.abandon()
    const { clock, logger } = world
    for (let step = 0, failed = true; failed; step++) {
      const disk = world.disk.crash()
      const counted = counting(disk)
      const options = { clock, logger, randomFloat: () => 0.5, formatIfEmpty: IDENTITY, limits: { freeBytesMin: 0 } }
      const directory: LogDirectory = await openLogDirectory('/data', { ...options, disk: counted.disk })
      let left = step
      failed = false
      disk.intercept = ({ path }) => {
        if (left-- !== 0 || !path.startsWith('/data/t-0')) return
        failed = true
        throw failure('EMFILE')
      }
      const opened = await directory.openLog('t', 0, TOPIC_ID, CONFIG).catch((error: Error) => error)
      disk.intercept = undefined
      if (opened instanceof Error) {
        expect([counted.openCount(), directory.logs.size]).toEqual([0, 0])
        expect(opened.message).toContain('EMFILE')
      }
      const log = await directory.openLog('t', 0, TOPIC_ID, CONFIG)
      expect([log.logEndOffset, log.fenced]).toEqual([20, undefined])
      await directory.abandon()
      if (!failed) expect(step).toBeGreaterThan(10)
    }
  })

  it('that was new is found after a power cut once it is opened and written', async () => {
    const world = testWorld()
    const directory = await world.open()
    world.disk.intercept = ({ kind }) => {
      if (kind === 'open') throw failure('EMFILE')
    }
    await expect(directory.openLog('t', 0, TOPIC_ID, CONFIG)).rejects.toThrow('EMFILE')
    world.disk.intercept = undefined
    await fill(await directory.openLog('t', 0, TOPIC_ID, CONFIG), 3)
    const again = await (await testWorld(world.disk.crash()).open()).openLog('t', 0, TOPIC_ID, CONFIG)
    expect(again.logEndOffset).toBe(3)
  })
})

describe('unwritten bytes', () => {
  const big = (baseOffset = 0): Buffer => batchOf(['x'.repeat(900_000)], { baseOffset })
  /** After a write that found no space only clients are held back. */
  const raft = { origin: 'raft', leaderEpoch: 0 } as const

  it.each([undefined, 'ENOSPC', 'EIO'])(
    'leave the account once when a log is removed during its write, which ends with %s',
    async (code) => {
      const world = testWorld()
      const directory = await world.open({ unwrittenBytesMax: 1_000_000 })
      for (let partition = 0; partition < 3; partition++) {
        const log = await directory.openLog('t', partition, TOPIC_ID, CONFIG)
        const { promise: begun, resolve: begin } = Promise.withResolvers<void>()
        const { promise: held, resolve: release } = Promise.withResolvers<void>()
        world.disk.intercept = async ({ kind, path }) => {
          if (kind !== 'write' || !path.startsWith('/data/t-')) return
          begin()
          await held
          if (code !== undefined) throw failure(code)
        }
        log.append(big(), raft)
        await begun
        const removal = directory.deleteLog('t', partition)
        await expect(log.whenSynced(1)).rejects.toThrow('is closed')
        release()
        await removal
      }
      const { promise: never, resolve: release } = Promise.withResolvers<void>()
      world.disk.intercept = ({ kind }) => (kind === 'write' ? never : undefined)
      const log = await directory.openLog('u', 0, 'BBBBBBBBBBBBBBBBBBBBBQ', CONFIG)
      log.append(big(), raft)
      expect(directory.backlogged).toBe(false)
      log.append(big(1), raft)
      expect(directory.backlogged).toBe(true)
      world.disk.intercept = undefined
      release()
      await directory.whenDrained()
      expect(directory.backlogged).toBe(false)
    },
  )

  it('of a fenced log leave the memory: the others keep their tails', async () => {
    const world = testWorld()
    const directory = await world.open({ tailBytesTotal: 2_000_000 })
    const [bad, good] = [await directory.openLog('bad', 0, TOPIC_ID, CONFIG), await directory.openLog('good', 0, TOPIC_ID, CONFIG)]
    await fill(bad, 3)
    world.disk.intercept = ({ kind, path }) => {
      if (kind === 'write' && path.startsWith('/data/bad-0/')) throw failure('EIO')
    }
    for (let n = 0; n < 5; n++) bad.append(big(), client)
    await expect(bad.whenSynced(8)).rejects.toThrow(LogFencedError)
    for (let n = 0; n < 20; n++) {
      good.append(batchOf(['y'.repeat(20_000)]), client)
      await good.whenSynced(n + 1)
    }
    expect(good.readFromMemory(0, EVERYTHING)?.records).toHaveLength(20)
    // What was written before can still be read.
    expect([bad.logEndOffset, (await bad.read(2, EVERYTHING)).records.length, (await bad.read(3, EVERYTHING)).records.length]).toEqual([
      3, 1, 0,
    ])
    await directory.close()
  })
})
