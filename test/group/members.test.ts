/** The coordinator's members over a memory clock and a memory topic: joining, silence, restarts, storage faults. */
import { describe, expect, it } from 'vitest'
import { ErrorCode, JoinGroup, LeaveGroup, SyncGroup } from '../../hub/wire/index.ts'
import { memoryStateTopic } from '../../hub/replica/index.ts'
import { memoryClock } from '../../hub/io/index.ts'
import {
  RANGE_T1,
  beat,
  caller,
  describeGroup,
  harness,
  joinRequest,
  listedGroups,
  offsetsOf,
  overWire,
  request,
  settle,
  stableMember,
  syncRequest,
} from './harness.ts'

const UUID = /-[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/

describe('joining', () => {
  it('makes ids of the client’s name and a standard UUID, of the instance’s name for static members', async () => {
    const of = await harness()
    const dynamic = await of.groups.joinGroup(joinRequest(9, 'g'), caller(9))
    expect(dynamic.errorCode).toBe(ErrorCode.MEMBER_ID_REQUIRED)
    expect(dynamic.memberId).toMatch(UUID)
    expect(dynamic.memberId.startsWith('golden-')).toBe(true)
    const fixed = await settle(of, of.groups.joinGroup(joinRequest(9, 'h', '', { groupInstanceId: 'i' }), caller(9)))
    expect(fixed.memberId).toMatch(/^i-/)
    expect(fixed.memberId).toMatch(UUID)
    await of.groups.close()
  })

  it('waits the initial delay for others, and again for each newcomer', async () => {
    const of = await harness({ settings: { 'group.initial.rebalance.delay.ms': 3000 } })
    const first = of.groups.joinGroup(joinRequest(3, 'g'), caller(3))
    await of.clock.advance(2000)
    const second = of.groups.joinGroup(joinRequest(3, 'g'), caller(3))
    await of.clock.advance(1000)
    expect((await describeGroup(of, 'g'))?.groupState).toBe('PreparingRebalance')
    await of.clock.advance(3000)
    const [a, b] = await Promise.all([first, second])
    expect([a.generationId, b.generationId, a.members.length, b.members.length]).toEqual([1, 1, 2, 0])
    expect(b.leader).toBe(a.memberId)
    await of.groups.close()
  })

  it('brings a late member in and deals anew', async () => {
    const of = await harness()
    const first = await stableMember(of, 'g')
    const late = of.groups.joinGroup(joinRequest(3, 'g'), caller(3, undefined, 'late'))
    await of.clock.advance(0)
    expect(await beat(of, 'g', first, 1)).toBe(ErrorCode.REBALANCE_IN_PROGRESS)
    const again = await of.groups.joinGroup(joinRequest(3, 'g', first), caller(3))
    const second = await late
    expect(again.generationId).toBe(2)
    expect(again.members.map((member) => member.memberId)).toEqual([first, second.memberId])
    const waiting = of.groups.syncGroup(syncRequest('g', second.memberId, 2), caller(3))
    await of.groups.syncGroup(syncRequest('g', first, 2, { [first]: 'p0', [second.memberId]: 'p1' }), caller(3))
    expect((await waiting).assignment?.toString()).toBe('p1')
    expect((await describeGroup(of, 'g'))?.members.map((member) => [member.clientId, member.memberAssignment.toString()])).toEqual([
      ['golden', 'p0'],
      ['late', 'p1'],
    ])
    await of.groups.close()
  })

  it('answers old versions in their shape', async () => {
    const of = await harness()
    const refused = await of.groups.joinGroup(joinRequest(0, 'g', 'nobody'), caller(0))
    expect(overWire(JoinGroup, 0, refused)).toMatchObject({ errorCode: ErrorCode.UNKNOWN_MEMBER_ID, protocolName: '', memberId: 'nobody' })
    const joined = await settle(of, of.groups.joinGroup(joinRequest(0, 'g'), caller(0)))
    expect(overWire(JoinGroup, 0, joined)).toMatchObject({ errorCode: 0, protocolName: 'range', generationId: 1 })
    const left = await of.groups.leaveGroup(request(LeaveGroup, 1, { groupId: 'g', memberId: joined.memberId }), caller(1))
    expect(overWire(LeaveGroup, 1, left).errorCode).toBe(0)
    await of.groups.close()
  })

  it('of version 0 rebalances within the session timeout', async () => {
    const of = await harness()
    const [first] = [await settle(of, of.groups.joinGroup(joinRequest(0, 'g'), caller(0)))]
    await of.groups.syncGroup(syncRequest('g', first.memberId, 1), caller(0))
    const second = of.groups.joinGroup(joinRequest(0, 'g'), caller(0))
    await of.clock.advance(9000)
    expect(await beat(of, 'g', first.memberId, 1)).toBe(ErrorCode.REBALANCE_IN_PROGRESS)
    await of.clock.advance(1000)
    expect((await second).generationId).toBe(2)
    await of.groups.close()
  })

  it('leaves no trace of a group that a refused join would have made', async () => {
    const of = await harness()
    const refused = await of.groups.joinGroup(joinRequest(9, 'g', '', { protocols: [] }), caller(9))
    expect(refused.errorCode).toBe(ErrorCode.INCONSISTENT_GROUP_PROTOCOL)
    expect(await listedGroups(of)).toEqual({})
    expect(of.topic.appendCount).toBe(0)
    await of.groups.close()
  })
})

describe('silence', () => {
  it('ends a session, and the group with its last one', async () => {
    const of = await harness()
    const member = await stableMember(of, 'g')
    await of.clock.advance(9999)
    expect(await beat(of, 'g', member, 1)).toBe(0)
    await of.clock.advance(10_000)
    expect(await beat(of, 'g', member, 1)).toBe(ErrorCode.UNKNOWN_MEMBER_ID)
    expect(await describeGroup(of, 'g')).toMatchObject({ groupState: 'Empty', protocolType: 'consumer', members: [] })
    await of.groups.close()
  })

  it('a closed connection does not leak a newcomer of an old version', async () => {
    const of = await harness({ settings: { 'group.initial.rebalance.delay.ms': 3000 } })
    const connection = new AbortController()
    const ghost = of.groups.joinGroup(joinRequest(3, 'g'), caller(3, connection.signal))
    const other = of.groups.joinGroup(joinRequest(3, 'g'), caller(3))
    await of.clock.advance(0)
    connection.abort()
    expect((await ghost).errorCode).toBe(ErrorCode.UNKNOWN_MEMBER_ID)
    await of.clock.advance(6000)
    expect((await other).members).toHaveLength(1)
    await of.groups.close()
  })

  it('a connection that was closed before its turn came is treated alike', async () => {
    const of = await harness({ settings: { 'group.initial.rebalance.delay.ms': 3000 } })
    const joined = await of.groups.joinGroup(joinRequest(3, 'g'), caller(3, AbortSignal.abort()))
    expect(joined.errorCode).toBe(ErrorCode.UNKNOWN_MEMBER_ID)
    expect((await describeGroup(of, 'g'))?.members).toEqual([])
    await of.groups.close()
    expect(of.clock.timerCount).toBe(0)
  })
})

describe('static members', () => {
  it('restart without a rebalance, and the new id survives a crash', async () => {
    const of = await harness()
    const first = await stableMember(of, 'g', { groupInstanceId: 'i' })
    const returned = await of.groups.joinGroup(joinRequest(9, 'g', '', { groupInstanceId: 'i' }), caller(9))
    expect(returned).toMatchObject({ errorCode: 0, generationId: 1, skipAssignment: true, leader: returned.memberId })
    expect(returned.memberId).not.toBe(first)
    expect((await of.groups.syncGroup(syncRequest('g', returned.memberId, 1, {}, 'i'), caller(3))).assignment?.toString()).toBe('all')
    expect(await beat(of, 'g', first, 1, 'i')).toBe(ErrorCode.FENCED_INSTANCE_ID)
    const after = await of.restart()
    expect(await beat(after, 'g', returned.memberId, 1, 'i')).toBe(0)
    expect(await beat(after, 'g', first, 1, 'i')).toBe(ErrorCode.FENCED_INSTANCE_ID)
    await of.groups.close()
    await after.groups.close()
  })
})

describe('the log', () => {
  it('has a group’s assignment before anybody learns it', async () => {
    const of = await harness()
    const joined = await settle(of, of.groups.joinGroup(joinRequest(3, 'g'), caller(3)))
    of.topic.holdAppends()
    let answered = false
    const synced = of.groups.syncGroup(syncRequest('g', joined.memberId, 1, { [joined.memberId]: 'all' }), caller(3)).then((answer) => {
      answered = true
      return answer
    })
    await of.clock.advance(1000)
    expect(answered).toBe(false)
    of.topic.releaseAppends()
    expect((await synced).assignment?.toString()).toBe('all')
    await of.groups.close()
  })

  it('gives everything back after a crash', async () => {
    const of = await harness()
    const member = await stableMember(of, 'g')
    const before = await describeGroup(of, 'g')
    const after = await of.restart()
    expect(await describeGroup(after, 'g')).toEqual(before)
    expect(await beat(after, 'g', member, 1)).toBe(0)
    await after.clock.advance(10_000)
    expect(await describeGroup(after, 'g')).toMatchObject({ groupState: 'Empty' })
    await of.groups.close()
    await after.groups.close()
  })

  it.each([
    [ErrorCode.KAFKA_STORAGE_ERROR, ErrorCode.NOT_COORDINATOR],
    [ErrorCode.NOT_ENOUGH_REPLICAS, ErrorCode.COORDINATOR_NOT_AVAILABLE],
    [ErrorCode.RECORD_LIST_TOO_LARGE, ErrorCode.UNKNOWN_SERVER_ERROR],
  ])('that refuses with %i is told as %i', async (fault, told) => {
    const of = await harness()
    const joined = await settle(of, of.groups.joinGroup(joinRequest(3, 'g'), caller(3)))
    of.topic.failAppends(fault)
    const answer = await of.groups.syncGroup(syncRequest('g', joined.memberId, 1, { [joined.memberId]: 'all' }), caller(3))
    expect(answer.errorCode).toBe(told)
    expect((await describeGroup(of, 'g'))?.groupState).toBe('PreparingRebalance')
    await of.groups.close()
  })

  it('that refuses a new group’s record unmakes the group', async () => {
    const of = await harness({ settings: { 'group.initial.rebalance.delay.ms': 3000 } })
    of.topic.failAppends(ErrorCode.KAFKA_STORAGE_ERROR)
    const joined = await settle(of, of.groups.joinGroup(joinRequest(3, 'g'), caller(3)))
    expect(joined.errorCode).toBe(ErrorCode.NOT_COORDINATOR)
    expect(await listedGroups(of)).toEqual({})
    await of.groups.close()
  })

  it('that refuses the empty generation fails the leave', async () => {
    const of = await harness()
    const member = await stableMember(of, 'g')
    of.topic.failAppends(ErrorCode.KAFKA_STORAGE_ERROR)
    const left = await of.groups.leaveGroup(request(LeaveGroup, 5, { groupId: 'g', members: [{ memberId: member }] }), caller(5))
    expect(left.errorCode).toBe(ErrorCode.NOT_COORDINATOR)
    await of.groups.close()
  })
})

describe('the coordinator', () => {
  it('serves a topic that is made after the start, and says so before', async () => {
    const clock = memoryClock()
    const topic = memoryStateTopic({ partitionCount: 5, exists: false })
    const of = await harness({ topic, clock })
    expect((await of.groups.joinGroup(joinRequest(9, 'g'), caller(9))).errorCode).toBe(ErrorCode.NOT_COORDINATOR)
    expect(await listedGroups(of)).toEqual({})
    await topic.ensure()
    expect((await of.groups.joinGroup(joinRequest(9, 'g'), caller(9))).errorCode).toBe(ErrorCode.MEMBER_ID_REQUIRED)
    await of.groups.close()
  })

  it('tells those who wait when it closes, and leaves no timer', async () => {
    const of = await harness()
    const first = await stableMember(of, 'g')
    const waiting = of.groups.joinGroup(joinRequest(3, 'g'), caller(3))
    await of.clock.advance(0)
    await of.groups.close()
    expect((await waiting).errorCode).toBe(ErrorCode.NOT_COORDINATOR)
    expect(of.clock.timerCount).toBe(0)
    expect(await beat(of, 'g', first, 1)).toBe(ErrorCode.COORDINATOR_NOT_AVAILABLE)
    expect(await offsetsOf(of, 'g')).toEqual({})
  })

  it('asks for the protocol from SyncGroup 5 on', async () => {
    const of = await harness()
    const member = await stableMember(of, 'g')
    const asked = request(SyncGroup, 5, { groupId: 'g', generationId: 1, memberId: member, assignments: [] })
    expect((await of.groups.syncGroup(asked, caller(5))).errorCode).toBe(ErrorCode.INCONSISTENT_GROUP_PROTOCOL)
    expect((await of.groups.syncGroup({ ...asked, protocolType: 'consumer', protocolName: 'range' }, caller(5))).errorCode).toBe(0)
    await of.groups.close()
  })

  it('keeps copies of what clients sent, not their network buffers', async () => {
    const of = await harness()
    const metadata = Buffer.from(RANGE_T1)
    const assignment = Buffer.from('all')
    const asked = joinRequest(3, 'g')
    const joined = await settle(of, of.groups.joinGroup({ ...asked, protocols: [{ name: 'range', metadata }] }, caller(3)))
    await of.groups.syncGroup(
      { ...syncRequest('g', joined.memberId, 1), assignments: [{ memberId: joined.memberId, assignment }] },
      caller(3),
    )
    metadata.fill(0)
    assignment.fill(0)
    const [member] = (await describeGroup(of, 'g'))?.members ?? []
    expect([member?.memberMetadata.equals(RANGE_T1), member?.memberAssignment.toString()]).toEqual([true, 'all'])
    await of.groups.close()
  })
})
