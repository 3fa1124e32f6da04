/** What the coordinator tells of itself: its groups and counts, and ListGroups with its filters. */
import { describe, expect, it } from 'vitest'
import { DeleteGroups, ErrorCode, LeaveGroup, ListGroups } from '../../hub/wire/index.ts'
import { caller, commit, commitRequest, harness, joinRequest, request, stableMember, syncRequest } from './harness.ts'
import type { Harness } from './harness.ts'

const DAY_MS = 86_400_000

function facts(of: Harness): unknown[] {
  return [...of.groups.facts()].map(({ offsets, ...group }) => ({
    ...group,
    offsets: [...offsets].map(({ topic, partition, offset }) => `${topic}-${partition} ${offset}`),
  }))
}

describe('facts', () => {
  it('are the groups with their members and visible offsets', async () => {
    const of = await harness({ partitionCount: 3 })
    const member = await stableMember(of, 'g')
    await commit(of, commitRequest('g', 't1', 0, 5, { memberId: member, generationId: 1 }))
    await commit(of, commitRequest('g', 't1', 1, 7, { memberId: member, generationId: 1 }))
    await commit(of, commitRequest('simple', 't2', 0, 9))
    of.topic.holdAppends()
    const hidden = commit(of, commitRequest('simple', 't2', 1, 1))
    const told = facts(of)
    expect(told).toHaveLength(2)
    expect(told).toContainEqual({ groupId: 'g', kind: 'classic', state: 'Stable', memberCount: 1, offsets: ['t1-0 5', 't1-1 7'] })
    expect(told).toContainEqual({ groupId: 'simple', kind: 'classic', state: 'Empty', memberCount: 0, offsets: ['t2-0 9'] })
    of.topic.releaseAppends()
    await hidden
    expect(facts(of)).toContainEqual({ groupId: 'simple', kind: 'classic', state: 'Empty', memberCount: 0, offsets: ['t2-0 9', 't2-1 1'] })
    const after = await of.restart()
    expect(facts(after)).toHaveLength(2)
    await after.groups.close()
    await of.groups.close()
    expect(facts(of)).toEqual([])
  })

  it('count what happened', async () => {
    const of = await harness()
    expect(of.groups.counts()).toEqual({
      classicRebalanceCount: 0,
      consumerRebalanceCount: 0,
      offsetCommitCount: 0,
      offsetExpirationCount: 0,
      offsetDeletionCount: 0,
    })
    const member = await stableMember(of, 'g')
    expect(of.groups.counts().classicRebalanceCount).toBe(1)
    const late = of.groups.joinGroup(joinRequest(3, 'g'), caller(3))
    await of.clock.advance(0)
    await of.groups.joinGroup(joinRequest(3, 'g', member), caller(3))
    await late
    // A generation whose assignment is not stored does not count.
    expect(of.groups.counts().classicRebalanceCount).toBe(1)
    await of.groups.syncGroup(syncRequest('g', member, 2, { [member]: 'all' }), caller(3))
    expect(of.groups.counts().classicRebalanceCount).toBe(2)
    await commit(of, commitRequest('simple', 't1', 0, 5))
    await commit(of, commitRequest('simple', 't1', 1, 5))
    expect(of.groups.counts()).toMatchObject({ offsetCommitCount: 2, offsetExpirationCount: 0 })
    await of.clock.advance(8 * DAY_MS)
    expect(of.groups.counts()).toMatchObject({ offsetCommitCount: 2, offsetExpirationCount: 2, offsetDeletionCount: 0 })
    await of.groups.close()
  })
})

describe('ListGroups', () => {
  async function listed(of: Harness, statesFilter: string[], typesFilter: string[]): Promise<string[]> {
    const answer = await of.groups.listGroups(request(ListGroups, 5, { statesFilter, typesFilter }), caller(5))
    expect(answer.errorCode).toBe(ErrorCode.NONE)
    return answer.groups.map(({ groupId, groupState, groupType }) => `${groupId} ${groupState} ${groupType}`).toSorted()
  }

  it('filters by state and type, whatever the case', async () => {
    const of = await harness()
    await stableMember(of, 'stable')
    await commit(of, commitRequest('simple', 't1', 0, 5))
    const left = await stableMember(of, 'left')
    await of.groups.leaveGroup(request(LeaveGroup, 3, { groupId: 'left', members: [{ memberId: left }] }), caller(3))
    await stableMember(of, 'waiting')
    const joining = of.groups.joinGroup(joinRequest(3, 'waiting'), caller(3))
    await of.clock.advance(0)
    const all = ['left Empty classic', 'simple Empty classic', 'stable Stable classic']
    expect(await listed(of, [], [])).toEqual([...all, 'waiting PreparingRebalance classic'])
    expect(await listed(of, ['STABLE', ' empty '], [])).toEqual(all)
    expect(await listed(of, ['preparingRebalance'], ['Classic'])).toEqual(['waiting PreparingRebalance classic'])
    expect(await listed(of, [], ['consumer'])).toEqual([])
    expect(await listed(of, [], ['share', 'CLASSIC'])).toHaveLength(4)
    expect(await listed(of, ['no such state'], [])).toEqual([])
    await of.groups.deleteGroups(request(DeleteGroups, 2, { groupsNames: ['simple'] }), caller(2))
    expect(await listed(of, ['Empty'], [])).toEqual(['left Empty classic'])
    await of.groups.close()
    expect((await joining).errorCode).toBe(ErrorCode.NOT_COORDINATOR)
  })
})
