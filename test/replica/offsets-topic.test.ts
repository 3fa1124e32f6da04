import { describe, expect, it } from 'vitest'
import type { Controller } from '../../hub/cluster/index.ts'
import { memoryClock, memoryDisk } from '../../hub/io/index.ts'
import { LogClosedError, openLogDirectory } from '../../hub/log/index.ts'
import { memoryLogger } from '../../hub/observe/index.ts'
import { createOffsetsTopic, Partition, type Partitions } from '../../hub/replica/index.ts'
import { logConfig } from './log-config.ts'

const TOPIC_ID = 'I0VniavN7_F0XPkknO64Zg'

async function opened() {
  const [clock, disk] = [memoryClock(), memoryDisk()]
  const formatIfEmpty = { clusterId: 'c', nodeId: 1, directoryId: 'd' }
  const directory = await openLogDirectory('/data', { clock, disk, logger: memoryLogger(), randomFloat: () => 0.5, formatIfEmpty })
  const log = await directory.openLog('__consumer_offsets', 0, TOPIC_ID, logConfig)
  const partition = new Partition(log, { leaderEpoch: 0, durability: 'fsync' })
  const partitions = { get: () => partition } as unknown as Partitions
  const settings = { partitionCount: 1, replicationFactor: 1, segmentBytes: 1 << 20 }
  const topic = createOffsetsTopic({ clock, controller: {} as Controller, partitions, ...settings })
  const store = topic.partition(0)
  if (typeof store === 'number') throw new Error(`error ${store}`)
  return { directory, partition, store }
}

describe('the store of offsets', () => {
  it('gives back what was appended', async () => {
    const { directory, store } = await opened()
    const [key, value] = [Buffer.from('k'), Buffer.from('v')]
    expect(await store.append([{ key, value }])).toBe(0)
    const loaded = []
    for await (const records of store.load()) loaded.push(...records)
    expect(loaded).toMatchObject([{ key, value, offset: 0 }])
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
