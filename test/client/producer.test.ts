/** The producer with a real broker. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type ConsumedRecord, createConsumer, createProducer, type ProducerOptions } from '../../hub/client/index.ts'
import { partitionForKey } from '../../hub/wire/index.ts'
import { type TestBroker, testBroker } from './broker.ts'

let broker: TestBroker
beforeAll(async () => {
  broker = await testBroker()
}, 60_000)
afterAll(() => broker.close())

const numbers = (count: number): string[] => Array.from({ length: count }, (_, index) => `${index}`)

async function withProducer<T>(
  options: Partial<ProducerOptions>,
  use: (producer: ReturnType<typeof createProducer>) => Promise<T>,
): Promise<T> {
  const producer = createProducer({
    bootstrapServers: broker.bootstrap,
    ...options,
  })
  try {
    return await use(producer)
  } finally {
    await producer.close()
  }
}

/** All records of a topic, by partition and offset. */
async function readAll(topic: string): Promise<ConsumedRecord[]> {
  const consumer = createConsumer({
    bootstrapServers: broker.bootstrap,
    offsetReset: 'earliest',
  })
  try {
    const [described] = await broker.admin.describeTopics([topic])
    const partitions = (described?.partitions ?? []).map(({ partition }) => ({
      topic,
      partition,
    }))
    consumer.assign(partitions)
    let left = 0
    for (const { offset } of await consumer.endOffsets(partitions)) left += offset
    const read: ConsumedRecord[] = []
    while (read.length < left) read.push(...(await consumer.poll(5_000)))
    return read.sort((one, other) => one.partition - other.partition || one.offset - other.offset)
  } finally {
    await consumer.close()
  }
}

describe('a producer', () => {
  it.each(['none', 'gzip', 'snappy', 'lz4', 'zstd'] as const)('delivers batches packed with %s', async (compression) => {
    const topic = await broker.topic()
    await withProducer({ compression }, (producer) =>
      producer.sendBatch(
        numbers(500).map((value) => ({
          topic,
          key: `k${value}`,
          value: value.repeat(20),
        })),
      ),
    )
    const read = await readAll(topic)
    expect(read.map(({ key }) => String(key))).toEqual(numbers(500).map((value) => `k${value}`))
    expect(String(read[499]?.value)).toBe('499'.repeat(20))
  })

  it('delivers keys, values, headers and timestamps as they are, nulls and empty ones included', async () => {
    const topic = await broker.topic()
    const headers = [
      { key: 'h', value: Buffer.from('1') },
      { key: 'h', value: null },
      { key: 'ü', value: Buffer.alloc(0) },
    ]
    await withProducer({}, async (producer) => {
      await producer.send({
        topic,
        key: null,
        value: null,
        timestampMs: 1_700_000_000_000,
      })
      await producer.send({
        topic,
        key: '',
        value: '',
        headers,
        timestampMs: 1_700_000_000_001,
      })
    })
    const [first, second] = await readAll(topic)
    expect(first).toMatchObject({
      key: null,
      value: null,
      headers: [],
      timestampMs: 1_700_000_000_000,
      offset: 0,
    })
    expect(second).toMatchObject({
      key: Buffer.alloc(0),
      value: Buffer.alloc(0),
      timestampMs: 1_700_000_000_001,
    })
    expect(second?.headers.map(({ key, value }) => [key, value === null ? null : String(value)])).toEqual([
      ['h', '1'],
      ['h', null],
      ['ü', ''],
    ])
  })

  it('places by key as Kafka does, by number where told, and spreads what has no key', async () => {
    const topic = await broker.topic({ partitionCount: 6 })
    await withProducer({ batchSizeBytes: 200, lingerMs: 1 }, async (producer) => {
      for (const key of numbers(50)) {
        const { partition } = await producer.send({ topic, key, value: 'v' })
        expect(partition).toBe(partitionForKey(Buffer.from(key), 6))
      }
      expect(await producer.send({ topic, partition: 4, key: 'k', value: 'v' })).toMatchObject({ partition: 4 })
      const result = await producer.sendBatch(numbers(300).map((value) => ({ topic, value })))
      const used = new Set(numbers(300).map((_value, index) => result.metadata(index).partition))
      expect(used.size).toBeGreaterThan(3)
    })
  })

  it('keeps the order of calls within a partition, in many small requests', async () => {
    const topic = await broker.topic()
    await withProducer({ batchSizeBytes: 300, lingerMs: 0 }, async (producer) => {
      await Promise.all(numbers(2_000).map((value) => producer.send({ topic, value })))
    })
    expect((await readAll(topic)).map(({ value }) => String(value))).toEqual(numbers(2_000))
  })

  it.each([0, 1, 'all'] as const)('works with acks=%s', async (acks) => {
    const topic = await broker.topic()
    const metadata = await withProducer({ acks }, (producer) => producer.send({ topic, value: 'v' }))
    expect(metadata.offset).toBe(acks === 0 ? -1 : 0)
    let read: ConsumedRecord[] = []
    while (read.length === 0) read = await readAll(topic)
    expect(read).toHaveLength(1)
  })

  it('cuts batches that are above the topic’s max.message.bytes, and refuses a single record that is', async () => {
    const topic = await broker.topic({
      configs: { 'max.message.bytes': '1000' },
    })
    await withProducer({ batchSizeBytes: 16_384, lingerMs: 20 }, async (producer) => {
      const result = await producer.sendBatch(numbers(60).map((value) => ({ topic, value: value.padEnd(100) })))
      expect(numbers(60).map((_value, index) => result.metadata(index).offset)).toEqual([...Array(60).keys()])
      await expect(producer.send({ topic, value: 'x'.repeat(2_000) })).rejects.toMatchObject({ name: 'MESSAGE_TOO_LARGE' })
      expect(await producer.send({ topic, value: 'after' })).toMatchObject({
        offset: 60,
      })
    })
    expect((await readAll(topic)).map(({ value }) => String(value).trim())).toEqual([...numbers(60), 'after'])
  })

  it('passes on what the broker says of a topic name that cannot be', async () => {
    await withProducer({ blockMsMax: 5_000 }, async (producer) => {
      await expect(producer.send({ topic: 'not a name', value: 'v' })).rejects.toMatchObject({ name: 'INVALID_TOPIC_EXCEPTION' })
    })
  })

  it('tells the log append time where the topic uses it', async () => {
    const topic = await broker.topic({
      configs: { 'message.timestamp.type': 'LogAppendTime' },
    })
    const metadata = await withProducer({}, (producer) => producer.send({ topic, value: 'v', timestampMs: 5 }))
    expect(metadata.logAppendTimeMs).toBeGreaterThan(1_700_000_000_000)
    expect((await readAll(topic))[0]?.timestampMs).toBe(metadata.logAppendTimeMs)
  })

  it('ends a wait when the signal aborts', async () => {
    await withProducer({ bootstrapServers: '127.0.0.1:1' }, async (producer) => {
      const controller = new AbortController()
      const sent = producer.send({ topic: 't', value: 'v' }, controller.signal)
      controller.abort(new Error('enough'))
      await expect(sent).rejects.toThrow('enough')
      await producer.close(AbortSignal.abort())
    })
  })
})
