import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { type MemoryDisk, memoryDisk, seededRandom } from '../../hub/io/index.ts'
import { type MetadataLog, MetadataLogError, type Proposal } from '../../hub/raft/index.ts'
import { decodeBatch, ErrorCode, LeaderChangeMessage, Reader } from '../../hub/wire/index.ts'
import { METADATA_DIRECTORY, openWorld, replayAll, type World, type WorldOptions } from './world.ts'

const records = (...texts: string[]): Buffer[] => texts.map((text) => Buffer.from(text))

function propose(log: MetadataLog, ...texts: string[]): Proposal {
  const proposal = log.append(records(...texts))
  if (proposal.kind === 'refused') throw new Error(proposal.message)
  return proposal
}

async function started(options: WorldOptions = {}): Promise<World & { readonly replayed: string[][] }> {
  const world = await openWorld(options)
  const replayed = await replayAll(world.metadataLog)
  await world.metadataLog.start()
  return { ...world, replayed }
}

describe('metadata log', () => {
  it('begins with a leader change in epoch 1, committed', async () => {
    const { disk, directory, metadataLog } = await started()
    expect([metadataLog.leaderId, metadataLog.epoch, metadataLog.highWatermark, metadataLog.endOffset]).toEqual([1, 1, 1, 1])
    const first = decodeBatch(await disk.readFile(`${METADATA_DIRECTORY}/00000000000000000000.log`), 0)
    expect([first.isControl, first.leaderEpoch, first.recordCount]).toEqual([true, 1, 1])
    const change = LeaderChangeMessage.decode(new Reader(first.records[0]?.value as Buffer), 0)
    expect(change).toMatchObject({ leaderId: 1, voters: [{ voterId: 1 }], grantingVoters: [{ voterId: 1 }] })
    expect((await disk.readFile(`${METADATA_DIRECTORY}/quorum-state`)).toString()).toContain('"leaderEpoch":1')
    await directory.close()
  })

  it('commits when synced, tells listeners before proposers, in order', async () => {
    const { metadataLog, directory } = await started()
    const told: string[] = []
    const stop = metadataLog.onCommit(({ highWatermark, epoch }) => told.push(`commit ${highWatermark} in ${epoch}`))
    const first = propose(metadataLog, 'a', 'b')
    const second = propose(metadataLog, 'c')
    expect([first.baseOffset, first.lastOffset, second.baseOffset]).toEqual([1, 2, 3])
    const answered = [first, second].map(({ committed, lastOffset }) => committed.then(() => told.push(`answered ${lastOffset}`)))
    expect(metadataLog.highWatermark).toBe(1)
    await Promise.all(answered)
    expect(told).toEqual(['commit 4 in 1', 'answered 2', 'answered 3'])
    stop()
    await propose(metadataLog, 'd').committed
    expect(told).toHaveLength(3)
    await directory.close()
  })

  it('takes nothing any more once a committed change could not be applied, and says so to everybody who waits', async () => {
    const { metadataLog, directory, logger } = await started()
    const unhandled: unknown[] = []
    const note = (reason: unknown): void => void unhandled.push(reason)
    process.on('unhandledRejection', note)
    const stop = metadataLog.onCommit(() => {
      throw new TypeError('a defect of the follower')
    })
    const proposals = [propose(metadataLog, 'a'), propose(metadataLog, 'b')]
    for (const { committed } of proposals)
      await expect(committed).rejects.toThrow(/could not be applied: a defect of the follower; start the hub again/)
    expect(metadataLog.failure?.message).toContain('a defect of the follower')
    expect(logger.entries.filter(({ level }) => level === 'error')).toHaveLength(1)
    stop()
    expect(metadataLog.append(records('c'))).toMatchObject({ kind: 'refused', errorCode: ErrorCode.KAFKA_STORAGE_ERROR })
    await directory.close()
    process.removeListener('unhandledRejection', note)
    expect(unhandled).toEqual([])
  })

  it('batches that come during a sync share the next one', async () => {
    const { disk, metadataLog, directory } = await started()
    let syncs = 0
    disk.intercept = ({ kind, path }) => void (kind === 'sync' && path.endsWith('.log') && syncs++)
    await Promise.all(Array.from({ length: 200 }, (_, n) => propose(metadataLog, `record ${n}`).committed))
    expect(syncs).toBeLessThanOrEqual(3)
    await directory.close()
  })

  it('a restart reads everything committed and leads in the next epoch, whatever a power cut leaves of the rest', async () => {
    const random = seededRandom(7)
    let disk = memoryDisk({ directories: ['/data/log'] })
    const expected: string[] = []
    for (let restart = 1; restart <= 12; restart++) {
      const world = await started({ disk })
      expect(world.metadataLog.epoch).toBe(restart)
      const replayed = world.replayed.flat()
      expect(replayed.slice(0, expected.length)).toEqual(expected)
      expected.splice(0, expected.length, ...replayed)
      for (let n = 0; n < 3; n++) {
        const text = `epoch ${restart} record ${n}`
        await propose(world.metadataLog, text).committed
        expected.push(text)
      }
      // Written or not when the power goes: may come back or not, but only whole and in order.
      propose(world.metadataLog, `epoch ${restart} torn`, 'x'.repeat(3000)).committed.catch(() => undefined)
      await new Promise(setImmediate)
      disk = world.disk.crash(() => random.float())
      await world.directory.abandon()
    }
  })

  it('cuts a torn last batch off', async () => {
    const world = await started()
    await propose(world.metadataLog, 'kept').committed
    await propose(world.metadataLog, 'torn').committed
    await world.directory.abandon()
    const disk = world.disk.crash()
    const path = `${METADATA_DIRECTORY}/00000000000000000000.log`
    const bytes = await disk.readFile(path)
    const file = await disk.open(path, 'write')
    await file.truncate(bytes.length - 3)
    await file.sync()
    await file.close()
    const again = await started({ disk })
    expect(again.replayed).toEqual([['kept']])
    expect([again.metadataLog.epoch, again.metadataLog.endOffset]).toEqual([2, 3])
    await again.directory.close()
  })

  it('a failed sync fences: waiters fail, later appends are refused, and a restart has what was committed', async () => {
    const { disk, metadataLog, directory } = await started()
    await propose(metadataLog, 'kept').committed
    disk.failNextSync()
    await expect(propose(metadataLog, 'lost').committed).rejects.toThrow()
    expect(metadataLog.failure).toBeInstanceOf(Error)
    expect(metadataLog.append(records('refused'))).toMatchObject({ kind: 'refused', errorCode: ErrorCode.KAFKA_STORAGE_ERROR })
    const after = disk.crash()
    await directory.abandon()
    expect((await started({ disk: after })).replayed).toEqual([['kept']])
  })

  it('a full device takes nothing; with room again the log goes on without a gap', async () => {
    const { disk, metadataLog, directory } = await started()
    await propose(metadataLog, 'before').committed
    disk.setLimitBytes(disk.usedBytes() + 10)
    await expect(propose(metadataLog, 'x'.repeat(500)).committed).rejects.toThrow()
    disk.setLimitBytes(Number.MAX_SAFE_INTEGER)
    expect(metadataLog.failure).toBeUndefined()
    let after = metadataLog.append(records('after'))
    for (let tries = 0; after.kind === 'refused' && tries < 20; tries++) {
      await new Promise(setImmediate)
      after = metadataLog.append(records('after'))
    }
    expect(after).toMatchObject({ kind: 'proposed', baseOffset: 2 })
    await (after as Proposal).committed
    await directory.close()
    expect((await started({ disk })).replayed).toEqual([['before'], ['after']])
  })

  it('refuses a batch over its limit by code, and an empty one as a mistake', async () => {
    const { metadataLog, directory } = await started({ limits: { batchBytesMax: 200 } })
    expect(metadataLog.append(records('x'.repeat(300)))).toMatchObject({ kind: 'refused', errorCode: ErrorCode.RECORD_LIST_TOO_LARGE })
    expect(() => metadataLog.append([])).toThrow(RangeError)
    await directory.close()
  })

  it('is used in its order only', async () => {
    const { metadataLog, directory } = await openWorld()
    expect(() => metadataLog.append(records('early'))).toThrow('before start')
    await expect(metadataLog.start()).rejects.toThrow('before the end of replay')
    await replayAll(metadataLog)
    await metadataLog.start()
    await expect(metadataLog.start()).rejects.toThrow('started twice')
    await directory.close()
  })

  it('does not lead where others vote by configuration', async () => {
    const { metadataLog, directory } = await openWorld({ voterIds: [1, 2, 3] })
    await replayAll(metadataLog)
    await expect(metadataLog.start()).rejects.toThrow('the voters are [1, 2, 3], this node is 1')
    await directory.close()
  })
})

