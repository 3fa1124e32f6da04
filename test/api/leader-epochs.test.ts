import { afterEach, describe, expect, it } from 'vitest'
import { memoryDisk, memoryNet } from '../../hub/io/index.ts'
import { startHub, type TestHub } from '../../hub/testing.ts'
import {
  CreateTopics,
  DeleteRecords,
  encodeBatch,
  ErrorCode,
  Fetch,
  ListOffsets,
  Metadata,
  OffsetForLeaderEpoch,
  Produce,
  ZERO_UUID,
} from '../../hub/wire/index.ts'
import { RawClient } from '../server/raw-client.ts'

const LATEST = -1

/** A hub on one disk, started again and again; each start is a new leader epoch. */
class Restarted {
  readonly #disk = memoryDisk()
  #hub: TestHub | undefined
  client!: RawClient

  async restart(): Promise<void> {
    await this.close()
    const net = memoryNet()
    this.#hub = await startHub({ directory: '/data', world: { net, disk: this.#disk } })
    this.client = await RawClient.connect(net, this.#hub.bootstrap)
  }

  async close(): Promise<void> {
    if (this.#hub === undefined) return
    await this.client[Symbol.asyncDispose]()
    await this.#hub.close()
  }

  async epoch(topic: string): Promise<number> {
    const answer = await this.client.call(Metadata, 12, { topics: [{ name: topic }], allowAutoTopicCreation: false })
    return answer.topics[0]?.partitions[0]?.leaderEpoch ?? -1
  }

  /** Where a consumer that begins at the end stands, and in which epoch. */
  async latest(topic: string): Promise<{ readonly offset: number; readonly leaderEpoch: number }> {
    const partitions = [{ partitionIndex: 0, currentLeaderEpoch: -1, timestamp: LATEST }]
    const answer = await this.client.call(ListOffsets, 7, { replicaId: -1, topics: [{ name: topic, partitions }] })
    const { offset = -1, leaderEpoch = -1 } = answer.topics[0]?.partitions[0] ?? {}
    return { offset, leaderEpoch }
  }

  /** What a consumer is told that validates a position of `leaderEpoch` (KIP-320). */
  async endOf(topic: string, leaderEpoch: number): Promise<{ errorCode: number; leaderEpoch: number; endOffset: number }> {
    const partitions = [{ partition: 0, currentLeaderEpoch: await this.epoch(topic), leaderEpoch }]
    const answer = await this.client.call(OffsetForLeaderEpoch, 4, { replicaId: -1, topics: [{ topic, partitions }] })
    const found = answer.topics[0]?.partitions[0]
    return { errorCode: found?.errorCode ?? -1, leaderEpoch: found?.leaderEpoch ?? -2, endOffset: found?.endOffset ?? -2 }
  }

  async produce(topic: string, count: number): Promise<void> {
    for (let sent = 0; sent < count; sent++) {
      const records = encodeBatch({ records: [{ key: null, value: Buffer.from('v'), timestampMs: 1_700_000_000_000 }] })
      const topicData = [{ name: topic, partitionData: [{ index: 0, records }] }]
      await this.client.call(Produce, 9, { transactionalId: null, acks: -1, timeoutMs: 5000, topicData })
    }
  }
}

const hubs: Restarted[] = []
afterEach(async () => {
  for (const hub of hubs.splice(0)) await hub.close()
})

async function started(...topics: string[]): Promise<Restarted> {
  const hub = new Restarted()
  hubs.push(hub)
  await hub.restart()
  for (const name of topics) {
    const wanted = [{ name, numPartitions: 1, replicationFactor: 1, assignments: [], configs: [] }]
    await hub.client.call(CreateTopics, 7, { topics: wanted, timeoutMs: 1000 })
  }
  return hub
}

describe('a consumer that validates its position after a restart', () => {
  it('finds it in an epoch in which nothing was written, as Kafka answers', async () => {
    const hub = await started('full', 'empty')
    await hub.produce('full', 10)
    await hub.restart()
    const [full, empty] = [await hub.latest('full'), await hub.latest('empty')]
    const epoch = await hub.epoch('full')
    expect([full, empty]).toEqual([
      { offset: 10, leaderEpoch: epoch },
      { offset: 0, leaderEpoch: epoch },
    ])
    await hub.restart()
    expect(await hub.epoch('full')).toBe(epoch + 1)
    // The end of what is known of that epoch, which is where the consumer stands: nothing was truncated.
    expect(await hub.endOf('full', epoch)).toEqual({ errorCode: 0, leaderEpoch: 0, endOffset: 10 })
    expect(await hub.endOf('empty', epoch)).toEqual({ errorCode: 0, leaderEpoch: epoch, endOffset: 0 })
  })

  it('finds it in a log that was emptied', async () => {
    const hub = await started('t')
    await hub.produce('t', 10)
    const topics = [{ name: 't', partitions: [{ partitionIndex: 0, offset: 10 }] }]
    await hub.client.call(DeleteRecords, 2, { topics, timeoutMs: 1000 })
    await hub.restart()
    const { errorCode, endOffset } = await hub.endOf('t', 0)
    expect([errorCode, endOffset]).toEqual([ErrorCode.NONE, 10])
    await hub.restart()
    expect(await hub.endOf('t', 0)).toMatchObject({ errorCode: ErrorCode.NONE, endOffset: 10 })
  })

  it('and fetches with the epoch that it read last is told of no divergence', async () => {
    const hub = await started('t')
    await hub.produce('t', 3)
    await hub.restart()
    const epoch = await hub.epoch('t')
    await hub.restart()
    const partitions = [{ partition: 0, currentLeaderEpoch: -1, fetchOffset: 3, lastFetchedEpoch: 0, partitionMaxBytes: 1 << 20 }]
    const request = { maxWaitMs: 0, minBytes: 0, maxBytes: 1 << 20, forgottenTopicsData: [] }
    const topics = [{ topic: 't', topicId: ZERO_UUID, partitions }]
    const answer = await hub.client.call(Fetch, 12, { ...request, topics })
    expect(answer.responses[0]?.partitions[0]).toMatchObject({ errorCode: 0, divergingEpoch: { epoch: -1, endOffset: -1 } })
    // A record of an epoch in which none was written cannot have come from this log.
    const stranger = [
      {
        topic: 't',
        topicId: ZERO_UUID,
        partitions: [{ ...partitions[0], partition: 0, partitionMaxBytes: 1, fetchOffset: 3, lastFetchedEpoch: epoch }],
      },
    ]
    const diverging = await hub.client.call(Fetch, 12, { ...request, topics: stranger })
    expect(diverging.responses[0]?.partitions[0]).toMatchObject({ errorCode: 0, divergingEpoch: { epoch: 0, endOffset: 3 } })
  })
})
