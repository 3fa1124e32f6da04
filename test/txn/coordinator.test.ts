/** The coordinator over a topic and partitions in memory: its answers by version, waiting, loading, markers, time. */
import { describe, expect, it } from 'vitest'
import { memoryStateTopic } from '../../hub/replica/index.ts'
import type { TransactionFields } from '../../hub/txn/transaction.ts'
import { AddPartitionsToTxn, EndTxn, ErrorCode, InitProducerId, ListTransactions } from '../../hub/wire/index.ts'
import { overWire, request } from '../group/harness.ts'
import { add, addOffsets, describeId, end, enrol, type Harness, harness, type Identity, init } from './harness.ts'

const T0 = { topic: 't', partition: 0 }
const T1 = { topic: 't', partition: 1 }
const NOBODY: Identity = { producerId: 4711, producerEpoch: 0 }

async function producer(of: Harness, transactionalId = 'a', timeoutMs = 60_000): Promise<Identity> {
  const { errorCode, ...identity } = await init(of, transactionalId, {}, timeoutMs)
  expect(errorCode).toBe(ErrorCode.NONE)
  return identity
}

const later = ({ producerId, producerEpoch }: Identity, by = 1): Identity => ({ producerId, producerEpoch: producerEpoch + by })

/** The answer, or `waiting` while there is none. */
function watch<T>(promise: Promise<T>): { value: T | 'waiting' } {
  const seen: { value: T | 'waiting' } = { value: 'waiting' }
  void promise.then((value) => (seen.value = value))
  return seen
}

async function listed(of: Harness, filters: Partial<Parameters<typeof request<unknown, object, unknown, unknown>>[2]> = {}) {
  const asked = request(ListTransactions, 2, {
    stateFilters: [],
    producerIdFilters: [],
    durationFilter: -1,
    transactionalIdPattern: null,
    ...filters,
  })
  const answer = await of.transactions.listTransactions(asked)
  return {
    ...answer,
    ids: answer.transactionStates.map(({ transactionalId, transactionState }) => `${transactionalId} ${transactionState}`).sort(),
  }
}

describe('InitProducerId', () => {
  it('gives an id without a name, and refuses what makes no sense', async () => {
    const of = await harness()
    const ask = async (transactionalId: string | null, transactionTimeoutMs: number, more = {}) => {
      const asked = request(InitProducerId, 5, { transactionalId, transactionTimeoutMs, ...more })
      return (await of.transactions.initProducerId(asked, { apiVersion: 5 })).errorCode
    }
    expect(await ask(null, 0)).toBe(ErrorCode.NONE)
    expect(await ask('', 1000)).toBe(ErrorCode.INVALID_REQUEST)
    expect(await ask('a', 0)).toBe(ErrorCode.INVALID_TRANSACTION_TIMEOUT)
    expect(await ask('a', 900_001)).toBe(ErrorCode.INVALID_TRANSACTION_TIMEOUT)
    expect(await ask('a', 900_000, { producerId: 5 })).toBe(ErrorCode.INVALID_REQUEST)
    expect(await ask('a', 900_000, { producerEpoch: 5 })).toBe(ErrorCode.INVALID_REQUEST)
    expect(await ask('a', 900_000)).toBe(ErrorCode.NONE)
  })

  it('fences in the words of the version', async () => {
    const of = await harness()
    const identity = await producer(of)
    await producer(of)
    const ask = async (apiVersion: number) => {
      const asked = request(InitProducerId, apiVersion, { transactionalId: 'a', transactionTimeoutMs: 1000, ...identity })
      return (await of.transactions.initProducerId(asked, { apiVersion })).errorCode
    }
    expect([await ask(3), await ask(4)]).toEqual([ErrorCode.INVALID_PRODUCER_EPOCH, ErrorCode.PRODUCER_FENCED])
    const endIn = async (apiVersion: number) => (await end(of, apiVersion, 'a', identity, true)).errorCode
    expect([await endIn(1), await endIn(2), await endIn(5)]).toEqual([
      ErrorCode.INVALID_PRODUCER_EPOCH,
      ErrorCode.PRODUCER_FENCED,
      ErrorCode.PRODUCER_FENCED,
    ])
    const addIn = async (apiVersion: number) => {
      const topics = [{ name: 't', partitions: [0] }]
      const { producerId, producerEpoch } = identity
      const old = {
        v3AndBelowTransactionalId: 'a',
        v3AndBelowProducerId: producerId,
        v3AndBelowProducerEpoch: producerEpoch,
        v3AndBelowTopics: topics,
      }
      const answer = await of.transactions.addPartitionsToTxn(request(AddPartitionsToTxn, apiVersion, old), { apiVersion })
      return answer.resultsByTopicV3AndBelow?.[0]?.resultsByPartition[0]?.partitionErrorCode
    }
    expect([await addIn(1), await addIn(2)]).toEqual([ErrorCode.INVALID_PRODUCER_EPOCH, ErrorCode.PRODUCER_FENCED])
  })
})

