/** @module test/interop/kafkajs — kafkajs 2.2.4, a client with old, non-flexible protocol versions, against a hub. */
import { createRequire } from 'node:module'
import { gzipSync } from 'node:zlib'
import { type Admin, CompressionTypes, type Kafka as KafkaClient, logLevel } from 'kafkajs'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { startHub, type TestHub } from '../../hub/testing.ts'
import { compress, decompress } from '../../hub/wire/index.ts'

// kafkajs is CommonJS: named values are not all visible to an ES import.
const { Kafka, CompressionCodecs } = createRequire(import.meta.url)('kafkajs') as typeof import('kafkajs')

let hub: TestHub
let kafka: KafkaClient
let admin: Admin

beforeAll(async () => {
  for (const [type, codec] of [
    [CompressionTypes.Snappy, 'snappy'],
    [CompressionTypes.LZ4, 'lz4'],
    [CompressionTypes.ZSTD, 'zstd'],
  ] as const) {
    CompressionCodecs[type] = () => ({
      compress: (encoder: { buffer: Buffer }) => Promise.resolve(compress(codec, encoder.buffer)),
      decompress: (buffer: Buffer) => Promise.resolve(decompress(codec, buffer, 1 << 26)),
    })
  }
  hub = await startHub()
  kafka = new Kafka({ brokers: [hub.bootstrap], clientId: 'interop', logLevel: logLevel.NOTHING })
  admin = kafka.admin()
  await admin.connect()
})

afterAll(async () => {
  await admin.disconnect()
  await hub[Symbol.asyncDispose]()
})

/** Consumes `count` messages of a topic in a group from where the group stands (or the beginning), commits, and leaves. */
async function consume(topic: string, groupId: string, count: number): Promise<string[]> {
  const consumer = kafka.consumer({ groupId, maxWaitTimeInMs: 100 })
  const values: string[] = []
  await consumer.connect()
  await consumer.subscribe({ topic, fromBeginning: true })
  await new Promise<void>((resolve, reject) => {
    consumer.on(consumer.events.CRASH, ({ payload }) => reject(payload.error))
    consumer
      .run({
        autoCommit: false,
        eachMessage: async ({ topic: from, partition, message }) => {
          if (values.length >= count) return
          values.push(message.value?.toString() ?? '')
          await consumer.commitOffsets([{ topic: from, partition, offset: String(Number(message.offset) + 1) }])
          if (values.length === count) resolve()
        },
      })
      .catch(reject)
  })
  await consumer.disconnect()
  return values
}

/** One message as it was delivered. */
interface Delivered {
  readonly offset: string
  readonly value: string | undefined
  readonly timestamp: string
}

/**
 * The first `count` messages after a seek to one place in each partition, by partition. The group begins at the end of a topic that nobody
 * writes to: what comes, comes by the seek.
 */
async function readFrom(
  topic: string,
  places: readonly { readonly partition: number; readonly offset: string }[],
  count: number,
): Promise<Map<number, Delivered[]>> {
  const consumer = kafka.consumer({ groupId: `seeking-${places.map(({ offset }) => offset).join('-')}`, maxWaitTimeInMs: 100 })
  const read = new Map<number, Delivered[]>()
  let readCount = 0
  await consumer.connect()
  await consumer.subscribe({ topic, fromBeginning: false })
  const { promise: done, resolve, reject } = Promise.withResolvers<void>()
  consumer.on(consumer.events.CRASH, ({ payload }) => reject(payload.error))
  await consumer.run({
    autoCommit: false,
    eachMessage: ({ partition, message: { offset, value, timestamp } }) => {
      read.set(partition, [...(read.get(partition) ?? []), { offset, value: value?.toString(), timestamp }])
      if (++readCount === count) resolve()
      return Promise.resolve()
    },
  })
  for (const { partition, offset } of places) consumer.seek({ topic, partition, offset })
  await done
  await consumer.disconnect()
  return read
}

