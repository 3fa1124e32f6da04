/**
 * @module test/interop/platformatic-next — @platformatic/kafka 2.12.1 with `groupProtocol: 'consumer'` (KIP-848) against a hub.
 */
import { Admin, Consumer, MessagesStreamModes, Producer, stringDeserializers, stringSerializers } from '@platformatic/kafka'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { startHub, type TestHub } from '../../hub/testing.ts'

let hub: TestHub
let admin: Admin

beforeAll(async () => {
  hub = await startHub({ overrides: { 'group.consumer.heartbeat.interval.ms': '100', 'group.consumer.min.heartbeat.interval.ms': '100' } })
  admin = new Admin({ clientId: 'interop', bootstrapBrokers: [hub.bootstrap] })
})

afterAll(async () => {
  await admin.close()
  await hub[Symbol.asyncDispose]()
})

type TextConsumer = Consumer<string, string, string, string>

function newConsumer(groupId: string): TextConsumer {
  return new Consumer({
    clientId: 'interop',
    groupId,
    groupProtocol: 'consumer',
    bootstrapBrokers: [hub.bootstrap],
    deserializers: stringDeserializers,
    maxWaitTime: 100,
  })
}

async function produce(topic: string, values: readonly string[]): Promise<void> {
  const producer = new Producer({ clientId: 'interop', bootstrapBrokers: [hub.bootstrap], serializers: stringSerializers })
  await producer.send({ messages: values.map((value, at) => ({ topic, value, partition: at % 4 })) })
  await producer.close()
}

/** Reads until it has `count` messages, with whom they came from. */
async function read(consumer: TextConsumer, topic: string, seen: Set<string>, count: number): Promise<void> {
  const stream = await consumer.consume({
    topics: [topic],
    mode: MessagesStreamModes.COMMITTED,
    fallbackMode: 'earliest',
    autocommit: false,
  })
  for await (const message of stream) {
    seen.add(message.value ?? '')
    await message.commit()
    if (seen.size >= count) break
  }
}

describe('@platformatic/kafka in the consumer protocol', () => {
  it('shares a topic between two members, each partition read once, and lists the group', async () => {
    const topic = 'shared'
    await admin.createTopics({ topics: [topic], partitions: 4, replicas: 1 })
    const values = Array.from({ length: 40 }, (_, at) => `v${at}`)
    const [first, second] = [newConsumer('next'), newConsumer('next')]
    const seen = new Set<string>()
    const reading = [read(first, topic, seen, values.length), read(second, topic, seen, values.length)]
    await produce(topic, values)
    await Promise.race(reading)
    expect([...seen].sort()).toEqual([...values].sort())
    const groups = await admin.listGroups({ types: ['consumer'] })
    expect([...groups.values()].map(({ id, groupType }) => ({ id, groupType }))).toEqual([{ id: 'next', groupType: 'consumer' }])
    await Promise.all([first.close(true), second.close(true)])
    await Promise.allSettled(reading)
  })

  it('goes on where the group stood', async () => {
    const topic = 'resumed'
    await admin.createTopics({ topics: [topic], partitions: 4, replicas: 1 })
    await produce(topic, ['a', 'b', 'c', 'd'])
    for (const expected of [
      ['a', 'b', 'c', 'd'],
      ['e', 'f', 'g', 'h'],
    ]) {
      const consumer = newConsumer('resuming')
      const seen = new Set<string>()
      if (expected.includes('e')) await produce(topic, expected)
      await read(consumer, topic, seen, 4)
      expect([...seen].sort()).toEqual(expected)
      await consumer.close(true)
    }
  })
})