describe('AddPartitionsToTxn', () => {
  it('takes many transactions at once, and only looks up what it is asked to', async () => {
    const of = await harness()
    const [a, b] = [await producer(of, 'a'), await producer(of, 'b')]
    expect(await add(of, 'a', a, T0)).toBe(ErrorCode.NONE)
    const topics = [{ name: 't', partitions: [0, 1] }]
    const asked = request(AddPartitionsToTxn, 5, {
      transactions: [
        { transactionalId: 'a', ...a, verifyOnly: true, topics },
        { transactionalId: 'b', ...b, verifyOnly: false, topics },
        { transactionalId: 'c', ...NOBODY, verifyOnly: false, topics },
      ],
    })
    const answer = overWire(AddPartitionsToTxn, 5, await of.transactions.addPartitionsToTxn(asked, { apiVersion: 5 }))
    const codes = answer.resultsByTransaction.map(({ topicResults }) =>
      topicResults[0]?.resultsByPartition.map(({ partitionErrorCode }) => partitionErrorCode),
    )
    expect(codes).toEqual([
      [ErrorCode.NONE, ErrorCode.TRANSACTION_ABORTABLE],
      [ErrorCode.NONE, ErrorCode.NONE],
      [ErrorCode.INVALID_PRODUCER_ID_MAPPING, ErrorCode.INVALID_PRODUCER_ID_MAPPING],
    ])
    expect((await describeId(of, 'a'))?.topics).toEqual([{ topic: 't', partitions: [0] }])
    expect((await describeId(of, 'b'))?.topics).toEqual([{ topic: 't', partitions: [0, 1] }])
  })

  it('adds the partition of the offsets of a group', async () => {
    const of = await harness()
    const identity = await producer(of)
    expect(await addOffsets(of, 'a', identity, 'g')).toBe(ErrorCode.NONE)
    expect((await describeId(of, 'a'))?.topics).toEqual([{ topic: '__consumer_offsets', partitions: [7] }])
    expect((await end(of, 5, 'a', identity, true)).errorCode).toBe(ErrorCode.NONE)
    expect(of.data.asked.map(({ name, marker }) => [name, marker.isCommit, marker.producerEpoch])).toEqual([
      ['__consumer_offsets-7', true, 1],
    ])
  })
})

