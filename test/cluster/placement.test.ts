import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type PlaceableBroker, type PlacementRequest, placeReplicas } from '../../hub/cluster/placement.ts'

/** Every broker is unfenced unless said otherwise; ids count up. */
function brokersIn(racks: readonly (string | null)[], fenced: readonly number[] = []): PlaceableBroker[] {
  return racks.map((rack, brokerId) => ({ brokerId, rack, fenced: fenced.includes(brokerId) }))
}

function place(request: Omit<PlacementRequest, 'randomFloat'>, start = 0): readonly (readonly number[])[] {
  const placement = placeReplicas({ ...request, randomFloat: () => start })
  if ('problem' in placement) throw new Error(placement.problem)
  return placement.replicas
}

function countsOf(ids: readonly (number | undefined)[], brokers: readonly PlaceableBroker[]): number[] {
  return brokers.map(({ brokerId }) => ids.filter((id) => id === brokerId).length)
}

const spread = (counts: readonly number[]): number => Math.max(...counts) - Math.min(...counts)

describe('placement of replicas', () => {
  it('on one broker there is one place', () => {
    expect(place({ brokers: brokersIn([null]), partitionCount: 3, replicationFactor: 1 })).toEqual([[0], [0], [0]])
  })

  it('strides over racks, leaders first', () => {
    const brokers = brokersIn(['a', 'a', 'b', 'b', 'c', 'c'])
    expect(place({ brokers, partitionCount: 6, replicationFactor: 3 })).toEqual([
      [0, 2, 4],
      [2, 5, 0],
      [4, 1, 3],
      [1, 2, 4],
      [3, 5, 0],
      [5, 1, 3],
    ])
  })

  it('refuses in Kafka’s words', () => {
    const randomFloat = (): number => 0
    expect(placeReplicas({ brokers: brokersIn([null]), partitionCount: 1, replicationFactor: 3, randomFloat })).toEqual({
      problem:
        'The target replication factor of 3 cannot be reached because only 1 broker(s) are registered or some brokers have all their log directories cordoned.',
    })
    expect(placeReplicas({ brokers: brokersIn([null], [0]), partitionCount: 1, replicationFactor: 1, randomFloat })).toEqual({
      problem: 'All brokers are currently fenced, or have all their log directories cordoned.',
    })
  })

  it('fenced brokers follow only where the others do not suffice, and never lead', () => {
    const brokers = brokersIn([null, null, null, null], [1, 2])
    for (const replicas of place({ brokers, partitionCount: 8, replicationFactor: 2 })) expect(new Set(replicas)).toEqual(new Set([0, 3]))
    for (const [leader, ...followers] of place({ brokers, partitionCount: 8, replicationFactor: 3 })) {
      expect([0, 3]).toContain(leader)
      expect(followers).toHaveLength(2)
      expect(followers[1]).toSatisfy((id: number) => id === 1 || id === 2)
    }
  })

  it('for any cluster: distinct brokers, live leaders, as many racks as can be, even leadership', () => {
    const cluster = fc.array(fc.constantFrom('a', 'b', 'c', null), { minLength: 1, maxLength: 9 })
    fc.assert(
      fc.property(cluster, fc.nat(), fc.nat(), fc.double({ min: 0, max: 0.999, noNaN: true }), (racks, factorSeed, fencedSeed, start) => {
        const fenced = racks.map((_, id) => id).filter((id) => (fencedSeed >> id) & 1 && id !== 0)
        const brokers = brokersIn(racks, fenced)
        const replicationFactor = 1 + (factorSeed % brokers.length)
        const placed = place({ brokers, partitionCount: 24, replicationFactor }, start)
        const live = brokers.filter((broker) => !broker.fenced)
        const liveRacks = new Set(live.map((broker) => broker.rack ?? ''))
        for (const replicas of placed) {
          expect(new Set(replicas).size).toBe(replicationFactor)
          expect(live.map((broker) => broker.brokerId)).toContain(replicas[0])
          const usedRacks = new Set(replicas.map((id) => brokers[id]?.rack ?? ''))
          expect(usedRacks.size).toBeGreaterThanOrEqual(Math.min(replicationFactor, liveRacks.size))
          expect(replicas.filter((id) => !brokers[id]?.fenced)).toHaveLength(Math.min(replicationFactor, live.length))
        }
        const leaders = placed.map(([leader]) => leader)
        for (const rack of liveRacks) {
          const members = live.filter((broker) => (broker.rack ?? '') === rack)
          expect(spread(countsOf(leaders, members))).toBeLessThanOrEqual(1)
        }
      }),
    )
  })
})
