import { describe, expect, it } from 'vitest'
import type { CleanerSettings, LogConfig, PartitionLog } from '../../hub/log/index.ts'
import { batchHeader, decodeRecords, encodeBatch } from '../../hub/wire/index.ts'
import { batchOf, client, EVERYTHING, openLog, START_MS, TOPIC_ID, testWorld } from './world.ts'

const COMPACTED: Partial<LogConfig> = {
  cleanupPolicies: new Set(['compact']),
  segmentBytes: 1_000,
  minCleanableDirtyRatio: 0,
  fileDeleteDelayMs: 0,
}
const CLEANER: CleanerSettings = {
  isEnabled: true,
  backoffMs: 1_000,
  dedupeBufferBytes: 1 << 20,
  loadFactor: 0.9,
  ioBytesPerSecondMax: Number.POSITIVE_INFINITY,
}

async function compactedLog(changes: Partial<LogConfig> = {}, settings: Partial<CleanerSettings> = {}) {
  const opened = await openLog({ ...COMPACTED, ...changes }, { tailBytesPerLog: 0, tailBytesTotal: 0 })
  opened.directory.configureCleaner({ ...CLEANER, ...settings })
  const { world } = opened
  return { ...opened, pass: () => world.clock.advance(CLEANER.backoffMs) }
}

/** One record a batch. */
async function put(log: PartitionLog, key: string, value: string | null, timestampMs = START_MS): Promise<void> {
  log.append(encodeBatch({ records: [{ key: Buffer.from(key), value: value === null ? null : Buffer.from(value), timestampMs }] }), client)
  await log.whenSynced(log.logEndOffset)
}

/** Closes the active segment by records of its size of a key of their own. */
async function roll(log: PartitionLog): Promise<void> {
  const before = log.segmentCount
  while (log.segmentCount === before) await put(log, 'filler', 'x'.repeat(300))
}

async function records(log: PartitionLog): Promise<(readonly [offset: number, key: string, value: string | null])[]> {
  const found: (readonly [number, string, string | null])[] = []
  for (let next = log.logStartOffset; next < log.logEndOffset; ) {
    const read = await log.read(next, { ...EVERYTHING, endOffset: log.logEndOffset })
    for (const chunk of read.records)
      for (let at = 0; at < chunk.length; at += batchHeader.sizeBytes(chunk, at)) {
        next = batchHeader.lastOffset(chunk, at) + 1
        for (const { offset, key, value } of decodeRecords(chunk, at))
          found.push([offset, String(key), value === null ? null : String(value)])
      }
  }
  return found.filter(([, key]) => key !== 'filler')
}

