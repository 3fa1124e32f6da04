/** Committed offsets: when they are visible, what survives, when they go. */
import { describe, expect, it } from 'vitest'
import {
  DeleteGroups,
  ErrorCode,
  OffsetFetch,
  ShareGroupMetadataKey,
  ShareGroupMetadataValue,
  ZERO_UUID,
  coordinatorPartition,
  encodeCoordinatorKey,
  encodeCoordinatorValue,
} from '../../hub/wire/index.ts'
import type { OffsetsPartition } from '../../hub/group/index.ts'
import { memoryStateTopic } from '../../hub/replica/index.ts'
import { decodeRecord, offsetRecord } from '../../hub/group/records.ts'
import { memoryClock } from '../../hub/io/index.ts'
import type { Harness } from './harness.ts'
import {
  beat,
  caller,
  commit,
  commitRequest,
  describeGroup,
  harness,
  listedGroups,
  offsetsOf,
  overWire,
  request,
  stableMember,
  unstarted,
} from './harness.ts'

const DAY_MS = 86_400_000
const T1_ID = 'I0VniavN7_F0XPkknO64Zg'
const OTHER_ID = 'HZUMg_ty6kaNtlmFGBIsHQ'

/** What stands in the log of a group's partition, in words. */
function logOf(of: Harness, groupId: string): string[] {
  return of.topic.records(coordinatorPartition(groupId, of.topic.partitionCount)).map(({ key, value }) => {
    const record = decodeRecord(key ?? Buffer.alloc(0), value)
    if (record.kind === 'offset') return `offset ${record.key.topic}-${record.key.partition} ${record.value?.offset ?? 'gone'}`
    if (record.kind === 'group') return record.value === null ? 'group gone' : `group generation ${record.value.generationId}`
    return record.kind
  })
}

