/** The transactional producer with a real broker, and what consumers with read_committed see of it. */
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, it, type TestContext } from 'vitest'
import {
  createConsumer,
  createTransactionalProducer,
  type ProducerOptions,
  type TopicPartition,
  TransactionError,
  type TransactionalProducer,
} from '../../hub/client/index.ts'
import { ConsumerGroupHeartbeat, EndTxn, TxnOffsetCommit } from '../../hub/wire/index.ts'
import { needApi, type TestBroker, testBroker } from './broker.ts'

let broker: TestBroker
beforeAll(async () => {
  broker = await testBroker()
}, 60_000)
afterAll(() => broker.close())

async function needTransactions(context: TestContext): Promise<void> {
  await needApi(broker, context, EndTxn.key)
  await needApi(broker, context, TxnOffsetCommit.key)
}

const open: TransactionalProducer[] = []
afterAll(() => Promise.all(open.map((producer) => producer.close())))

async function producerOf(transactionalId: string, options: Partial<ProducerOptions> = {}): Promise<TransactionalProducer> {
  const producer = createTransactionalProducer({ bootstrapServers: broker.bootstrap, transactionalId, lingerMs: 0, ...options })
  open.push(producer)
  await producer.initTransactions()
  return producer
}

/** All records of all partitions below the last stable offset. */
async function readCommitted(
  partitions: readonly TopicPartition[],
  fetchBytes = 1_048_576,
): Promise<{ partition: number; value: string }[]> {
  const consumer = createConsumer({
    bootstrapServers: broker.bootstrap,
    offsetReset: 'earliest',
    isolation: 'read_committed',
    partitionFetchBytesMax: fetchBytes,
    fetchWaitMsMax: 50,
  })
  try {
    consumer.assign(partitions)
    const records: { partition: number; value: string }[] = []
    for (const end of await consumer.endOffsets(partitions)) {
      while ((await consumer.position(end)) < end.offset) {
        for (const { partition, value } of await consumer.poll(100)) records.push({ partition, value: String(value) })
      }
    }
    return records
  } finally {
    await consumer.close()
  }
}

/** The failure of the promise. */
async function failureOf(promise: Promise<unknown>): Promise<unknown> {
  try {
    await promise
  } catch (error) {
    return error
  }
  throw new Error('nothing failed')
}

const nobody = (groupId: string) => ({ groupId, generationId: -1, memberId: '', groupInstanceId: null })