describe('snapshots of the log', () => {
  /** A state machine that keeps every record. */
  async function machine(options: WorldOptions = {}) {
    const world = await openWorld(options)
    const state: string[] = []
    let last = { offset: -1, epoch: 0, timestampMs: 0 }
    for await (const batch of world.metadataLog.replay()) {
      state.push(...batch.records.map(String))
      last = { offset: batch.lastOffset, epoch: batch.epoch, timestampMs: batch.timestampMs }
    }
    await world.metadataLog.start()
    world.metadataLog.snapshotFrom(() => ({ ...last, records: records(...state) }))
    const add = async (text: string): Promise<void> => {
      const proposal = propose(world.metadataLog, text)
      await proposal.committed
      state.push(text)
      last = { offset: proposal.lastOffset, epoch: proposal.epoch, timestampMs: proposal.timestampMs }
    }
    return { ...world, state, add }
  }
  const snapshotNames = async (disk: MemoryDisk): Promise<string[]> =>
    (await disk.list(METADATA_DIRECTORY)).filter((name) => name.includes('.checkpoint'))

  it('a restart begins with the newest one and reads the log behind it', async () => {
    const first = await machine()
    for (const text of ['a', 'b', 'c']) await first.add(text)
    expect(await first.metadataLog.snapshot()).toEqual({ endOffset: 4, epoch: 1 })
    expect(await first.metadataLog.snapshot()).toEqual({ endOffset: 4, epoch: 1 })
    await first.add('d')
    const disk = first.disk.crash()
    await first.directory.abandon()
    const second = await openWorld({ disk })
    expect(second.metadataLog.latestSnapshot).toMatchObject({ endOffset: 4, epoch: 1 })
    expect(await replayAll(second.metadataLog)).toEqual([['a', 'b', 'c'], ['d']])
    await second.directory.close()
  })

  it('are taken by bytes, and the oldest go with the log’s prefix when they pass the limit', async () => {
    const limits = { snapshotBytes: 2000, retentionBytes: 6000, segmentBytes: 1024 }
    const world = await machine({ limits })
    for (let n = 0; n < 60; n++) await world.add(`${n} `.padEnd(100, 'x'))
    await world.metadataLog.close()
    expect(world.metadataLog.latestSnapshot?.endOffset).toBeGreaterThan(30)
    expect(world.metadataLog.logStartOffset).toBeGreaterThan(0)
    const names = await snapshotNames(world.disk)
    expect(Number(names[0]?.slice(0, 20))).toBe(world.metadataLog.logStartOffset)
    const disk = world.disk.crash()
    await world.directory.abandon()
    expect((await machine({ disk, limits })).state).toEqual(world.state)
  })

  it('are taken by time after a change, and not without one', async () => {
    const world = await machine({ limits: { snapshotMs: 1000 } })
    await world.clock.advance(5000)
    expect(await snapshotNames(world.disk)).toEqual([])
    await world.add('a')
    await world.clock.advance(999)
    expect(await snapshotNames(world.disk)).toEqual([])
    await world.clock.advance(1)
    await world.metadataLog.close()
    expect(await snapshotNames(world.disk)).toEqual(['00000000000000000002-0000000001.checkpoint'])
    await world.directory.close()
  })

  it('one that cannot be written is told to the log and tried again later', async () => {
    const world = await machine({ limits: { snapshotBytes: 300 } })
    world.disk.intercept = ({ path, kind }) => {
      if (path.endsWith('.part') && kind === 'write') throw new Error('no luck')
    }
    for (let n = 0; n < 10; n++) await world.add('x'.repeat(100))
    await new Promise(setImmediate)
    expect(world.logger.messages('error')).toContain('metadata snapshot failed')
    expect(world.metadataLog.latestSnapshot).toBeUndefined()
    world.disk.intercept = undefined
    for (let n = 0; n < 10; n++) await world.add('x'.repeat(100))
    await world.metadataLog.close()
    expect(world.metadataLog.latestSnapshot).toBeDefined()
    expect((await snapshotNames(world.disk)).filter((name) => name.endsWith('.part'))).toEqual([])
    await world.directory.close()
  })

  it('a log that lacks the records behind its newest snapshot is refused', async () => {
    const world = await machine()
    await world.add('a')
    await world.metadataLog.snapshot()
    await world.directory.close()
    await world.disk.rename(
      `${METADATA_DIRECTORY}/00000000000000000002-0000000001.checkpoint`,
      `${METADATA_DIRECTORY}/00000000000000000009-0000000001.checkpoint`,
    )
    await expect(openWorld({ disk: world.disk })).rejects.toThrow('its log covers offsets 0 to 2, its newest snapshot ends at 9')
  })
})

