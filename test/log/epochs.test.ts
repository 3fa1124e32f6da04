/** Leader epochs by Kafka's rules (LeaderEpochFileCache): each has an entry from its beginning on, batches or not. */
import { describe, expect, it } from 'vitest'
import { LeaderEpochs } from '../../hub/log/epochs.ts'
import { DiskFullError, type PartitionLog } from '../../hub/log/index.ts'
import { batchOf, openLog, testWorld } from './world.ts'

const CHECKPOINT = '/data/t-0/leader-epoch-checkpoint'
const put = (log: PartitionLog, count: number, leaderEpoch: number): void => {
  for (let n = 0; n < count; n++) log.append(batchOf(['x'.repeat(100)]), { origin: 'client', leaderEpoch })
}
const ends = (log: PartitionLog, ...epochs: number[]): number[][] => epochs.map((epoch) => Object.values(log.endOffsetForEpoch(epoch)))
const pairs = (epochs: LeaderEpochs): number[][] => epochs.entries.map(({ epoch, startOffset }) => [epoch, startOffset])

describe('entries', () => {
  it('of a leader stand for what can have been written: those that begin where it begins go', () => {
    const epochs = new LeaderEpochs()
    expect([epochs.begin(1, 0), epochs.begin(1, 7), epochs.begin(-1, 7)]).toEqual([true, false, false])
    expect([epochs.begin(2, 7), epochs.begin(4, 7), epochs.begin(5, 9)]).toEqual([true, true, true])
    expect(pairs(epochs)).toEqual([
      [1, 0],
      [4, 7],
      [5, 9],
    ])
    expect(epochs.begin(3, 9)).toBe(true)
    expect(pairs(epochs)).toEqual([
      [1, 0],
      [3, 9],
    ])
  })

  it('of batches only grow, or begin earlier', () => {
    const epochs = new LeaderEpochs()
    epochs.reset([
      { epoch: 1, startOffset: 0 },
      { epoch: 3, startOffset: 9 },
    ])
    expect([epochs.assign(0, 4), epochs.assign(1, 4), epochs.assign(3, 9), epochs.assign(3, 12), epochs.assign(-1, 12)]).toEqual(
      new Array(5).fill(false),
    )
    expect([epochs.assign(3, 8), epochs.assign(5, 6)]).toEqual([true, true])
    expect(pairs(epochs)).toEqual([
      [1, 0],
      [5, 6],
    ])
  })

  it('give way to a truncation, not to the loss of a tail', () => {
    for (const [how, kept] of [
      ['truncateFromEnd', [[1, 0]]],
      [
        'truncateBeyond',
        [
          [1, 0],
          [2, 5],
        ],
      ],
    ] as const) {
      const epochs = new LeaderEpochs()
      for (const [epoch, startOffset] of [
        [1, 0],
        [2, 5],
        [3, 8],
      ] as const)
        epochs.begin(epoch, startOffset)
      expect([epochs[how](5), epochs[how](9)]).toEqual([true, false])
      expect(pairs(epochs)).toEqual(kept)
    }
  })
})