describe('commits', () => {
  it('keep offset, metadata and leader epoch, over a crash too', async () => {
    const of = await harness()
    expect(await commit(of, commitRequest('g', 't1', 0, 5, { metadata: 'where I was', leaderEpoch: 3 }))).toBe(0)
    expect(await commit(of, commitRequest('g', 't1', 1, 7))).toBe(0)
    expect(await commit(of, commitRequest('g', 't1', 1, 8))).toBe(0)
    const after = await of.restart()
    for (const each of [of, after]) {
      expect(await offsetsOf(each, 'g')).toEqual({ 't1-0': '5 where I was', 't1-1': '8' })
      expect(await listedGroups(each)).toEqual({ g: 'Empty' })
      const asked = request(OffsetFetch, 9, {
        groups: [{ groupId: 'g', topics: [{ name: 't1', topicId: ZERO_UUID, partitionIndexes: [0, 9] }] }],
      })
      const fetched = overWire(OffsetFetch, 9, await each.groups.offsetFetch(asked, caller(9)))
      expect(fetched.groups[0]?.topics[0]?.partitions.map((partition) => partition.committedLeaderEpoch)).toEqual([3, -1])
    }
    await of.groups.close()
    await after.groups.close()
  })

  it('are visible only once they are synced', async () => {
    const of = await harness()
    of.topic.holdAppends()
    const committing = commit(of, commitRequest('g', 't1', 0, 5))
    await of.clock.advance(0)
    expect(await offsetsOf(of, 'g')).toEqual({})
    const stable = offsetsOf(of, 'g', true)
    of.topic.releaseAppends()
    expect(await committing).toBe(0)
    expect(await offsetsOf(of, 'g')).toEqual({ 't1-0': '5' })
    expect(await stable).toEqual({ 't1-0': '5' })
    await of.groups.close()
  })

  it('do not wait for each other’s sync', async () => {
    const of = await harness({ partitionCount: 1 })
    of.topic.holdAppends()
    const committing = Array.from({ length: 200 }, (_, index) => commit(of, commitRequest(`g${index % 10}`, 't1', index, index)))
    await of.clock.advance(0)
    expect(of.topic.appendCount).toBe(200)
    of.topic.releaseAppends()
    expect(await Promise.all(committing)).toEqual(committing.map(() => 0))
    await of.groups.close()
  })

  it('take effect in the order of the log, in whatever order the syncs are reported', async () => {
    const clock = memoryClock()
    const waiting: ((errorCode: number) => void)[] = []
    const partition: OffsetsPartition = {
      append: () => new Promise((resolve) => void waiting.push(resolve)),
      beginVerification: () => undefined,
      appendMarker: async () => 0,
      load: async function* () {},
    }
    const topic = { ...memoryStateTopic({ partitionCount: 1 }), partition: () => partition }
    const of = await harness({ topic, clock })
    const first = commit(of, commitRequest('g', 't1', 0, 1))
    const second = commit(of, commitRequest('g', 't1', 0, 2))
    await of.clock.advance(0)
    waiting[1]?.(0)
    await of.clock.advance(0)
    expect(await offsetsOf(of, 'g')).toEqual({})
    waiting[0]?.(0)
    expect(await Promise.all([first, second])).toEqual([0, 0])
    expect(await offsetsOf(of, 'g')).toEqual({ 't1-0': '2' })
  })

  it('that the log refuses are not seen, and leave no group', async () => {
    const of = await harness()
    of.topic.failAppends(ErrorCode.KAFKA_STORAGE_ERROR)
    expect(await commit(of, commitRequest('g', 't1', 0, 5))).toBe(ErrorCode.NOT_COORDINATOR)
    of.topic.failAppends(ErrorCode.RECORD_LIST_TOO_LARGE)
    expect(await commit(of, commitRequest('g', 't1', 0, 5))).toBe(ErrorCode.UNKNOWN_SERVER_ERROR)
    expect(await offsetsOf(of, 'g')).toEqual({})
    expect(await listedGroups(of)).toEqual({})
    await of.groups.close()
  })

  it('are limited in metadata, partition by partition', async () => {
    const of = await harness({ settings: { 'offset.metadata.max.bytes': 3 } })
    expect(await commit(of, commitRequest('g', 't1', 0, 5, { metadata: 'long' }))).toBe(ErrorCode.OFFSET_METADATA_TOO_LARGE)
    expect(await listedGroups(of)).toEqual({})
    expect(await commit(of, commitRequest('g', 't1', 0, 5, { metadata: 'ok!' }))).toBe(0)
    await of.groups.close()
  })

  it('of a group that is not there depend on the version', async () => {
    const of = await harness()
    expect(await commit(of, commitRequest('none', 't1', 0, 5, { generationId: 1, memberId: 'x' }), 9)).toBe(ErrorCode.GROUP_ID_NOT_FOUND)
    expect(await commit(of, commitRequest('none', 't1', 0, 5, { generationId: 1, memberId: 'x', version: 8 }), 8)).toBe(
      ErrorCode.ILLEGAL_GENERATION,
    )
    await of.groups.close()
  })

  it('keep a member’s session', async () => {
    const of = await harness()
    const member = await stableMember(of, 'g')
    for (let turn = 0; turn < 3; turn++) {
      await of.clock.advance(9000)
      expect(await commit(of, commitRequest('g', 't1', 0, turn, { memberId: member, generationId: 1 }))).toBe(0)
    }
    expect(await beat(of, 'g', member, 1)).toBe(0)
    await of.groups.close()
  })

  it('of a topic that was made again are its own', async () => {
    const of = await harness()
    await commit(of, commitRequest('g', 't1', 0, 5, { topicId: T1_ID }))
    const fetch = async (topicId: string): Promise<number | undefined> => {
      const asked = request(OffsetFetch, 10, { groups: [{ groupId: 'g', topics: [{ name: 't1', topicId, partitionIndexes: [0] }] }] })
      const named = {
        ...asked,
        groups: asked.groups.map((group) => ({ ...group, topics: group.topics?.map((topic) => ({ ...topic, name: 't1' })) ?? null })),
      }
      const fetched = await of.groups.offsetFetch(named, caller(10))
      return overWire(OffsetFetch, 10, fetched).groups[0]?.topics[0]?.partitions[0]?.committedOffset
    }
    expect(await fetch(T1_ID)).toBe(5)
    expect(await fetch(OTHER_ID)).toBe(-1)
    await of.groups.topicsDeleted([{ name: 't1', topicId: OTHER_ID }])
    expect(await fetch(T1_ID)).toBe(5)
    await of.groups.topicsDeleted([{ name: 't1', topicId: T1_ID }])
    expect(await fetch(T1_ID)).toBe(-1)
    expect(logOf(of, 'g')).toEqual(['offset t1-0 5', 'offset t1-0 gone'])
    await of.groups.close()
  })

  it('fetched with version 1 carry the group’s error on each partition', async () => {
    const of = await harness({ topic: memoryStateTopic({ partitionCount: 5, exists: false }) })
    const asked = request(OffsetFetch, 1, { groupId: 'g', topics: [{ name: 't1', partitionIndexes: [0, 1] }] })
    const fetched = overWire(OffsetFetch, 1, await of.groups.offsetFetch(asked, caller(1)))
    expect(fetched.topics[0]?.partitions.map((partition) => partition.errorCode)).toEqual([
      ErrorCode.NOT_COORDINATOR,
      ErrorCode.NOT_COORDINATOR,
    ])
    const newer = overWire(OffsetFetch, 5, await of.groups.offsetFetch(request(OffsetFetch, 5, { groupId: 'g', topics: null }), caller(5)))
    expect([newer.errorCode, newer.topics]).toEqual([ErrorCode.NOT_COORDINATOR, []])
    await of.groups.close()
  })
})

