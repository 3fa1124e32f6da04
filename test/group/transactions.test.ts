/** Offsets that transactions commit (KIP-98, KIP-447, KIP-890): pending until the marker, in whatever order things stand in the log. */
import { describe, expect, it } from 'vitest'
import type { Enrol, OffsetsPartition, TxnOffsetCommitRequest } from '../../hub/group/index.ts'
import type { Marker } from '../../hub/log/index.ts'
import { memoryStateTopic } from '../../hub/replica/index.ts'
import {
  DeleteGroups,
  ErrorCode,
  JoinGroup,
  OffsetDelete,
  OffsetFetch,
  TxnOffsetCommit,
  coordinatorPartition,
} from '../../hub/wire/index.ts'
import {
  beat,
  caller,
  commit,
  commitRequest,
  harness,
  joinRequest,
  listedGroups,
  offsetsOf,
  overWire,
  request,
  settle,
  stableMember,
} from './harness.ts'
import type { Harness } from './harness.ts'

const T1_ID = 'I0VniavN7_F0XPkknO64Zg'
const DAY_MS = 86_400_000
const enrolled: Enrol = () => Promise.resolve(ErrorCode.NONE)

interface TxnCommit {
  readonly version?: number
  readonly producerId?: number
  readonly memberId?: string
  readonly generationId?: number
  readonly groupInstanceId?: string | null
  readonly metadata?: string
  readonly enrol?: Enrol
}

function txnRequest(groupId: string, partition: number, offset: number, change: TxnCommit = {}): TxnOffsetCommitRequest {
  const version = change.version ?? 5
  const asked = request(TxnOffsetCommit, version, {
    transactionalId: 'tx',
    groupId,
    producerId: change.producerId ?? 7,
    producerEpoch: 0,
    ...(version < 3
      ? {}
      : { generationId: change.generationId ?? -1, memberId: change.memberId ?? '', groupInstanceId: change.groupInstanceId ?? null }),
    topics: [
      { name: 't1', partitions: [{ partitionIndex: partition, committedOffset: offset, committedMetadata: change.metadata ?? null }] },
    ],
  })
  return { ...asked, topics: asked.topics.map((topic) => ({ ...topic, topicId: T1_ID })) }
}

/** The error of the only partition. */
async function txnCommit(
  of: Harness,
  groupId: string,
  partition: number,
  offset: number,
  change: TxnCommit = {},
): Promise<number | undefined> {
  const version = change.version ?? 5
  const answer = await of.groups.txnOffsetCommit(txnRequest(groupId, partition, offset, change), caller(version), change.enrol ?? enrolled)
  return overWire(TxnOffsetCommit, version, answer).topics[0]?.partitions[0]?.errorCode
}

/** Ends the transaction of a producer in the partition of a group. */
function end(of: Harness, groupId: string, isCommit: boolean, producerId = 7): Promise<number> {
  const marker: Marker = { producerId, producerEpoch: 0, coordinatorEpoch: 0, isCommit, transactionVersion: 2 }
  return of.groups.completeTransaction(coordinatorPartition(groupId, of.topic.partitionCount), marker)
}

/** Error codes and offsets of partitions 0 and 1 of t1. */
async function fetched(of: Harness, groupId: string, requireStable: boolean): Promise<string[]> {
  const asked = request(OffsetFetch, 9, { groups: [{ groupId, topics: [{ name: 't1', partitionIndexes: [0, 1] }] }], requireStable })
  const answer = overWire(OffsetFetch, 9, await of.groups.offsetFetch(asked, caller(9)))
  return (answer.groups[0]?.topics[0]?.partitions ?? []).map(({ errorCode, committedOffset }) => `${errorCode} ${committedOffset}`)
}

/** The same questions to the coordinator that committed and to one that a crash left the log to. */
async function both(of: Harness, look: (each: Harness) => Promise<unknown>, expected: unknown): Promise<void> {
  const after = await of.restart()
  expect(await look(of), 'before the crash').toEqual(expected)
  expect(await look(after), 'after the crash').toEqual(expected)
  await after.groups.close()
}

