/** Index files after kills, power cuts and damage: what they say of times is what the batches say. */
import { describe, expect, it } from 'vitest'
import { memoryDisk } from '../../hub/io/index.ts'
import type { PartitionLog } from '../../hub/log/index.ts'
import { IndexFile } from '../../hub/log/index-file.ts'
import { OffsetIndex } from '../../hub/log/offset-index.ts'
import { batchOf, client, fill, openLog, START_MS, type TestWorld } from './world.ts'

const INDEX = '/data/t-0/00000000000000000000.index'
const TIME_INDEX = '/data/t-0/00000000000000000000.timeindex'
const CHANGES = { indexIntervalBytes: 200 }

/** Appends one batch per time (ms after the first moment), and waits until they are synced. */
async function put(log: PartitionLog, times: readonly number[]): Promise<void> {
  for (const ms of times) log.append(batchOf(['x'.repeat(100)], { timestampMs: START_MS + ms }), client)
  await log.whenSynced(log.logEndOffset)
}
const timesOf = async (world: TestWorld): Promise<number[]> => {
  const content = await world.disk.readFile(TIME_INDEX)
  return Array.from({ length: content.length / 12 }, (_, n) => Number(content.readBigInt64BE(n * 12)) - START_MS)
}

/** A log of 30 batches with the greatest time early, killed when its recovery point had moved to the end. */
async function killed(): Promise<TestWorld> {
  const { log, world, directory } = await openLog(CHANGES)
  await put(log, [0, 10, 20, 30, 900, 40, 50, 60])
  await put(
    log,
    Array.from({ length: 22 }, (_, n) => 100 + n),
  )
  await world.clock.advance(2500)
  await directory.abandon()
  return world
}

describe('a flush', () => {
  it('settles what the file has when it ends: entries may have been taken back and others added', async () => {
    const disk = memoryDisk()
    const [index, file, path] = [new OffsetIndex(), new IndexFile(8), '/data/index']
    const flush = (): Promise<void> => file.flush(index, disk, path, { final: false, sync: false })
    for (let n = 1; n <= 6; n++) index.append(n, n * 10)
    let release = (): void => undefined
    const held = new Promise<void>((resolve) => (release = resolve))
    disk.intercept = ({ kind }) => (kind === 'write' ? held : undefined)
    const flushed = flush()
    index.truncate(2)
    file.rewind(2)
    for (let n = 7; n <= 8; n++) index.append(n, n * 10)
    disk.intercept = undefined
    release()
    await flushed
    await flush()
    expect(await disk.readFile(path)).toEqual(index.bytes())
    // What a failed write left behind goes as well.
    index.append(9, 90)
    index.append(10, 100)
    disk.failNextWrite('EIO', 16)
    await expect(flush()).rejects.toThrow('EIO')
    index.truncate(4)
    file.rewind(4)
    await flush()
    expect(await disk.readFile(path)).toEqual(index.bytes())
  })
})

describe('after a kill', () => {
  it.each([
    ['the offset index', INDEX, -3],
    ['the time index', TIME_INDEX, -5],
    ['all of the time index but an entry', TIME_INDEX, 17],
  ])('a cut end of %s costs no time', async (_what, path, end) => {
    const world = await killed()
    await world.disk.writeFileAtomic(path, (await world.disk.readFile(path)).subarray(0, end))
    const { log } = await openLog(CHANGES, {}, world)
    expect(await log.maxTimestamp()).toMatchObject({ offset: 4, timestampMs: START_MS + 900 })
    expect(await log.offsetForTimestamp(START_MS + 101)).toMatchObject({ offset: 4 })
    expect(await log.offsetForTimestamp(START_MS + 901)).toBeUndefined()
  })

  it('an index that is longer than what was kept of it gets cut', async () => {
    const world = await killed()
    const log = '/data/t-0/00000000000000000000.log'
    // The recovery point stands before the middle, where the log is torn.
    await world.disk.writeFileAtomic('/data/recovery-point-offset-checkpoint', Buffer.from('0\n1\nt 0 8\n'))
    await world.disk.rename('/data/t-0/00000000000000000030.snapshot', '/data/t-0/00000000000000000008.snapshot')
    const content = await world.disk.readFile(log)
    await world.disk.writeFileAtomic(log, content.subarray(0, content.length / 2 - 5))
    const again = await openLog(CHANGES, {}, world)
    expect(again.log.logEndOffset).toBe(14)
    await put(again.log, [50, 60, 70])
    await world.clock.advance(2500)
    await again.directory.abandon()
    expect(await timesOf(world)).toEqual((await timesOf(world)).toSorted((a, b) => a - b))
    const offsets = await world.disk.readFile(INDEX)
    for (let at = 0; at < offsets.length; at += 8) expect(offsets.readInt32BE(at)).toBeLessThan(17)
  })

  it('those of a log that was cut to nothing begin anew', async () => {
    const world = await killed()
    await world.disk.remove('/data/recovery-point-offset-checkpoint')
    await world.disk.writeFileAtomic('/data/t-0/00000000000000000000.log', Buffer.alloc(0))
    for (const name of await world.disk.list('/data/t-0')) if (name.endsWith('.snapshot')) await world.disk.remove(`/data/t-0/${name}`)
    const { log, directory } = await openLog(CHANGES, {}, world)
    expect(log.logEndOffset).toBe(0)
    await put(log, [5, 4, 3, 2])
    await world.clock.advance(2500)
    await directory.abandon()
    expect(await timesOf(world)).toEqual([5])
  })

  it('those of a segment that was rolled just before are finished', async () => {
    const changes = { ...CHANGES, segmentBytes: 2000 }
    const { log, world, directory } = await openLog(changes)
    await fill(log, 15)
    expect(log.segmentCount).toBe(2)
    await world.clock.advance(2500)
    await directory.abandon()
    const [last, ...names] = (await world.disk.list('/data/t-0')).filter((name) => name.endsWith('.log')).toReversed()
    const end = Number(last?.slice(0, 20))
    expect(names).toHaveLength(1)
    // As a kill leaves it between the recovery point, which is where the segment ends, and the end of its indexes.
    await world.disk.writeFileAtomic('/data/recovery-point-offset-checkpoint', Buffer.from(`0\n1\nt 0 ${end}\n`))
    for (const [path, entryBytes] of [
      [INDEX, 8],
      [TIME_INDEX, 12],
    ] as const) {
      const content = await world.disk.readFile(path)
      await world.disk.writeFileAtomic(path, content.subarray(0, content.length - 2 * entryBytes))
    }
    const again = (await openLog(changes, {}, world)).log
    const ms = START_MS + (end - 1) * 10
    expect(await again.offsetForTimestamp(ms)).toMatchObject({ offset: end - 1, timestampMs: ms })
  })
})

describe('a power cut', () => {
  it('takes no time that lies below the recovery point', async () => {
    const { log, world, directory } = await openLog(CHANGES)
    const synced: string[] = []
    world.disk.intercept = ({ kind, path }) => {
      if (path === TIME_INDEX && (kind === 'sync' || kind === 'write')) synced.push(kind)
      if (kind === 'replace' && path.endsWith('recovery-point-offset-checkpoint')) synced.push('checkpoint')
    }
    await put(log, [0, 10, 20, 900, 30, 40, 50])
    await world.clock.advance(2500)
    expect(synced.slice(0, 3)).toEqual(['write', 'sync', 'checkpoint'])
    await put(log, [60])
    await directory.abandon()
  })
})