describe('compaction', () => {
  it('keeps the newest record of each key in the closed segments, at its offset', async () => {
    const { log, pass } = await compactedLog()
    for (const [key, value] of [
      ['a', '1'],
      ['b', '1'],
      ['a', '2'],
      ['c', '1'],
      ['b', '2'],
    ] as const)
      await put(log, key, value)
    await roll(log)
    const endOffset = log.logEndOffset
    await put(log, 'a', '3')
    await pass()
    expect(await records(log)).toEqual([
      [2, 'a', '2'],
      [3, 'c', '1'],
      [4, 'b', '2'],
      [endOffset, 'a', '3'],
    ])
    expect(log.logEndOffset).toBe(endOffset + 1)
  })

  it('leaves a log alone that is not to be compacted, or not dirty enough', async () => {
    for (const changes of [
      { cleanupPolicies: new Set(['delete'] as const) },
      { minCleanableDirtyRatio: 1 },
      { minCompactionLagMs: 1e12 },
    ]) {
      const { log, pass, directory } = await compactedLog(changes)
      await put(log, 'a', '1')
      await put(log, 'a', '2')
      await roll(log)
      await pass()
      expect([directory.cleaner.compactionCount, (await records(log)).length]).toEqual([0, 2])
    }
  })

  it('goes at a log that has waited for max.compaction.lag.ms, whatever its ratio', async () => {
    const { log, pass, directory, world } = await compactedLog({ minCleanableDirtyRatio: 1, maxCompactionLagMs: 60_000 })
    await put(log, 'a', '1')
    await put(log, 'a', '2')
    await roll(log)
    await pass()
    expect(directory.cleaner.compactionCount).toBe(0)
    await world.clock.advance(61_000)
    expect(directory.cleaner.compactionCount).toBe(1)
    expect(await records(log)).toEqual([[1, 'a', '2']])
  })

  it('lets a tombstone stay for delete.retention.ms after it first met it', async () => {
    const { log, pass, world } = await compactedLog({ deleteRetentionMs: 10_000 })
    await put(log, 'a', '1')
    await put(log, 'a', null)
    await roll(log)
    await pass()
    expect(await records(log)).toEqual([[1, 'a', null]])
    await world.clock.advance(5_000)
    await roll(log)
    await pass()
    expect(await records(log)).toEqual([[1, 'a', null]])
    await world.clock.advance(10_000)
    await roll(log)
    await pass()
    expect(await records(log)).toEqual([])
  })

  it('goes through a log with more keys than its memory holds in several passes', async () => {
    const { log, pass, directory } = await compactedLog({}, { dedupeBufferBytes: 800 })
    for (let round = 0; round < 2; round++) for (let key = 0; key < 40; key++) await put(log, `key-${key}`, `value ${round}`)
    await roll(log)
    await pass()
    const left = await records(log)
    expect(left.map(([, key]) => key)).toEqual(Array.from({ length: 40 }, (_, key) => `key-${key}`))
    expect(left.every(([, , value]) => value === 'value 1')).toBe(true)
    expect(directory.cleaner.compactionCount).toBeGreaterThan(2)
  })

  it('keeps the sequence of a producer whose records are all gone, also over a restart', async () => {
    const { log, pass, directory, world } = await compactedLog()
    const idempotent = { producerId: 7, producerEpoch: 0 }
    log.append(batchOf(['1'], { ...idempotent, baseSequence: 0, key: 'a' }), client)
    await put(log, 'a', '2')
    await roll(log)
    await pass()
    expect(await records(log)).toEqual([[1, 'a', '2']])
    await directory.abandon()
    const again = await testWorld(world.disk, world.clock).open()
    const reopened = await again.openLog('t', 0, TOPIC_ID, log.config)
    expect(reopened.append(batchOf(['1'], { ...idempotent, baseSequence: 0, key: 'a' }), client)).toMatchObject({
      kind: 'appended',
      baseOffset: 0,
      duplicate: true,
    })
    expect(reopened.append(batchOf(['3'], { ...idempotent, baseSequence: 1, key: 'a' }), client)).toMatchObject({
      kind: 'appended',
      duplicate: false,
    })
    await again.close()
  })

  it('merges small segments, and an idle log is not written again and again', async () => {
    const { log, pass, directory } = await compactedLog()
    for (let n = 0; n < 60; n++) await put(log, `k${n % 3}`, 'v'.repeat(100))
    const before = log.segmentCount
    // What the first pass makes small, the second puts together.
    await pass()
    await roll(log)
    await pass()
    expect(log.segmentCount).toBeLessThan(before / 2)
    const { writtenBytes, compactionCount } = directory.cleaner
    await pass()
    await pass()
    expect([directory.cleaner.writtenBytes, directory.cleaner.compactionCount]).toEqual([writtenBytes, compactionCount])
  })

  it('takes its time where it is told to', async () => {
    const { log, world, directory } = await compactedLog({}, { ioBytesPerSecondMax: 1_000 })
    for (let n = 0; n < 30; n++) await put(log, `k${n % 3}`, 'v'.repeat(100))
    await roll(log)
    await world.clock.advance(2_000)
    expect(directory.cleaner.compactionCount).toBe(0)
    await world.clock.advance(20_000)
    expect(directory.cleaner.compactionCount).toBe(1)
  })

  it('leaves out a log whose segment is damaged, says why, and compacts the others', async () => {
    const { log, pass, directory, world } = await compactedLog()
    const other = await directory.openLog('other', 0, TOPIC_ID, log.config)
    for (const one of [log, other]) {
      await put(one, 'a', '1')
      await put(one, 'a', '2')
      await roll(one)
    }
    const file = await world.disk.open('/data/t-0/00000000000000000000.log', 'write')
    await file.write([Buffer.from('garbage')], 70)
    await file.close()
    await pass()
    expect([...directory.cleaner.uncleanable.keys()]).toEqual(['t-0'])
    expect(await records(other)).toEqual([[1, 'a', '2']])
    expect(world.logger.entries.some(({ message }) => message.includes('cannot be compacted'))).toBe(true)
  })

  it('goes on with a compaction of Kafka that was interrupted while it put its files in place', async () => {
    const { log, directory, world } = await compactedLog()
    await put(log, 'a', '1')
    await put(log, 'a', '2')
    await roll(log)
    const kept = batchOf(['2'], { key: 'a' })
    await directory.close()
    const path = '/data/t-0/00000000000000000000'
    const content = await world.disk.readFile(`${path}.log`)
    // What Kafka would leave: the newest record, its offset, and the rest as it was.
    const second = batchHeader.sizeBytes(content, 0)
    expect(batchHeader.recordCount(kept, 0)).toBe(1)
    await world.disk.writeFileAtomic(`${path}.log.swap`, content.subarray(second))
    await world.disk.writeFileAtomic(`${path}.index.swap`, Buffer.alloc(0))
    await world.disk.writeFileAtomic('/data/t-0/00000000000000000099.log.cleaned', Buffer.from('half'))
    const again = await testWorld(world.disk, world.clock).open()
    const reopened = await again.openLog('t', 0, TOPIC_ID, log.config)
    expect(await records(reopened)).toEqual([[1, 'a', '2']])
    expect((await world.disk.list('/data/t-0')).filter((name) => /swap|cleaned/.test(name))).toEqual([])
    await again.close()
  })
})
