import { describe, expect, it } from 'vitest'
import { CorruptLogError, DiskFullError, LogFencedError, type PartitionLog } from '../../hub/log/index.ts'
import type { Log } from '../../hub/log/log.ts'
import { batchHeader, ErrorCode } from '../../hub/wire/index.ts'
import { batchOf, CONFIG, client, EVERYTHING, openLog, START_MS, TOPIC_ID, testWorld } from './world.ts'

async function countOf(log: PartitionLog): Promise<number> {
  let count = 0
  for (let offset = log.logStartOffset; offset < log.logEndOffset; count++) {
    const { records } = await log.read(offset, { ...EVERYTHING, maxBytes: 1 })
    if (records.length === 0) break
    offset += 1
  }
  return count
}
const produce = (baseSequence: number): Buffer => batchOf(['v'.repeat(100)], { producerId: 7, producerEpoch: 0, baseSequence })

describe('a failed write or sync', () => {
  it.each(['write', 'sync'] as const)('fences that log only: %s', async (kind) => {
    const world = testWorld()
    const directory = await world.open()
    const [log, other] = [await directory.openLog('t', 0, TOPIC_ID, CONFIG), await directory.openLog('t', 1, TOPIC_ID, CONFIG)]
    log.append(batchOf(['before']), client)
    await log.whenSynced(1)
    world.disk.intercept = (operation) => {
      if (operation.kind === kind && operation.path.startsWith('/data/t-0/')) throw Object.assign(new Error('EIO: broken'), { code: 'EIO' })
    }
    log.append(batchOf(['a']), client)
    other.append(batchOf(['b']), client)
    await expect(log.whenSynced(2)).rejects.toThrow(LogFencedError)
    await other.whenSynced(1)
    world.disk.intercept = undefined
    expect(log.fenced).toBeInstanceOf(LogFencedError)
    expect(() => log.append(batchOf(['c']), client)).toThrow(LogFencedError)
    await expect(log.whenWritten(9)).rejects.toThrow(LogFencedError)
    expect(log.syncedOffset).toBe(1)
    expect((await log.read(0, { ...EVERYTHING, endOffset: 1 })).records).toHaveLength(1)
    expect(directory.backlogged).toBe(false)
    await directory.close()
    expect(await world.disk.facts('/data/.kafka_cleanshutdown')).toBeUndefined()
    const again = await (await world.open()).openLog('t', 0, TOPIC_ID, CONFIG)
    expect(again.fenced).toBeUndefined()
    expect(await countOf(again)).toBe(again.logEndOffset)
    expect(again.logEndOffset).toBeGreaterThanOrEqual(1)
  })
})

