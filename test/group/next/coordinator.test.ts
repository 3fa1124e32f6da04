/**
 * @module test/group/next/coordinator — consumer groups through the coordinator's calls: what is stored before it is answered, what a
 * crash leaves, who may commit, and groups that change their protocol while in use.
 */
import { describe, expect, it } from 'vitest'
import {
  ConsumerGroupDescribe,
  ConsumerGroupHeartbeat,
  ConsumerProtocolAssignment,
  ConsumerProtocolSubscription,
  DeleteGroups,
  ErrorCode,
  LeaveGroup,
  ListGroups,
  OffsetFetch,
  SyncGroup,
  decodeVersioned,
  encodeVersioned,
} from '../../../hub/wire/index.ts'
import type { RequestInput } from '../../../hub/wire/index.ts'
import type { ConsumerRules } from '../../../hub/group/next/turn.ts'
import type { Harness, HarnessOptions } from '../harness.ts'
import {
  beat,
  caller,
  commit,
  commitRequest,
  describeGroup,
  harness,
  joinRequest,
  listedGroups,
  offsetsOf,
  overWire,
  request,
  settle,
} from '../harness.ts'
import { FakeTopics, fakeWorld } from './world.ts'

type BeatInput = Partial<RequestInput<typeof ConsumerGroupHeartbeat>>

/** A coordinator with topics. */
async function withTopics(
  topics: Record<string, number>,
  options: HarnessOptions = {},
  rules: Partial<ConsumerRules> = {},
): Promise<{ of: Harness; topics: FakeTopics }> {
  const fake = new FakeTopics()
  for (const [name, count] of Object.entries(topics)) fake.set(name, count)
  const of = await harness({ partitionCount: 1, world: fakeWorld(fake, () => rules), ...options })
  return { of, topics: fake }
}

async function heartbeatOf(of: Harness, memberId: string, memberEpoch: number, input: BeatInput = {}, version = 1) {
  const asked = request(ConsumerGroupHeartbeat, version, {
    groupId: 'g',
    memberId,
    memberEpoch,
    instanceId: null,
    rackId: null,
    subscribedTopicNames: null,
    subscribedTopicRegex: null,
    serverAssignor: null,
    topicPartitions: null,
    ...input,
  })
  const answer = await of.groups.consumerGroupHeartbeat(asked, caller(version))
  return overWire(ConsumerGroupHeartbeat, version, answer)
}

function joinOf(of: Harness, memberId: string, topicNames: string[], input: BeatInput = {}) {
  return heartbeatOf(of, memberId, 0, { rebalanceTimeoutMs: 5_000, subscribedTopicNames: topicNames, topicPartitions: [], ...input })
}

/** Partition numbers of the only topic of an answer. */
function partitionsIn(answer: {
  readonly assignment: { readonly topicPartitions: readonly { readonly partitions: readonly number[] }[] } | null
}) {
  return answer.assignment === null ? null : answer.assignment.topicPartitions.flatMap(({ partitions }) => partitions)
}

async function describedOf(of: Harness) {
  const answer = await of.groups.consumerGroupDescribe(
    request(ConsumerGroupDescribe, 1, { groupIds: ['g'], includeAuthorizedOperations: false }),
  )
  return overWire(ConsumerGroupDescribe, 1, answer).groups[0]
}