describe('kafkajs', () => {
  it('creates, describes, grows and deletes topics', async () => {
    expect(
      await admin.createTopics({
        topics: [{ topic: 'made', numPartitions: 3, configEntries: [{ name: 'retention.ms', value: '3600000' }] }],
      }),
    ).toBe(true)
    expect(await admin.createTopics({ topics: [{ topic: 'made', numPartitions: 3 }] })).toBe(false)
    await admin.createPartitions({ topicPartitions: [{ topic: 'made', count: 5 }] })
    const { topics } = await admin.fetchTopicMetadata({ topics: ['made'] })
    expect(topics[0]?.partitions.map((partition) => partition.partitionId).sort()).toEqual([0, 1, 2, 3, 4])
    const { resources } = await admin.describeConfigs({
      includeSynonyms: false,
      resources: [{ type: 2, name: 'made', configNames: ['retention.ms'] }],
    })
    expect(resources[0]?.configEntries[0]).toMatchObject({ configName: 'retention.ms', configValue: '3600000' })
    expect((await admin.describeCluster()).brokers).toHaveLength(1)
    await admin.deleteTopics({ topics: ['made'] })
    expect(await admin.listTopics()).not.toContain('made')
  })

  for (const [name, compression] of [
    ['none', CompressionTypes.None],
    ['gzip', CompressionTypes.GZIP],
    ['snappy', CompressionTypes.Snappy],
    ['lz4', CompressionTypes.LZ4],
    ['zstd', CompressionTypes.ZSTD],
  ] as const) {
    it(`produces and consumes with ${name}`, async () => {
      const topic = `codec-${name}`
      const sent = Array.from({ length: 200 }, (_, index) => `${name} ${index} ${'x'.repeat(index)}`)
      const producer = kafka.producer({ allowAutoTopicCreation: true, idempotent: true })
      await producer.connect()
      await producer.send({
        topic,
        compression,
        acks: -1,
        messages: sent.map((value) => ({ key: 'k', value, headers: { h: gzipSync(value).subarray(0, 4) } })),
      })
      await producer.disconnect()
      expect(await consume(topic, `group-${name}`, sent.length)).toEqual(sent)
    })
  }

  it('resumes where the group has committed', async () => {
    const producer = kafka.producer()
    await producer.connect()
    await producer.send({ topic: 'resume', messages: ['a', 'b', 'c', 'd'].map((value) => ({ value })) })
    expect(await consume('resume', 'resuming', 2)).toEqual(['a', 'b'])
    expect(await consume('resume', 'resuming', 2)).toEqual(['c', 'd'])
    expect(await admin.fetchOffsets({ groupId: 'resuming', topics: ['resume'] })).toMatchObject([
      { topic: 'resume', partitions: [{ partition: 0, offset: '4' }] },
    ])
    expect((await admin.describeGroups(['resuming'])).groups[0]).toMatchObject({
      groupId: 'resuming',
      state: 'Empty',
      protocolType: 'consumer',
    })
    expect((await admin.listGroups()).groups.map(({ groupId }) => groupId)).toContain('resuming')
    await admin.deleteGroups(['resuming'])
    expect((await admin.listGroups()).groups.map(({ groupId }) => groupId)).not.toContain('resuming')
    await producer.disconnect()
  })

  it('looks up the offset of a time and reads from there', async () => {
    const baseMs = 1_700_000_000_000
    const topic = 'timed'
    // The records are years old: without this they would be due for deletion.
    await admin.createTopics({ topics: [{ topic, numPartitions: 2, configEntries: [{ name: 'retention.ms', value: '-1' }] }] })
    const sent = Array.from({ length: 30 }, (_, offset) => ({ value: `at ${offset}`, timestamp: String(baseMs + offset * 1000) }))
    const producer = kafka.producer()
    await producer.connect()
    const send = (partition: number, messages: typeof sent): Promise<unknown> =>
      producer.send({ topic, compression: CompressionTypes.GZIP, messages: messages.map((message) => ({ ...message, partition })) })
    for (const first of [0, 10, 20]) await send(0, sent.slice(first, first + 10))
    await send(1, sent.slice(0, 5))
    await producer.disconnect()
    expect((await admin.fetchTopicOffsets(topic)).sort((a, b) => a.partition - b.partition)).toMatchObject([
      { partition: 0, low: '0', high: '30' },
      { partition: 1, low: '0', high: '5' },
    ])
    // Between two records of the middle batch, exactly at the last record, before all.
    for (const [timeMs, first, firstOfOther] of [
      [baseMs + 14_500, 15, 5],
      [baseMs + 29_000, 29, 5],
      [baseMs - 1, 0, 0],
    ] as const) {
      const places = (await admin.fetchTopicOffsetsByTimestamp(topic, timeMs)).sort((a, b) => a.partition - b.partition)
      expect(places).toEqual([
        { partition: 0, offset: String(first) },
        { partition: 1, offset: String(firstOfOther) },
      ])
      const read = await readFrom(topic, places, sent.length - first + 5 - firstOfOther)
      const wanted = (from: typeof sent, begin: number): unknown =>
        from.slice(begin).map(({ value, timestamp }, index) => ({ offset: String(begin + index), value, timestamp }))
      expect(read.get(0) ?? []).toEqual(wanted(sent, first))
      expect(read.get(1) ?? []).toEqual(wanted(sent.slice(0, 5), firstOfOther))
    }
  })
})
