import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { memoryNet } from '../../hub/io/index.ts'
import { startHub, type TestHub } from '../../hub/testing.ts'
import {
  batchHeader,
  CreateTopics,
  DeleteTopics,
  DescribeConfigs,
  decodeRecords,
  encodeBatch,
  ErrorCode,
  Fetch,
  forEachBatch,
  InitProducerId,
  Metadata,
  Produce,
  type RequestInput,
  ZERO_UUID,
} from '../../hub/wire/index.ts'
import { RawClient } from '../server/raw-client.ts'

const net = memoryNet()
let hub: TestHub
let client: RawClient
beforeAll(async () => {
  hub = await startHub({ world: { net } })
  client = await RawClient.connect(net, hub.bootstrap)
})
afterAll(async () => {
  await client[Symbol.asyncDispose]()
  await hub.close()
})

let topicCount = 0
/** A fresh topic; returns its name. */
async function topic(numPartitions = 1, configs: Record<string, string> = {}): Promise<string> {
  const name = `topic-${topicCount++}`
  const wanted = {
    name,
    numPartitions,
    replicationFactor: 1,
    assignments: [],
    configs: Object.entries(configs).map(([key, value]) => ({ name: key, value })),
  }
  const { topics } = await client.call(CreateTopics, 7, { topics: [wanted], timeoutMs: 1000 })
  expect(topics[0]?.errorCode).toBe(ErrorCode.NONE)
  return name
}

interface BatchOptions {
  readonly producerId?: number
  readonly producerEpoch?: number
  readonly baseSequence?: number
}

function batch(values: readonly string[], options: BatchOptions = {}): Buffer {
  return encodeBatch({
    ...options,
    records: values.map((value) => ({ key: Buffer.from('k'), value: Buffer.from(value), timestampMs: 1_700_000_000_000 })),
  })
}

async function send(name: string, records: Buffer, partition = 0, acks = -1) {
  const request = { transactionalId: null, acks, timeoutMs: 5000, topicData: [{ name, partitionData: [{ index: partition, records }] }] }
  const answer = await client.call(Produce, 12, request)
  const [partitionAnswer] = answer.responses[0]?.partitionResponses ?? []
  if (partitionAnswer === undefined) throw new Error('no answer for the partition')
  return partitionAnswer
}

interface FetchOptions {
  readonly offset?: number
  readonly maxWaitMs?: number
  readonly minBytes?: number
  readonly maxBytes?: number
  readonly partitionMaxBytes?: number
  readonly partitions?: readonly number[]
  readonly lastFetchedEpoch?: number
}

function fetchRequest(name: string, options: FetchOptions = {}): RequestInput<typeof Fetch> {
  const {
    offset = 0,
    maxWaitMs = 0,
    minBytes = 1,
    maxBytes = 1 << 20,
    partitionMaxBytes = 1 << 20,
    partitions = [0],
    lastFetchedEpoch = -1,
  } = options
  return {
    maxWaitMs,
    minBytes,
    maxBytes,
    topics: [
      {
        topic: name,
        topicId: ZERO_UUID,
        partitions: partitions.map((partition) => ({ partition, fetchOffset: offset, partitionMaxBytes, lastFetchedEpoch })),
      },
    ],
    forgottenTopicsData: [],
  }
}

async function fetchPartitions(name: string, options: FetchOptions = {}, from = client) {
  const answer = await from.call(Fetch, 12, fetchRequest(name, options))
  return answer.responses[0]?.partitions ?? []
}

function valuesOf(records: Buffer | null): string[] {
  const values: string[] = []
  if (records !== null) forEachBatch(records, (at) => void values.push(...decodeRecords(records, at).map(({ value }) => String(value))))
  return values
}