describe('a leader epoch without batches', () => {
  it.each(['close', 'abandon'] as const)('is answered for after a restart: %s', async (end) => {
    const { log, world, directory } = await openLog()
    log.beginEpoch(0)
    put(log, 10, 0)
    await log.whenSynced(10)
    log.beginEpoch(1)
    expect([log.latestEpoch, ...ends(log, 0, 1, 2)]).toEqual([1, [0, 10], [1, 10], [-1, -1]])
    if (end === 'close') await directory.close()
    else await directory.abandon()
    const again = (await openLog({}, {}, world)).log
    again.beginEpoch(2)
    expect(ends(again, 0, 1, 2, 3)).toEqual([
      [0, 10],
      [0, 10],
      [2, 10],
      [-1, -1],
    ])
    put(again, 1, 2)
    expect([again.epochForOffset(9), again.epochForOffset(10), ...ends(again, 2)]).toEqual([0, 2, [2, 11]])
  })

  it('in a log that never had any, as Kafka answers', async () => {
    const { log, world, directory } = await openLog()
    log.beginEpoch(0)
    await directory.close()
    const again = (await openLog({}, {}, world)).log
    expect(ends(again, 0)).toEqual([[0, 0]])
    again.beginEpoch(2)
    expect(ends(again, 0, 1, 2)).toEqual([
      [0, 0],
      [1, 0],
      [2, 0],
    ])
  })

  it('is kept by the next recovery point, and once only', async () => {
    const { log, world, directory } = await openLog()
    put(log, 3, 0)
    await log.whenSynced(3)
    await world.clock.advance(2500)
    log.beginEpoch(4)
    await world.clock.advance(2500)
    expect((await world.disk.readFile(CHECKPOINT)).toString()).toBe('0\n2\n0 0\n4 3\n')
    const writes: string[] = []
    world.disk.intercept = ({ kind, path }) => void (path.startsWith(CHECKPOINT) && writes.push(`${kind} ${path}`))
    log.beginEpoch(4)
    await world.clock.advance(5000)
    await directory.abandon()
    expect(writes).toEqual([])
    const again = await (await testWorld(world.disk.crash()).open()).openLog('t', 0, log.topicId, log.config)
    expect(ends(again, 0, 3, 4)).toEqual([
      [0, 3],
      [0, 3],
      [4, 3],
    ])
  })

  it('outlives the taking back of its batches, wherever it began', async () => {
    const { log, world } = await openLog()
    log.beginEpoch(0)
    put(log, 2, 0)
    await log.whenSynced(2)
    log.beginEpoch(3)
    for (const [begins, answers] of [
      [
        3,
        [
          [0, 2],
          [3, 2],
          [-1, -1],
        ],
      ],
      [
        5,
        [
          [0, 2],
          [0, 2],
          [5, 2],
        ],
      ],
    ] as const) {
      world.disk.failNextWrite('ENOSPC')
      put(log, 4, 3)
      log.beginEpoch(begins)
      await expect(log.whenSynced(6)).rejects.toThrow(DiskFullError)
      expect(ends(log, 0, 3, 5)).toEqual(answers)
      await world.clock.advance(2500)
    }
    expect((await world.disk.readFile(CHECKPOINT)).toString()).toBe('0\n2\n0 0\n5 2\n')
  })

  it('that was never begun goes with its batches', async () => {
    const { log, world } = await openLog()
    put(log, 2, 1)
    await log.whenSynced(2)
    world.disk.failNextWrite('ENOSPC')
    put(log, 1, 7)
    await expect(log.whenSynced(3)).rejects.toThrow(DiskFullError)
    expect([log.latestEpoch, ...ends(log, 1, 7)]).toEqual([1, [1, 2], [-1, -1]])
  })
})

describe('the epoch of an emptied log', () => {
  it('stays known: delete-records', async () => {
    const { log, world, directory } = await openLog({ segmentBytes: 300 })
    put(log, 10, 3)
    await log.whenSynced(10)
    await log.advanceLogStart(10)
    expect(ends(log, 3)).toEqual([[3, 10]])
    await directory.close()
    const again = (await openLog({ segmentBytes: 300 }, {}, world)).log
    expect([again.logStartOffset, again.latestEpoch, ...ends(again, 2, 3, 4)]).toEqual([10, 3, [2, 10], [3, 10], [-1, -1]])
    again.beginEpoch(4)
    expect(ends(again, 3, 4)).toEqual([
      [3, 10],
      [4, 10],
    ])
  })

  it('stays known: retention', async () => {
    const changes = { retentionMs: 1000 }
    const { log, world, directory } = await openLog(changes)
    put(log, 10, 3)
    await log.whenSynced(10)
    await world.clock.advance(5000)
    expect(await log.retain(10)).toBe(1)
    await directory.close()
    const again = (await openLog(changes, {}, world)).log
    expect([again.logStartOffset, again.logEndOffset, ...ends(again, 3)]).toEqual([10, 10, [3, 10]])
  })

  it('begins at the log’s start when it is found anew from the batches', async () => {
    const { log, world, directory } = await openLog()
    put(log, 4, 1)
    put(log, 6, 3)
    await log.whenSynced(10)
    await log.advanceLogStart(7)
    await directory.close()
    await world.disk.remove(CHECKPOINT)
    const again = (await openLog({}, {}, world)).log
    expect(ends(again, 1, 3)).toEqual([
      [1, 7],
      [3, 10],
    ])
    expect([6, 7].map((offset) => again.epochForOffset(offset))).toEqual([-1, 3])
  })

  it('of a truncated one goes: another leader wrote on from there', async () => {
    const { log, world } = await openLog()
    for (const epoch of [1, 1, 2, 2]) put(log, 1, epoch)
    await log.whenSynced(4)
    await world.clock.advance(2500)
    expect((await world.disk.readFile(CHECKPOINT)).toString()).toContain('2 2')
    await log.truncate(2)
    expect([log.latestEpoch, ...ends(log, 1, 2)]).toEqual([1, [1, 2], [-1, -1]])
  })
})
