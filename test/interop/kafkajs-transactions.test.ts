/** @module test/interop/kafkajs-transactions — kafkajs 2.2.4, whose transactions are those of before KIP-890, against a hub. */
import { createRequire } from 'node:module'
import { type Kafka as KafkaClient, logLevel } from 'kafkajs'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { startHub, type TestHub } from '../../hub/testing.ts'

const { Kafka } = createRequire(import.meta.url)('kafkajs') as typeof import('kafkajs')

let hub: TestHub
let kafka: KafkaClient

beforeAll(async () => {
  hub = await startHub({ directory: 'temporary' })
  kafka = new Kafka({ brokers: [hub.bootstrap], clientId: 'interop', logLevel: logLevel.NOTHING })
})

afterAll(async () => {
  await hub[Symbol.asyncDispose]()
})

/** The first `count` values that a reader of committed records gets, in order of partitions and offsets. */
async function committed(topic: string, count: number, readUncommitted = false): Promise<string[]> {
  const consumer = kafka.consumer({ groupId: `reading-${topic}-${count}-${readUncommitted}`, maxWaitTimeInMs: 50, readUncommitted })
  const values: string[] = []
  await consumer.connect()
  await consumer.subscribe({ topic, fromBeginning: true })
  const { promise: done, resolve, reject } = Promise.withResolvers<void>()
  consumer.on(consumer.events.CRASH, ({ payload }) => reject(payload.error))
  await consumer.run({
    eachMessage: ({ message }) => {
      values.push(message.value?.toString() ?? '')
      if (values.length === count) resolve()
      return Promise.resolve()
    },
  })
  await done
  await consumer.disconnect()
  return values.sort()
}

async function makeTopic(topic: string, numPartitions = 2): Promise<void> {
  const admin = kafka.admin()
  await admin.connect()
  await admin.createTopics({ topics: [{ topic, numPartitions }], waitForLeaders: true })
  await admin.disconnect()
}

describe('kafkajs transactions', () => {
  it('are all or nothing', async () => {
    await makeTopic('all')
    const producer = kafka.producer({ transactionalId: 'kafkajs-all', maxInFlightRequests: 1, idempotent: true })
    await producer.connect()
    for (const [at, isCommit] of [true, false, true].entries()) {
      const transaction = await producer.transaction()
      for (const partition of [0, 1]) await transaction.send({ topic: 'all', messages: [{ value: `${at} ${partition}`, partition }] })
      await (isCommit ? transaction.commit() : transaction.abort())
    }
    await producer.disconnect()
    expect(await committed('all', 4)).toEqual(['0 0', '0 1', '2 0', '2 1'])
    expect(await committed('all', 6, true)).toHaveLength(6)
  })

  it('commit the offsets of a group with their records', async () => {
    await makeTopic('from')
    await makeTopic('to')
    const producer = kafka.producer({ transactionalId: 'kafkajs-offsets', maxInFlightRequests: 1, idempotent: true })
    const admin = kafka.admin()
    await producer.connect()
    await admin.connect()
    const positions = async () => {
      const [found] = await admin.fetchOffsets({ groupId: 'copier', topics: ['from'] })
      return found?.partitions.map(({ partition, offset }) => [partition, offset]).sort()
    }
    const copy = async (offset: string, isCommit: boolean): Promise<void> => {
      const transaction = await producer.transaction()
      await transaction.send({ topic: 'to', messages: [{ value: `up to ${offset}`, partition: 0 }] })
      const topics = [{ topic: 'from', partitions: [{ partition: 0, offset }] }]
      await transaction.sendOffsets({ consumerGroupId: 'copier', topics })
      await (isCommit ? transaction.commit() : transaction.abort())
    }
    await copy('5', true)
    await expect.poll(positions).toEqual([
      [0, '5'],
      [1, '-1'],
    ])
    await copy('9', false)
    await copy('7', true)
    await expect.poll(positions).toEqual([
      [0, '7'],
      [1, '-1'],
    ])
    await producer.disconnect()
    await admin.disconnect()
    expect(await committed('to', 2)).toEqual(['up to 5', 'up to 7'])
  })

  it('of a producer that another one took the place of are refused', async () => {
    await makeTopic('fenced')
    const make = async () => {
      const producer = kafka.producer({ transactionalId: 'kafkajs-fenced', maxInFlightRequests: 1, idempotent: true })
      await producer.connect()
      return producer
    }
    const old = await make()
    const begun = await old.transaction()
    await begun.send({ topic: 'fenced', messages: [{ value: 'old', partition: 0 }] })
    const fresh = kafka.producer({ transactionalId: 'kafkajs-fenced', maxInFlightRequests: 1, idempotent: true })
    await fresh.connect()
    const next = await fresh.transaction()
    await next.send({ topic: 'fenced', messages: [{ value: 'fresh', partition: 0 }] })
    await expect(begun.commit()).rejects.toThrow(/epoch|fenced/iu)
    await next.commit()
    await old.disconnect()
    await fresh.disconnect()
    expect(await committed('fenced', 1)).toEqual(['fresh'])
  })
})