describe('produce', () => {
  it.each([0, 1, -1])('with acks=%i is there to be read', async (acks) => {
    const name = await topic()
    if (acks === 0) {
      client.post(Produce, 12, {
        transactionalId: null,
        acks,
        timeoutMs: 1000,
        topicData: [{ name, partitionData: [{ index: 0, records: batch(['a', 'b']) }] }],
      })
    } else expect(await send(name, batch(['a', 'b']), 0, acks)).toMatchObject({ errorCode: 0, baseOffset: 0 })
    const [partition] = await fetchPartitions(name, { maxWaitMs: 5000 })
    expect(valuesOf(partition?.records ?? null)).toEqual(['a', 'b'])
  })

  it('patches base offset and leader epoch, and leaves the rest of the batch as it was sent', async () => {
    const name = await topic()
    const [first, second] = [batch(['a']), batch(['b', 'c'])]
    await send(name, first)
    await send(name, second)
    const [partition] = await fetchPartitions(name)
    const records = partition?.records ?? Buffer.alloc(0)
    const at = batchHeader.sizeBytes(records, 0)
    expect(batchHeader.baseOffset(records, at)).toBe(1)
    expect(records.subarray(at + 16).equals(second.subarray(16))).toBe(true)
  })

  it('recognises retries of an idempotent producer, and refuses gaps and old epochs', async () => {
    const name = await topic()
    const { producerId } = await client.call(InitProducerId, 5, { transactionalId: null, transactionTimeoutMs: 60_000 })
    const first = { producerId, producerEpoch: 0, baseSequence: 0 }
    expect(await send(name, batch(['a', 'b'], first))).toMatchObject({ errorCode: 0, baseOffset: 0 })
    expect(await send(name, batch(['c'], { ...first, baseSequence: 2 }))).toMatchObject({ errorCode: 0, baseOffset: 2 })
    expect(await send(name, batch(['a', 'b'], first))).toMatchObject({ errorCode: 0, baseOffset: 0 })
    expect(await send(name, batch(['d'], { ...first, baseSequence: 9 }))).toMatchObject({
      errorCode: ErrorCode.OUT_OF_ORDER_SEQUENCE_NUMBER,
    })
    expect(await send(name, batch(['d'], { ...first, producerEpoch: 1 }))).toMatchObject({ errorCode: 0, baseOffset: 3 })
    expect(await send(name, batch(['e'], { ...first, baseSequence: 3 }))).toMatchObject({ errorCode: ErrorCode.INVALID_PRODUCER_EPOCH })
    const [partition] = await fetchPartitions(name)
    expect(valuesOf(partition?.records ?? null)).toEqual(['a', 'b', 'c', 'd'])
  })

  it('hands out each producer id once', async () => {
    const ids = new Set<number>()
    for (let at = 0; at < 20; at++) {
      ids.add((await client.call(InitProducerId, 5, { transactionalId: null, transactionTimeoutMs: 60_000 })).producerId)
    }
    expect(ids.size).toBe(20)
  })

  it('answers every partition of a request on its own, in the order of the request', async () => {
    const name = await topic(2)
    const partitionData = [
      { index: 7, records: batch(['x']) },
      { index: 1, records: batch(['b']) },
      { index: 0, records: batch(['a']) },
    ]
    const answer = await client.call(Produce, 12, {
      transactionalId: null,
      acks: -1,
      timeoutMs: 5000,
      topicData: [{ name, partitionData }],
    })
    const answers = answer.responses[0]?.partitionResponses ?? []
    expect(answers.map(({ index, errorCode }) => [index, errorCode])).toEqual([
      [7, ErrorCode.UNKNOWN_TOPIC_OR_PARTITION],
      [1, 0],
      [0, 0],
    ])
  })

  it('takes exactly one whole batch per partition', async () => {
    const name = await topic()
    const whole = batch(['a'])
    for (const records of [Buffer.concat([whole, whole]), whole.subarray(0, -1), Buffer.alloc(0), Buffer.alloc(61)]) {
      expect((await send(name, records)).errorCode).toBe(ErrorCode.INVALID_RECORD)
    }
  })

  it('keeps clients out of internal topics', async () => {
    await client.call(Metadata, 12, { topics: [{ name: '__consumer_offsets', topicId: ZERO_UUID }], allowAutoTopicCreation: true })
    expect((await send('__consumer_offsets', batch(['x']))).errorCode).toBe(ErrorCode.INVALID_TOPIC_EXCEPTION)
  })
})