describe('expiry', () => {
  it('counts from the commit for simple consumers', async () => {
    const of = await harness()
    await commit(of, commitRequest('g', 't1', 0, 5))
    await of.clock.advance(6.9 * DAY_MS)
    await commit(of, commitRequest('g', 't1', 1, 6))
    await of.clock.advance(0.1 * DAY_MS + 600_000)
    expect(await offsetsOf(of, 'g')).toEqual({ 't1-1': '6' })
    await of.clock.advance(7 * DAY_MS)
    expect(await listedGroups(of)).toEqual({})
    expect(logOf(of, 'g')).toEqual(['offset t1-0 5', 'offset t1-1 6', 'offset t1-0 gone', 'offset t1-1 gone', 'group gone'])
    const after = await of.restart()
    expect([await offsetsOf(after, 'g'), await listedGroups(after)]).toEqual([{}, {}])
    await of.groups.close()
    await after.groups.close()
  })

  it('counts from the day a group became empty', async () => {
    const of = await harness()
    const member = await stableMember(of, 'g')
    await commit(of, commitRequest('g', 't1', 0, 5, { memberId: member, generationId: 1 }))
    for (let beats = 0; beats < 3; beats++) {
      await of.clock.advance(9000)
      await beat(of, 'g', member, 1)
    }
    await of.clock.advance(10_000)
    expect((await describeGroup(of, 'g'))?.groupState).toBe('Empty')
    const restarted = await of.restart()
    for (const each of [of, restarted]) {
      await each.groups.close()
    }
    const later = await of.restart()
    await later.clock.advance(7 * DAY_MS - 600_000)
    expect(await offsetsOf(later, 'g')).toEqual({ 't1-0': '5' })
    await later.clock.advance(1_200_000)
    expect([await offsetsOf(later, 'g'), await listedGroups(later)]).toEqual([{}, {}])
    await later.groups.close()
  })

  it('spares topics that a stable group reads', async () => {
    const of = await harness({ settings: { 'offsets.retention.minutes': 1, 'offsets.retention.check.interval.ms': 10_000 } })
    const member = await stableMember(of, 'g', { groupInstanceId: 'i', sessionTimeoutMs: 1_800_000 })
    await commit(of, commitRequest('g', 't1', 0, 5, { memberId: member, generationId: 1 }))
    await commit(of, commitRequest('g', 'other', 0, 6, { memberId: member, generationId: 1 }))
    await of.clock.advance(80_000)
    expect(await offsetsOf(of, 'g')).toEqual({ 't1-0': '5' })
    await of.groups.close()
  })

  it('spares everything where the subscription cannot be read', async () => {
    const of = await harness({ settings: { 'offsets.retention.minutes': 1, 'offsets.retention.check.interval.ms': 10_000 } })
    const member = await stableMember(of, 'g', {
      groupInstanceId: 'i',
      sessionTimeoutMs: 1_800_000,
      protocols: [{ name: 'range', metadata: Buffer.from('?') }],
    })
    await commit(of, commitRequest('g', 'other', 0, 6, { memberId: member, generationId: 1 }))
    await of.clock.advance(80_000)
    expect(await offsetsOf(of, 'g')).toEqual({ 'other-0': '6' })
    await of.groups.close()
  })

  it('obeys the retention that commits of versions 2–4 bring', async () => {
    const of = await harness()
    await commit(of, commitRequest('g', 't1', 0, 5, { version: 2, retentionTimeMs: 3_600_000 }), 2)
    await commit(of, commitRequest('g', 't1', 1, 6, { version: 2 }), 2)
    const after = await of.restart()
    await of.groups.close()
    await after.clock.advance(3_000_000)
    expect(await offsetsOf(after, 'g')).toEqual({ 't1-0': '5', 't1-1': '6' })
    await after.clock.advance(1_200_000)
    expect(await offsetsOf(after, 'g')).toEqual({ 't1-1': '6' })
    await after.groups.close()
  })

  it('writes its tombstones in bounded batches', async () => {
    const of = await harness({ limits: { tombstoneBatchRecordCountMax: 10 }, partitionCount: 1 })
    for (let partition = 0; partition < 25; partition++) await commit(of, commitRequest('g', 't1', partition, 1))
    const before = of.topic.appendCount
    await of.clock.advance(7 * DAY_MS + 600_000)
    expect(of.topic.appendCount - before).toBe(4)
    expect(await listedGroups(of)).toEqual({})
    await of.groups.close()
  })

  it('leaves a group alone that somebody is about to join', async () => {
    const of = await harness({ settings: { 'offsets.retention.check.interval.ms': 1000 } })
    const asked = {
      groupId: 'g',
      sessionTimeoutMs: 60_000,
      rebalanceTimeoutMs: 60_000,
      memberId: '',
      groupInstanceId: null,
      protocolType: 'consumer',
      protocols: [{ name: 'range', metadata: Buffer.alloc(0) }],
      reason: null,
    }
    await of.groups.joinGroup(asked, caller(9))
    await of.clock.advance(5000)
    expect(await listedGroups(of)).toEqual({ g: 'Empty' })
    await of.clock.advance(60_000)
    expect(await listedGroups(of)).toEqual({})
    expect(logOf(of, 'g')).toEqual(['group generation 0', 'group gone'])
    await of.groups.close()
  })
})

