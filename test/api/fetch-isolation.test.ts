import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { fetch } from '../../hub/api/01-fetch.ts'
import { listOffsets } from '../../hub/api/02-list-offsets.ts'
import { AnswerBudget } from '../../hub/api/answer-budget.ts'
import { FetchSessions } from '../../hub/api/fetch-sessions.ts'
import type { Broker, RequestContext } from '../../hub/api/handler.ts'
import { type MemoryClock, memoryClock, memoryDisk } from '../../hub/io/index.ts'
import { type LogDirectory, openLogDirectory } from '../../hub/log/index.ts'
import { memoryLogger } from '../../hub/observe/index.ts'
import { Partition, RisingMark } from '../../hub/replica/index.ts'
import {
  type Api,
  decodeRequestHeader,
  decodeResponse,
  ErrorCode,
  encodeBatch,
  encodeRequest,
  encodeResponse,
  Fetch,
  FrameSplitter,
  ListOffsets,
  type RequestInput,
  type ResponseOf,
} from '../../hub/wire/index.ts'
import { logConfig } from '../replica/log-config.ts'

const TOPIC_ID = 'I0VniavN7_F0XPkknO64Zg'
const READ_UNCOMMITTED = 0
const READ_COMMITTED = 1

let clock: MemoryClock
let directory: LogDirectory
let partition: Partition
let broker: Broker

beforeEach(async () => {
  clock = memoryClock()
  const logger = memoryLogger()
  const formatIfEmpty = { clusterId: 'c', nodeId: 1, directoryId: 'd' }
  directory = await openLogDirectory('/data', { clock, disk: memoryDisk(), logger, randomFloat: () => 0.5, formatIfEmpty })
  partition = new Partition(await directory.openLog('t', 0, TOPIC_ID, logConfig), { leaderEpoch: 3, durability: 'fsync' })
  const hosted = { name: 't', topicId: TOPIC_ID, partitions: [partition] }
  broker = {
    clock,
    logger,
    random: { float: () => 0.5 },
    partitions: { byId: () => hosted, byName: () => hosted },
    config: () => ({ brokerConfig: { 'fetch.max.bytes': 1 << 20 } }),
    fetchSessions: new FetchSessions({ slots: 10, nowMs: () => 0, randomFloat: () => 0.5 }),
    answers: new AnswerBudget(1 << 20),
    stopping: new RisingMark(0),
  } as unknown as Broker
})

afterEach(async () => {
  await directory.abandon()
})

/** Asks a handler over the wire's encodings, so that the answer is what a client would see. */
async function ask<A extends Api>(
  handle: (request: never, context: RequestContext) => unknown,
  api: A,
  version: number,
  input: RequestInput<A>,
) {
  const [frame] = new FrameSplitter(1 << 20).push(Buffer.concat(encodeRequest(api, version, 1, 'test', input)))
  const { reader } = decodeRequestHeader(frame as Buffer)
  const context = {
    apiVersion: version,
    connection: { gone: new RisingMark(0), listenerName: '' },
    afterSent: () => {},
  } as unknown as RequestContext
  const answer = await handle(api.request.decode(reader, version) as never, context)
  const [answered] = new FrameSplitter(1 << 20).push(Buffer.concat(encodeResponse(api, version, 1, answer as never)))
  return decodeResponse(api, version, answered as Buffer).value as ResponseOf<A>
}

function fetching(isolationLevel: number, offset: number, terms: { readonly minBytes?: number; readonly maxWaitMs?: number } = {}) {
  const { minBytes = 1, maxWaitMs = 0 } = terms
  const topics = [{ topic: '', topicId: TOPIC_ID, partitions: [{ partition: 0, fetchOffset: offset, partitionMaxBytes: 1 << 20 }] }]
  const input = { maxWaitMs, minBytes, maxBytes: 1 << 20, isolationLevel, topics, forgottenTopicsData: [] }
  return ask(fetch.create(broker), Fetch, 18, input).then(({ responses }) => {
    const { highWatermark, lastStableOffset, abortedTransactions, records } = responses[0]?.partitions[0] ?? {}
    return { highWatermark, lastStableOffset, aborted: abortedTransactions, bytes: records?.length ?? 0 }
  })
}

async function latest(isolationLevel: number, timestamp = -1): Promise<number | undefined> {
  const topics = [{ name: 't', partitions: [{ partitionIndex: 0, timestamp }] }]
  const answer = await ask(listOffsets.create(broker), ListOffsets, 11, { replicaId: -1, isolationLevel, topics })
  return answer.topics[0]?.partitions[0]?.offset
}