describe('offsets of a transaction', () => {
  it('are pending until the transaction commits', async () => {
    const of = await harness()
    await commit(of, commitRequest('g', 't1', 0, 1))
    expect(await txnCommit(of, 'g', 0, 5)).toBe(0)
    await both(of, (each) => fetched(each, 'g', false), ['0 1', '0 -1'])
    await both(of, (each) => fetched(each, 'g', true), [`${ErrorCode.UNSTABLE_OFFSET_COMMIT} -1`, '0 -1'])
    expect(await end(of, 'g', true)).toBe(0)
    await both(of, (each) => fetched(each, 'g', true), ['0 5', '0 -1'])
    await of.groups.close()
  })

  it('are dropped when it aborts', async () => {
    const of = await harness()
    await commit(of, commitRequest('g', 't1', 0, 1))
    await txnCommit(of, 'g', 0, 5)
    await txnCommit(of, 'g', 1, 6)
    expect(await end(of, 'g', false)).toBe(0)
    await both(of, (each) => fetched(each, 'g', true), ['0 1', '0 -1'])
    await of.groups.close()
  })

  it('give way to a plain commit that stands behind them in the log', async () => {
    const of = await harness()
    await txnCommit(of, 'g', 0, 5)
    await commit(of, commitRequest('g', 't1', 0, 9))
    await txnCommit(of, 'g', 1, 6)
    expect(await end(of, 'g', true)).toBe(0)
    await both(of, (each) => fetched(each, 'g', true), ['0 9', '0 6'])
    await of.groups.close()
  })

  it('of several producers decide one by one', async () => {
    const of = await harness()
    await txnCommit(of, 'g', 0, 5, { producerId: 1 })
    await txnCommit(of, 'g', 0, 6, { producerId: 2 })
    await end(of, 'g', true, 2)
    await both(of, (each) => fetched(each, 'g', true), [`${ErrorCode.UNSTABLE_OFFSET_COMMIT} -1`, '0 -1'])
    await both(of, (each) => fetched(each, 'g', false), ['0 6', '0 -1'])
    await end(of, 'g', true, 1)
    await both(of, (each) => fetched(each, 'g', true), ['0 6', '0 -1'])
    await of.groups.close()
  })

  it('wait for their marker to be synced', async () => {
    const of = await harness()
    await txnCommit(of, 'g', 0, 5)
    of.topic.holdAppends()
    const ending = end(of, 'g', true)
    await of.clock.advance(0)
    expect(await fetched(of, 'g', false)).toEqual(['0 -1', '0 -1'])
    const stable = fetched(of, 'g', true)
    of.topic.releaseAppends()
    expect(await ending).toBe(0)
    expect(await stable).toEqual(['0 5', '0 -1'])
    await of.groups.close()
  })

  it('stay pending when the marker cannot be written', async () => {
    const of = await harness()
    await txnCommit(of, 'g', 0, 5)
    of.topic.failAppends(ErrorCode.TRANSACTION_COORDINATOR_FENCED)
    expect(await end(of, 'g', true)).toBe(ErrorCode.TRANSACTION_COORDINATOR_FENCED)
    of.topic.failAppends(0)
    expect(await fetched(of, 'g', true)).toEqual([`${ErrorCode.UNSTABLE_OFFSET_COMMIT} -1`, '0 -1'])
    await of.groups.close()
  })

  it('that the log refuses leave nothing', async () => {
    const of = await harness()
    of.topic.failAppends(ErrorCode.INVALID_TXN_STATE)
    expect(await txnCommit(of, 'g', 0, 5)).toBe(ErrorCode.INVALID_TXN_STATE)
    expect(await fetched(of, 'g', true)).toEqual(['0 -1', '0 -1'])
    expect(await listedGroups(of)).toEqual({})
    await of.groups.close()
  })

  it('are not listed, and not expired, while they are pending', async () => {
    const of = await harness()
    await commit(of, commitRequest('g', 't1', 0, 1))
    await txnCommit(of, 'g', 0, 5)
    await txnCommit(of, 'g', 1, 6)
    expect(await offsetsOf(of, 'g')).toEqual({ 't1-0': '1' })
    await of.clock.advance(8 * DAY_MS)
    expect(await offsetsOf(of, 'g')).toEqual({ 't1-0': '1' })
    await end(of, 'g', false)
    await of.clock.advance(DAY_MS)
    await both(of, listedGroups, {})
    await of.groups.close()
  })

  it('go with their topic, their group, and OffsetDelete', async () => {
    const of = await harness()
    const ways: ((groupId: string) => Promise<unknown>)[] = [
      () => of.groups.topicsDeleted([{ name: 't1', topicId: T1_ID }]),
      (groupId) => of.groups.deleteGroups(request(DeleteGroups, 2, { groupsNames: [groupId] }), caller(2)),
      (groupId) =>
        of.groups.offsetDelete(request(OffsetDelete, 0, { groupId, topics: [{ name: 't1', partitions: [{ partitionIndex: 0 }] }] })),
    ]
    for (const [at, way] of ways.entries()) {
      const groupId = `g${at}`
      await txnCommit(of, groupId, 0, 5)
      await way(groupId)
      await both(of, (each) => fetched(each, groupId, true), ['0 -1', '0 -1'])
      await end(of, groupId, true)
      await both(of, (each) => fetched(each, groupId, true), ['0 -1', '0 -1'])
    }
    await of.groups.close()
  })

  it('keep their group until it expires', async () => {
    const of = await harness()
    await txnCommit(of, 'g', 0, 5)
    await end(of, 'g', false)
    await both(of, listedGroups, { g: 'Empty' })
    await of.clock.advance(600_000)
    await both(of, listedGroups, {})
    await of.groups.close()
  })

  it('of a producer without a transaction here: its marker changes nothing', async () => {
    const of = await harness()
    await commit(of, commitRequest('g', 't1', 0, 1))
    expect(await end(of, 'g', true)).toBe(0)
    await both(of, (each) => fetched(each, 'g', true), ['0 1', '0 -1'])
    expect(
      await of.groups.completeTransaction(99, {
        producerId: 1,
        producerEpoch: 0,
        coordinatorEpoch: 0,
        isCommit: true,
        transactionVersion: 1,
      }),
    ).toBe(ErrorCode.NOT_COORDINATOR)
    await of.groups.close()
  })
})

