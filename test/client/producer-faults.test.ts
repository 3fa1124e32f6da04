/** A producer against a broker by script: lost answers, refusals, dead ends. */
import { describe, expect, it } from 'vitest'
import { createProducer, type ProducerOptions, SendBatchError } from '../../hub/client/index.ts'
import { memoryWorld } from '../../hub/io/index.ts'
import { batchHeader, ErrorCode, Metadata, Produce, type ProduceRequest, recordsBuffer } from '../../hub/wire/index.ts'
import { LogModel } from './log-model.ts'
import { metadataOf, type Reply, type ScriptedPeer, scriptedPeer, topicNameOf } from './scripted-peer.ts'

type ProduceReply = Reply<ReturnType<typeof answerOf>>

function answerOf(
  request: ProduceRequest,
  append: (topic: string, partition: number, records: Buffer) => { errorCode: number; baseOffset: number },
) {
  return {
    responses: request.topicData.map(({ topicId, partitionData }) => ({
      topicId,
      partitionResponses: partitionData.map(({ index, records }) => ({
        index,
        ...append(topicNameOf(topicId), index, recordsBuffer(records) ?? Buffer.alloc(0)),
      })),
    })),
  }
}

/** A broker with real sequence rules; `fault` may decide over the outcome of each request, after the append. */
async function setUp(
  options: Partial<ProducerOptions> = {},
  fault: (count: number, request: ProduceRequest) => ProduceReply | null = () => null,
) {
  const world = memoryWorld()
  const peer = await scriptedPeer(world.net)
  const logs = new Map<string, LogModel>()
  let count = 0
  const refuse = new Map<number, number>()
  peer.on(Produce, (request) => {
    count++
    const code = refuse.get(count)
    const answer = answerOf(request, (topic, partition, records) => {
      if (code !== undefined) return { errorCode: code, baseOffset: -1 }
      const key = `${topic}-${partition}`
      const log = logs.get(key) ?? new LogModel()
      logs.set(key, log)
      return log.append(records)
    })
    return fault(count, request) ?? answer
  })
  const producer = createProducer({
    bootstrapServers: peer.bootstrap,
    world,
    lingerMs: 0,
    ...options,
  })
  return {
    world,
    peer,
    producer,
    log: (key: string) => logs.get(key)?.values ?? [],
    refuse,
  }
}

/** Moves time on until the promise settles. */
async function settle<T>(world: ReturnType<typeof memoryWorld>, promise: Promise<T>, limitMs = 300_000): Promise<PromiseSettledResult<T>> {
  let outcome: PromiseSettledResult<T> | null = null
  void Promise.allSettled([promise]).then(([result]) => (outcome = result))
  for (let passedMs = 0; outcome === null && passedMs < limitMs; passedMs += 50) await world.clock.advance(50)
  if (outcome === null) throw new Error(`nothing came of it in ${limitMs} ms`)
  return outcome
}

function sendAll(producer: ReturnType<typeof createProducer>, count: number, from = 0) {
  return Promise.all(
    Array.from({ length: count }, (_, index) =>
      producer.send({
        topic: 'orders',
        partition: 0,
        value: `${from + index}`,
      }),
    ),
  )
}

const numbers = (count: number): string[] => Array.from({ length: count }, (_, index) => `${index}`)
const ONE_RECORD_EACH = { batchSizeBytes: 0 }

