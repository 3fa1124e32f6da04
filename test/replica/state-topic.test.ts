import { describe, expect, it } from 'vitest'
import type { Controller } from '../../hub/cluster/index.ts'
import { type MemoryDisk, memoryClock, memoryDisk } from '../../hub/io/index.ts'
import { LogClosedError, openLogDirectory } from '../../hub/log/index.ts'
import { memoryLogger } from '../../hub/observe/index.ts'
import { ErrorCode } from '../../hub/wire/index.ts'
import { createStateTopic, Partition, type Partitions } from '../../hub/replica/index.ts'
import { logConfig } from './log-config.ts'
import { stateTopicContract } from './state-topic-contract.ts'

const TOPIC_ID = 'I0VniavN7_F0XPkknO64Zg'

async function opened() {
  const [clock, disk] = [memoryClock(), memoryDisk()]
  const formatIfEmpty = { clusterId: 'c', nodeId: 1, directoryId: 'd' }
  const directory = await openLogDirectory('/data', { clock, disk, logger: memoryLogger(), randomFloat: () => 0.5, formatIfEmpty })
  const log = await directory.openLog('__consumer_offsets', 0, TOPIC_ID, logConfig)
  const partition = new Partition(log, { leaderEpoch: 0, durability: 'fsync' })
  const partitions = { get: () => partition } as unknown as Partitions
  const settings = { partitionCount: 1, replicationFactor: 1, segmentBytes: 1 << 20 }
  const topic = createStateTopic({ name: '__consumer_offsets', clock, controller: {} as Controller, partitions, ...settings })
  const store = topic.partition(0)
  if (typeof store === 'number') throw new Error(`error ${store}`)
  return { directory, partition, store }
}

/** A topic over real logs; whoever asks a controller for it gets directories. */
async function topicOn(disk: MemoryDisk) {
  const clock = memoryClock()
  const formatIfEmpty = { clusterId: 'c', nodeId: 1, directoryId: 'd' }
  const directory = await openLogDirectory('/data', { clock, disk, logger: memoryLogger(), randomFloat: () => 0.5, formatIfEmpty })
  const hosted: Partition[] = []
  const image = { topicsByName: new Map<string, { readonly partitions: readonly Partition[] }>() }
  const host = async (name: string, count: number): Promise<void> => {
    for (let index = 0; index < count; index++) {
      const log = await directory.openLog(name, index, TOPIC_ID, logConfig)
      hosted.push(new Partition(log, { leaderEpoch: 0, durability: 'fsync' }))
    }
    image.topicsByName.set(name, { partitions: hosted })
  }
  const name = '__transaction_state'
  if ((await directory.listPartitions()).length > 0) await host(name, 3)
  const controller = {
    image,
    createTopics: async (specs: readonly { readonly name: string; readonly partitionCount: number }[]) => {
      for (const spec of specs) await host(spec.name, spec.partitionCount)
      return specs.map(() => ({ errorCode: 0 }))
    },
  } as unknown as Controller
  const partitions = { get: (_: string, index: number) => hosted[index], settled: async () => {} } as unknown as Partitions
  const settings = { partitionCount: 3, replicationFactor: 1, segmentBytes: 1 << 20 }
  return { directory, topic: createStateTopic({ name, clock, controller, partitions, ...settings }) }
}

stateTopicContract('over logs', async () => {
  const disk = memoryDisk()
  let { directory, topic } = await topicOn(disk)
  const reopen = async () => {
    await directory.abandon()
    ;({ directory, topic } = await topicOn(disk))
    return topic
  }
  return { topic, reopen, close: () => directory.close() }
})

describe('the store of a coordinator', () => {
  it('gives back what was appended', async () => {
    const { directory, store } = await opened()
    const [key, value] = [Buffer.from('k'), Buffer.from('v')]
    expect(await store.append([{ key, value }])).toBe(0)
    const loaded = []
    for await (const records of store.load()) loaded.push(...records)
    expect(loaded).toMatchObject([{ key, value, offset: 0 }])
    await directory.close()
  })

  it('writes to no transaction that a marker has ended while the coordinator was asked (KIP-890)', async () => {
    const { directory, store } = await opened()
    const [record, transaction] = [
      { key: Buffer.from('k'), value: null },
      { producerId: 5, producerEpoch: 0 },
    ]
    const marker = { ...transaction, producerEpoch: 1, coordinatorEpoch: 0, isCommit: false, transactionVersion: 2 } as const
    const verification = store.beginVerification(5, 0, true)
    expect(verification).toBeDefined()
    expect(await store.append([record], { ...transaction, verification })).toBe(0)
    expect(store.beginVerification(5, 0, true)).toBeUndefined()
    expect(await store.append([record], { ...transaction, verification })).toBe(0)
    expect(await store.appendMarker(marker)).toBe(0)
    expect(await store.append([record], transaction)).toBe(ErrorCode.INVALID_PRODUCER_EPOCH)
    const next = { ...transaction, producerEpoch: 1 }
    const late = store.beginVerification(5, 1, true)
    expect(await store.appendMarker({ ...marker, producerEpoch: 2 })).toBe(0)
    expect(await store.append([record], { ...next, producerEpoch: 2, verification: late })).toBe(ErrorCode.INVALID_TXN_STATE)
    expect(await store.appendMarker({ ...marker, coordinatorEpoch: -1, producerEpoch: 3 })).toBe(ErrorCode.TRANSACTION_COORDINATOR_FENCED)
    await directory.close()
  })

  it('does not pass for loaded when its partition goes away meanwhile', async () => {
    const { directory, partition, store } = await opened()
    await store.append([{ key: Buffer.from('k'), value: null }])
    partition.close()
    await expect(store.load()[Symbol.asyncIterator]().next()).rejects.toThrow(LogClosedError)
    await directory.close()
  })
})