describe('who may commit in a transaction', () => {
  it('a member of the generation, in any state of the group; its session is not kept by it', async () => {
    const of = await harness()
    const memberId = await stableMember(of, 'g')
    const code = (change: TxnCommit): Promise<number | undefined> => txnCommit(of, 'g', 0, 1, change)
    expect(await code({ memberId, generationId: 1 })).toBe(0)
    expect(await code({ memberId, generationId: 2 })).toBe(ErrorCode.ILLEGAL_GENERATION)
    expect(await code({ memberId: 'stranger', generationId: 1 })).toBe(ErrorCode.UNKNOWN_MEMBER_ID)
    expect(await code({ memberId, generationId: 1, groupInstanceId: 'i' })).toBe(ErrorCode.UNKNOWN_MEMBER_ID)
    // From outside: version 3 and later without a member, and every older one.
    expect(await code({})).toBe(0)
    expect(await code({ version: 2 })).toBe(0)
    await of.clock.advance(9000)
    expect(await code({ memberId, generationId: 1 })).toBe(0)
    await of.clock.advance(2000)
    expect(await beat(of, 'g', memberId, 1)).toBe(ErrorCode.UNKNOWN_MEMBER_ID)
    await of.groups.close()
  })

  it('one who has joined and not synced', async () => {
    const of = await harness()
    const joined = overWire(JoinGroup, 3, await settle(of, of.groups.joinGroup(joinRequest(3, 'g'), caller(3))))
    expect(await txnCommit(of, 'g', 0, 1, { memberId: joined.memberId, generationId: joined.generationId })).toBe(0)
    await of.groups.close()
  })

  it('a static member, unless it was fenced', async () => {
    const of = await harness()
    const memberId = await stableMember(of, 'g', { groupInstanceId: 'i' })
    expect(await txnCommit(of, 'g', 0, 1, { memberId, generationId: 1, groupInstanceId: 'i' })).toBe(0)
    expect(await txnCommit(of, 'g', 0, 1, { memberId: 'other', generationId: 1, groupInstanceId: 'i' })).toBe(ErrorCode.FENCED_INSTANCE_ID)
    await of.groups.close()
  })

  it('nobody of a group that is not there, but from outside', async () => {
    const of = await harness()
    expect(await txnCommit(of, 'none', 0, 1, { memberId: 'x', generationId: 1 })).toBe(ErrorCode.ILLEGAL_GENERATION)
    expect(await txnCommit(of, '', 0, 1)).toBe(ErrorCode.INVALID_GROUP_ID)
    expect(await listedGroups(of)).toEqual({})
    expect(await txnCommit(of, 'none', 0, 1)).toBe(0)
    await of.groups.close()
  })

  it('metadata is limited', async () => {
    const of = await harness({ settings: { 'offset.metadata.max.bytes': 3 } })
    expect(await txnCommit(of, 'g', 0, 5, { metadata: 'long' })).toBe(ErrorCode.OFFSET_METADATA_TOO_LARGE)
    expect(await listedGroups(of)).toEqual({})
    await of.groups.close()
  })
})