describe('a producer', () => {
  it('writes a batch once though its answer was lost, and keeps the order of five in flight', async () => {
    const { world, producer, log, peer } = await setUp(ONE_RECORD_EACH, (count) => (count === 4 ? 'cut' : null))
    const sent = await settle(world, sendAll(producer, 12))
    expect(sent).toMatchObject({ status: 'fulfilled' })
    expect(log('orders-0')).toEqual(numbers(12))
    expect((sent as PromiseFulfilledResult<{ offset: number }[]>).value.map(({ offset }) => offset)).toEqual([...Array(12).keys()])
    expect(peer.connectionCount).toBeGreaterThan(2)
  })

  it('survives answers lost again and again', async () => {
    const { world, producer, log } = await setUp(ONE_RECORD_EACH, (count) => (count % 3 === 0 ? 'half' : null))
    expect(await settle(world, sendAll(producer, 20))).toMatchObject({
      status: 'fulfilled',
    })
    expect(log('orders-0')).toEqual(numbers(20))
  })

  it('sends again after retriable refusals, in order', async () => {
    const { world, producer, log, refuse } = await setUp(ONE_RECORD_EACH)
    refuse.set(3, ErrorCode.NOT_ENOUGH_REPLICAS)
    refuse.set(7, ErrorCode.NOT_LEADER_OR_FOLLOWER)
    expect(await settle(world, sendAll(producer, 10))).toMatchObject({
      status: 'fulfilled',
    })
    expect(log('orders-0')).toEqual(numbers(10))
  })

  it('goes on when all that is in flight is refused at once and nothing new comes', async () => {
    // Each refusal draws a wait of its own, and the timer of the shortest must not be the last one.
    for (let round = 0; round < 20; round++) {
      const { world, producer, log, refuse } = await setUp({ ...ONE_RECORD_EACH, deliveryTimeoutMs: 2_147_483_647 })
      await settle(world, sendAll(producer, 1))
      for (let count = 2; count <= 6; count++) refuse.set(count, ErrorCode.NOT_ENOUGH_REPLICAS)
      expect(await settle(world, sendAll(producer, 5, 1), 20_000)).toMatchObject({ status: 'fulfilled' })
      expect(log('orders-0')).toEqual(numbers(6))
    }
  })

  it('fails a refused record with the broker’s error, and goes on with the next under a new epoch', async () => {
    const epochs: number[] = []
    const { world, producer, log, refuse } = await setUp(ONE_RECORD_EACH, (_count, request) => {
      const records = request.topicData[0]?.partitionData[0]?.records
      if (records) epochs.push(batchHeader.producerEpoch(records, 0))
      return null
    })
    await settle(world, sendAll(producer, 1))
    refuse.set(2, ErrorCode.INVALID_RECORD)
    const refused = await settle(world, sendAll(producer, 1, 1))
    expect(refused).toMatchObject({
      status: 'rejected',
      reason: { name: 'INVALID_RECORD', code: 87, retriable: false },
    })
    expect(await settle(world, sendAll(producer, 3, 2))).toMatchObject({
      status: 'fulfilled',
    })
    expect(log('orders-0')).toEqual(['0', '2', '3', '4'])
    expect(epochs).toEqual([0, 0, 1, 1, 1])
  })

  it('gives up after delivery.timeout.ms, and what follows leaves no gap', async () => {
    let silent = false
    const { world, producer, log } = await setUp({ ...ONE_RECORD_EACH, deliveryTimeoutMs: 2_000, requestTimeoutMs: 1_000 }, () =>
      silent ? 'silence' : null,
    )
    await settle(world, sendAll(producer, 1))
    silent = true
    const late = await settle(world, sendAll(producer, 1, 1))
    expect(late).toMatchObject({
      status: 'rejected',
      reason: { kind: 'timeout', message: expect.stringContaining('2000 ms') },
    })
    silent = false
    expect(await settle(world, sendAll(producer, 2, 2))).toMatchObject({
      status: 'fulfilled',
    })
    // The broker had written "1" though its answer never came.
    expect(log('orders-0')).toEqual(['0', '1', '2', '3'])
  })

  it('cuts a batch that the broker finds too large, and keeps offsets straight', async () => {
    const { world, producer, log, refuse } = await setUp({
      lingerMs: 5,
      batchSizeBytes: 16_384,
    })
    refuse.set(1, ErrorCode.MESSAGE_TOO_LARGE)
    const records = numbers(9).map((value) => ({
      topic: 'orders',
      partition: 0,
      value,
    }))
    const sent = await settle(world, producer.sendBatch(records))
    expect(log('orders-0')).toEqual(numbers(9))
    if (sent.status !== 'fulfilled') throw sent.reason
    expect(numbers(9).map((_value, index) => sent.value.metadata(index).offset)).toEqual([...Array(9).keys()])
  })

  it('names each failed record of a batch and delivers the others', async () => {
    const { world, producer, log } = await setUp({ requestBytesMax: 500 })
    const records = ['a', 'x'.repeat(600), 'c'].map((value) => ({
      topic: 'orders',
      partition: 0,
      value,
    }))
    const sent = await settle(world, producer.sendBatch([...records, { topic: 'orders', partition: 9, value: 'd' }]))
    if (sent.status !== 'rejected') throw new Error('two of the records cannot be delivered')
    const error = sent.reason as SendBatchError
    expect(error).toBeInstanceOf(SendBatchError)
    expect(error.failures.map(({ index, error: cause }) => [index, (cause as Error).name])).toEqual([
      [1, 'MESSAGE_TOO_LARGE'],
      [3, 'UNKNOWN_TOPIC_OR_PARTITION'],
    ])
    expect(error.result.metadata(2)).toMatchObject({ offset: 1 })
    expect(log('orders-0')).toEqual(['a', 'c'])
  })

  it('waits for room in buffer.memory, and lets ready() know', async () => {
    let held: (() => void) | null = null
    const hold = (peer: ScriptedPeer, log: LogModel) =>
      peer.on(Produce, async (request) => {
        if (held === null) await new Promise<void>((resolve) => (held = resolve))
        return answerOf(request, (_topic, _partition, records) => log.append(records))
      })
    const { world, producer, peer } = await setUp({ bufferMemoryBytes: 300 })
    const log = new LogModel()
    hold(peer, log)
    const sent = Promise.all(
      numbers(20).map((value) =>
        producer.send({
          topic: 'orders',
          partition: 0,
          value: value.padEnd(40),
        }),
      ),
    )
    let isReady = false
    await world.clock.advance(10)
    const ready = producer.ready().then(() => (isReady = true))
    await world.clock.advance(100)
    expect(isReady).toBe(false)
    ;(held as (() => void) | null)?.()
    expect(await settle(world, sent)).toMatchObject({ status: 'fulfilled' })
    await ready
    expect(log.values.map((value) => value.trim())).toEqual(numbers(20))
  })

  it('refuses to send once closed, and close() delivers what was given', async () => {
    const { world, producer, log } = await setUp({
      lingerMs: 60_000,
      deliveryTimeoutMs: 120_000,
    })
    const sent = producer.send({
      topic: 'orders',
      partition: 0,
      value: 'last',
    })
    await settle(world, producer.close())
    await expect(sent).resolves.toMatchObject({ offset: 0 })
    expect(log('orders-0')).toEqual(['last'])
    await expect(producer.send({ topic: 'orders', value: 'x' })).rejects.toMatchObject({ kind: 'closed' })
  })

  it('asks for no answer with acks=0', async () => {
    const { world, producer, peer } = await setUp({ acks: 0 }, () => 'silence')
    expect(await settle(world, sendAll(producer, 3))).toMatchObject({
      status: 'fulfilled',
      value: [{ offset: -1 }, { offset: -1 }, { offset: -1 }],
    })
    expect(peer.asked).not.toContain('InitProducerId')
  })

  it('flushes what it was given, not what a caller goes on to overfill the buffer with', async () => {
    const { world, peer, producer } = await setUp({ batchSizeBytes: 500, bufferMemoryBytes: 1_000, lingerMs: 10_000 })
    const log = new LogModel()
    peer.on(Produce, async (request) => {
      await world.clock.sleep(10)
      return answerOf(request, (_topic, _partition, records) => log.append(records))
    })
    let sentCount = 0
    let stopped = false
    const delivered: number[] = []
    const pending: Promise<unknown>[] = []
    const send = (): void => {
      const number = sentCount++
      const sent = producer.send({ topic: 'orders', partition: 0, value: `${number}`.padEnd(100) })
      pending.push(sent.then(() => void delivered.push(number)))
      // Each one that is delivered is followed by another, so that there are always some in line.
      void sent.then(() => stopped || send())
    }
    for (let count = 0; count < 30; count++) send()
    expect((await settle(world, producer.flush(), 30_000)).status).toBe('fulfilled')
    expect(delivered.slice(0, 30)).toEqual([...Array(30).keys()])
    expect(sentCount).toBeGreaterThan(delivered.length)
    stopped = true
    await settle(world, Promise.all(pending))
    expect(log.values).toHaveLength(sentCount)
    await settle(world, producer.close())
  })

  it('flushes what it was given, not what it is given later for a topic that nobody knows', async () => {
    const { world, peer, producer } = await setUp()
    const port = Number(peer.bootstrap.split(':')[1])
    peer.on(Metadata, ({ topics }) => {
      const names = (topics ?? []).map(({ name }) => name ?? '')
      return names.includes('nowhere') ? 'silence' : metadataOf(port, names)
    })
    const first = producer.send({ topic: 'orders', value: 'v' })
    const flushed = producer.flush()
    const later = producer.send({ topic: 'nowhere', value: 'v' })
    later.catch(() => {})
    await settle(world, flushed, 5_000)
    await settle(world, first)
    const stop = new AbortController()
    stop.abort()
    await settle(world, producer.close(stop.signal))
    await expect(later).rejects.toMatchObject({ kind: 'closed' })
  })

  it('waits for the partitions of a topic no longer than max.block.ms when no broker answers', async () => {
    const world = memoryWorld()
    const producer = createProducer({ bootstrapServers: '127.0.0.1:9', world, blockMsMax: 1_000 })
    expect(await settle(world, producer.partitionsFor('t'), 2_000)).toMatchObject({ reason: { kind: 'timeout' } })
    expect(await settle(world, producer.send({ topic: 't', value: 'v' }), 2_000)).toMatchObject({ reason: { kind: 'timeout' } })
    await settle(world, producer.close())
  })
})