describe('fetch', () => {
  it('waits at the end of the log until something comes', async () => {
    const name = await topic()
    await using reader = await RawClient.connect(net, hub.bootstrap)
    const waiting = fetchPartitions(name, { maxWaitMs: 60_000 }, reader)
    await send(name, batch(['a']))
    expect(valuesOf((await waiting)[0]?.records ?? null)).toEqual(['a'])
  })

  it('waits for minBytes, over all partitions together', async () => {
    const name = await topic(2)
    await using reader = await RawClient.connect(net, hub.bootstrap)
    const size = batch(['a']).length
    let answered = false
    const waiting = fetchPartitions(name, { maxWaitMs: 60_000, minBytes: size + 1, partitions: [0, 1] }, reader).then((partitions) => {
      answered = true
      return partitions
    })
    await send(name, batch(['a']))
    await send(name, batch(['b']), 0, 1)
    expect(answered).toBe(false)
    await send(name, batch(['c']), 1)
    const values = (await waiting).map(({ records }) => valuesOf(records))
    expect(values.flat().length).toBeGreaterThanOrEqual(2)
  })

  it('answers with nothing when its time is over', async () => {
    const name = await topic()
    const [partition] = await fetchPartitions(name, { maxWaitMs: 20 })
    expect(partition).toMatchObject({ errorCode: 0, highWatermark: 0, records: Buffer.alloc(0) })
  })

  it('answers at once when a partition has an error', async () => {
    const name = await topic()
    const partitions = await fetchPartitions(name, { maxWaitMs: 60_000, offset: 5 })
    expect(partitions.map(({ errorCode }) => errorCode)).toEqual([ErrorCode.OFFSET_OUT_OF_RANGE])
  })

  it('returns the whole batch that holds the offset', async () => {
    const name = await topic()
    await send(name, batch(['a', 'b', 'c']))
    const [partition] = await fetchPartitions(name, { offset: 2 })
    expect(valuesOf(partition?.records ?? null)).toEqual(['a', 'b', 'c'])
  })

  it('returns the first batch however large, and then keeps to the limits (KIP-74)', async () => {
    const name = await topic(3)
    const large = 'x'.repeat(100_000)
    for (const partition of [0, 1, 2]) for (let at = 0; at < 3; at++) await send(name, batch([large]), partition)
    const perPartition = await fetchPartitions(name, { partitionMaxBytes: 10, partitions: [2, 0, 1] })
    expect(perPartition.map(({ partitionIndex, records }) => [partitionIndex, valuesOf(records).length])).toEqual([
      [2, 1],
      [0, 0],
      [1, 0],
    ])
    const whole = await fetchPartitions(name, { maxBytes: 250_000, partitions: [0, 1, 2] })
    expect(whole.map(({ records }) => valuesOf(records).length)).toEqual([2, 0, 0])
    const more = await fetchPartitions(name, { maxBytes: 450_000, partitions: [0, 1, 2] })
    expect(more.map(({ records }) => valuesOf(records).length)).toEqual([3, 1, 0])
  })

  it('tells a reader from a later epoch where its log parts from ours', async () => {
    const name = await topic()
    await send(name, batch(['a']))
    const [same] = await fetchPartitions(name, { lastFetchedEpoch: 0 })
    expect(same).toMatchObject({ errorCode: 0, divergingEpoch: { epoch: -1, endOffset: -1 } })
    const [ahead] = await fetchPartitions(name, { lastFetchedEpoch: 0, offset: 1 })
    expect(ahead).toMatchObject({ errorCode: 0, divergingEpoch: { epoch: -1, endOffset: -1 } })
    const [beyond] = await fetchPartitions(name, { lastFetchedEpoch: 0, offset: 5, maxWaitMs: 60_000 })
    expect(beyond).toMatchObject({ errorCode: 0, divergingEpoch: { epoch: 0, endOffset: 1 }, records: Buffer.alloc(0) })
  })

  it('reads a whole log in steps, each record once', async () => {
    const name = await topic(1, { 'segment.bytes': String(1 << 20) })
    const count = 40
    for (let at = 0; at < count; at++) await send(name, batch([String(at).padStart(60_000, '.')]))
    const seen: number[] = []
    for (let offset = 0; offset < count; ) {
      const [partition] = await fetchPartitions(name, { offset, partitionMaxBytes: 300_000 })
      const values = valuesOf(partition?.records ?? null).map((value) => Number(value.replaceAll('.', '')))
      expect(values.length).toBeGreaterThan(0)
      seen.push(...values)
      offset += values.length
    }
    expect(seen).toEqual(Array.from({ length: count }, (_, at) => at))
  })
})

