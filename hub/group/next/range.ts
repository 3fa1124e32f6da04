/**
 * @module group/next/range — the assignor `range`: each topic is cut into ranges, the first members get the longer ones.
 *
 * Members are taken in the order of their instance ids, then of their member ids, so that the same numbers of different topics
 * meet in one member (co-partitioning). Nothing is sticky.
 */
import type { AssignorInput, AssignorMember } from './assignor.ts'
import type { Partitions } from './partitions.ts'

/** How far a topic is dealt out. */
interface Dealing {
  readonly partitionCount: number
  readonly shortest: number
  /** Members that still get one more than the shortest. */
  longerCount: number
  next: number
}

/** Deals every topic out among the members that subscribe to it. */
export function assignRange(input: AssignorInput): ReadonlyMap<string, Partitions> {
  const subscriberCounts = new Map<string, number>()
  for (const member of input.members) {
    for (const topicId of member.topicIds) subscriberCounts.set(topicId, (subscriberCounts.get(topicId) ?? 0) + 1)
  }
  const dealings = new Map(
    [...subscriberCounts].map(([topicId, count]): [string, Dealing] => {
      const partitionCount = input.partitionCount(topicId)
      return [topicId, { partitionCount, shortest: Math.floor(partitionCount / count), longerCount: partitionCount % count, next: 0 }]
    }),
  )
  const targets = new Map<string, Partitions>()
  for (const { memberId, topicIds } of [...input.members].sort(inRangeOrder)) {
    const target = new Map<string, ReadonlySet<number>>()
    for (const topicId of topicIds) {
      const dealing = dealings.get(topicId)
      const range = dealing === undefined ? [] : takeRange(dealing)
      if (range.length > 0) target.set(topicId, new Set(range))
    }
    targets.set(memberId, target)
  }
  return targets
}

function takeRange(dealing: Dealing): number[] {
  const start = dealing.next
  const count = dealing.shortest + (dealing.longerCount > 0 ? 1 : 0)
  dealing.longerCount = Math.max(dealing.longerCount - 1, 0)
  dealing.next = Math.min(start + count, dealing.partitionCount)
  return Array.from({ length: dealing.next - start }, (_, at) => start + at)
}

/** Static members first, by instance id; then the others, by member id. */
function inRangeOrder(a: AssignorMember, b: AssignorMember): number {
  if (a.instanceId !== null && b.instanceId !== null) return a.instanceId < b.instanceId ? -1 : 1
  if (a.instanceId !== null) return -1
  if (b.instanceId !== null) return 1
  return a.memberId < b.memberId ? -1 : 1
}
