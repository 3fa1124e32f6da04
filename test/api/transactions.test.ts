/** Transactions over the wire: what Produce, Fetch, WriteTxnMarkers and the coordinator make of them together. */
import { afterEach, describe, expect, it } from 'vitest'
import { memoryNet } from '../../hub/io/index.ts'
import { startHub, type TestHub } from '../../hub/testing.ts'
import {
  AddPartitionsToTxn,
  batchHeader,
  CreateTopics,
  DeleteTopics,
  decodeResponse,
  DescribeProducers,
  DescribeTransactions,
  encodeBatch,
  EndTxn,
  ErrorCode,
  Fetch,
  FindCoordinator,
  forEachBatch,
  InitProducerId,
  ListOffsets,
  Produce,
  type ResponseOf,
  WriteTxnMarkers,
  ZERO_UUID,
} from '../../hub/wire/index.ts'
import { RawClient } from '../server/raw-client.ts'

const cleanups: (() => Promise<unknown>)[] = []
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup()
})

interface Identity {
  readonly producerId: number
  readonly producerEpoch: number
}

interface World {
  readonly hub: TestHub
  readonly client: RawClient
  readonly connect: () => Promise<RawClient>
}

async function start(overrides: Readonly<Record<string, string>> = {}): Promise<World> {
  const net = memoryNet()
  const hub = await startHub({ world: { net }, overrides: { 'transaction.state.log.num.partitions': '2', ...overrides } })
  cleanups.push(() => hub.close())
  const connect = async (): Promise<RawClient> => {
    const client = await RawClient.connect(net, hub.bootstrap)
    cleanups.push(() => client[Symbol.asyncDispose]())
    return client
  }
  const client = await connect()
  const topics = [{ name: 't', numPartitions: 3, replicationFactor: 1, assignments: [], configs: [] }]
  await client.call(CreateTopics, 7, { topics, timeoutMs: 1000 })
  await client.call(FindCoordinator, 6, { keyType: 1, coordinatorKeys: ['tx'] })
  return { hub, client, connect }
}

async function init(client: RawClient, transactionalId = 'tx'): Promise<Identity> {
  const { errorCode, producerId, producerEpoch } = await client.call(InitProducerId, 5, { transactionalId, transactionTimeoutMs: 60_000 })
  expect(errorCode).toBe(ErrorCode.NONE)
  return { producerId, producerEpoch }
}

function batch(identity: Identity | null, baseSequence: number, value = 'v'): Buffer {
  const producer = identity === null ? {} : { ...identity, transactional: true, baseSequence }
  return encodeBatch({ ...producer, records: [{ key: null, value: Buffer.from(value), timestampMs: 1_700_000_000_000 }] })
}

function produceRequest(partitions: Readonly<Record<number, Buffer>>, options: { acks?: number; transactionalId?: string | null } = {}) {
  const { acks = -1, transactionalId = 'tx' } = options
  const partitionData = Object.entries(partitions).map(([index, records]) => ({ index: Number(index), records }))
  return { transactionalId, acks, timeoutMs: 5000, topicData: [{ name: 't', partitionData }] }
}

async function produce(
  client: RawClient,
  version: number,
  partitions: Readonly<Record<number, Buffer>>,
  transactionalId: string | null = 'tx',
): Promise<number[]> {
  const { responses } = await client.call(Produce, version, produceRequest(partitions, { transactionalId }))
  return responses.flatMap(({ partitionResponses }) => partitionResponses.map(({ errorCode }) => errorCode))
}

async function end(client: RawClient, version: number, identity: Identity, committed: boolean) {
  return client.call(EndTxn, version, { transactionalId: 'tx', ...identity, committed })
}

/** The transaction's state, once it is none that only passes. */
async function settledState(client: RawClient): Promise<string | undefined> {
  for (;;) {
    const { transactionStates } = await client.call(DescribeTransactions, 0, { transactionalIds: ['tx'] })
    const state = transactionStates[0]?.transactionState
    if (state?.startsWith('Prepare') !== true) return state
  }
}

