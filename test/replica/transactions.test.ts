/** What a partition shows of transactions: the last stable offset as a mark, reads of committed records, and their bytes while somebody waits. */
import { afterEach, describe, expect, it } from 'vitest'
import { type MemoryDisk, memoryClock, memoryDisk } from '../../hub/io/index.ts'
import { type LogConfig, type LogDirectory, type Marker, openLogDirectory } from '../../hub/log/index.ts'
import { memoryLogger } from '../../hub/observe/index.ts'
import { type Accepted, type Isolation, Partition, waitForRise } from '../../hub/replica/index.ts'
import { encodeBatch, ErrorCode } from '../../hub/wire/index.ts'
import { logConfig } from './log-config.ts'

let directories: LogDirectory[] = []
afterEach(async () => {
  for (const directory of directories) await directory.abandon()
  directories = []
})

async function open(disk: MemoryDisk = memoryDisk(), config: Partial<LogConfig> = {}) {
  const clock = memoryClock()
  const formatIfEmpty = { clusterId: 'c', nodeId: 1, directoryId: 'd' }
  const directory = await openLogDirectory('/data', { clock, disk, logger: memoryLogger(), randomFloat: () => 0.5, formatIfEmpty })
  directories.push(directory)
  const log = await directory.openLog('t', 0, 'I0VniavN7_F0XPkknO64Zg', { ...logConfig, ...config })
  return { partition: new Partition(log, { leaderEpoch: 0, durability: 'fsync' }), disk, clock }
}

function batchOf(producerId = -1, baseSequence = 0, valueBytes = 10): Buffer {
  const producer = producerId < 0 ? {} : { producerId, producerEpoch: 0, baseSequence, transactional: true }
  return encodeBatch({ ...producer, records: [{ key: null, value: Buffer.alloc(valueBytes), timestampMs: 1 }] })
}

const marker = (producerId: number, isCommit: boolean): Marker => ({
  producerId,
  producerEpoch: 0,
  coordinatorEpoch: 0,
  isCommit,
  transactionVersion: 1,
})

async function durable(outcome: Accepted | { readonly kind: 'refused'; readonly message: string }): Promise<number> {
  if (outcome.kind === 'refused') throw new Error(outcome.message)
  await outcome.durable
  return outcome.baseOffset
}

/** Appends as a verified producer. */
function send(partition: Partition, producerId: number, baseSequence: number): Promise<number> {
  const guard = partition.beginVerification(producerId, 0, baseSequence, false)
  return durable(partition.append(batchOf(producerId, baseSequence), -1, 'client', guard))
}

const limitsOf = (isolation: Isolation) => ({ maxBytes: 100_000, minOneBatch: true, isolation })

describe('a partition with transactions', () => {
  it('shows committed records up to the last stable offset, which rises with the marker', async () => {
    const { partition } = await open()
    await durable(partition.append(batchOf(), -1))
    await send(partition, 7, 0)
    await durable(partition.append(batchOf(), -1))
    expect([partition.highWatermark.value, partition.stable.value, partition.lastStableOffset]).toEqual([3, 1, 1])
    const committed = await partition.read(0, limitsOf('read_committed'))
    expect(committed).toMatchObject({ sizeBytes: batchOf().length, abortedTransactions: [] })
    expect(await partition.read(1, limitsOf('read_committed'))).toMatchObject({ sizeBytes: 0, abortedTransactions: [] })
    const all = await partition.read(0, limitsOf('read_uncommitted'))
    expect(all).toMatchObject({ sizeBytes: 3 * batchOf().length, abortedTransactions: null })
    expect(await partition.read(3, limitsOf('read_uncommitted'))).toMatchObject({ sizeBytes: 0, abortedTransactions: null })
    await durable(partition.appendMarker(marker(7, true)))
    expect([partition.highWatermark.value, partition.stable.value]).toEqual([4, 4])
    expect(await partition.read(1, limitsOf('read_committed'))).toMatchObject({ abortedTransactions: [] })
  })

  it('names what was aborted in the range that was read, no more', async () => {
    const { partition, disk } = await open(memoryDisk(), { segmentBytes: 300 })
    for (let sequence = 0; sequence < 6; sequence++) {
      await send(partition, 7, sequence)
      await durable(partition.appendMarker(marker(7, sequence % 2 === 0)))
    }
    await directories.pop()?.close()
    // Now from files.
    const again = (await open(disk, { segmentBytes: 300 })).partition
    const aborted = [2, 6, 10].map((firstOffset) => ({ producerId: 7, firstOffset }))
    const whole = await again.read(0, limitsOf('read_committed'))
    expect(whole.abortedTransactions).toMatchObject(aborted)
    expect(whole.abortedTransactions).toHaveLength(3)
    const one = await again.read(2, { ...limitsOf('read_committed'), maxBytes: batchOf().length })
    expect(one.abortedTransactions).toMatchObject(aborted.slice(0, 1))
    expect(one.abortedTransactions).toHaveLength(1)
    expect((await again.read(0, limitsOf('read_uncommitted'))).abortedTransactions).toBeNull()
  })

  it('lets a reader of committed records wait for the bytes that a marker brings', async () => {
    const { partition, clock } = await open()
    await send(partition, 7, 0)
    const [stable, all] = [partition.seen('read_committed'), partition.seen('read_uncommitted')]
    let outcome: string | undefined
    const waiting = waitForRise([stable], clock, 10_000, 2 * batchOf().length).then((how) => {
      outcome = how
    })
    const own = batchOf()
    await durable(partition.append(own, -1))
    await clock.advance(0)
    expect([stable.gainedBytes(), all.gainedBytes(), outcome]).toEqual([0, own.length, undefined])
    await durable(partition.appendMarker(marker(7, false)))
    await waiting
    expect(outcome).toBe('risen')
    // The transaction's batch, the one behind it, and the marker.
    expect(stable.gainedBytes()).toBe(partition.log.sizeBytes)
    expect(partition.seen('read_committed').gainedBytes()).toBe(0)
  })

  it('knows after a restart what is open', async () => {
    const { partition, disk } = await open()
    await durable(partition.append(batchOf(), -1))
    await send(partition, 7, 0)
    await directories.pop()?.abandon()
    const again = (await open(disk)).partition
    expect([again.highWatermark.value, again.stable.value]).toEqual([2, 1])
    await durable(again.appendMarker(marker(7, true)))
    expect(again.stable.value).toBe(3)
  })

  it('moves the last stable offset when records are deleted that held it back', async () => {
    const { partition } = await open()
    await send(partition, 7, 0)
    await durable(partition.append(batchOf(), -1))
    expect(partition.stable.value).toBe(0)
    await partition.log.advanceLogStart(1)
    expect(partition.stable.value).toBe(1)
  })

  it('refuses markers as values, and ends its marks when it is closed', async () => {
    const { partition } = await open()
    await send(partition, 7, 0)
    expect(partition.appendMarker({ ...marker(7, true), producerEpoch: -1 })).toMatchObject({ errorCode: ErrorCode.INVALID_PRODUCER_EPOCH })
    partition.close()
    expect(partition.stable.isEnded).toBe(true)
    expect(partition.appendMarker(marker(7, true))).toMatchObject({ errorCode: ErrorCode.NOT_LEADER_OR_FOLLOWER })
    expect(await partition.read(0, limitsOf('read_committed'))).toMatchObject({ errorCode: ErrorCode.NOT_LEADER_OR_FOLLOWER })
  })
})