describe('ConsumerGroupHeartbeat', () => {
  it('gives a lone member everything at once, and nothing to a heartbeat that changes nothing', async () => {
    const { of } = await withTopics({ t: 3 })
    expect(await joinOf(of, 'a', ['t'])).toMatchObject({ errorCode: 0, memberEpoch: 2, heartbeatIntervalMs: 5_000 })
    const appended = of.topic.appendCount
    expect(await heartbeatOf(of, 'a', 2)).toMatchObject({ errorCode: 0, memberEpoch: 2, assignment: null })
    expect(of.topic.appendCount).toBe(appended)
    await of.groups.close()
  })

  it('withholds a partition until its owner has given it back', async () => {
    const { of } = await withTopics({ t: 2 })
    const topicPartitions = (await joinOf(of, 'a', ['t'])).assignment?.topicPartitions ?? []
    expect(partitionsIn(await joinOf(of, 'b', ['t']))).toEqual([])
    const revoking = await heartbeatOf(of, 'a', 2, { topicPartitions })
    expect([revoking.memberEpoch, partitionsIn(revoking)]).toEqual([2, [0]])
    expect(partitionsIn(await heartbeatOf(of, 'b', 3, { topicPartitions: [] }))).toBeNull()
    const [owned] = topicPartitions
    const released = await heartbeatOf(of, 'a', 2, { topicPartitions: [{ topicId: owned?.topicId ?? '', partitions: [0] }] })
    expect(released).toMatchObject({ memberEpoch: 3, assignment: null })
    expect(partitionsIn(await heartbeatOf(of, 'b', 3, { topicPartitions: [] }))).toEqual([1])
    expect((await describedOf(of))?.groupState).toBe('Stable')
    await of.groups.close()
  })

  it('is answered when its records are stored, many at once in few batches', async () => {
    const { of } = await withTopics({ t: 10 })
    of.topic.holdAppends()
    const joins = Array.from({ length: 100 }, (_, at) => joinOf(of, `m${at}`, ['t']))
    let answered = 0
    for (const join of joins) void join.then(() => answered++)
    await of.clock.advance(0)
    expect([answered, of.topic.appendCount]).toEqual([0, 1])
    expect(await listedGroups(of)).toEqual({})
    of.topic.releaseAppends()
    for (const answer of await Promise.all(joins)) expect(answer.errorCode).toBe(0)
    expect(of.topic.appendCount).toBe(2)
    expect((await describedOf(of))?.members).toHaveLength(100)
    await of.groups.close()
  })

  it('changes nothing when its records can’t be stored', async () => {
    const { of } = await withTopics({ t: 2 })
    await joinOf(of, 'a', ['t'])
    of.topic.failAppends(ErrorCode.NOT_ENOUGH_REPLICAS)
    expect(await joinOf(of, 'b', ['t'])).toMatchObject({ errorCode: ErrorCode.COORDINATOR_NOT_AVAILABLE })
    expect((await describedOf(of))?.members.map(({ memberId }) => memberId)).toEqual(['a'])
    // A member whose end can't be stored stays, and is removed when it can.
    await of.clock.advance(45_000)
    expect((await describedOf(of))?.members).toHaveLength(1)
    of.topic.failAppends(0)
    await of.clock.advance(500)
    expect((await describedOf(of))?.groupState).toBe('Empty')
    await of.groups.close()
  })

  it('removes a member that is silent, and one that does not give back in time', async () => {
    const { of } = await withTopics({ t: 2 })
    await joinOf(of, 'a', ['t'])
    await joinOf(of, 'b', ['t'])
    await heartbeatOf(of, 'a', 2)
    await of.clock.advance(5_000)
    expect((await describedOf(of))?.members.map(({ memberId }) => memberId)).toEqual(['b'])
    expect(await heartbeatOf(of, 'a', 2)).toMatchObject({ errorCode: ErrorCode.UNKNOWN_MEMBER_ID })
    expect(partitionsIn(await heartbeatOf(of, 'b', 3, { topicPartitions: [] }))).toEqual([0, 1])
    await of.clock.advance(45_000)
    expect((await describedOf(of))?.groupState).toBe('Empty')
    await of.groups.close()
  })

  it('keeps the place of a static member that is away', async () => {
    const { of } = await withTopics({ t: 2 })
    const first = await joinOf(of, 'a', ['t'], { instanceId: 'i' })
    expect(await joinOf(of, 'b', ['t'], { instanceId: 'i' })).toMatchObject({ errorCode: ErrorCode.UNRELEASED_INSTANCE_ID })
    expect(await heartbeatOf(of, 'a', -2, { instanceId: 'i' })).toMatchObject({ errorCode: 0, memberEpoch: -2 })
    await joinOf(of, 'other', ['t'])
    const back = await joinOf(of, 'c', ['t'], { instanceId: 'i' })
    expect([partitionsIn(first), partitionsIn(back)]).toEqual([[0, 1], [0]])
    expect(await heartbeatOf(of, 'a', 2, { instanceId: 'i' })).toMatchObject({ errorCode: ErrorCode.FENCED_INSTANCE_ID })
    await of.groups.close()
  })

  it('refuses a newcomer to a full group', async () => {
    const { of } = await withTopics({ t: 2 }, {}, { memberCountMax: 1 })
    await joinOf(of, 'a', ['t'])
    expect(await joinOf(of, 'b', ['t'])).toMatchObject({ errorCode: ErrorCode.GROUP_MAX_SIZE_REACHED })
    await of.groups.close()
  })

  it('follows a regular expression as topics come, grow and go', async () => {
    const { of, topics } = await withTopics({ 'logs.a': 1, other: 1 })
    const joined = await joinOf(of, 'a', [], { subscribedTopicNames: null, subscribedTopicRegex: 'logs\\..*' })
    expect(joined.assignment?.topicPartitions).toHaveLength(1)
    topics.set('logs.b', 2)
    await of.clock.advance(1_000)
    const grown = await heartbeatOf(of, 'a', joined.memberEpoch, { topicPartitions: joined.assignment?.topicPartitions ?? [] })
    expect([grown.memberEpoch, partitionsIn(grown)?.length]).toEqual([3, 3])
    topics.delete('logs.a')
    const shrunk = await heartbeatOf(of, 'a', 3, { topicPartitions: [] })
    expect([shrunk.memberEpoch, partitionsIn(shrunk)]).toEqual([4, [0, 1]])
    const bad = await joinOf(of, 'b', [], { subscribedTopicNames: null, subscribedTopicRegex: '(' })
    expect(bad).toMatchObject({ errorCode: ErrorCode.INVALID_REGULAR_EXPRESSION })
    expect(bad.errorMessage).toContain('missing closing )')
    await of.groups.close()
  })

  it('makes the member id of a client of version 0', async () => {
    const { of } = await withTopics({ t: 1 })
    const joined = await heartbeatOf(of, '', 0, { rebalanceTimeoutMs: 5_000, subscribedTopicNames: ['t'], topicPartitions: [] }, 0)
    expect(joined).toMatchObject({ errorCode: 0, memberId: 'made-1' })
    await of.groups.close()
  })
})

