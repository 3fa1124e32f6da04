import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { type MemoryClock, memoryClock, memoryNet } from '../../hub/io/index.ts'
import { startHub, type TestHub } from '../../hub/testing.ts'
import {
  CreateTopics,
  DeleteTopics,
  encodeBatch,
  ErrorCode,
  Fetch,
  IncrementalAlterConfigs,
  Metadata,
  Produce,
  type ResponseOf,
  ZERO_UUID,
} from '../../hub/wire/index.ts'
import { RawClient } from '../server/raw-client.ts'

let clock: MemoryClock
let hub: TestHub
let writer: RawClient
let reader: RawClient

beforeEach(async () => {
  clock = memoryClock()
  const net = memoryNet()
  hub = await startHub({ world: { net, clock }, overrides: { 'max.incremental.fetch.session.cache.slots': '2' } })
  writer = await RawClient.connect(net, hub.bootstrap)
  reader = await RawClient.connect(net, hub.bootstrap)
})

afterEach(async () => {
  await Promise.all([writer, reader].map((one) => one[Symbol.asyncDispose]()))
  await hub.close()
})

/** Makes a topic; its id. */
async function topic(name: string, numPartitions = 1): Promise<string> {
  const topics = [{ name, numPartitions, replicationFactor: 1, assignments: [], configs: [] }]
  return (await writer.call(CreateTopics, 7, { topics, timeoutMs: 1000 })).topics[0]?.topicId ?? ''
}

async function send(name: string, index = 0, valueBytes = 10): Promise<void> {
  const records = encodeBatch({ records: [{ key: null, value: Buffer.alloc(valueBytes), timestampMs: 1_700_000_000_000 }] })
  const answer = await writer.call(Produce, 9, {
    transactionalId: null,
    acks: -1,
    timeoutMs: 5000,
    topicData: [{ name, partitionData: [{ index, records }] }],
  })
  expect(answer.responses[0]?.partitionResponses[0]?.errorCode).toBe(ErrorCode.NONE)
}

interface Asked {
  readonly topic?: string
  readonly topicId?: string
  readonly partition?: number
  readonly offset?: number
}

interface Terms {
  readonly version?: number
  readonly maxBytes?: number
  readonly maxWaitMs?: number
  readonly minBytes?: number
}

function fetching(sessionId: number, sessionEpoch: number, asked: readonly Asked[], terms: Terms = {}): Promise<ResponseOf<typeof Fetch>> {
  const { version = 18, maxBytes = 1_000_000, maxWaitMs = 0, minBytes = 1 } = terms
  const topics = asked.map(({ topic: name = '', topicId = ZERO_UUID, partition = 0, offset = 0 }) => ({
    topic: name,
    topicId,
    partitions: [{ partition, fetchOffset: offset, partitionMaxBytes: 1_000_000 }],
  }))
  return reader.call(Fetch, version, { maxWaitMs, minBytes, maxBytes, sessionId, sessionEpoch, topics, forgottenTopicsData: [] })
}

/** Partition, error code and bytes of each answer. */
function shown({ responses }: ResponseOf<typeof Fetch>): [number, number, boolean][] {
  return responses.flatMap(({ partitions }) =>
    partitions.map(({ partitionIndex, errorCode, records }): [number, number, boolean] => [
      partitionIndex,
      errorCode,
      (records?.length ?? 0) > 0,
    ]),
  )
}