describe('while a transaction is being ended', () => {
  it('the next one waits, and goes on as soon as the markers stand', async () => {
    const of = await harness()
    const identity = await producer(of)
    expect(await enrol(of, 'a', identity, T0)).toBe(ErrorCode.NONE)
    of.data.refusing.set('t-0', ErrorCode.NOT_LEADER_OR_FOLLOWER)
    const ended = await end(of, 5, 'a', identity, true)
    expect(ended).toMatchObject({ errorCode: 0, producerEpoch: identity.producerEpoch + 1 })
    expect((await describeId(of, 'a'))?.transactionState).toBe('PrepareCommit')
    const next = watch(enrol(of, 'a', later(identity), T1))
    await of.clock.advance(10)
    expect(next.value).toBe('waiting')
    of.data.refusing.clear()
    await of.clock.advance(60)
    expect(next.value).toBe(ErrorCode.NONE)
    expect((await describeId(of, 'a'))?.topics).toEqual([{ topic: 't', partitions: [1] }])
  })

  it('the abort of the next one, where nothing was written, waits as well, and raises the epoch once more', async () => {
    const of = await harness()
    const identity = await producer(of)
    await enrol(of, 'a', identity, T0)
    of.data.refusing.set('t-0', ErrorCode.NOT_LEADER_OR_FOLLOWER)
    await end(of, 5, 'a', identity, true)
    const next = watch(end(of, 5, 'a', later(identity), false))
    await of.clock.advance(10)
    expect(next.value).toBe('waiting')
    of.data.refusing.clear()
    await of.clock.advance(60)
    expect(next.value).toEqual({ errorCode: ErrorCode.NONE, ...later(identity, 2) })
    expect((await describeId(of, 'a'))?.transactionState).toBe('CompleteAbort')
    expect(of.data.asked.filter(({ marker }) => !marker.isCommit)).toEqual([])
  })

  it('nobody waits for longer than the setting says', async () => {
    const of = await harness({ settings: { 'add.partitions.to.txn.retry.backoff.max.ms': 20 } })
    const identity = await producer(of)
    await enrol(of, 'a', identity, T0)
    of.data.refusing.set('t-0', ErrorCode.NOT_LEADER_OR_FOLLOWER)
    await end(of, 5, 'a', identity, true)
    const asked = [watch(enrol(of, 'a', later(identity), T1)), watch(init(of, 'a')), watch(end(of, 5, 'a', identity, true))]
    await of.clock.advance(19)
    expect(asked.map(({ value }) => value)).toEqual(['waiting', 'waiting', 'waiting'])
    await of.clock.advance(1)
    expect(asked[0]?.value).toBe(ErrorCode.CONCURRENT_TRANSACTIONS)
    for (const { value } of asked.slice(1)) expect(value).toMatchObject({ errorCode: ErrorCode.CONCURRENT_TRANSACTIONS })
    expect(await enrol(of, 'a', later(identity), T1, true)).toBe(ErrorCode.CONCURRENT_TRANSACTIONS)
  })

  it('partitions do not wait for each other, and one that is gone needs no marker', async () => {
    const of = await harness()
    const identity = await producer(of)
    for (const partition of [T0, T1, { topic: 'gone', partition: 0 }]) await enrol(of, 'a', identity, partition)
    of.data.refusing.set('t-0', ErrorCode.KAFKA_STORAGE_ERROR)
    of.data.refusing.set('gone-0', ErrorCode.UNKNOWN_TOPIC_OR_PARTITION)
    await end(of, 5, 'a', identity, false)
    await of.clock.advance(10_000)
    expect((await describeId(of, 'a'))?.transactionState).toBe('PrepareAbort')
    expect(of.data.asked.filter(({ name }) => name === 't-1')).toHaveLength(1)
    expect(of.data.asked.filter(({ name }) => name === 'gone-0')).toHaveLength(1)
    expect(of.data.asked.filter(({ name }) => name === 't-0').length).toBeGreaterThan(5)
    of.data.refusing.clear()
    await of.clock.advance(1000)
    expect((await describeId(of, 'a'))?.transactionState).toBe('CompleteAbort')
  })

  it('requests beyond the limit are sent away at once', async () => {
    const of = await harness()
    const identity = await producer(of)
    of.topic.holdAppends()
    const asked = Array.from({ length: 150 }, () => watch(enrol(of, 'a', identity, T0)))
    await of.clock.advance(0)
    expect(asked.filter(({ value }) => value === ErrorCode.CONCURRENT_TRANSACTIONS)).toHaveLength(49)
    of.topic.releaseAppends()
    await of.clock.advance(0)
    expect(asked.filter(({ value }) => value === ErrorCode.NONE)).toHaveLength(101)
  })
})

