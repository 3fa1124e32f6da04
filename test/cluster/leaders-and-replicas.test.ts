import { describe, expect, it } from 'vitest'
import { decideElectLeaders } from '../../hub/cluster/elect-leaders.ts'
import { decideReassignments } from '../../hub/cluster/reassignments.ts'
import { decideUnregisterBroker } from '../../hub/cluster/unregister-broker.ts'
import { ErrorCode } from '../../hub/wire/index.ts'
import { circumstancesOf, decided, imageOf, type PartitionFacts, stateOf } from './several-brokers.ts'

describe('an election', () => {
  const elect = (facts: readonly PartitionFacts[], type: 'preferred' | 'unclean', partitions: number[] | null) => {
    const image = imageOf(facts)
    const decision = decideElectLeaders(circumstancesOf(image), type, partitions === null ? null : [{ topic: 't', partitions }])
    return { outcomes: decision.outcomes.map(({ partition, errorCode }) => [partition, errorCode]), image: decided(image, decision) }
  }

  it('gives the preferred replica its place when it is alive and in sync', () => {
    const { outcomes, image } = elect([{ replicas: [1, 2], leader: 2 }], 'preferred', [0])
    expect(outcomes).toEqual([[0, ErrorCode.NONE]])
    expect(stateOf(image)).toMatchObject({ leader: 1, leaderEpoch: 6, isr: [1, 2] })
  })

  it('leaves a preferred replica out that is not', () => {
    const facts = [{ replicas: [2, 1], isr: [1] }, { replicas: [2, 1], leader: 1, isr: [1, 2] }, { replicas: [1] }]
    const { outcomes, image } = elect(facts, 'preferred', [0, 1, 2])
    expect(outcomes).toEqual([
      [0, ErrorCode.PREFERRED_LEADER_NOT_AVAILABLE],
      [1, ErrorCode.PREFERRED_LEADER_NOT_AVAILABLE],
      [2, ErrorCode.ELECTION_NOT_NEEDED],
    ])
    expect(stateOf(image).leaderEpoch).toBe(5)
  })

  it('of whoever is alive loses what only the others had, and their eligibility', () => {
    const { outcomes, image } = elect([{ replicas: [2, 1], isr: [2], leader: -1, eligible: [3] }], 'unclean', [0])
    expect(outcomes).toEqual([[0, ErrorCode.NONE]])
    expect(stateOf(image)).toMatchObject({ leader: 1, isr: [1], leaderEpoch: 6, eligibleLeaderReplicas: [] })
  })

  it('of whoever is alive takes one in sync, if any, and needs one at all', () => {
    const facts = [
      { replicas: [2, 1], isr: [2, 1], leader: -1 },
      { replicas: [2, 3], isr: [2], leader: -1 },
      { replicas: [2, 1], leader: 2 },
    ]
    const { outcomes, image } = elect(facts, 'unclean', [0, 1, 2])
    expect(outcomes).toEqual([
      [0, ErrorCode.NONE],
      [1, ErrorCode.ELIGIBLE_LEADERS_NOT_AVAILABLE],
      [2, ErrorCode.ELECTION_NOT_NEEDED],
    ])
    expect(stateOf(image)).toMatchObject({ leader: 1, isr: [2, 1] })
  })

  it('of all partitions tells only of those that were not led as wanted', () => {
    const facts = [{ replicas: [1] }, { replicas: [1, 2], leader: 2 }, { replicas: [2, 1], isr: [1] }]
    expect(elect(facts, 'preferred', null).outcomes).toEqual([
      [1, ErrorCode.NONE],
      [2, ErrorCode.PREFERRED_LEADER_NOT_AVAILABLE],
    ])
  })
})