describe('enrolment', () => {
  /** A coordinator over one partition whose log asks for verification, and what was asked and appended. */
  async function verifying(): Promise<{ of: Harness; asked: string[]; appended: unknown[] }> {
    const asked: string[] = []
    const appended: unknown[] = []
    const memory = memoryStateTopic({ partitionCount: 1 })
    const inner = memory.partition(0)
    if (typeof inner === 'number') throw new Error('the partition is there')
    const partition: OffsetsPartition = {
      ...inner,
      append: (records, transaction) => {
        appended.push(transaction?.verification)
        return inner.append(records, transaction)
      },
      beginVerification: (producerId, producerEpoch, supportsEpochBump) => {
        asked.push(`verify ${producerId} ${producerEpoch} ${supportsEpochBump}`)
        return producerId === 1 ? undefined : { producerId }
      },
    }
    return { of: await harness({ topic: { ...memory, partition: () => partition } }), asked, appended }
  }

  it('is asked of the coordinator where the transaction is not open: verified before version 5, made from then on', async () => {
    const { of, asked, appended } = await verifying()
    const enrol: Enrol = (partition, { verifyOnly }) => {
      asked.push(`enrol ${partition} ${verifyOnly}`)
      return Promise.resolve(0)
    }
    expect(await txnCommit(of, 'g', 0, 1, { enrol })).toBe(0)
    expect(await txnCommit(of, 'g', 0, 1, { enrol, version: 4 })).toBe(0)
    expect(await txnCommit(of, 'g', 0, 1, { enrol, producerId: 1 })).toBe(0)
    expect(asked).toEqual(['verify 7 0 true', 'enrol 0 false', 'verify 7 0 false', 'enrol 0 true', 'verify 1 0 true'])
    expect(appended).toEqual([{ producerId: 7 }, { producerId: 7 }, 'trusted'])
    await of.groups.close()
  })

  it.each([
    [ErrorCode.PRODUCER_FENCED, 5, ErrorCode.INVALID_PRODUCER_EPOCH],
    [ErrorCode.TRANSACTION_ABORTABLE, 5, ErrorCode.TRANSACTION_ABORTABLE],
    [ErrorCode.TRANSACTION_ABORTABLE, 3, ErrorCode.INVALID_TXN_STATE],
    [ErrorCode.CONCURRENT_TRANSACTIONS, 5, ErrorCode.CONCURRENT_TRANSACTIONS],
    [ErrorCode.COORDINATOR_LOAD_IN_PROGRESS, 2, ErrorCode.COORDINATOR_LOAD_IN_PROGRESS],
    [ErrorCode.COORDINATOR_LOAD_IN_PROGRESS, 1, ErrorCode.COORDINATOR_NOT_AVAILABLE],
  ])('refused with %i is told version %i as %i', async (refusal, version, told) => {
    const { of, appended } = await verifying()
    expect(await txnCommit(of, 'g', 0, 1, { version, enrol: () => Promise.resolve(refusal) })).toBe(told)
    expect(appended).toEqual([])
    expect(await listedGroups(of)).toEqual({})
    await of.groups.close()
  })
})