describe('what is stored', () => {
  it('is what a restart finds', async () => {
    const { of } = await withTopics({ t: 3, u: 1 })
    await joinOf(of, 'a', ['t'], { instanceId: 'i', rackId: 'r', serverAssignor: 'range' })
    await joinOf(of, 'b', ['t', 'u'])
    await heartbeatOf(of, 'a', 2, { instanceId: 'i' })
    const before = await describedOf(of)
    const again = await of.restart()
    expect(await describedOf(again)).toEqual(before)
    // …and it goes on: b takes what a gives back.
    const topicId = before?.members[0]?.assignment.topicPartitions[0]?.topicId ?? ''
    expect(await heartbeatOf(again, 'a', 2, { instanceId: 'i', topicPartitions: [{ topicId, partitions: [0, 1] }] })).toMatchObject({
      memberEpoch: 3,
    })
    expect(partitionsIn(await heartbeatOf(again, 'b', 3, { topicPartitions: [] }))).toHaveLength(2)
    // Sessions began anew: whoever is silent is removed.
    await again.clock.advance(45_000)
    expect((await describedOf(again))?.groupState).toBe('Empty')
    await Promise.all([of.groups.close(), again.groups.close()])
  })

  it('ends with the group and its offsets', async () => {
    const { of } = await withTopics({ t: 1 })
    await joinOf(of, 'a', ['t'])
    const topicId = (await describedOf(of))?.members[0]?.assignment.topicPartitions[0]?.topicId ?? ''
    expect(await commit(of, commitRequest('g', 't', 0, 5, { memberId: 'a', generationId: 2, topicId }))).toBe(0)
    const deletion = request(DeleteGroups, 2, { groupsNames: ['g'] })
    expect((await of.groups.deleteGroups(deletion, caller(2))).results).toEqual([{ groupId: 'g', errorCode: ErrorCode.NON_EMPTY_GROUP }])
    await heartbeatOf(of, 'a', -1)
    expect(await listedGroups(of)).toEqual({ g: 'Empty' })
    expect((await of.groups.deleteGroups(deletion, caller(2))).results).toEqual([{ groupId: 'g', errorCode: 0 }])
    expect([await listedGroups(of), await offsetsOf(of, 'g')]).toEqual([{}, {}])
    const again = await of.restart()
    expect([await listedGroups(again), await offsetsOf(again, 'g')]).toEqual([{}, {}])
    await Promise.all([of.groups.close(), again.groups.close()])
  })

  it('goes with its last offset when they expire', async () => {
    const { of } = await withTopics({ t: 1 })
    await joinOf(of, 'a', ['t'])
    expect(await commit(of, commitRequest('g', 't', 0, 5, { memberId: 'a', generationId: 2 }))).toBe(0)
    await heartbeatOf(of, 'a', -1)
    await of.clock.advance(8 * 86_400_000)
    expect([await listedGroups(of), await offsetsOf(of, 'g')]).toEqual([{}, {}])
    await of.groups.close()
  })
})

