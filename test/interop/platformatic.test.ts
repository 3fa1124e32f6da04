/** @module test/interop/platformatic — @platformatic/kafka 2.12.1, a client that speaks the newest protocol versions only, against a hub. */
import {
  Admin,
  Consumer,
  ListOffsetTimestamps,
  MessagesStreamModes,
  Producer,
  stringDeserializers,
  stringSerializers,
} from '@platformatic/kafka'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { startHub, type TestHub } from '../../hub/testing.ts'

let hub: TestHub
let admin: Admin

beforeAll(async () => {
  hub = await startHub()
  admin = new Admin({ clientId: 'interop', bootstrapBrokers: [hub.bootstrap] })
})

afterAll(async () => {
  await admin.close()
  await hub[Symbol.asyncDispose]()
})

function newConsumer(groupId: string): Consumer<string, string, string, string> {
  return new Consumer({
    clientId: 'interop',
    groupId,
    bootstrapBrokers: [hub.bootstrap],
    deserializers: stringDeserializers,
    maxWaitTime: 100,
  })
}

/** Consumes `count` messages in a group from where it stands (or the beginning), commits them, and leaves. */
async function consume(topic: string, groupId: string, count: number): Promise<string[]> {
  const consumer = newConsumer(groupId)
  const stream = await consumer.consume({
    topics: [topic],
    mode: MessagesStreamModes.COMMITTED,
    fallbackMode: 'earliest',
    autocommit: false,
  })
  const values: string[] = []
  for await (const message of stream) {
    values.push(message.value ?? '')
    await message.commit()
    if (values.length === count) break
  }
  await consumer.close(true)
  return values
}

/** The messages of a topic from one place in each partition on, `count` in all, by partition. */
async function readFrom(topic: string, places: readonly bigint[], count: number): Promise<Map<number, unknown[]>> {
  const consumer = newConsumer(`seeking-${places.join('-')}`)
  const stream = await consumer.consume({
    topics: [topic],
    mode: MessagesStreamModes.MANUAL,
    offsets: places.map((offset, partition) => ({ topic, partition, offset })),
    autocommit: false,
  })
  const read = new Map<number, unknown[]>()
  let readCount = 0
  for await (const { partition, offset, value, timestamp } of stream) {
    read.set(partition, [...(read.get(partition) ?? []), { offset, value, timestamp }])
    if (++readCount === count) break
  }
  await consumer.close(true)
  return read
}

describe('@platformatic/kafka', () => {
  for (const compression of ['none', 'gzip', 'snappy', 'lz4', 'zstd'] as const) {
    it(`produces and consumes with ${compression}`, async () => {
      const topic = `codec-${compression}`
      await admin.createTopics({ topics: [topic], partitions: 1, replicas: 1 })
      const producer = new Producer({
        clientId: 'interop',
        bootstrapBrokers: [hub.bootstrap],
        serializers: stringSerializers,
        compression,
        idempotent: true,
      })
      const sent = Array.from({ length: 200 }, (_, index) => `${compression} ${index} ${'x'.repeat(index)}`)
      await producer.send({ messages: sent.map((value) => ({ topic, key: 'k', value, headers: { h: 'v' } })) })
      await producer.close()
      expect(await consume(topic, `group-${compression}`, sent.length)).toEqual(sent)
    })
  }

  it('resumes where the group has committed, and lists offsets', async () => {
    await admin.createTopics({ topics: ['resume'], partitions: 1, replicas: 1 })
    const producer = new Producer({ clientId: 'interop', bootstrapBrokers: [hub.bootstrap], serializers: stringSerializers })
    await producer.send({ messages: ['a', 'b', 'c', 'd'].map((value) => ({ topic: 'resume', value })) })
    expect(await consume('resume', 'resuming', 2)).toEqual(['a', 'b'])
    expect(await consume('resume', 'resuming', 2)).toEqual(['c', 'd'])
    const offsets = await admin.listOffsets({
      topics: [{ name: 'resume', partitions: [{ partitionIndex: 0, timestamp: ListOffsetTimestamps.LATEST }] }],
    })
    expect(offsets[0]?.partitions[0]?.offset).toBe(4n)
    expect((await admin.describeGroups({ groups: ['resuming'] })).get('resuming')).toMatchObject({ state: 'Empty' })
    expect([...(await admin.listGroups()).keys()]).toContain('resuming')
    await admin.deleteGroups({ groups: ['resuming'] })
    expect([...(await admin.listGroups()).keys()]).not.toContain('resuming')
    await producer.close()
  })

  it('looks up the offset of a time and reads from there', async () => {
    const base = 1_700_000_000_000n
    const topic = 'timed'
    // The records are years old: without this they would be due for deletion.
    await admin.createTopics({ topics: [topic], partitions: 2, replicas: 1, configs: [{ name: 'retention.ms', value: '-1' }] })
    const producer = new Producer({
      clientId: 'interop',
      bootstrapBrokers: [hub.bootstrap],
      serializers: stringSerializers,
      compression: 'gzip',
    })
    const sent = Array.from({ length: 30 }, (_, offset) => ({ value: `at ${offset}`, timestamp: base + BigInt(offset) * 1000n }))
    const send = (partition: number, messages: typeof sent): Promise<unknown> =>
      producer.send({ messages: messages.map((message) => ({ topic, partition, ...message })) })
    for (const first of [0, 10, 20]) await send(0, sent.slice(first, first + 10))
    await send(1, sent.slice(0, 5))
    await producer.close()
    const asker = newConsumer('asking')
    // Between two records of the middle batch, exactly at the last record, before all.
    for (const [time, first, firstOfOther] of [
      [base + 14_500n, 15, undefined],
      [base + 29_000n, 29, undefined],
      [base - 1n, 0, 0],
    ] as const) {
      const found = (await asker.listOffsetsWithTimestamps({ topics: [topic], timestamp: time })).get(topic)
      const none = { offset: -1n, timestamp: -1n }
      expect(found?.get(0)).toEqual({ offset: BigInt(first), timestamp: sent[first]?.timestamp })
      expect(found?.get(1)).toEqual(firstOfOther === undefined ? none : { offset: 0n, timestamp: base })
      // Where no record is that young, the place is the end.
      const places = [found?.get(0)?.offset ?? -1n, firstOfOther === undefined ? 5n : 0n]
      const wanted = [sent.slice(first), sent.slice(firstOfOther ?? 5, 5)]
      const read = await readFrom(topic, places, wanted.flat().length)
      for (const [partition, records] of wanted.entries()) {
        expect(read.get(partition) ?? []).toEqual(
          records.map((record, index) => ({ ...record, offset: BigInt(index) + (places[partition] ?? 0n) })),
        )
      }
    }
    await asker.close(true)
  })

  it('describes topics and their configs, and deletes topics', async () => {
    await admin.createTopics({ topics: ['described'], partitions: 2, replicas: 1, configs: [{ name: 'retention.ms', value: '3600000' }] })
    const described = await admin.describeConfigs({ resources: [{ resourceType: 2, resourceName: 'described', configurationKeys: null }] })
    expect(described[0]?.configs.find(({ name }) => name === 'retention.ms')?.value).toBe('3600000')
    expect((await admin.metadata({ topics: ['described'] })).topics.get('described')?.partitionsCount).toBe(2)
    await admin.deleteTopics({ topics: ['described'] })
    expect(await admin.listTopics()).not.toContain('described')
  })
})
