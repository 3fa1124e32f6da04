/** Everything goes by name, and in the shapes of the time, with a broker of Kafka 2.1: no topic ids, no flexible versions, one group per question. */
import { describe, expect, it } from 'vitest'
import { createConsumer, createProducer } from '../../hub/client/index.ts'
import { memoryWorld, nodeClock } from '../../hub/io/index.ts'
import { batchHeader, Fetch, FindCoordinator, ListOffsets, Metadata, OffsetCommit, OffsetFetch, Produce } from '../../hub/wire/index.ts'
import { LogModel } from './log-model.ts'
import { metadataOf, scriptedPeer } from './scripted-peer.ts'

describe('a broker of Kafka 2.1', () => {
  it('can be written to, read from, and committed to', async () => {
    const world = { ...memoryWorld(), clock: nodeClock() }
    const peer = await scriptedPeer(world.net)
    const port = Number(peer.bootstrap.split(':')[1])
    for (const [api, max] of [
      [Metadata, 7],
      [Produce, 7],
      [Fetch, 10],
      [ListOffsets, 4],
      [FindCoordinator, 2],
      [OffsetCommit, 6],
      [OffsetFetch, 5],
    ] as const) {
      peer.limit(api, 0, max)
    }
    const log = new LogModel()
    const batches: Buffer[] = []
    const asked = new Map<string, unknown>()
    const noteVersion = (name: string, version: number): void => void asked.set(name, version)
    peer.on(Metadata, (_body, version) => {
      noteVersion('Metadata', version)
      return { throttleTimeMs: 0, ...metadataOf(port, ['t']) }
    })
    peer.on(Produce, ({ topicData }, version) => {
      noteVersion('Produce', version)
      return {
        throttleTimeMs: 0,
        responses: topicData.map(({ name, partitionData }) => ({
          name,
          partitionResponses: partitionData.map(({ index, records }) => {
            const stored = Buffer.from(records ?? Buffer.alloc(0))
            const outcome = log.append(stored)
            stored.writeBigInt64BE(BigInt(outcome.baseOffset), 0)
            batches.push(stored)
            return { index, ...outcome }
          }),
        })),
      }
    })
    peer.on(Fetch, ({ topics }, version) => {
      noteVersion('Fetch', version)
      return {
        throttleTimeMs: 0,
        responses: topics.map(({ topic, partitions }) => ({
          topic,
          partitions: partitions.map(({ partition, fetchOffset }) => ({
            partitionIndex: partition,
            errorCode: 0,
            highWatermark: log.values.length,
            abortedTransactions: null,
            records: Buffer.concat(batches.filter((one) => batchHeader.lastOffset(one, 0) >= fetchOffset)),
          })),
        })),
      }
    })
    peer.on(ListOffsets, ({ topics }) => ({
      throttleTimeMs: 0,
      topics: topics.map(({ name, partitions }) => ({
        name,
        partitions: partitions.map(({ partitionIndex }) => ({ partitionIndex, errorCode: 0, offset: 0 })),
      })),
    }))
    peer.on(FindCoordinator, ({ key }) => {
      asked.set('key', key)
      return { throttleTimeMs: 0, errorCode: 0, errorMessage: null, nodeId: 1, host: '127.0.0.1', port, coordinators: [] }
    })
    const committed = new Map<string, number>()
    peer.on(OffsetCommit, ({ topics }) => ({
      throttleTimeMs: 0,
      topics: topics.map(({ name, partitions }) => ({
        name,
        partitions: partitions.map(({ partitionIndex, committedOffset }) => {
          committed.set(`${name}-${partitionIndex}`, committedOffset)
          return { partitionIndex, errorCode: 0 }
        }),
      })),
    }))
    peer.on(OffsetFetch, ({ groupId, topics }) => {
      asked.set('groupId', groupId)
      return {
        throttleTimeMs: 0,
        topics: (topics ?? []).map(({ name, partitionIndexes }) => ({
          name,
          partitions: partitionIndexes.map((partitionIndex) => ({
            partitionIndex,
            committedOffset: committed.get(`${name}-${partitionIndex}`) ?? -1,
            metadata: '',
            errorCode: 0,
          })),
        })),
      }
    })

    const at = { topic: 't', partition: 0 }
    const producer = createProducer({ bootstrapServers: peer.bootstrap, world, lingerMs: 0 })
    await producer.sendBatch(['a', 'b', 'c'].map((value) => ({ ...at, value })))
    await producer.close()
    const consumer = createConsumer({ bootstrapServers: peer.bootstrap, world, groupId: 'g', autoCommit: false, offsetReset: 'earliest' })
    consumer.assign([at])
    const records = await consumer.poll(5_000)
    expect([...records].map(({ value }) => String(value))).toEqual(['a', 'b', 'c'])
    await consumer.commit()
    expect(await consumer.committed([at])).toEqual([{ ...at, offset: 3, leaderEpoch: -1, metadata: '' }])
    expect(Object.fromEntries(asked)).toEqual({ Metadata: 7, Produce: 7, Fetch: 10, key: 'g', groupId: 'g' })
    await consumer.close()
  })
})