describe('deleting a group', () => {
  it('covers commits that are under way, in one batch', async () => {
    const of = await harness()
    await commit(of, commitRequest('g', 't1', 0, 5))
    of.topic.holdAppends()
    const committing = commit(of, commitRequest('g', 't1', 1, 6))
    await of.clock.advance(0)
    const deleting = of.groups.deleteGroups(request(DeleteGroups, 2, { groupsNames: ['g', 'g', 'none'] }), caller(2))
    await of.clock.advance(0)
    of.topic.releaseAppends()
    expect(await committing).toBe(0)
    const results = (await deleting).results
    expect(results.toSorted((a, b) => a.groupId.localeCompare(b.groupId))).toEqual([
      { groupId: 'g', errorCode: 0 },
      { groupId: 'none', errorCode: ErrorCode.GROUP_ID_NOT_FOUND },
    ])
    expect(logOf(of, 'g')).toEqual(['offset t1-0 5', 'offset t1-1 6', 'offset t1-0 gone', 'offset t1-1 gone', 'group gone'])
    const after = await of.restart()
    for (const each of [of, after]) {
      expect([await offsetsOf(each, 'g'), await listedGroups(each)]).toEqual([{}, {}])
      await each.groups.close()
    }
  })

  it('that the log refuses brings it back', async () => {
    const of = await harness()
    await commit(of, commitRequest('g', 't1', 0, 5))
    of.topic.failAppends(ErrorCode.NOT_ENOUGH_REPLICAS)
    const { results } = await of.groups.deleteGroups(request(DeleteGroups, 2, { groupsNames: ['g'] }), caller(2))
    expect(results).toEqual([{ groupId: 'g', errorCode: ErrorCode.COORDINATOR_NOT_AVAILABLE }])
    expect([await offsetsOf(of, 'g'), await listedGroups(of)]).toEqual([{ 't1-0': '5' }, { g: 'Empty' }])
    await of.groups.close()
  })
})