async function fetch(client: RawClient, partition: number, isolationLevel: number) {
  const topics = [{ topic: 't', partitions: [{ partition, fetchOffset: 0, partitionMaxBytes: 1 << 20, currentLeaderEpoch: -1 }] }]
  const asked = { maxWaitMs: 0, minBytes: 0, maxBytes: 1 << 20, isolationLevel, sessionId: 0, sessionEpoch: -1, topics }
  const found = (await client.call(Fetch, 12, asked)).responses[0]?.partitions[0]
  const batches: { baseOffset: number; producerEpoch: number; baseSequence: number; isControl: boolean }[] = []
  for (const buffer of found?.records === null || found?.records === undefined ? [] : [found.records].flat()) {
    forEachBatch(buffer as Buffer, (at) => {
      const records = buffer as Buffer
      batches.push({
        baseOffset: batchHeader.baseOffset(records, at),
        producerEpoch: batchHeader.producerEpoch(records, at),
        baseSequence: batchHeader.baseSequence(records, at),
        isControl: batchHeader.isControl(records, at),
      })
    })
  }
  return { batches, lastStableOffset: found?.lastStableOffset, highWatermark: found?.highWatermark, aborted: found?.abortedTransactions }
}

/** Posts requests without waiting, and reads all answers, which come in their order. */
async function pipelined(client: RawClient, requests: readonly ReturnType<typeof produceRequest>[]) {
  for (const request of requests) client.post(Produce, 12, request)
  const answers: ResponseOf<typeof Produce>[] = []
  for (let at = 0; at < requests.length; at++) {
    const frame = await client.nextFrame()
    if (frame === undefined) throw new Error('the connection ended')
    answers.push(decodeResponse(Produce, 12, frame).value as ResponseOf<typeof Produce>)
  }
  return answers
}