describe('a directory of Kafka 4.3.1', () => {
  const golden = join(import.meta.dirname, '../golden/raft/kafka-4.3.1')

  async function kafkaDisk(voterId?: number): Promise<MemoryDisk> {
    const disk = memoryDisk({ directories: [METADATA_DIRECTORY] })
    const put = (name: string, bytes: Buffer): Promise<void> => disk.writeFileAtomic(`${METADATA_DIRECTORY}/${name}`, bytes)
    await put('00000000000000000000.log', readFileSync(join(golden, 'segment.bin')))
    await put('00000000000000000065-0000000001.checkpoint', readFileSync(join(golden, '65-1.checkpoint')))
    await put('quorum-state', readFileSync(join(golden, 'quorum-state')))
    await put('partition.metadata', Buffer.from('version: 0\ntopic_id: AAAAAAAAAAAAAAAAAAAAAQ'))
    await put('leader-epoch-checkpoint', Buffer.from('0\n1\n1 0\n'))
    const identity = `version=1\nnode.id=${voterId ?? 1}\ncluster.id=cluster\ndirectory.id=7aNGyXpnR-66FKiIgMzdKA\n`
    await disk.writeFileAtomic('/data/log/meta.properties', Buffer.from(identity))
    return disk
  }

  it('is opened: snapshot, log, voters; and led in the next epoch', async () => {
    const { metadataLog, replayed, directory, disk } = await started({ disk: await kafkaDisk(), voterIds: [1] })
    expect(replayed.map((batch) => batch.length).slice(0, 2)).toEqual([55, 44])
    expect([metadataLog.voters, metadataLog.epoch, metadataLog.leaderId]).toEqual([[1], 2, 1])
    metadataLog.snapshotFrom(() => ({ offset: metadataLog.endOffset - 1, epoch: 2, timestampMs: 0, records: [] }))
    const { endOffset } = await metadataLog.snapshot()
    await directory.close()
    // The voters live on in our snapshot.
    const again = await openWorld({ disk, voterIds: [5] })
    expect(again.metadataLog.latestSnapshot?.endOffset).toBe(endOffset)
    await replayAll(again.metadataLog)
    expect(again.metadataLog.voters).toEqual([1])
    await again.directory.close()
  })

  it('is refused by a node that its voters do not name', async () => {
    const world = await openWorld({ disk: await kafkaDisk(), voterIds: [1] })
    await replayAll(world.metadataLog)
    const { openMetadataLog } = await import('../../hub/raft/index.ts')
    const other = await openMetadataLog({ ...world, nodeId: 2, voterIds: [2], logDirectory: world.directory })
    await replayAll(other)
    await expect(other.start()).rejects.toThrow(MetadataLogError)
    await world.directory.close()
  })
})