describe('a reassignment', () => {
  const move = (facts: PartitionFacts, replicas: readonly number[] | null, allowReplicationFactorChange = true) => {
    const image = imageOf([facts])
    const specs = [{ topic: 't', partition: 0, replicas }]
    const decision = decideReassignments(circumstancesOf(image), specs, { allowReplicationFactorChange })
    return { ...decision, errorCode: decision.outcomes[0]?.errorCode, state: stateOf(decided(image, decision)) }
  }

  it('to where the partition is changes nothing', () => {
    const { records, errorCode } = move({ replicas: [1] }, [1])
    expect([records.length, errorCode]).toEqual([0, ErrorCode.NONE])
  })

  it('away from a broker that is gone is done at once, in a new leader epoch', () => {
    const { state } = move({ replicas: [2, 1], isr: [1] }, [1])
    expect(state).toMatchObject({ replicas: [1], isr: [1], leader: 1, leaderEpoch: 6, addingReplicas: [], removingReplicas: [] })
    expect(state.directories).toEqual(['aaaaaaaaaaaaaaaaaaaaaQ'])
  })

  it('to a broker that is not there waits for it, and is led on', () => {
    const { state } = move({ replicas: [1] }, [2])
    expect(state).toMatchObject({ replicas: [2, 1], isr: [1], leader: 1, leaderEpoch: 5, addingReplicas: [2], removingReplicas: [1] })
    expect(state.directories).toEqual(['bbbbbbbbbbbbbbbbbbbbbQ', 'aaaaaaaaaaaaaaaaaaaaaQ'])
  })

  it('does not hand over to a broker that is in the ISR but dead', () => {
    expect(move({ replicas: [1, 2] }, [2]).state).toMatchObject({ replicas: [2, 1], isr: [1, 2], leader: 1, removingReplicas: [1] })
  })

  it('in another order is only that', () => {
    expect(move({ replicas: [1, 2], isr: [1] }, [2, 1]).state).toMatchObject({ replicas: [2, 1], isr: [1], leader: 1, leaderEpoch: 5 })
  })

  it('under way is taken back', () => {
    const { state } = move({ replicas: [2, 1], isr: [1], adding: [2], removing: [1] }, null)
    expect(state).toMatchObject({ replicas: [1], isr: [1], leader: 1, addingReplicas: [], removingReplicas: [] })
    expect(move({ replicas: [1] }, null).errorCode).toBe(ErrorCode.NO_REASSIGNMENT_IN_PROGRESS)
  })

  it('may be forbidden to change the number of replicas (KIP-860)', () => {
    expect(move({ replicas: [1, 2], isr: [1] }, [1], false).errorCode).toBe(ErrorCode.INVALID_REPLICATION_FACTOR)
    expect(move({ replicas: [2, 1], isr: [1], adding: [2] }, [1], false).errorCode).toBe(ErrorCode.NONE)
  })

  it('to unknown brokers, twice the same or none is refused', () => {
    for (const replicas of [[9], [1, 1], []]) expect(move({ replicas: [1] }, replicas).errorCode).toBe(ErrorCode.INVALID_REPLICA_ASSIGNMENT)
  })
})

describe('a broker that is unregistered', () => {
  it('leads nothing and is in sync with nothing any more', () => {
    const image = imageOf([{ replicas: [2, 1] }, { replicas: [2, 3], isr: [2] }, { replicas: [1], eligible: [2] }])
    const after = decided(image, decideUnregisterBroker(circumstancesOf(image), 2))
    expect(after.brokers.has(2)).toBe(false)
    expect(stateOf(after, 0)).toMatchObject({ leader: 1, leaderEpoch: 6, isr: [1], replicas: [2, 1] })
    expect(stateOf(after, 1)).toMatchObject({ leader: -1, isr: [2] })
    expect(stateOf(after, 2)).toMatchObject({ leader: 1, leaderEpoch: 5, eligibleLeaderReplicas: [] })
  })

  it('is not this node, nor one that nobody knows', () => {
    const circumstances = circumstancesOf(imageOf([]))
    expect(decideUnregisterBroker(circumstances, 1)).toMatchObject({ records: [], outcomes: [{ errorCode: ErrorCode.INVALID_REQUEST }] })
    expect(decideUnregisterBroker(circumstances, 9).outcomes[0]?.errorCode).toBe(ErrorCode.BROKER_ID_NOT_REGISTERED)
  })
})
