/**
 * @module group/next/uniform-mixed — the assignor `uniform`, where members subscribe to different topics: members keep what they
 * have, free partitions go to the least loaded subscribers, then topic by topic partitions move from most to least loaded ones
 * until no topic's subscribers differ by more than one or nothing moves any more.
 */
import { sortTopicIds } from './assignor.ts'
import type { AssignorInput } from './assignor.ts'
import { LoadRanking } from './load-ranking.ts'
import type { Partitions } from './partitions.ts'

/** Rounds over all topics before the rest of an imbalance is left alone. */
const ROUND_COUNT_MAX = 16
const NOBODY = -1

/** The assignment under way; members go by their place in the input. */
interface Work {
  readonly input: AssignorInput
  /** topic id → places of its subscribers, in order */
  readonly subscribers: ReadonlyMap<string, readonly number[]>
  /** topic id → partition → place of its owner, or {@link NOBODY} */
  readonly owners: ReadonlyMap<string, Int32Array>
  /** Partitions per member. */
  readonly loads: number[]
}

/** Deals all partitions out among the members that subscribe to their topics. */
export function assignMixed(input: AssignorInput): ReadonlyMap<string, Partitions> {
  const work = workOf(input)
  if (work.owners.size === 0) return new Map()
  keepTargets(work)
  dealFree(work)
  balance(work)
  return targetsOf(work)
}

function workOf(input: AssignorInput): Work {
  const subscribers = new Map<string, number[]>()
  input.members.forEach(({ topicIds }, place) => {
    for (const topicId of topicIds) {
      const places = subscribers.get(topicId)
      if (places === undefined) subscribers.set(topicId, [place])
      else places.push(place)
    }
  })
  const owners = new Map(
    [...subscribers.keys()].map((topicId) => [topicId, new Int32Array(input.partitionCount(topicId)).fill(NOBODY)] as const),
  )
  return { input, subscribers, owners, loads: input.members.map(() => 0) }
}

function keepTargets({ input, owners, loads }: Work): void {
  input.members.forEach(({ topicIds, target }, place) => {
    for (const [topicId, partitions] of target) {
      if (!topicIds.has(topicId)) continue
      const places = owners.get(topicId)
      for (const partition of partitions) {
        if (places === undefined || partition >= places.length) continue
        places[partition] = place
        loads[place] = (loads[place] ?? 0) + 1
      }
    }
  })
}

function dealFree(work: Work): void {
  const free = new Map<string, number[]>()
  for (const [topicId, places] of work.owners) {
    const partitions = [...places.keys()].filter((partition) => places[partition] === NOBODY)
    if (partitions.length > 0) free.set(topicId, partitions)
  }
  for (const topicId of inOrderOfLoad(work, free.keys())) {
    const ranking = new LoadRanking(work.subscribers.get(topicId) ?? [], work.loads)
    for (const partition of free.get(topicId) ?? []) give(work, topicId, partition, ranking.nextLeastLoaded())
  }
}

/** Moves partitions until a whole round over the topics moved none. */
function balance(work: Work): void {
  const shared = [...work.subscribers].flatMap(([topicId, places]) => (places.length >= 2 ? [topicId] : []))
  const topicIds = inOrderOfLoad(work, shared)
  let lastMoved: string | null = null
  for (let round = 0; round < ROUND_COUNT_MAX; round++) {
    for (const topicId of topicIds) {
      if (topicId === lastMoved) return
      if (balanceTopic(work, topicId) > 0 || lastMoved === null) lastMoved = topicId
    }
  }
}

/** Moves partitions of one topic from most to least loaded subscribers; returns how many moved. */
function balanceTopic(work: Work, topicId: string): number {
  const ranking = new LoadRanking(work.subscribers.get(topicId) ?? [], work.loads)
  if (ranking.spread <= 1) return 0
  const owned = partitionsByOwner(work.owners.get(topicId) ?? new Int32Array())
  let movedCount = 0
  while (!ranking.isBalanced) {
    const giver = ranking.nextMostLoaded((place) => (owned.get(place)?.length ?? 0) > 0)
    if (giver === undefined) break
    const partition = owned.get(giver)?.pop()
    const taker = ranking.nextLeastLoaded()
    if (partition === undefined || ranking.isBalanced) break
    give(work, topicId, partition, taker)
    movedCount++
  }
  return movedCount
}

function partitionsByOwner(places: Int32Array): Map<number, number[]> {
  const owned = new Map<number, number[]>()
  places.forEach((place, partition) => {
    const partitions = owned.get(place)
    if (partitions === undefined) owned.set(place, [partition])
    else partitions.push(partition)
  })
  return owned
}

function give({ owners, loads }: Work, topicId: string, partition: number, place: number): void {
  const places = owners.get(topicId)
  if (places === undefined) return
  const former = places[partition] ?? NOBODY
  if (former !== NOBODY) loads[former] = (loads[former] ?? 0) - 1
  places[partition] = place
  loads[place] = (loads[place] ?? 0) + 1
}

/** Most partitions per subscriber first, then fewest subscribers, then by id: the hardest to balance first. */
function inOrderOfLoad({ subscribers, owners }: Work, topicIds: Iterable<string>): string[] {
  const subscriberCount = (topicId: string): number => subscribers.get(topicId)?.length ?? 0
  const load = (topicId: string): number => (owners.get(topicId)?.length ?? 0) / subscriberCount(topicId)
  return sortTopicIds(topicIds).sort((a, b) => load(b) - load(a) || subscriberCount(a) - subscriberCount(b))
}

function targetsOf({ input, owners }: Work): ReadonlyMap<string, Partitions> {
  const targets = input.members.map(() => new Map<string, Set<number>>())
  for (const [topicId, places] of owners) {
    places.forEach((place, partition) => {
      const target = targets[place]
      if (target === undefined) return
      const partitions = target.get(topicId)
      if (partitions === undefined) target.set(topicId, new Set([partition]))
      else partitions.add(partition)
    })
  }
  return new Map(input.members.map(({ memberId }, place) => [memberId, targets[place] ?? new Map<string, Set<number>>()]))
}