describe('a session with the broker', () => {
  it('waits at the end of the log and tells only what came', async () => {
    const topicId = await topic('t', 3)
    const opened = await fetching(
      0,
      0,
      [0, 1, 2].map((partition) => ({ topicId, partition })),
    )
    expect(opened.sessionId).toBeGreaterThan(0)
    const waiting = fetching(opened.sessionId, 1, [], { maxWaitMs: 10_000 })
    await send('t', 1)
    const came = await waiting
    expect([came.sessionId, shown(came)]).toEqual([opened.sessionId, [[1, 0, true]]])
    const further = fetching(opened.sessionId, 2, [{ topicId, partition: 1, offset: 1 }], { maxWaitMs: 500 })
    await clock.advance(600)
    expect(shown(await further)).toEqual([])
  })

  it('serves its partitions in turn when an answer holds one of them', async () => {
    const topicId = await topic('t', 3)
    for (const index of [0, 1, 2]) for (let count = 0; count < 2; count++) await send('t', index, 500)
    const { sessionId } = await fetching(
      0,
      0,
      [0, 1, 2].map((partition) => ({ topicId, partition, offset: 2 })),
    )
    const [first, ...rest] = [0, 1, 2].map((partition) => ({ topicId, partition, offset: 0 }))
    const rounds = [[first, ...rest], [], [], []] as Asked[][]
    const served: number[] = []
    for (const [at, asked] of rounds.entries()) {
      const answered = await fetching(sessionId, at + 1, asked, { maxBytes: 1 })
      served.push(...shown(answered).flatMap(([partition, , hasRecords]) => (hasRecords ? [partition] : [])))
    }
    expect(served).toEqual([0, 1, 2, 0])
  })

  it('is refused with another epoch, another kind of names, or when it is not there', async () => {
    const topicId = await topic('t')
    const { sessionId } = await fetching(0, 0, [{ topicId }])
    const codeOf = async (...args: Parameters<typeof fetching>): Promise<number[]> => {
      const answered = await fetching(...args)
      return [answered.errorCode, answered.sessionId, answered.responses.length]
    }
    expect(await codeOf(sessionId, 5, [])).toEqual([ErrorCode.INVALID_FETCH_SESSION_EPOCH, 0, 0])
    expect(await codeOf(sessionId, 1, [], { version: 12 })).toEqual([ErrorCode.FETCH_SESSION_TOPIC_ID_ERROR, 0, 0])
    expect(await codeOf(sessionId + 1, 1, [])).toEqual([ErrorCode.FETCH_SESSION_ID_NOT_FOUND, 0, 0])
    expect(await codeOf(0, 1, [])).toEqual([ErrorCode.FETCH_SESSION_ID_NOT_FOUND, 0, 0])
    expect(await codeOf(sessionId, 1, [])).toEqual([ErrorCode.NONE, sessionId, 0])
  })

  it('is not opened when the cache is full: the fetch is answered all the same', async () => {
    const topicId = await topic('t')
    await send('t')
    const opened = [await fetching(0, 0, [{ topicId }]), await fetching(0, 0, [{ topicId }]), await fetching(0, 0, [{ topicId }])]
    expect(opened.map(({ sessionId }) => sessionId > 0)).toEqual([true, true, false])
    expect(opened.map(shown)).toEqual([[[0, 0, true]], [[0, 0, true]], [[0, 0, true]]])
    await fetching(opened[0]?.sessionId ?? 0, -1, [{ topicId }])
    expect((await fetching(0, 0, [{ topicId }])).sessionId, 'the last fetch of a session frees its slot').toBeGreaterThan(0)
  })

  it('finds a topic id once it is known, and tells when the topic is gone or made again', async () => {
    const unknownId = 'AAAAAAAAAAAAAAAAAAAAAQ'
    const topicId = await topic('t')
    const { sessionId, responses } = await fetching(0, 0, [{ topicId }, { topicId: unknownId }])
    expect(responses.map(({ partitions }) => partitions[0]?.errorCode)).toEqual([0, ErrorCode.UNKNOWN_TOPIC_ID])
    expect(shown(await fetching(sessionId, 1, []))).toEqual([[0, ErrorCode.UNKNOWN_TOPIC_ID, false]])
    await writer.call(DeleteTopics, 6, { topics: [{ name: 't', topicId: ZERO_UUID }], timeoutMs: 1000 })
    const gone = await fetching(sessionId, 2, [])
    expect(gone.responses.map(({ partitions }) => partitions[0]?.errorCode)).toEqual([
      ErrorCode.UNKNOWN_TOPIC_OR_PARTITION,
      ErrorCode.UNKNOWN_TOPIC_ID,
    ])
    await topic('t')
    const madeAgain = await fetching(sessionId, 3, [])
    expect(madeAgain.responses.map(({ partitions }) => partitions[0]?.errorCode)).toEqual([
      ErrorCode.INCONSISTENT_TOPIC_ID,
      ErrorCode.UNKNOWN_TOPIC_ID,
    ])
  })

  it('waits for the partitions that are there though others are unknown, and not for these alone', async () => {
    const topicId = await topic('t')
    const alone = await fetching(0, -1, [{ topicId, partition: 7 }], { maxWaitMs: 60_000 })
    expect(shown(alone)).toEqual([[7, ErrorCode.UNKNOWN_TOPIC_OR_PARTITION, false]])
    let isAnswered = false
    const both = fetching(0, -1, [{ topicId, partition: 7 }, { topicId }], { maxWaitMs: 60_000 }).finally(() => {
      isAnswered = true
    })
    await clock.advance(1000)
    expect(isAnswered).toBe(false)
    await send('t')
    expect(shown(await both)).toEqual([
      [7, ErrorCode.UNKNOWN_TOPIC_OR_PARTITION, false],
      [0, 0, true],
    ])
  })
})

describe('a fetch', () => {
  it('of a version without sessions names none', async () => {
    await topic('t')
    await send('t')
    for (const version of [4, 6, 7, 11, 12]) {
      const answered = await fetching(0, -1, [{ topic: 't' }], { version })
      expect([version, answered.sessionId, shown(answered)]).toEqual([version, 0, [[0, 0, true]]])
    }
  })

  it('with an old leader epoch is told who leads (KIP-951)', async () => {
    const topicId = await topic('t')
    const asked = { topicId, topic: '', partitions: [{ partition: 0, fetchOffset: 0, partitionMaxBytes: 100, currentLeaderEpoch: 0 }] }
    const request = { maxWaitMs: 0, minBytes: 1, topics: [asked], forgottenTopicsData: [] }
    // A consumer that claims to be a follower is at the wrong address, whatever it believes of the leader.
    const answered = await reader.call(Fetch, 16, { ...request, replicaState: { replicaId: 7 } })
    expect(answered.responses[0]?.partitions[0]).toMatchObject({
      errorCode: ErrorCode.NOT_LEADER_OR_FOLLOWER,
      currentLeader: { leaderId: 1, leaderEpoch: 0 },
    })
    const { brokers } = await reader.call(Metadata, 12, { topics: [] })
    expect(answered.nodeEndpoints).toEqual(brokers.map(({ nodeId, host, port, rack }) => ({ nodeId, host, port, rack })))
    const older = await reader.call(Fetch, 15, { ...request, replicaState: { replicaId: 7 } })
    expect(older.responses[0]?.partitions[0]?.currentLeader).toEqual({ leaderId: -1, leaderEpoch: -1 })
  })

  it('before version 10 is refused where the topic is packed with zstd (KIP-110)', async () => {
    await topic('t')
    await send('t')
    const configs = [{ name: 'compression.type', configOperation: 0, value: 'zstd' }]
    const resources = [{ resourceType: 2, resourceName: 't', configs }]
    await writer.call(IncrementalAlterConfigs, 1, { resources, validateOnly: false })
    const codes = []
    for (const version of [9, 10]) codes.push(shown(await fetching(0, -1, [{ topic: 't' }], { version })))
    expect(codes).toEqual([[[0, ErrorCode.UNSUPPORTED_COMPRESSION_TYPE, false]], [[0, 0, true]]])
  })
})
