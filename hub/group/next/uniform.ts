/**
 * @module group/next/uniform — the assignor `uniform`, where all members subscribe to the same topics: loads differ by one at
 * most, and a member keeps what it has as far as that allows.
 */
import type { AssignorInput, AssignorMember } from './assignor.ts'
import type { Partitions } from './partitions.ts'
import { assignMixed } from './uniform-mixed.ts'

/** A partition of a topic. */
interface Place {
  readonly topicId: string
  readonly partition: number
}

/** How many each member may have. */
interface Quotas {
  readonly least: number
  /** Members that shall have one more and are not yet named. */
  oneMoreCount: number
}

/** Deals all partitions out. Members that subscribe to different topics are dealt to by {@link assignMixed}. */
export function assignUniformly(input: AssignorInput): ReadonlyMap<string, Partitions> {
  const [first] = input.members
  if (first === undefined) return new Map()
  if (!input.isHomogeneous) return assignMixed(input)
  if (first.topicIds.size === 0) return new Map()
  const { free, partitionCount } = freePartitions(input, first.topicIds)
  const quotas: Quotas = {
    least: Math.floor(partitionCount / input.members.length),
    oneMoreCount: partitionCount % input.members.length,
  }
  const kept = input.members.map((member, at) => {
    const { target, dropped, roomCount } = keepWithinQuota(member, first.topicIds, quotas, input.members.length - at)
    free.push(...dropped)
    return { memberId: member.memberId, target, roomCount }
  })
  let next = 0
  return new Map(
    kept.map(({ memberId, target, roomCount }) => {
      const added = free.slice(next, next + roomCount)
      next += added.length
      return [memberId, added.length === 0 ? target : withPlaces(target, added)]
    }),
  )
}

/** Partitions that no member has as its target, in the order of the first member's topics, and how many there are in all. */
function freePartitions(input: AssignorInput, topicIds: ReadonlySet<string>): { free: Place[]; partitionCount: number } {
  const taken = new Map<string, Set<number>>()
  for (const { target } of input.members) {
    for (const [topicId, partitions] of target) {
      const set = taken.get(topicId) ?? new Set()
      for (const partition of partitions) set.add(partition)
      taken.set(topicId, set)
    }
  }
  const free: Place[] = []
  let partitionCount = 0
  for (const topicId of topicIds) {
    const count = input.partitionCount(topicId)
    partitionCount += count
    for (let partition = 0; partition < count; partition++) {
      if (taken.get(topicId)?.has(partition) !== true) free.push({ topicId, partition })
    }
  }
  return { free, partitionCount }
}

/**
 * What a member keeps of its former target (the topic that came to it last first), what it has to give up, and how many more it
 * gets. The one more that some members get goes first to those who have it already; the last ones in the row take it when nobody did.
 */
function keepWithinQuota(
  member: AssignorMember,
  topicIds: ReadonlySet<string>,
  quotas: Quotas,
  membersLeft: number,
): { target: Partitions; dropped: Place[]; roomCount: number } {
  const mayHaveOneMore = quotas.oneMoreCount > 0
  let roomCount = quotas.least + (mayHaveOneMore ? 1 : 0)
  const kept = new Map<string, readonly number[]>()
  const dropped: Place[] = []
  for (const [topicId, targeted] of [...member.target].reverse()) {
    if (!topicIds.has(topicId)) continue
    const partitions = [...targeted].sort((a, b) => a - b)
    kept.set(topicId, partitions.slice(0, roomCount))
    for (const partition of partitions.slice(roomCount)) dropped.push({ topicId, partition })
    roomCount -= Math.min(roomCount, partitions.length)
  }
  const leavesOneMore = mayHaveOneMore && roomCount > 0 && membersLeft > quotas.oneMoreCount
  if (leavesOneMore) roomCount--
  else if (mayHaveOneMore) quotas.oneMoreCount--
  return { target: inOrderOf(member.target, kept), dropped, roomCount }
}

function inOrderOf(former: Partitions, kept: ReadonlyMap<string, readonly number[]>): Partitions {
  return new Map(
    [...former.keys()].flatMap((topicId) => {
      const partitions = kept.get(topicId) ?? []
      return partitions.length === 0 ? [] : [[topicId, new Set(partitions)] as const]
    }),
  )
}

function withPlaces(target: Partitions, places: readonly Place[]): Partitions {
  const sets = new Map([...target].map(([topicId, partitions]) => [topicId, new Set(partitions)]))
  for (const { topicId, partition } of places) {
    const set = sets.get(topicId) ?? new Set()
    sets.set(topicId, set.add(partition))
  }
  return sets
}