describe('other calls', () => {
  it('list, describe and refuse a consumer group for what it is', async () => {
    const { of } = await withTopics({ t: 1 })
    await joinOf(of, 'a', ['t'])
    const listed = await of.groups.listGroups(request(ListGroups, 5, { statesFilter: ['stable'], typesFilter: ['Consumer'] }), caller(5))
    expect(listed.groups).toEqual([{ groupId: 'g', protocolType: 'consumer', groupState: 'Stable', groupType: 'consumer' }])
    const none = await of.groups.listGroups(request(ListGroups, 5, { statesFilter: [], typesFilter: ['classic'] }), caller(5))
    expect(none.groups).toEqual([])
    expect(await describeGroup(of, 'g')).toMatchObject({ groupState: 'Dead' })
    await of.groups.close()
  })

  it('take commits of members by their epochs', async () => {
    const { of } = await withTopics({ t: 1 })
    await joinOf(of, 'a', ['t'])
    const topicId = (await describedOf(of))?.members[0]?.assignment.topicPartitions[0]?.topicId ?? ''
    const by = (memberId: string, generationId: number, version = 9) =>
      commit(of, commitRequest('g', 't', 0, 1, { memberId, generationId, version, topicId }), version)
    expect(await by('a', 2)).toBe(0)
    expect(await by('a', 3)).toBe(ErrorCode.STALE_MEMBER_EPOCH)
    expect(await by('a', 1)).toBe(ErrorCode.STALE_MEMBER_EPOCH)
    expect(await by('nobody', 2)).toBe(ErrorCode.UNKNOWN_MEMBER_ID)
    expect(await by('', -1)).toBe(ErrorCode.UNKNOWN_MEMBER_ID)
    expect(await by('a', 2, 8)).toBe(ErrorCode.UNSUPPORTED_VERSION)
    // The group moved on; what the member got before it may still commit.
    await heartbeatOf(of, 'a', 2, { subscribedTopicNames: ['t', 'u'], topicPartitions: [{ topicId, partitions: [0] }] })
    expect(await by('a', 2)).toBe(0)
    const fetchBy = async (memberId: string | null, memberEpoch: number) => {
      const asked = request(OffsetFetch, 9, { groups: [{ groupId: 'g', memberId, memberEpoch, topics: null }], requireStable: false })
      return (await of.groups.offsetFetch(asked, caller(9))).groups?.[0]?.errorCode
    }
    expect([await fetchBy(null, -1), await fetchBy('a', 3), await fetchBy('a', 2), await fetchBy('x', 3)]).toEqual([
      0,
      0,
      ErrorCode.STALE_MEMBER_EPOCH,
      ErrorCode.UNKNOWN_MEMBER_ID,
    ])
    await of.groups.close()
  })
})

/** The embedded protocol of a classic member. */
function subscription(topics: string[], owned: number[] = []): Buffer {
  const ownedPartitions = owned.length === 0 ? [] : [{ topic: topics[0] ?? '', partitions: owned }]
  return encodeVersioned(ConsumerProtocolSubscription, { topics, userData: null, ownedPartitions, generationId: -1, rackId: null }, 3)
}

