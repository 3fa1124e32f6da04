/** The consumer with a real broker, alone: positions, fetching, reset policies, commits. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type ConsumedRecord, type Consumer, type ConsumerOptions, createConsumer, createProducer } from '../../hub/client/index.ts'
import { type TestBroker, testBroker } from './broker.ts'

let broker: TestBroker
const open: Consumer[] = []
beforeAll(async () => {
  broker = await testBroker()
}, 60_000)
afterAll(async () => {
  await Promise.all(open.map((consumer) => consumer.close()))
  await broker.close()
})

function consumerOf(options: Partial<ConsumerOptions> = {}): Consumer {
  const consumer = createConsumer({
    bootstrapServers: broker.bootstrap,
    offsetReset: 'earliest',
    ...options,
  })
  open.push(consumer)
  return consumer
}

async function fill(topic: string, count: number, how: { partition?: number; from?: number } = {}): Promise<void> {
  const producer = createProducer({
    bootstrapServers: broker.bootstrap,
    batchSizeBytes: 2_000,
  })
  const { partition = 0, from = 0 } = how
  await producer.sendBatch(
    Array.from({ length: count }, (_, index) => ({
      topic,
      partition,
      value: `${from + index}`,
      timestampMs: 1_700_000_000_000 + from + index,
    })),
  )
  await producer.close()
}

async function read(consumer: Consumer, count: number): Promise<ConsumedRecord[]> {
  const records: ConsumedRecord[] = []
  while (records.length < count) records.push(...(await consumer.poll(5_000)))
  return records
}

const values = (records: readonly ConsumedRecord[]): number[] => records.map(({ value }) => Number(value))
const range = (from: number, to: number): number[] => Array.from({ length: to - from }, (_, index) => from + index)

describe('a consumer with partitions of its own', () => {
  it('reads everything in order, in polls of max.poll.records at most', async () => {
    const topic = await broker.topic({ partitionCount: 2 })
    await fill(topic, 1_000)
    await fill(topic, 500, { partition: 1 })
    const consumer = consumerOf({
      pollRecordsMax: 70,
      partitionFetchBytesMax: 3_000,
    })
    consumer.assign([
      { topic, partition: 0 },
      { topic, partition: 1 },
    ])
    const records: ConsumedRecord[] = []
    while (records.length < 1_500) {
      const polled = await consumer.poll(5_000)
      expect(polled.count).toBeLessThanOrEqual(70)
      records.push(...polled)
    }
    expect(values(records.filter(({ partition }) => partition === 0))).toEqual(range(0, 1_000))
    expect(values(records.filter(({ partition }) => partition === 1))).toEqual(range(0, 500))
    expect(await consumer.position({ topic, partition: 1 })).toBe(500)
    expect(consumer.lag({ topic, partition: 0 })).toBe(0)
  })

  it('goes where it is told: an offset, the beginning, the end, a time', async () => {
    const topic = await broker.topic()
    const at = { topic, partition: 0 }
    await fill(topic, 300)
    const consumer = consumerOf({ pollRecordsMax: 10 })
    consumer.assign([at])
    consumer.seek(at, 123)
    expect(values(await read(consumer, 10))).toEqual(range(123, 133))
    consumer.seekToBeginning()
    expect(values(await read(consumer, 10))).toEqual(range(0, 10))
    const [found] = await consumer.offsetsForTimes([{ ...at, timestampMs: 1_700_000_000_250 }])
    expect(found).toMatchObject({
      offset: 250,
      timestampMs: 1_700_000_000_250,
    })
    consumer.seek(at, found?.offset ?? 0)
    expect(values(await read(consumer, 10))).toEqual(range(250, 260))
    consumer.seekToEnd()
    expect(await consumer.position(at)).toBe(300)
    await fill(topic, 5, { from: 300 })
    expect(values(await read(consumer, 5))).toEqual(range(300, 305))
    expect(await consumer.beginningOffsets([at])).toMatchObject([{ offset: 0 }])
    expect(await consumer.endOffsets([at])).toMatchObject([{ offset: 305 }])
  })

  it('holds back paused partitions and gives their records after resume', async () => {
    const topic = await broker.topic({ partitionCount: 2 })
    await fill(topic, 20)
    await fill(topic, 20, { partition: 1 })
    const consumer = consumerOf({ pollRecordsMax: 5 })
    consumer.assign([
      { topic, partition: 0 },
      { topic, partition: 1 },
    ])
    consumer.pause([{ topic, partition: 0 }])
    const first = await read(consumer, 20)
    expect(first.every(({ partition }) => partition === 1)).toBe(true)
    expect(consumer.paused()).toEqual([{ topic, partition: 0 }])
    expect((await consumer.poll(50)).count).toBe(0)
    consumer.resume([{ topic, partition: 0 }])
    expect(values(await read(consumer, 20))).toEqual(range(0, 20))
  })

  it('returns with nothing when time is up, at wakeup, and rejects when the signal aborts', async () => {
    const topic = await broker.topic()
    const consumer = consumerOf()
    consumer.assign([{ topic, partition: 0 }])
    expect((await consumer.poll(20)).count).toBe(0)
    const woken = consumer.poll(60_000)
    consumer.wakeup()
    expect((await woken).count).toBe(0)
    const controller = new AbortController()
    const aborted = consumer.poll(60_000, controller.signal)
    controller.abort(new Error('enough'))
    await expect(aborted).rejects.toThrow('enough')
    await expect(consumer.poll(1, controller.signal)).rejects.toThrow('enough')
  })

  it('begins by the reset policy, also when its position is out of range', async () => {
    const topic = await broker.topic({ configs: { 'retention.ms': '-1' } })
    const at = { topic, partition: 0 }
    await fill(topic, 50)
    const latest = consumerOf({ offsetReset: 'latest' })
    latest.assign([at])
    expect(await latest.position(at)).toBe(50)

    const earliest = consumerOf({ pollRecordsMax: 10 })
    earliest.assign([at])
    earliest.seek(at, 9_999)
    expect(values(await read(earliest, 10))).toEqual(range(0, 10))

    const since = consumerOf({
      offsetReset: { sinceMs: Date.now() - 1_700_000_000_040 },
    })
    since.assign([at])
    const [first] = await read(since, 1)
    expect(first?.offset).toBeGreaterThanOrEqual(40)

    const none = consumerOf({ offsetReset: 'none' })
    none.assign([at])
    await expect(none.poll(5_000)).rejects.toMatchObject({
      kind: 'no-offset',
      place: { topic, partition: 0 },
    })
    none.seek(at, 9_999)
    await expect(read(none, 1)).rejects.toMatchObject({
      kind: 'no-offset',
      message: expect.stringContaining('9999'),
    })
    none.seek(at, 48)
    expect(values(await read(none, 2))).toEqual([48, 49])
  })

  it('commits and finds again offset, epoch and metadata', async () => {
    const topic = await broker.topic()
    const at = { topic, partition: 0 }
    await fill(topic, 20)
    const groupId = broker.name('simple')
    const consumer = consumerOf({
      groupId,
      autoCommit: false,
      pollRecordsMax: 8,
    })
    consumer.assign([at])
    expect(await consumer.committed([at])).toEqual([])
    await read(consumer, 8)
    await consumer.commit()
    expect(await consumer.committed([at])).toMatchObject([{ ...at, offset: 8, leaderEpoch: expect.any(Number), metadata: '' }])
    await consumer.commit([{ ...at, offset: 12, leaderEpoch: 0, metadata: 'why' }])
    expect(await consumer.committed([at])).toEqual([{ ...at, offset: 12, leaderEpoch: 0, metadata: 'why' }])
    const next = consumerOf({ groupId })
    next.assign([at])
    expect(values(await read(next, 8))).toEqual(range(12, 20))
  })

  it('commits by itself what was worked on, not what is being handed out', async () => {
    const topic = await broker.topic()
    const at = { topic, partition: 0 }
    await fill(topic, 30)
    const groupId = broker.name('auto')
    const consumer = consumerOf({
      groupId,
      pollRecordsMax: 10,
      autoCommitIntervalMs: 0,
    })
    consumer.assign([at])
    await read(consumer, 10)
    await read(consumer, 10)
    while ((await consumer.committed([at])).length === 0);
    expect((await consumer.committed([at]))[0]?.offset).toBe(10)
    await consumer.close()
    expect(await broker.admin.fetchOffsets(groupId)).toMatchObject([{ offset: 20 }])
  })

  it('iterates until it is closed', async () => {
    const topic = await broker.topic()
    await fill(topic, 10)
    const consumer = consumerOf({ pollRecordsMax: 4 })
    consumer.assign([{ topic, partition: 0 }])
    const seen: number[] = []
    for await (const records of consumer) {
      seen.push(...values([...records]))
      if (seen.length === 10) void consumer.close()
    }
    expect(seen).toEqual(range(0, 10))
    await expect(consumer.poll(1)).rejects.toMatchObject({ kind: 'closed' })
  })

  it('reads a record above its fetch limits', async () => {
    const topic = await broker.topic()
    const producer = createProducer({ bootstrapServers: broker.bootstrap })
    await producer.send({ topic, value: Buffer.alloc(100_000, 'x') })
    await producer.close()
    const consumer = consumerOf({
      partitionFetchBytesMax: 1_000,
      fetchBytesMax: 1_000,
    })
    consumer.assign([{ topic, partition: 0 }])
    expect((await read(consumer, 1))[0]?.value).toHaveLength(100_000)
  })

  it('says what is wrong with a call', async () => {
    const consumer = consumerOf()
    await expect(consumer.poll(1)).rejects.toMatchObject({ kind: 'state' })
    expect(() => consumer.subscribe(['t'])).toThrow('group.id is not set')
    expect(() => consumer.seek({ topic: 't', partition: 0 }, 1)).toThrow('partition is not assigned (t-0)')
    consumer.assign([{ topic: await broker.topic(), partition: 0 }])
    const waiting = consumer.poll(1_000)
    await expect(consumer.poll(1)).rejects.toThrow('another poll is running')
    consumer.wakeup()
    await waiting
  })
})
