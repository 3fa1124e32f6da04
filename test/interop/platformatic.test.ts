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

/** Consumes `count` messages in a group from where it stands (or the beginning), commits them, and leaves. */
async function consume(topic: string, groupId: string, count: number): Promise<string[]> {
  const consumer = new Consumer({
    clientId: 'interop',
    groupId,
    bootstrapBrokers: [hub.bootstrap],
    deserializers: stringDeserializers,
    maxWaitTime: 100,
  })
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
    await producer.close()
  })

  it('describes configs and deletes topics', async () => {
    await admin.createTopics({ topics: ['described'], partitions: 2, replicas: 1, configs: [{ name: 'retention.ms', value: '3600000' }] })
    const described = await admin.describeConfigs({ resources: [{ resourceType: 2, resourceName: 'described', configurationKeys: null }] })
    expect(described[0]?.configs.find(({ name }) => name === 'retention.ms')?.value).toBe('3600000')
    await admin.deleteTopics({ topics: ['described'] })
    expect(await admin.listTopics()).not.toContain('described')
  })
})