function assignmentOf(partitions: number[]): Buffer {
  const assignedPartitions = partitions.length === 0 ? [] : [{ topic: 't', partitions }]
  return encodeVersioned(ConsumerProtocolAssignment, { assignedPartitions, userData: null }, 3)
}

function readAssignment(assignment: Buffer): number[] {
  return decodeVersioned(ConsumerProtocolAssignment, assignment).assignedPartitions.flatMap(({ partitions }) => partitions)
}

async function joinClassic(of: Harness, memberId: string, owned: number[] = [], groupInstanceId: string | null = null) {
  const protocols = [{ name: 'range', metadata: subscription(['t'], owned) }]
  return settle(of, of.groups.joinGroup(joinRequest(9, 'g', memberId, { protocols, groupInstanceId }), caller(9)))
}

async function syncClassic(of: Harness, memberId: string, generationId: number, assignments: Record<string, number[]> = {}) {
  const asked = request(SyncGroup, 5, {
    groupId: 'g',
    memberId,
    generationId,
    groupInstanceId: null,
    protocolType: 'consumer',
    protocolName: 'range',
    assignments: Object.entries(assignments).map(([id, partitions]) => ({ memberId: id, assignment: assignmentOf(partitions) })),
  })
  return settle(of, of.groups.syncGroup(asked, caller(5)))
}

/** A classic group of one member that has all of t. */
async function classicMember(of: Harness, partitions: number[]): Promise<string> {
  const { memberId } = await joinClassic(of, '')
  const joined = await joinClassic(of, memberId)
  await syncClassic(of, memberId, joined.generationId ?? -1, { [memberId]: partitions })
  return memberId
}

