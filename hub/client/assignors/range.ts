/** @module client/assignors/range — per topic, neighbouring partitions to members in order (RangeAssignor; racks by KIP-881). */
import {
  type Assignment,
  type Assignor,
  type AssignorMember,
  type AssignorTopic,
  byTopic,
  compareMembers,
  compareText,
  emptyAssignment,
  racksMatter,
} from './types.ts'

/** Deals each topic on its own, so that topics of one size and one audience stay co-partitioned. */
export const rangeAssignor: Assignor = {
  name: 'range',
  cooperative: false,
  userData: () => null,
  assign: (topics, members) => {
    const assignment = emptyAssignment(members)
    const deals = [...topics]
      .filter(([, topic]) => topic.partitionCount > 0)
      .sort(([one], [other]) => compareText(one, other))
      .map(([name, topic]) => new TopicDeal(name, topic, members))
    const rackAware = deals.some((deal) => deal.rackAware)
    if (rackAware) dealByRack(deals, assignment)
    for (const deal of deals) dealRanges(deal, () => true, assignment)
    if (rackAware) for (const hand of assignment.values()) hand.sort(byTopic)
    return assignment
  },
}

/** What is left to deal of one topic. */
class TopicDeal {
  readonly topic: string
  readonly partitionCount: number
  readonly members: readonly AssignorMember[]
  readonly rackAware: boolean
  readonly undealt: Set<number>
  readonly #racks: readonly ReadonlySet<string>[]
  readonly #dealtCounts = new Map<string, number>()
  readonly #shareCount: number
  #extraShares: number

  constructor(topic: string, { partitionCount, partitionRacks }: AssignorTopic, members: readonly AssignorMember[]) {
    this.topic = topic
    this.partitionCount = partitionCount
    this.members = members.filter((member) => member.topics.includes(topic)).sort(compareMembers)
    this.undealt = new Set(Array.from({ length: partitionCount }, (_, partition) => partition))
    this.#shareCount = this.members.length === 0 ? 0 : Math.floor(partitionCount / this.members.length)
    this.#extraShares = this.members.length === 0 ? 0 : partitionCount % this.members.length
    const memberRacks = new Set(this.members.map((member) => member.rackId ?? '').filter((rack) => rack !== ''))
    this.#racks = Array.from({ length: partitionCount }, (_, partition) => new Set(partitionRacks?.[partition] ?? []))
    this.rackAware = racksMatter(memberRacks, new Map(this.#racks.map((racks, partition) => [String(partition), racks])))
  }

  racksMatch(member: AssignorMember, partition: number): boolean {
    const rack = member.rackId ?? ''
    return rack === '' || (this.#racks[partition]?.has(rack) ?? false)
  }

  room(member: AssignorMember): number {
    const share = this.#shareCount + (this.#extraShares > 0 ? 1 : 0)
    return Math.max(0, share - (this.#dealtCounts.get(member.memberId) ?? 0))
  }

  deal(member: AssignorMember, partitions: readonly number[], assignment: Assignment): void {
    const count = (this.#dealtCounts.get(member.memberId) ?? 0) + partitions.length
    this.#dealtCounts.set(member.memberId, count)
    if (count > this.#shareCount) this.#extraShares--
    for (const partition of partitions) {
      this.undealt.delete(partition)
      assignment.get(member.memberId)?.push({ topic: this.topic, partition })
    }
  }
}

function dealRanges(deal: TopicDeal, allowed: (member: AssignorMember, partition: number) => boolean, assignment: Assignment): void {
  for (const member of deal.members) {
    const partitions = [...deal.undealt].filter((partition) => allowed(member, partition)).slice(0, deal.room(member))
    if (partitions.length > 0) deal.deal(member, partitions, assignment)
  }
}

/** Topics with the same members and size move together, so that co-partitioning survives rack matching. */
function dealByRack(deals: readonly TopicDeal[], assignment: Assignment): void {
  const alike = Map.groupBy(deals, (deal) => JSON.stringify([deal.partitionCount, deal.members.map((member) => member.memberId)]))
  for (const group of alike.values()) {
    const [first] = group
    if (first === undefined) continue
    if (group.length > 1) dealTogether(group, first, assignment)
    else if (first.rackAware) dealRanges(first, (member, partition) => first.racksMatch(member, partition), assignment)
  }
}

function dealTogether(group: readonly TopicDeal[], first: TopicDeal, assignment: Assignment): void {
  const remaining = new Set(first.members)
  for (let partition = 0; partition < first.partitionCount && remaining.size > 0; partition++) {
    const taker = [...remaining].find((member) => group.every((deal) => deal.racksMatch(member, partition) && deal.room(member) > 0))
    if (taker === undefined) continue
    for (const deal of group) deal.deal(taker, [partition], assignment)
    if (!group.some((deal) => deal.room(taker) > 0)) remaining.delete(taker)
  }
}