describe('a restart', () => {
  it('completes what was prepared, with the markers that were decided', async () => {
    let of = await harness()
    const identity = await producer(of)
    for (const partition of [T0, T1]) {
      const guard = of.data.begin(partition, identity.producerId, identity.producerEpoch)
      await enrol(of, 'a', identity, partition)
      of.data.append(partition, identity.producerId, identity.producerEpoch, 'x', guard)
    }
    of.data.refusing.set('t-0', ErrorCode.NOT_LEADER_OR_FOLLOWER)
    of.topic.holdAppends()
    const ending = watch(end(of, 5, 'a', identity, true))
    of.topic.releaseAppends()
    await of.clock.advance(0)
    expect(ending.value).toMatchObject({ errorCode: 0 })
    of = await of.crash()
    of.data.refusing.clear()
    await of.clock.advance(1000)
    expect(of.data.outcomes()).toEqual(new Map([['x', new Set(['commit'])]]))
    expect(of.data.asked.at(-1)?.marker).toMatchObject({ coordinatorEpoch: 1, isCommit: true, transactionVersion: 2 })
    expect(await end(of, 5, 'a', identity, true)).toEqual({ errorCode: 0, ...later(identity) })
  })

  it('forgets a decision that was not on the device: the client asks again', async () => {
    let of = await harness()
    const identity = await producer(of)
    await enrol(of, 'a', identity, T0)
    of.topic.holdAppends()
    const ending = watch(end(of, 5, 'a', identity, true))
    await of.clock.advance(0)
    of = await of.crash()
    expect(ending.value).not.toMatchObject({ errorCode: 0 })
    expect((await describeId(of, 'a'))?.transactionState).toBe('Ongoing')
    expect(of.data.asked).toEqual([])
    expect(await end(of, 5, 'a', identity, true)).toMatchObject({ errorCode: 0 })
  })

  it('passes over what it does not understand, and says so', async () => {
    const topic = memoryStateTopic({ partitionCount: 2 })
    const partition = topic.partition(0)
    if (typeof partition === 'number') throw new Error('no partition')
    await partition.append([{ key: Buffer.from([0, 9, 0, 0]), value: Buffer.alloc(2) }])
    const of = await harness({ topic })
    expect(of.logger.messages('warn')).toEqual([expect.stringContaining('passed over 1 × key type 9')])
    expect((await listed(of)).ids).toEqual([])
  })
})

describe('time', () => {
  it('aborts a transaction that is open for too long, and fences its producer', async () => {
    const of = await harness()
    const identity = await producer(of, 'a', 30_000)
    await enrol(of, 'a', identity, T0)
    await of.clock.advance(29_000)
    expect(of.data.asked).toEqual([])
    await of.clock.advance(12_000)
    expect(of.data.asked.map(({ marker }) => marker)).toMatchObject([{ isCommit: false, producerEpoch: 1 }])
    expect(await enrol(of, 'a', identity, T0)).toBe(ErrorCode.PRODUCER_FENCED)
    expect(of.transactions.facts()).toMatchObject({ timedOutCount: 1 })
    expect(await producer(of)).toEqual(later(identity, 2))
  })

  it('forgets ids that are not used, with a tombstone; one that is used stays', async () => {
    let of = await harness({ settings: { 'transactional.id.expiration.ms': 7_200_000 } })
    await producer(of, 'idle')
    const busy = await producer(of, 'busy', 900_000)
    for (let hour = 0; hour < 4; hour++) {
      await of.clock.advance(3_600_000)
      await producer(of, 'busy')
    }
    expect(busy.producerEpoch).toBe(0)
    expect((await listed(of)).ids).toEqual(['busy Empty'])
    expect([0, 1].flatMap((index) => of.topic.records(index)).filter(({ value }) => value === null)).toHaveLength(1)
    of = await of.crash()
    expect((await listed(of)).ids).toEqual(['busy Empty'])
    expect((await end(of, 5, 'idle', NOBODY, true)).errorCode).toBe(ErrorCode.INVALID_PRODUCER_ID_MAPPING)
  })

  it('ends with the coordinator', async () => {
    const of = await harness()
    await producer(of)
    await of.transactions.close()
    expect(of.clock.timerCount).toBe(0)
    expect((await init(of, 'a')).errorCode).toBe(ErrorCode.COORDINATOR_NOT_AVAILABLE)
  })
})