describe('Produce of a transaction', () => {
  it('enrols its partitions from version 12 on; the end raises the epoch', async () => {
    const { client } = await start()
    const identity = await init(client)
    expect(await produce(client, 12, { 0: batch(identity, 0), 1: batch(identity, 0) })).toEqual([0, 0])
    const { transactionStates } = await client.call(DescribeTransactions, 0, { transactionalIds: ['tx'] })
    expect(transactionStates[0]).toMatchObject({ transactionState: 'Ongoing', topics: [{ topic: 't', partitions: [0, 1] }] })
    expect(await fetch(client, 0, 1)).toMatchObject({ batches: [], lastStableOffset: 0, highWatermark: 1, aborted: [] })
    expect(await end(client, 5, identity, true)).toMatchObject({ errorCode: 0, producerEpoch: 1 })
    expect(await settledState(client)).toBe('CompleteCommit')
    for (const partition of [0, 1]) {
      const { batches, lastStableOffset } = await fetch(client, partition, 1)
      expect(batches).toMatchObject([
        { isControl: false, producerEpoch: 0 },
        { isControl: true, producerEpoch: 1 },
      ])
      expect(lastStableOffset).toBe(2)
    }
  })

  it('keeps the order of what is sent behind the batch that waits to be enrolled', async () => {
    const { client } = await start()
    const identity = await init(client)
    const requests = Array.from({ length: 20 }, (_, sequence) =>
      produceRequest(
        sequence % 3 === 2
          ? { 0: batch(identity, sequence), 1: batch(identity, Math.floor(sequence / 3)) }
          : { 0: batch(identity, sequence) },
      ),
    )
    const answers = await pipelined(client, requests)
    const codes = answers.flatMap((answer) =>
      answer.responses.flatMap(({ partitionResponses }) => partitionResponses.map(({ errorCode }) => errorCode)),
    )
    expect(new Set(codes)).toEqual(new Set([0]))
    expect((await fetch(client, 0, 0)).batches.map(({ baseSequence }) => baseSequence)).toEqual(Array.from({ length: 20 }, (_, at) => at))
    expect((await fetch(client, 1, 0)).batches.map(({ baseSequence }) => baseSequence)).toEqual([0, 1, 2, 3, 4, 5])
  })

  it('keeps the order over many transactions that follow one another at once', async () => {
    const { client } = await start()
    let identity = await init(client)
    for (let at = 0; at < 10; at++) {
      const answers = await pipelined(
        client,
        [0, 1, 2].map((sequence) => produceRequest({ 0: batch(identity, sequence) })),
      )
      expect(answers.map(({ responses }) => responses[0]?.partitionResponses[0]?.errorCode)).toEqual([0, 0, 0])
      const { producerId, producerEpoch, errorCode } = await end(client, 5, identity, at % 2 === 0)
      expect(errorCode).toBe(ErrorCode.NONE)
      identity = { producerId, producerEpoch }
    }
    expect(await settledState(client)).toBe('CompleteAbort')
    const { batches, aborted } = await fetch(client, 0, 1)
    expect(batches.map(({ isControl }) => isControl)).toEqual(Array.from({ length: 40 }, (_, at) => at % 4 === 3))
    expect(aborted?.map(({ firstOffset }) => firstOffset)).toEqual([4, 12, 20, 28, 36])
  })

  it('before version 12 wants the partition to be added, in words that the version knows', async () => {
    const { client } = await start()
    const identity = await init(client)
    expect(await produce(client, 11, { 0: batch(identity, 0) })).toEqual([ErrorCode.TRANSACTION_ABORTABLE])
    expect(await produce(client, 10, { 0: batch(identity, 0) })).toEqual([ErrorCode.INVALID_TXN_STATE])
    const added = await client.call(AddPartitionsToTxn, 3, {
      v3AndBelowTransactionalId: 'tx',
      v3AndBelowProducerId: identity.producerId,
      v3AndBelowProducerEpoch: identity.producerEpoch,
      v3AndBelowTopics: [{ name: 't', partitions: [0] }],
    })
    expect(added.resultsByTopicV3AndBelow[0]?.resultsByPartition[0]?.partitionErrorCode).toBe(0)
    expect(await produce(client, 9, { 0: batch(identity, 0), 1: batch(identity, 0) })).toEqual([0, ErrorCode.INVALID_TXN_STATE])
    expect(await end(client, 4, identity, true)).toMatchObject({ errorCode: 0 })
    expect(await settledState(client)).toBe('CompleteCommit')
    expect((await fetch(client, 0, 1)).batches.map(({ producerEpoch }) => producerEpoch)).toEqual([0, 0])
  })

  it('is not verified before version 12 where the setting says so', async () => {
    const { client } = await start({ 'transaction.partition.verification.enable': 'false' })
    const identity = await init(client)
    expect(await produce(client, 11, { 0: batch(identity, 0) })).toEqual([0])
  })

  it('is refused as a whole without the transactional id, or with two producers', async () => {
    const { client } = await start()
    const identity = await init(client)
    const other = await init(client, 'other')
    expect(await produce(client, 12, { 0: batch(identity, 0), 1: batch(null, 0) }, null)).toEqual([
      ErrorCode.TRANSACTIONAL_ID_AUTHORIZATION_FAILED,
      ErrorCode.TRANSACTIONAL_ID_AUTHORIZATION_FAILED,
    ])
    expect(await produce(client, 12, { 0: batch(identity, 0), 1: batch(other, 0) })).toEqual([
      ErrorCode.INVALID_PRODUCER_ID_MAPPING,
      ErrorCode.INVALID_PRODUCER_ID_MAPPING,
    ])
    expect(await fetch(client, 0, 0)).toMatchObject({ highWatermark: 0 })
  })

  it('is refused for a producer that was fenced, open or not; others of the request go on', async () => {
    const { client } = await start()
    const old = await init(client)
    expect(await produce(client, 12, { 0: batch(old, 0) })).toEqual([0])
    await client.call(InitProducerId, 5, { transactionalId: 'tx', transactionTimeoutMs: 60_000 })
    expect(await settledState(client)).toBe('CompleteAbort')
    expect(await produce(client, 12, { 0: batch(old, 1), 2: batch(null, 0) })).toEqual([ErrorCode.INVALID_PRODUCER_EPOCH, 0])
    expect(await produce(client, 12, { 1: batch(old, 0) })).toEqual([ErrorCode.INVALID_PRODUCER_EPOCH])
    const fresh = await init(client)
    expect(fresh.producerEpoch).toBe(2)
    expect(await produce(client, 12, { 0: batch(fresh, 0), 7: batch(fresh, 0) })).toEqual([0, ErrorCode.UNKNOWN_TOPIC_OR_PARTITION])
  })

  it('with acks=0 is appended in order, and costs the connection when it is refused', async () => {
    const { client, connect } = await start()
    const identity = await init(client)
    for (const sequence of [0, 1, 2]) client.post(Produce, 12, produceRequest({ 0: batch(identity, sequence) }, { acks: 0 }))
    expect(await end(client, 5, identity, true)).toMatchObject({ errorCode: 0 })
    expect(await settledState(client)).toBe('CompleteCommit')
    expect((await fetch(client, 0, 1)).batches.map(({ baseSequence }) => baseSequence)).toEqual([0, 1, 2, -1])
    const doomed = await connect()
    doomed.post(Produce, 12, produceRequest({ 1: batch(identity, 0) }, { acks: 0 }))
    expect(await doomed.nextFrame()).toBeUndefined()
  })
})