const PRODUCER = { producerId: 7, producerEpoch: 0 }
let sequence = 0
beforeEach(() => {
  sequence = 0
})

/** One record; the bytes of its batch. */
async function send(transactional: boolean, timestampMs = 1): Promise<number> {
  const facts = transactional ? { ...PRODUCER, baseSequence: sequence++, transactional } : {}
  const records = encodeBatch({ records: [{ key: null, value: Buffer.from('v'), timestampMs }], ...facts })
  const appended = partition.append(records, -1, 'client', 'trusted')
  if (appended.kind === 'refused') throw new Error(appended.message)
  await appended.durable
  return records.length
}

async function end(isCommit: boolean): Promise<void> {
  const appended = partition.appendMarker({ ...PRODUCER, coordinatorEpoch: 0, isCommit, transactionVersion: 0 })
  if (appended.kind === 'refused') throw new Error(appended.message)
  await appended.durable
}

describe('a reader of committed records', () => {
  it('reads up to the last stable offset, others all', async () => {
    const first = await send(false)
    const second = await send(true)
    const third = await send(false)
    expect(await fetching(READ_COMMITTED, 0)).toEqual({ highWatermark: 3, lastStableOffset: 1, aborted: [], bytes: first })
    expect(await fetching(READ_UNCOMMITTED, 0)).toEqual({
      highWatermark: 3,
      lastStableOffset: 1,
      aborted: null,
      bytes: first + second + third,
    })
    expect(await fetching(READ_COMMITTED, 1)).toMatchObject({ bytes: 0, aborted: [] })
    expect([await latest(READ_COMMITTED), await latest(READ_UNCOMMITTED)]).toEqual([1, 3])
    await end(true)
    expect(await fetching(READ_COMMITTED, 1)).toMatchObject({ highWatermark: 4, lastStableOffset: 4, aborted: [] })
    expect(await latest(READ_COMMITTED)).toBe(4)
  })

  it('is told what was aborted in what it gets, and nobody else is', async () => {
    await send(true)
    await end(false)
    await send(false)
    expect((await fetching(READ_COMMITTED, 0)).aborted).toEqual([{ producerId: 7, firstOffset: 0 }])
    expect((await fetching(READ_COMMITTED, 2)).aborted).toEqual([])
    expect((await fetching(READ_UNCOMMITTED, 0)).aborted).toBeNull()
  })

  it('waits for bytes that are stable: records of an open transaction do not count until it ends', async () => {
    const first = await send(false)
    let isAnswered = false
    const waiting = fetching(READ_COMMITTED, 0, { minBytes: 2 * first, maxWaitMs: 10_000 }).finally(() => {
      isAnswered = true
    })
    await clock.advance(1)
    for (let count = 0; count < 5; count++) await send(true)
    await clock.advance(100)
    expect(isAnswered).toBe(false)
    await end(true)
    expect((await waiting).bytes).toBeGreaterThan(6 * first)
  })

  it('gives at its deadline what is stable, however much is not', async () => {
    const first = await send(false)
    await send(true)
    const waiting = fetching(READ_COMMITTED, 0, { minBytes: 2 * first, maxWaitMs: 500 })
    await clock.advance(600)
    expect(await waiting).toMatchObject({ bytes: first, lastStableOffset: 1 })
  })

  it('finds no time beyond the last stable offset', async () => {
    await send(false, 1000)
    await send(true, 2000)
    expect([await latest(READ_COMMITTED, 1500), await latest(READ_UNCOMMITTED, 1500)]).toEqual([-1, 1])
    expect([await latest(READ_COMMITTED, -3), await latest(READ_UNCOMMITTED, -3)]).toEqual([-1, 1])
    await end(true)
    expect(await latest(READ_COMMITTED, 1500)).toBe(1)
  })

  it('that follows leader epochs is told of divergence with an empty list', async () => {
    await send(false)
    const topics = [
      { topic: '', topicId: TOPIC_ID, partitions: [{ partition: 0, fetchOffset: 5, lastFetchedEpoch: 3, partitionMaxBytes: 100 }] },
    ]
    const input = { maxWaitMs: 60_000, minBytes: 1, isolationLevel: READ_COMMITTED, topics, forgottenTopicsData: [] }
    const { responses } = await ask(fetch.create(broker), Fetch, 18, input)
    expect(responses[0]?.partitions[0]).toMatchObject({
      errorCode: ErrorCode.NONE,
      divergingEpoch: { epoch: 3, endOffset: 1 },
      abortedTransactions: [],
    })
  })
})