describe('loading', () => {
  it('keeps groups of other protocols aside: fetched, never listed, never expired', async () => {
    const topic = memoryStateTopic({ partitionCount: 1 })
    const clock = memoryClock()
    const partition = topic.partition(0)
    if (typeof partition === 'number') throw new Error('no partition')
    await partition.append([
      {
        key: encodeCoordinatorKey(ShareGroupMetadataKey, { groupId: 'new' }),
        value: encodeCoordinatorValue(ShareGroupMetadataValue, { epoch: 1, metadataHash: 0n }),
      },
      { key: Buffer.from('03e7000161', 'hex'), value: Buffer.from('x') },
      offsetRecord(
        { groupId: 'new', topic: 't1', partition: 0 },
        { offset: 9, leaderEpoch: -1, metadata: '', commitTimestampMs: clock.nowMs(), expireTimestampMs: -1, topicId: ZERO_UUID },
      ),
    ])
    const of = await harness({ topic, clock })
    expect(of.logger.messages('warn')).toEqual([
      '__consumer_offsets-0: passed over 1 × ShareGroupMetadataKey',
      '__consumer_offsets-0: passed over 1 × key type 999',
    ])
    await of.clock.advance(30 * DAY_MS)
    expect(await offsetsOf(of, 'new')).toEqual({ 't1-0': '9' })
    expect(topic.records(0)).toHaveLength(3)
    expect(await listedGroups(of)).toEqual({})
    const described = await of.groups.describeGroups({ groups: ['new'], includeAuthorizedOperations: false }, caller(6))
    expect(described.groups[0]).toMatchObject({
      errorCode: ErrorCode.GROUP_ID_NOT_FOUND,
      errorMessage: 'Group new is not a classic group.',
      groupState: 'Dead',
    })
    const { results } = await of.groups.deleteGroups({ groupsNames: ['new'] }, caller(2))
    expect(results).toEqual([{ groupId: 'new', errorCode: ErrorCode.GROUP_ID_NOT_FOUND }])
    await of.groups.close()
  })

  it('that fails serves nobody rather than forgetting offsets', async () => {
    const topic = memoryStateTopic({ partitionCount: 1 })
    const partition = topic.partition(0)
    if (typeof partition === 'number') throw new Error('no partition')
    const { key } = offsetRecord({ groupId: 'g', topic: 't1', partition: 0 }, null)
    await partition.append([{ key, value: Buffer.from('7fff', 'hex') }])
    const of = await harness({ topic })
    expect(await commit(of, commitRequest('g', 't1', 0, 5))).toBe(ErrorCode.NOT_COORDINATOR)
    expect(of.logger.messages('error')).toEqual(['__consumer_offsets-0 could not be loaded; its groups are not served'])
    await of.groups.close()
  })

  it('sends clients to wait while it reads, but lets members live', async () => {
    const gate = Promise.withResolvers<void>()
    const base = memoryStateTopic({ partitionCount: 1 })
    const slow: OffsetsPartition = {
      append: async () => 0,
      beginVerification: () => undefined,
      appendMarker: async () => 0,
      load: async function* () {
        await gate.promise
        yield []
      },
    }
    const early = unstarted({ topic: { ...base, partition: () => slow } })
    const started = early.groups.start()
    expect(await commit(early, commitRequest('g', 't1', 0, 5))).toBe(ErrorCode.COORDINATOR_LOAD_IN_PROGRESS)
    expect(await beat(early, 'g', 'anybody', 1)).toBe(0)
    const listed = await early.groups.listGroups({ statesFilter: [], typesFilter: [] }, caller(5))
    expect(listed).toEqual({ errorCode: ErrorCode.COORDINATOR_LOAD_IN_PROGRESS, groups: [] })
    gate.resolve()
    await started
    expect(await commit(early, commitRequest('g', 't1', 0, 5))).toBe(0)
    await early.groups.close()
  })
})
