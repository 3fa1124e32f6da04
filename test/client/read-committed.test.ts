/** read_committed with a real broker; transactions are written request by request, as clients of before KIP-890 do. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createConsumer } from '../../hub/client/index.ts'
import { AddPartitionsToTxn, encodeBatch, EndTxn, FindCoordinator, InitProducerId, Produce } from '../../hub/wire/index.ts'
import { needApi, type TestBroker, testBroker } from './broker.ts'

let broker: TestBroker
beforeAll(async () => {
  broker = await testBroker()
}, 60_000)
afterAll(() => broker.close())

/** A transactional producer of few words (protocol of before KIP-890, which every broker speaks). */
class Transactor {
  readonly #id: string
  readonly #topic: string
  #coordinator = -1
  #producer = { producerId: -1, producerEpoch: -1 }
  #sequence = 0

  constructor(transactionalId: string, topic: string) {
    this.#id = transactionalId
    this.#topic = topic
  }

  async begin(): Promise<void> {
    const { admin } = broker
    while (this.#coordinator < 0) {
      const found = await admin.request('any', FindCoordinator, { keyType: 1, coordinatorKeys: [this.#id], key: '' }, { versionMin: 4 })
      this.#coordinator = found.coordinators[0]?.errorCode === 0 ? found.coordinators[0].nodeId : -1
    }
    const at = { nodeId: this.#coordinator }
    while (this.#producer.producerId < 0) {
      const { errorCode, ...producer } = await admin.request(
        at,
        InitProducerId,
        { transactionalId: this.#id, transactionTimeoutMs: 60_000 },
        { versionMax: 5 },
      )
      if (errorCode === 0) this.#producer = producer
    }
    const body = {
      v3AndBelowTransactionalId: this.#id,
      v3AndBelowProducerId: this.#producer.producerId,
      v3AndBelowProducerEpoch: this.#producer.producerEpoch,
      v3AndBelowTopics: [{ name: this.#topic, partitions: [0] }],
      transactions: [],
    }
    // An earlier transaction may still be completing (CONCURRENT_TRANSACTIONS).
    for (let errorCode = -1; errorCode !== 0; ) {
      const added = await admin.request(at, AddPartitionsToTxn, body, {
        versionMax: 3,
      })
      errorCode = added.resultsByTopicV3AndBelow[0]?.resultsByPartition[0]?.partitionErrorCode ?? -1
    }
  }

  async produce(...values: readonly string[]): Promise<void> {
    const records = encodeBatch({
      ...this.#producer,
      baseSequence: this.#sequence,
      transactional: true,
      records: values.map((value) => ({
        key: null,
        value: Buffer.from(value),
        timestampMs: Date.now(),
      })),
    })
    this.#sequence += values.length
    const body = {
      transactionalId: this.#id,
      acks: -1,
      timeoutMs: 10_000,
      topicData: [{ name: this.#topic, partitionData: [{ index: 0, records }] }],
    }
    const [leader] = (await broker.admin.describeTopics([this.#topic]))[0]?.partitions ?? []
    const answer = await broker.admin.request({ nodeId: leader?.leaderId ?? -1 }, Produce, body, { versionMax: 11 })
    expect(answer.responses[0]?.partitionResponses[0]?.errorCode).toBe(0)
  }

  async end(committed: boolean): Promise<void> {
    const body = { transactionalId: this.#id, ...this.#producer, committed }
    const { errorCode } = await broker.admin.request({ nodeId: this.#coordinator }, EndTxn, body, { versionMax: 4 })
    expect(errorCode).toBe(0)
  }
}

async function readAll(topic: string, isolation: 'read_committed' | 'read_uncommitted', fetchBytes: number): Promise<string[]> {
  const consumer = createConsumer({
    bootstrapServers: broker.bootstrap,
    offsetReset: 'earliest',
    isolation,
    partitionFetchBytesMax: fetchBytes,
    fetchWaitMsMax: 50,
  })
  try {
    const at = { topic, partition: 0 }
    consumer.assign([at])
    const [end] = await consumer.endOffsets([at])
    const values: string[] = []
    while ((await consumer.position(at)) < (end?.offset ?? 0)) {
      for (const { value } of await consumer.poll(100)) values.push(String(value))
    }
    return values
  } finally {
    await consumer.close()
  }
}

describe('read_committed', () => {
  it('shows neither aborted records nor those above an open transaction, however the fetches are cut', async (context) => {
    await needApi(broker, context, EndTxn.key)
    const topic = await broker.topic()
    const one = new Transactor(broker.name('one'), topic)
    const two = new Transactor(broker.name('two'), topic)
    await one.begin()
    await one.produce('a1', 'a2')
    await two.begin()
    await two.produce('b1')
    await one.end(false)
    await one.begin()
    await one.produce('c1')
    await two.produce('b2')
    await one.end(false)
    await two.end(true)
    await one.begin()
    await one.produce('d1')
    await one.end(true)
    await two.begin()
    await two.produce('open')
    for (const fetchBytes of [1, 200, 1_048_576]) {
      await expect
        .poll(() => readAll(topic, 'read_committed', fetchBytes), {
          timeout: 20_000,
        })
        .toEqual(['b1', 'b2', 'd1'])
      expect(await readAll(topic, 'read_uncommitted', fetchBytes)).toEqual(['a1', 'a2', 'b1', 'c1', 'b2', 'd1', 'open'])
    }
    await two.end(false)
  }, 60_000)
})