describe('describe configs', () => {
  it('refuses what lies beyond its limit, and lets others go on meanwhile', async () => {
    const name = await topic()
    await using other = await RawClient.connect(net, hub.bootstrap)
    const resources = Array.from({ length: 20_000 }, () => ({ resourceType: 2, resourceName: name, configurationKeys: null }))
    const describing = client.call(DescribeConfigs, 4, { resources, includeSynonyms: false, includeDocumentation: false })
    let isDescribed = false
    void describing.then(() => {
      isDescribed = true
    })
    await other.call(Metadata, 12, { topics: [] })
    expect(isDescribed).toBe(false)
    const { results } = await describing
    expect(results).toHaveLength(resources.length)
    expect(results[0]?.errorCode).toBe(ErrorCode.NONE)
    expect(results.at(-1)).toMatchObject({
      errorCode: ErrorCode.INVALID_REQUEST,
      errorMessage: expect.stringMatching(/ask for fewer/) as string,
      configs: [],
    })
    expect(results.reduce((sum, { configs }) => sum + configs.length, 0)).toBeLessThan(501_000)
  })
})

describe('topics that come and go', () => {
  it('are created by Metadata where the client allows it, with their leader in the answer', async () => {
    const name = `auto-${topicCount++}`
    const request = (allowAutoTopicCreation: boolean) => ({ topics: [{ name, topicId: ZERO_UUID }], allowAutoTopicCreation })
    expect((await client.call(Metadata, 12, request(false))).topics[0]?.errorCode).toBe(ErrorCode.UNKNOWN_TOPIC_OR_PARTITION)
    const created = await client.call(Metadata, 12, request(true))
    expect(created.topics[0]).toMatchObject({ errorCode: 0, name, partitions: [{ leaderId: hub.nodeId, leaderEpoch: 0 }] })
    expect(await send(name, batch(['a']))).toMatchObject({ errorCode: 0, baseOffset: 0 })
  })

  it('get a new id when they are made again, and the old id is unknown', async () => {
    const name = await topic()
    const idOf = async () => (await client.call(Metadata, 12, { topics: [{ name, topicId: ZERO_UUID }] })).topics[0]?.topicId ?? ''
    const oldId = await idOf()
    await send(name, batch(['old']))
    await client.call(DeleteTopics, 6, { topics: [{ name, topicId: ZERO_UUID }], timeoutMs: 1000 })
    expect((await send(name, batch(['lost']))).errorCode).toBe(ErrorCode.UNKNOWN_TOPIC_OR_PARTITION)
    await client.call(CreateTopics, 7, {
      topics: [{ name, numPartitions: 1, replicationFactor: 1, assignments: [], configs: [] }],
      timeoutMs: 1000,
    })
    const newId = await idOf()
    expect(newId).not.toBe(oldId)
    const byId = async (topicId: string) => {
      const topics = [{ topicId, partitions: [{ partition: 0, fetchOffset: 0, partitionMaxBytes: 1000 }] }]
      return (await client.call(Fetch, 13, { maxWaitMs: 0, minBytes: 0, maxBytes: 1000, topics, forgottenTopicsData: [] })).responses[0]
        ?.partitions[0]
    }
    expect(await byId(oldId)).toMatchObject({ errorCode: ErrorCode.UNKNOWN_TOPIC_ID })
    expect(await byId(newId)).toMatchObject({ errorCode: 0, highWatermark: 0 })
    expect(await send(name, batch(['new']))).toMatchObject({ errorCode: 0, baseOffset: 0 })
  })

  it('wake a waiting fetch when they go', async () => {
    const name = await topic()
    await using reader = await RawClient.connect(net, hub.bootstrap)
    const waiting = fetchPartitions(name, { maxWaitMs: 60_000 }, reader)
    // The fetch stands when this is answered: it came before on the wire, and both take the same way.
    await send(name, batch(['x'.repeat(10)]), 9)
    await client.call(DeleteTopics, 6, { topics: [{ name, topicId: ZERO_UUID }], timeoutMs: 1000 })
    expect((await waiting)[0]?.errorCode).toBe(ErrorCode.UNKNOWN_TOPIC_OR_PARTITION)
  })
})