describe('a group that changes its protocol', () => {
  it('goes from classic to consumer and back without two owners', async () => {
    const { of } = await withTopics({ t: 2 })
    const classic = await classicMember(of, [0, 1])
    expect((await describeGroup(of, 'g'))?.groupState).toBe('Stable')
    // A member of the new protocol comes: the group is a consumer group with the same assignment.
    const joined = await joinOf(of, 'new', ['t'])
    expect([joined.errorCode, partitionsIn(joined)]).toEqual([0, []])
    expect(await listedGroups(of)).toEqual({ g: 'Reconciling' })
    const described = await describedOf(of)
    expect(described?.members.map(({ memberId, memberType }) => [memberId, memberType])).toEqual([
      [classic, 0],
      ['new', 1],
    ])
    // The classic member is told to join again, and learns to give one back.
    expect(await beat(of, 'g', classic, 1)).toBe(ErrorCode.REBALANCE_IN_PROGRESS)
    const revoking = await joinClassic(of, classic, [0, 1])
    expect([revoking.errorCode, revoking.protocolName, revoking.generationId]).toEqual([0, 'range', 1])
    const kept = readAssignment((await syncClassic(of, classic, 1)).assignment)
    expect(kept).toHaveLength(1)
    expect(partitionsIn(await heartbeatOf(of, 'new', joined.memberEpoch, { topicPartitions: [] }))).toBeNull()
    const released = await joinClassic(of, classic, kept)
    expect(released.generationId).toBe(2)
    expect(readAssignment((await syncClassic(of, classic, 2)).assignment)).toEqual(kept)
    expect(await beat(of, 'g', classic, 2)).toBe(0)
    const given = await heartbeatOf(of, 'new', joined.memberEpoch, { topicPartitions: [] })
    expect(new Set([...(partitionsIn(given) ?? []), ...kept])).toEqual(new Set([0, 1]))
    // The last member of the new protocol leaves: the group is classic again and rebalances.
    await heartbeatOf(of, 'new', -1)
    expect((await describeGroup(of, 'g'))?.groupState).toBe('PreparingRebalance')
    const again = await joinClassic(of, classic, kept)
    expect(again).toMatchObject({ errorCode: 0, generationId: 3, leader: classic })
    expect(readAssignment((await syncClassic(of, classic, 3, { [classic]: [0, 1] })).assignment)).toEqual([0, 1])
    expect(await listedGroups(of)).toEqual({ g: 'Stable' })
    const restarted = await of.restart()
    expect((await describeGroup(restarted, 'g'))?.groupState).toBe('Stable')
    await Promise.all([of.groups.close(), restarted.groups.close()])
  })

  it('stays classic when the change can’t be stored', async () => {
    const { of } = await withTopics({ t: 2 })
    const classic = await classicMember(of, [0, 1])
    of.topic.failAppends(ErrorCode.NOT_ENOUGH_REPLICAS)
    expect(await joinOf(of, 'new', ['t'])).toMatchObject({ errorCode: ErrorCode.COORDINATOR_NOT_AVAILABLE })
    of.topic.failAppends(0)
    expect((await describeGroup(of, 'g'))?.members.map(({ memberId }) => memberId)).toEqual([classic])
    await of.groups.close()
  })

  it('does so only as the policy allows', async () => {
    const { of } = await withTopics({ t: 2 }, {}, { migrationPolicy: 'disabled' })
    await classicMember(of, [0, 1])
    const refused = await joinOf(of, 'new', ['t'])
    expect(refused).toMatchObject({ errorCode: ErrorCode.GROUP_ID_NOT_FOUND })
    expect(refused.errorMessage).toBe('Cannot upgrade classic group g to consumer group because online upgrade is disabled.')
    await of.groups.close()
    const other = (await withTopics({ t: 2 }, {}, { migrationPolicy: 'disabled' })).of
    await joinOf(other, 'new', ['t'])
    expect(await joinClassic(other, '')).toMatchObject({ errorCode: ErrorCode.INCONSISTENT_GROUP_PROTOCOL })
    await other.groups.close()
  })

  it('may begin anew in the other protocol when it is empty', async () => {
    const { of } = await withTopics({ t: 2 })
    await joinOf(of, 'a', ['t'])
    await heartbeatOf(of, 'a', -1)
    const classic = await classicMember(of, [0, 1])
    expect((await describeGroup(of, 'g'))?.groupState).toBe('Stable')
    const leave = request(LeaveGroup, 5, { groupId: 'g', members: [{ memberId: classic, groupInstanceId: null, reason: null }] })
    await settle(of, of.groups.leaveGroup(leave, caller(5)))
    expect(await listedGroups(of)).toEqual({ g: 'Empty' })
    expect(partitionsIn(await joinOf(of, 'b', ['t']))).toEqual([0, 1])
    expect((await describedOf(of))?.groupState).toBe('Stable')
    const again = await of.restart()
    expect((await describedOf(again))?.members.map(({ memberId }) => memberId)).toEqual(['b'])
    await Promise.all([of.groups.close(), again.groups.close()])
  })

  it('takes a static member back in the classic protocol', async () => {
    const { of } = await withTopics({ t: 2 })
    await joinOf(of, 'a', ['t'], { instanceId: 'i' })
    const joined = await joinClassic(of, '', [], 'i')
    expect(joined.errorCode).toBe(0)
    // It was the only one: the group is classic, with the place of the former member.
    expect((await describeGroup(of, 'g'))?.members).toMatchObject([{ groupInstanceId: 'i', memberId: joined.memberId }])
    const restarted = await of.restart()
    expect((await describeGroup(restarted, 'g'))?.members).toMatchObject([{ groupInstanceId: 'i', memberId: joined.memberId }])
    expect(await listedGroups(restarted)).toEqual({ g: 'Stable' })
    await Promise.all([of.groups.close(), restarted.groups.close()])
  })

  it('lets an administrator remove members of both protocols', async () => {
    const { of } = await withTopics({ t: 2 })
    await joinOf(of, 'a', ['t'], { instanceId: 'i' })
    await joinOf(of, 'b', ['t'])
    const leavers = [
      { memberId: '', groupInstanceId: 'i', reason: null },
      { memberId: 'nobody', groupInstanceId: null, reason: null },
    ]
    const answer = await of.groups.leaveGroup(request(LeaveGroup, 5, { groupId: 'g', members: leavers }), caller(5))
    expect(answer.members?.map(({ errorCode }) => errorCode)).toEqual([0, ErrorCode.UNKNOWN_MEMBER_ID])
    expect((await describedOf(of))?.members.map(({ memberId }) => memberId)).toEqual(['b'])
    await of.groups.close()
  })
})