describe('a transactional producer', () => {
  it('makes records of several partitions and offsets of a group count together, or not at all', async (context) => {
    await needTransactions(context)
    const topic = await broker.topic({ partitionCount: 2 })
    const both = [0, 1].map((partition) => ({ topic, partition }))
    const groupId = broker.name('group')
    const producer = await producerOf(broker.name('tx'))
    const offsets = async () => (await broker.admin.fetchOffsets(groupId)).map(({ offset, metadata }) => ({ offset, metadata }))
    for (let round = 0; round < 3; round++) {
      producer.beginTransaction()
      const sent = both.map((at) => producer.send({ ...at, value: `aborted ${round}` }))
      await Promise.all([...sent, producer.sendOffsets([{ topic, partition: 0, offset: 100 + round }], nobody(groupId))])
      await producer.abortTransaction()
      producer.beginTransaction()
      // Nothing of this is awaited: the commit does that.
      for (const at of both) void producer.send({ ...at, value: `committed ${round}` })
      const consumed = [{ topic, partition: 0, offset: round + 1, metadata: `${round}` }]
      await Promise.all([producer.sendOffsets(consumed, nobody(groupId)), producer.commitTransaction()])
      await expect.poll(offsets, { timeout: 20_000 }).toEqual([{ offset: round + 1, metadata: `${round}` }])
    }
    const rounds = [0, 1, 2].map((round) => `committed ${round}`)
    await expect.poll(async () => (await readCommitted(both)).length, { timeout: 20_000 }).toBe(6)
    const read = await readCommitted(both)
    for (const { partition } of both) expect(read.filter((one) => one.partition === partition).map(({ value }) => value)).toEqual(rounds)
  }, 60_000)

  it('may commit and abort transactions without anything in them', async (context) => {
    await needTransactions(context)
    const producer = await producerOf(broker.name('empty'))
    for (let round = 0; round < 3; round++) {
      producer.beginTransaction()
      await producer.commitTransaction()
      producer.beginTransaction()
      await producer.abortTransaction()
    }
    expect(producer.transactionStatus).toBe('ready')
  }, 60_000)

  it('is put out by the next one with its id, which ends what it left open', async (context) => {
    await needTransactions(context)
    const topic = await broker.topic()
    const transactionalId = broker.name('fenced')
    const old = await producerOf(transactionalId)
    old.beginTransaction()
    await old.send({ topic, value: 'left open' })
    const young = await producerOf(transactionalId)
    young.beginTransaction()
    await young.send({ topic, value: 'young' })
    await young.commitTransaction()

    const late = failureOf(old.send({ topic, value: 'late' }))
    const error = await failureOf(old.commitTransaction())
    expect(error).toBeInstanceOf(TransactionError)
    expect(await late).toMatchObject({ name: expect.stringMatching('INVALID_PRODUCER_EPOCH|PRODUCER_FENCED') })
    // A partition cannot tell a timed out transaction from a fenced producer; the coordinator can.
    if (old.transactionStatus === 'abortable-error') expect(await failureOf(old.abortTransaction())).toMatchObject({ kind: 'fatal' })
    expect(old.transactionStatus).toBe('fatal-error')
    expect(() => old.beginTransaction()).toThrow(TransactionError)
    expect(await failureOf(old.send({ topic, value: 'never' }))).toMatchObject({ kind: 'fatal' })
    await expect.poll(async () => (await readCommitted([{ topic, partition: 0 }])).map(({ value }) => value)).toEqual(['young'])
  }, 60_000)

  it('can only abort once a record was refused, and goes on after that', async (context) => {
    await needTransactions(context)
    const topic = await broker.topic({ configs: { 'max.message.bytes': '1000' } })
    const producer = await producerOf(broker.name('torn'), { batchSizeBytes: 500 })
    producer.beginTransaction()
    void producer.send({ topic, value: 'fits' })
    const refused = failureOf(producer.send({ topic, value: Buffer.alloc(2_000) }))
    expect(await failureOf(producer.commitTransaction())).toMatchObject({ kind: 'abortable', cause: { name: 'MESSAGE_TOO_LARGE' } })
    expect(await refused).toMatchObject({ name: 'MESSAGE_TOO_LARGE' })
    expect(await failureOf(producer.send({ topic, value: 'no more' }))).toMatchObject({ kind: 'abortable' })
    expect(await failureOf(producer.commitTransaction())).toMatchObject({ kind: 'abortable' })
    await producer.abortTransaction()
    producer.beginTransaction()
    await producer.send({ topic, value: 'again' })
    await producer.commitTransaction()
    await expect.poll(async () => (await readCommitted([{ topic, partition: 0 }])).map(({ value }) => value)).toEqual(['again'])
  }, 60_000)

  it('refuses calls at the wrong time', async (context) => {
    await needTransactions(context)
    const topic = await broker.topic()
    const transactionalId = broker.name('calls')
    const producer = createTransactionalProducer({ bootstrapServers: broker.bootstrap, transactionalId })
    open.push(producer)
    const state = { kind: 'state' }
    expect(() => producer.beginTransaction()).toThrow('uninitialized')
    await producer.initTransactions()
    expect(await failureOf(producer.initTransactions())).toMatchObject(state)
    expect(await failureOf(producer.send({ topic, value: 'v' }))).toMatchObject(state)
    expect(await failureOf(producer.commitTransaction())).toMatchObject(state)
    expect(await failureOf(producer.abortTransaction())).toMatchObject(state)
    expect(await failureOf(producer.sendOffsets([], nobody('g')))).toMatchObject(state)
    producer.beginTransaction()
    expect(() => producer.beginTransaction()).toThrow('in-transaction')
    await producer.abortTransaction()
  }, 60_000)

  it('aborts what is open when it closes, so that readers need not wait for its timeout', async (context) => {
    await needTransactions(context)
    const topic = await broker.topic()
    const producer = await producerOf(broker.name('closing'))
    producer.beginTransaction()
    await producer.send({ topic, value: 'open' })
    await producer.close()
    await expect
      .poll(
        async () => (await broker.admin.listOffsets([{ topic, partition: 0, at: 'latest' }], { isolation: 'read_committed' }))[0]?.offset,
      )
      .toBe(2)
    expect(await readCommitted([{ topic, partition: 0 }])).toEqual([])
  }, 60_000)

  it.for(['classic', 'consumer'] as const)(
    'moves records from topic to topic exactly once, in the name of a member (%s)',
    { timeout: 120_000 },
    async (groupProtocol, context) => {
      await needTransactions(context)
      if (groupProtocol === 'consumer') await needApi(broker, context, ConsumerGroupHeartbeat.key)
      const from = await broker.topic({ partitionCount: 2 })
      const to = await broker.topic()
      const groupId = broker.name('mover')
      const feeder = await producerOf(broker.name('feeder'))
      feeder.beginTransaction()
      for (let count = 0; count < 60; count++) void feeder.send({ topic: from, partition: count % 2, value: `${count}` })
      await feeder.commitTransaction()
      let moved = 0
      let crashCount = 0
      // Each life moves a few, and leaves in the middle of a transaction.
      while (moved < 60) {
        const producer = await producerOf(broker.name('mover'))
        const consumer = createConsumer({
          bootstrapServers: broker.bootstrap,
          groupId,
          groupProtocol,
          offsetReset: 'earliest',
          isolation: 'read_committed',
          autoCommit: false,
          pollRecordsMax: 7,
        })
        consumer.subscribe([from])
        for (let round = 0; round < 4 && moved < 60; ) {
          const records = await consumer.poll(500)
          if (records.count === 0) continue
          round++
          producer.beginTransaction()
          const next = new Map<number, number>()
          for (const { partition, offset, value } of records) {
            void producer.send({ topic: to, value }).catch(() => {})
            next.set(partition, offset + 1)
          }
          const offsets = [...next].map(([partition, offset]) => ({ topic: from, partition, offset }))
          await producer.sendOffsets(offsets, consumer.groupMetadata())
          if (round === 3 && crashCount < 2) {
            crashCount++
            break
          }
          await producer.commitTransaction()
          moved += records.count
        }
        await Promise.all([producer.close(), consumer.close()])
      }
      const read = (await readCommitted([{ topic: to, partition: 0 }])).map(({ value }) => Number(value))
      expect(read.toSorted((one, other) => one - other)).toEqual([...Array(60).keys()])
      expect(crashCount).toBe(2)
    },
  )

  it('lets a consumer begin only behind the offsets that it is about to commit', async (context) => {
    await needTransactions(context)
    const topic = await broker.topic()
    const at = { topic, partition: 0 }
    const groupId = broker.name('pending')
    const producer = await producerOf(broker.name('pending'))
    producer.beginTransaction()
    for (let count = 0; count < 5; count++) void producer.send({ ...at, value: `${count}` })
    await producer.sendOffsets([{ ...at, offset: 3 }], nobody(groupId))
    const consumer = createConsumer({ bootstrapServers: broker.bootstrap, groupId, offsetReset: 'earliest' })
    consumer.assign([at])
    expect((await consumer.poll(500)).count).toBe(0)
    await producer.commitTransaction()
    expect(await consumer.position(at)).toBe(3)
    await consumer.close()
  }, 60_000)

  it('does not commit offsets for a member that its group has replaced', async (context) => {
    await needTransactions(context)
    const topic = await broker.topic()
    const groupId = broker.name('replaced')
    const consumer = createConsumer({ bootstrapServers: broker.bootstrap, groupId, offsetReset: 'earliest' })
    consumer.subscribe([topic])
    while (consumer.assignment().length === 0) await consumer.poll(200)
    const current = consumer.groupMetadata()
    const producer = await producerOf(broker.name('replaced'))
    for (const stale of [
      { ...current, generationId: current.generationId + 1 },
      { ...current, memberId: 'somebody-else' },
    ]) {
      producer.beginTransaction()
      const error = await failureOf(producer.sendOffsets([{ topic, partition: 0, offset: 1 }], stale))
      expect(error).toMatchObject({ kind: 'abortable', cause: { name: expect.stringMatching('ILLEGAL_GENERATION|UNKNOWN_MEMBER_ID') } })
      await producer.abortTransaction()
    }
    producer.beginTransaction()
    await producer.sendOffsets([{ topic, partition: 0, offset: 1 }], current)
    await producer.commitTransaction()
    await consumer.close()
  }, 60_000)

  it('keeps many random transactions whole, over segments and however the fetches are cut', async (context) => {
    await needTransactions(context)
    const partitionCount = 3
    const topic = await broker.topic({ partitionCount, configs: { 'segment.bytes': '1048576' } })
    const partitions = Array.from({ length: partitionCount }, (_, partition) => ({ topic, partition }))
    const producers = await Promise.all([0, 1, 2].map((index) => producerOf(broker.name(`random-${index}`), { batchSizeBytes: 30_000 })))
    const life = fc.array(
      fc.record({
        commits: fc.boolean(),
        records: fc.array(fc.record({ partition: fc.nat(partitionCount - 1), sizeBytes: fc.constantFrom(1, 100, 20_000) }), {
          maxLength: 12,
        }),
      }),
      { minLength: 12, maxLength: 12 },
    )
    const lives = fc.sample(life, producers.length)
    const expected = new Map(partitions.map(({ partition }) => [partition, new Map<number, string[]>()]))
    await Promise.all(
      producers.map(async (producer, index) => {
        for (const [round, { commits, records }] of (lives[index] ?? []).entries()) {
          producer.beginTransaction()
          const sent = records.map(({ partition, sizeBytes }, at) => {
            const name = `${index} ${round} ${at}`
            if (commits) {
              const byProducer = expected.get(partition) ?? new Map<number, string[]>()
              byProducer.set(index, [...(byProducer.get(index) ?? []), name])
            }
            return producer.send({ topic, partition, value: `${name}|${'x'.repeat(sizeBytes)}` })
          })
          if (commits) await Promise.all([...sent, producer.commitTransaction()])
          else await Promise.all([Promise.allSettled(sent), producer.abortTransaction()])
        }
      }),
    )
    for (const fetchBytes of [1, 50_000, 1_048_576]) {
      const byPartition = Map.groupBy(await readCommitted(partitions, fetchBytes), ({ partition }) => partition)
      for (const { partition } of partitions) {
        const names = (byPartition.get(partition) ?? []).map(({ value }) => value.split('|')[0] ?? '')
        const byProducer = Map.groupBy(names, (name) => Number(name.split(' ')[0]))
        expect(byProducer).toEqual(expected.get(partition))
      }
    }
  }, 120_000)
})