describe('a full disk', () => {
  it('takes the round back whole, refuses, and goes on when there is space', async () => {
    const world = testWorld()
    const directory = await world.open()
    const log = await directory.openLog('t', 0, TOPIC_ID, CONFIG)
    for (let n = 0; n < 5; n++) log.append(produce(n), client)
    await log.whenSynced(5)
    const size = log.sizeBytes
    world.disk.setLimitBytes(world.disk.usedBytes() + 250)
    for (let n = 5; n < 9; n++) log.append(produce(n), client)
    const waits = [log.whenWritten(6), log.whenSynced(9)]
    for (const wait of waits) await expect(wait).rejects.toThrow(DiskFullError)
    expect([log.logEndOffset, log.writtenOffset, log.syncedOffset, log.sizeBytes, log.fenced]).toEqual([5, 5, 5, size, undefined])
    expect((await world.disk.facts('/data/t-0/00000000000000000000.log'))?.sizeBytes).toBe(size)
    expect(directory.full).toBe(true)
    expect(log.append(produce(5), client)).toMatchObject({ kind: 'refused', errorCode: ErrorCode.KAFKA_STORAGE_ERROR })
    expect(await countOf(log)).toBe(5)
    world.disk.setLimitBytes(Number.MAX_SAFE_INTEGER)
    await world.clock.advance(2500)
    expect(directory.full).toBe(false)
    // The same retry is no duplicate: nothing of it stayed. An older one still is.
    expect(log.append(produce(5), client)).toMatchObject({ baseOffset: 5, duplicate: false })
    expect(log.append(produce(4), client)).toMatchObject({ baseOffset: 4, duplicate: true })
    await log.whenSynced(6)
    await directory.close()
    const again = await (await world.open()).openLog('t', 0, TOPIC_ID, CONFIG)
    expect(await countOf(again)).toBe(6)
  })

  it('takes back segments that began in the failed round', async () => {
    const world = testWorld()
    const directory = await world.open()
    const log = await directory.openLog('t', 0, TOPIC_ID, { ...CONFIG, segmentBytes: 500 })
    for (let n = 0; n < 4; n++) log.append(produce(n), client)
    await log.whenSynced(4)
    const before = log.segmentCount
    world.disk.setLimitBytes(world.disk.usedBytes() + 700)
    for (let n = 4; n < 20; n++) log.append(produce(n), client)
    await expect(log.whenSynced(20)).rejects.toThrow(DiskFullError)
    expect([log.segmentCount, log.logEndOffset, log.fenced]).toEqual([before, 4, undefined])
    const names = (await world.disk.list('/data/t-0')).filter((name) => name.endsWith('.log'))
    expect(names).toHaveLength(before)
    world.disk.setLimitBytes(Number.MAX_SAFE_INTEGER)
    await world.clock.advance(2500)
    for (let n = 4; n < 20; n++) expect(log.append(produce(n), client)).toMatchObject({ kind: 'appended', baseOffset: n })
    await log.whenSynced(20)
    await directory.abandon()
    const again = await (await testWorld(world.disk.crash()).open()).openLog('t', 0, TOPIC_ID, CONFIG)
    expect(await countOf(again)).toBe(20)
  })

  it('spares the segment that retention has begun', async () => {
    const world = testWorld()
    const directory = await world.open()
    const log = await directory.openLog('t', 0, TOPIC_ID, { ...CONFIG, retentionBytes: 0 })
    for (let n = 0; n < 4; n++) log.append(produce(n), client)
    await log.whenSynced(4)
    expect(await log.retain(4)).toBe(1)
    world.disk.failNextWrite('ENOSPC', 30)
    log.append(produce(4), client)
    await expect(log.whenSynced(5)).rejects.toThrow(DiskFullError)
    expect([log.logEndOffset, log.segmentCount, log.fenced]).toEqual([4, 1, undefined])
    await world.clock.advance(2500)
    expect(log.append(produce(3), client)).toMatchObject({ duplicate: true, baseOffset: 3 })
    expect(log.append(produce(4), client)).toMatchObject({ duplicate: false, baseOffset: 4 })
    await log.whenSynced(5)
    await directory.abandon()
    const again = await (await testWorld(world.disk.crash()).open()).openLog('t', 0, TOPIC_ID, CONFIG)
    expect([again.logStartOffset, again.logEndOffset, await countOf(again)]).toEqual([4, 5, 1])
  })

  it('a log start that could not be saved is saved later', async () => {
    const world = testWorld()
    const directory = await world.open()
    const logs = await Promise.all([0, 1].map((partition) => directory.openLog('t', partition, TOPIC_ID, CONFIG)))
    for (const log of logs) for (let n = 0; n < 4; n++) log.append(produce(n), client)
    await Promise.all(logs.map((log) => log.whenSynced(4)))
    world.disk.intercept = ({ kind, path }) => {
      if (kind === 'replace' && path.endsWith('log-start-offset-checkpoint'))
        throw Object.assign(new Error('ENOSPC: full'), { code: 'ENOSPC' })
    }
    await expect(logs[0]?.advanceLogStart(2)).rejects.toThrow('ENOSPC')
    world.disk.intercept = undefined
    logs[1]?.append(produce(4), client)
    await world.clock.advance(2500)
    await directory.abandon()
    const again = await (await testWorld(world.disk.crash()).open()).openLog('t', 0, TOPIC_ID, CONFIG)
    expect(again.logStartOffset).toBe(2)
  })

  it('of batches in flight, those taken back come first again', async () => {
    const world = testWorld()
    const log = await (await world.open()).openLog('t', 0, TOPIC_ID, CONFIG)
    world.disk.failNextWrite('ENOSPC')
    for (const sequence of [0, 1]) log.append(produce(sequence), client)
    await expect(log.whenSynced(2)).rejects.toThrow(DiskFullError)
    await world.clock.advance(2500)
    expect(log.append(produce(2), client)).toMatchObject({ errorCode: ErrorCode.OUT_OF_ORDER_SEQUENCE_NUMBER })
    for (const sequence of [0, 1, 2]) expect(log.append(produce(sequence), client)).toMatchObject({ baseOffset: sequence })
  })

  it.each(['.index', '.timeindex'])('entries taken back while %s is written leave it', async (suffix) => {
    const { log, world, directory } = await openLog({ indexIntervalBytes: 100, segmentBytes: 3000 })
    const put = (count: number, fromMs: number): void => {
      for (let n = 0; n < count; n++) log.append(batchOf(['x'.repeat(80)], { timestampMs: fromMs + n }), client)
    }
    put(4, START_MS)
    await log.whenSynced(4)
    let release = (): void => undefined
    const held = new Promise<void>((resolve) => (release = resolve))
    world.disk.intercept = ({ kind, path }) => {
      if (kind !== 'write') return undefined
      if (path.endsWith(suffix)) return held
      if (path.endsWith('.log')) throw Object.assign(new Error('ENOSPC: full'), { code: 'ENOSPC' })
      return undefined
    }
    // The recovery point moves to what is synced, and the index is written with the entries of what is not: appended in the same turn.
    const moved = (log as Log).writer.moveRecoveryPoint()
    put(6, START_MS + 900_000)
    await expect(log.whenSynced(10)).rejects.toThrow(DiskFullError)
    world.disk.intercept = undefined
    release()
    await moved
    await world.clock.advance(2500)
    for (let n = 0; n < 8; n++)
      log.append(batchOf(new Array<string>(10).fill('y'.repeat(60)), { timestampMs: START_MS + 1000 + n }), client)
    await log.whenSynced(log.logEndOffset)
    expect(log.segmentCount).toBeGreaterThan(1)
    await directory.close()
    const again = (await openLog({}, {}, world)).log
    expect(await again.maxTimestamp()).toMatchObject({ offset: 74, timestampMs: START_MS + 1007 })
    expect(await again.offsetForTimestamp(START_MS + 1001)).toMatchObject({ offset: 14 })
    expect(await countOf(again)).toBe(84)
    const times = await world.disk.readFile('/data/t-0/00000000000000000000.timeindex')
    for (let at = 0; at < times.length; at += 12) expect(Number(times.readBigInt64BE(at))).toBeLessThan(START_MS + 2000)
  })

  it('fences when the taking back fails too', async () => {
    const world = testWorld()
    const log = await (await world.open()).openLog('t', 0, TOPIC_ID, CONFIG)
    world.disk.failNextWrite('ENOSPC', 30)
    world.disk.intercept = ({ kind }) => {
      if (kind === 'truncate') throw Object.assign(new Error('EIO: broken'), { code: 'EIO' })
    }
    log.append(produce(0), client)
    await expect(log.whenSynced(1)).rejects.toThrow()
    expect(log.fenced).toBeInstanceOf(LogFencedError)
  })

  it('is seen coming by the bytes written, not only by the clock', async () => {
    const world = testWorld()
    world.disk.setLimitBytes(20_000_000)
    const directory = await world.open({ freeBytesMin: 5_000_000 })
    const log = await directory.openLog('t', 0, TOPIC_ID, CONFIG)
    const large = (): Buffer => batchOf(['v'.repeat(500_000)])
    let count = 0
    for (; count < 60 && !directory.full; count++) {
      if (log.append(large(), client).kind === 'refused') break
      await log.whenSynced(log.logEndOffset)
    }
    expect(directory.full).toBe(true)
    expect(log.fenced).toBeUndefined()
    expect(log.syncedOffset).toBe(log.logEndOffset)
    expect((await world.disk.space('/data')).freeBytes).toBeGreaterThan(3_000_000)
  })

  it('is refused ahead of time below the watermark; the metadata log may go on', async () => {
    const world = testWorld()
    world.disk.setLimitBytes(10_000_000)
    const directory = await world.open({ freeBytesMin: 5_000_000 })
    const log = await directory.openLog('t', 0, TOPIC_ID, CONFIG)
    expect(log.append(produce(0), client).kind).toBe('appended')
    world.disk.setLimitBytes(1_000_000)
    await world.clock.advance(2500)
    expect(directory.full).toBe(true)
    expect(log.append(produce(1), client)).toMatchObject({ errorCode: ErrorCode.KAFKA_STORAGE_ERROR })
    expect(log.append(batchOf(['m'], { baseOffset: 1 }), { origin: 'raft', leaderEpoch: 0 }).kind).toBe('appended')
    expect(log.append(batchOf(['m']), { origin: 'coordinator', leaderEpoch: 0 }).kind).toBe('appended')
    world.disk.setLimitBytes(10_000_000)
    await world.clock.advance(2500)
    expect(log.append(produce(1), client).kind).toBe('appended')
  })
})

