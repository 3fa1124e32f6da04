/**
 * @module cluster/placement — on which brokers the replicas of new partitions go (KIP-36), pure but for the start that chance gives.
 *
 * Brokers of a rack form a ring, and so do the racks. Each partition takes its leader from the next rack and its followers from the
 * racks behind it, a broker of each at a time; leaders and followers have turns of their own in a ring. So leaders and replicas spread evenly, and no rack holds two replicas
 * of a partition while another that could holds none. Fenced brokers lead nothing and follow only when the others do not suffice.
 */

/** A broker that replicas may go to. */
export interface PlaceableBroker {
  readonly brokerId: number
  readonly rack: string | null
  readonly fenced: boolean
}

export interface PlacementRequest {
  readonly brokers: readonly PlaceableBroker[]
  readonly partitionCount: number
  readonly replicationFactor: number
  /** A float in [0, 1): where the rings begin. */
  readonly randomFloat: () => number
}

/** Replicas by partition, the preferred leader first; or why there are none, in Kafka's words (INVALID_REPLICATION_FACTOR). */
export type Placement = { readonly replicas: readonly (readonly number[])[] } | { readonly problem: string }

/** Places replicas. Source of the messages: org.apache.kafka.metadata.placement.StripedReplicaPlacer. */
export function placeReplicas(request: PlacementRequest): Placement {
  const { brokers, partitionCount, replicationFactor } = request
  if (brokers.length < replicationFactor) {
    return {
      problem:
        `The target replication factor of ${replicationFactor} cannot be reached because only ${brokers.length} broker(s) are registered ` +
        'or some brokers have all their log directories cordoned.',
    }
  }
  if (brokers.every((broker) => broker.fenced))
    return { problem: 'All brokers are currently fenced, or have all their log directories cordoned.' }
  const racks = racksOf(brokers, request.randomFloat)
  const first = randomIndex(racks.length, request.randomFloat)
  const replicas = Array.from({ length: partitionCount }, (_, partition) => placeOne(racks, first + partition, replicationFactor))
  return { replicas }
}

interface Rack {
  readonly unfenced: Ring
  readonly fenced: Ring
}

/** Brokers in a circle, and the places of the next ones to lead and to follow. */
interface Ring {
  readonly brokerIds: readonly number[]
  leader: number
  follower: number
}

function placeOne(racks: readonly Rack[], firstRack: number, replicationFactor: number): number[] {
  const chosen: number[] = []
  const order = racks.map((_, index) => racks[(firstRack + index) % racks.length] as Rack)
  const takeFrom = (ringOf: (rack: Rack) => Ring, count: number): void => {
    for (let taken = true; taken && chosen.length < count; ) {
      taken = false
      for (const rack of order) {
        const brokerId = chosen.length < count ? take(ringOf(rack), chosen) : undefined
        if (brokerId === undefined) continue
        chosen.push(brokerId)
        taken = true
      }
    }
  }
  takeFrom((rack) => rack.unfenced, replicationFactor)
  takeFrom((rack) => rack.fenced, replicationFactor)
  return chosen
}

/** The next broker of the ring that was not chosen yet. */
function take(ring: Ring, chosen: readonly number[]): number | undefined {
  const turn = chosen.length === 0 ? 'leader' : 'follower'
  const count = ring.brokerIds.length
  for (let step = 0; step < count; step++) {
    const at = (ring[turn] + step) % count
    const brokerId = ring.brokerIds[at] as number
    if (chosen.includes(brokerId)) continue
    ring[turn] = (at + 1) % count
    return brokerId
  }
  return undefined
}

function racksOf(brokers: readonly PlaceableBroker[], randomFloat: () => number): Rack[] {
  const byRack = Map.groupBy(
    brokers.toSorted((a, b) => a.brokerId - b.brokerId),
    (broker) => broker.rack ?? '',
  )
  return [...byRack]
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(([, members]) => ({
      unfenced: ring(
        members.filter((broker) => !broker.fenced),
        randomFloat,
      ),
      fenced: ring(
        members.filter((broker) => broker.fenced),
        randomFloat,
      ),
    }))
}

function ring(members: readonly PlaceableBroker[], randomFloat: () => number): Ring {
  const start = randomIndex(members.length, randomFloat)
  return { brokerIds: members.map((broker) => broker.brokerId), leader: start, follower: start }
}

function randomIndex(count: number, randomFloat: () => number): number {
  return Math.floor(randomFloat() * count)
}