describe('ListTransactions and DescribeTransactions', () => {
  it('filter by state, producer id, duration and pattern', async () => {
    const of = await harness()
    const a = await producer(of, 'app-1')
    await producer(of, 'app-2')
    await producer(of, 'other')
    await enrol(of, 'app-1', a, T0)
    await of.clock.advance(5000)
    expect((await listed(of)).ids).toEqual(['app-1 Ongoing', 'app-2 Empty', 'other Empty'])
    const byState = await listed(of, { stateFilters: ['Ongoing', 'Nonsense'] })
    expect([byState.ids, byState.unknownStateFilters]).toEqual([['app-1 Ongoing'], ['Nonsense']])
    expect((await listed(of, { producerIdFilters: [a.producerId] })).ids).toEqual(['app-1 Ongoing'])
    expect((await listed(of, { stateFilters: ['Ongoing'], durationFilter: 4999 })).ids).toEqual(['app-1 Ongoing'])
    expect((await listed(of, { stateFilters: ['Ongoing'], durationFilter: 5000 })).ids).toEqual([])
    expect((await listed(of, { transactionalIdPattern: 'app-.*' })).ids).toEqual(['app-1 Ongoing', 'app-2 Empty'])
    expect((await listed(of, { transactionalIdPattern: 'app' })).ids).toEqual([])
    expect((await listed(of, { transactionalIdPattern: '(' })).errorCode).toBe(ErrorCode.INVALID_REGULAR_EXPRESSION)
  })

  it('say what there is not', async () => {
    const of = await harness()
    expect((await describeId(of, 'a'))?.errorCode).toBe(ErrorCode.TRANSACTIONAL_ID_NOT_FOUND)
    expect((await describeId(of, ''))?.errorCode).toBe(ErrorCode.INVALID_REQUEST)
  })
})

it('EndTxn of TV1 answers without a producer', async () => {
  const of = await harness({ transactionVersion: 0 })
  const identity = await producer(of)
  await add(of, 'a', identity, T0)
  const asked = request(EndTxn, 4, { transactionalId: 'a', ...identity, committed: true })
  expect(await of.transactions.endTxn(asked, { apiVersion: 4 })).toMatchObject({ errorCode: 0, producerId: -1, producerEpoch: -1 })
  expect(of.data.asked.map(({ marker }) => marker)).toMatchObject([{ producerEpoch: identity.producerEpoch, transactionVersion: 0 }])
})

const LOADED: TransactionFields = {
  state: 'CompleteCommit',
  producerId: 500,
  previousProducerId: 400,
  nextProducerId: -1,
  producerEpoch: 0,
  lastProducerEpoch: -1,
  timeoutMs: 60_000,
  partitions: new Map(),
  startMs: 1,
  lastUpdateMs: 1_700_000_000_000,
  clientTransactionVersion: 2,
}

it('knows over a restart the retry of the end that exhausted the epochs', async () => {
  const of = await harness({ ids: { a: LOADED } })
  expect(await end(of, 5, 'a', { producerId: 400, producerEpoch: 32_766 }, true)).toEqual({
    errorCode: 0,
    producerId: 500,
    producerEpoch: 0,
  })
})

it('goes on over the end of the epochs, transaction after transaction, each end asked for twice', async () => {
  const of = await harness({ ids: { a: { ...LOADED, producerEpoch: 32_760 } } })
  let identity: Identity = { producerId: LOADED.producerId, producerEpoch: 32_760 }
  for (let count = 0; count < 12; count++) {
    expect(await enrol(of, 'a', identity, T0), `the partition of transaction ${count}`).toBe(ErrorCode.NONE)
    const isCommit = count % 3 !== 0
    const [{ errorCode, ...next }, again] = await Promise.all([end(of, 5, 'a', identity, isCommit), end(of, 5, 'a', identity, isCommit)])
    expect(errorCode).toBe(ErrorCode.NONE)
    expect([again, await end(of, 5, 'a', identity, isCommit)]).toEqual([
      { errorCode, ...next },
      { errorCode, ...next },
    ])
    expect((await end(of, 5, 'a', identity, !isCommit)).errorCode).toBe(ErrorCode.INVALID_TXN_STATE)
    identity = next
  }
  expect(identity).toEqual({ producerId: 1000, producerEpoch: 5 })
})