describe('damaged files', () => {
  async function prepared() {
    const world = testWorld()
    const directory = await world.open()
    const log = await directory.openLog('t', 0, TOPIC_ID, { ...CONFIG, segmentBytes: 2000, indexIntervalBytes: 200 })
    for (let n = 0; n < 50; n++) log.append(produce(n), client)
    await log.whenSynced(50)
    await directory.close()
    return world
  }
  const damage = async (
    world: Awaited<ReturnType<typeof prepared>>,
    path: string,
    content: Buffer = Buffer.from('garbage'),
  ): Promise<void> => {
    await world.disk.writeFileAtomic(path, content)
  }
  const names = async (world: Awaited<ReturnType<typeof prepared>>, suffix: string): Promise<string[]> =>
    (await world.disk.list('/data/t-0')).filter((name) => name.endsWith(suffix)).map((name) => `/data/t-0/${name}`)

  it.each(['.index', '.timeindex', '.snapshot'])('%s is made anew', async (suffix) => {
    const world = await prepared()
    for (const path of await names(world, suffix)) await damage(world, path)
    const log = await (await world.open({ tailBytesPerLog: 0 })).openLog('t', 0, TOPIC_ID, CONFIG)
    expect(await countOf(log)).toBe(50)
    expect((await log.offsetForTimestamp(0))?.offset).toBe(0)
    for (let n = 45; n < 50; n++) expect(log.append(produce(n), client)).toMatchObject({ duplicate: true, baseOffset: n })
    expect(log.append(produce(50), client)).toMatchObject({ duplicate: false })
  })

  it('an index that leads astray does not: the segment is walked', async () => {
    const world = await prepared()
    const path = (await names(world, '.index'))[0] as string
    const whole = await world.disk.readFile(path)
    for (const shift of [0, 3, 100, 1000]) {
      // Still growing, but every place is wrong: that of the next entry, or somewhere in a batch.
      const content = Buffer.from(whole.subarray(0, whole.length - 8))
      for (let at = 4; at < content.length; at += 8) content.writeInt32BE(whole.readInt32BE(at + 8), at)
      for (let at = 4; shift > 0 && at < content.length; at += 8)
        content.writeInt32BE(Math.min(1950, content.readInt32BE(at) + shift) + at / 8, at)
      await damage(world, path, content)
      const directory = await world.open({ tailBytesPerLog: 0 })
      const log = await directory.openLog('t', 0, TOPIC_ID, CONFIG)
      for (let offset = 49; offset >= 0; offset--) {
        const { records } = await log.read(offset, { ...EVERYTHING, maxBytes: 1 })
        expect(batchHeader.baseOffset(records[0] as Buffer, 0)).toBe(offset)
      }
      await directory.close()
    }
  })

  it('leader-epoch-checkpoint and recovery-point-offset-checkpoint are made anew by a scan', async () => {
    const world = await prepared()
    await damage(world, '/data/t-0/leader-epoch-checkpoint')
    await damage(world, '/data/recovery-point-offset-checkpoint')
    const directory = await world.open()
    const log = await directory.openLog('t', 0, TOPIC_ID, CONFIG)
    expect([await countOf(log), log.latestEpoch]).toEqual([50, 0])
    expect(directory.recoveries[0]?.scannedBytes).toBeGreaterThanOrEqual(log.sizeBytes)
    expect(world.logger.messages('warn').join('\n')).toContain('/data/recovery-point-offset-checkpoint is corrupt')
  })

  it('log-start-offset-checkpoint and meta.properties need a person', async () => {
    const world = await prepared()
    await damage(world, '/data/log-start-offset-checkpoint')
    await expect(world.open()).rejects.toThrow('/data/log-start-offset-checkpoint is corrupt')
    await world.disk.remove('/data/log-start-offset-checkpoint')
    await damage(world, '/data/meta.properties')
    await expect(world.open()).rejects.toThrow(CorruptLogError)
  })

  it('damage below the recovery point in the last segment stops that log', async () => {
    const world = await prepared()
    await world.disk.remove('/data/.kafka_cleanshutdown')
    for (const path of [...(await names(world, '.snapshot')), ...(await names(world, '.index'))]) await world.disk.remove(path)
    const last = (await names(world, '.log')).at(-1) as string
    const content = await world.disk.readFile(last)
    content[16] = 7
    await damage(world, last, content)
    const directory = await world.open()
    await expect(directory.openLog('t', 0, TOPIC_ID, CONFIG)).rejects.toThrow(`${last} is corrupt`)
    expect((await directory.openLog('t', 1, TOPIC_ID, CONFIG)).logEndOffset).toBe(0)
  })
})