describe('the end of a transaction', () => {
  it('does not wait for a topic that was deleted meanwhile', async () => {
    const { client } = await start()
    const identity = await init(client)
    await client.call(CreateTopics, 7, {
      topics: [{ name: 'u', numPartitions: 1, replicationFactor: 1, assignments: [], configs: [] }],
      timeoutMs: 1000,
    })
    const records = batch(identity, 0)
    const topicData = ['t', 'u'].map((name) => ({ name, partitionData: [{ index: 0, records: Buffer.from(records) }] }))
    const { responses } = await client.call(Produce, 12, { transactionalId: 'tx', acks: -1, timeoutMs: 5000, topicData })
    expect(responses.map(({ partitionResponses }) => partitionResponses[0]?.errorCode)).toEqual([0, 0])
    await client.call(DeleteTopics, 6, { topics: [{ name: 'u', topicId: ZERO_UUID }], timeoutMs: 1000 })
    expect(await end(client, 5, identity, true)).toMatchObject({ errorCode: 0 })
    expect(await settledState(client)).toBe('CompleteCommit')
    expect((await fetch(client, 0, 1)).lastStableOffset).toBe(2)
  })

  it('is what WriteTxnMarkers says, where somebody aborts what hangs', async () => {
    const { client } = await start()
    const identity = await init(client)
    expect(await produce(client, 12, { 0: batch(identity, 0) })).toEqual([0])
    const marker = (version: number, more: object, partitionIndexes: number[]) =>
      client.call(WriteTxnMarkers, version, {
        markers: [{ ...identity, transactionResult: false, coordinatorEpoch: 0, topics: [{ name: 't', partitionIndexes }], ...more }],
      })
    const old = await marker(1, { producerEpoch: -1 }, [0])
    expect(old.markers[0]?.topics[0]?.partitions[0]?.errorCode).toBe(ErrorCode.INVALID_PRODUCER_EPOCH)
    const tv2 = await marker(2, { transactionVersion: 2 }, [0])
    expect(tv2.markers[0]?.topics[0]?.partitions[0]?.errorCode).toBe(ErrorCode.INVALID_PRODUCER_EPOCH)
    const aborted = await marker(1, {}, [0, 9])
    const byIndex = (one: { readonly partitionIndex: number }, other: { readonly partitionIndex: number }): number =>
      one.partitionIndex - other.partitionIndex
    expect(aborted.markers[0]?.topics.flatMap(({ partitions }) => partitions).sort(byIndex)).toEqual([
      { partitionIndex: 0, errorCode: 0 },
      { partitionIndex: 9, errorCode: ErrorCode.UNKNOWN_TOPIC_OR_PARTITION },
    ])
    expect(await fetch(client, 0, 1)).toMatchObject({ lastStableOffset: 2, aborted: [{ producerId: identity.producerId, firstOffset: 0 }] })
    const { topics } = await client.call(DescribeProducers, 0, { topics: [{ name: 't', partitionIndexes: [0] }] })
    expect(topics[0]?.partitions[0]?.activeProducers).toMatchObject([{ currentTxnStartOffset: -1, coordinatorEpoch: 0 }])
  })

  it('moves what ListOffsets calls the end for a reader of committed records', async () => {
    const { client } = await start()
    const identity = await init(client)
    await produce(client, 12, { 0: batch(null, 0) }, null)
    await produce(client, 12, { 0: batch(identity, 0) })
    const latest = async (isolationLevel: number) => {
      const topics = [{ name: 't', partitions: [{ partitionIndex: 0, currentLeaderEpoch: -1, timestamp: -1 }] }]
      return (await client.call(ListOffsets, 7, { replicaId: -1, isolationLevel, topics })).topics[0]?.partitions[0]?.offset
    }
    expect([await latest(0), await latest(1)]).toEqual([2, 1])
    await end(client, 5, identity, false)
    expect(await settledState(client)).toBe('CompleteAbort')
    expect([await latest(0), await latest(1)]).toEqual([3, 3])
  })
})
