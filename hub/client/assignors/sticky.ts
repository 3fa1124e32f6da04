/**
 * @module client/assignors/sticky — balanced, and as little moved as possible (StickyAssignor, KIP-54; CooperativeStickyAssignor, KIP-429).
 *
 * Two ways: when all members want the same topics a linear one (`sticky-equal.ts`), else a search that moves partitions
 * one by one while that improves the balance (`sticky-mixed.ts`). Results equal those of Kafka's classes.
 */
import { partitionKey, type TopicPartition } from '../types.ts'
import { RackMap } from './racks.ts'
import { assignEqual } from './sticky-equal.ts'
import type { Claim, StickyState } from './sticky-state.ts'
import { assignMixed } from './sticky-mixed.ts'
import type { Assignment, Assignor, AssignorMember, AssignorTopic } from './types.ts'
import { decodeCooperativeUserData, decodeStickyUserData, encodeCooperativeUserData, encodeStickyUserData } from './user-data.ts'

/** Keeps what members own over an eager rebalance; ownership travels in the user data. */
export const stickyAssignor: Assignor = {
  name: 'sticky',
  cooperative: false,
  userData: (owned, generationId) => (owned === null ? null : encodeStickyUserData(owned, generationId)),
  assign: (topics, members) => assignSticky(topics, members, (member) => decodeStickyUserData(member.userData)).assignment,
}

/** Like sticky, but a partition that changes hands is first taken away and given out in the rebalance after. */
export const cooperativeStickyAssignor: Assignor = {
  name: 'cooperative-sticky',
  cooperative: true,
  userData: (_owned, generationId) => encodeCooperativeUserData(generationId),
  assign: (topics, members) => {
    const { assignment, moved } = assignSticky(topics, members, cooperativeClaim)
    for (const [key, memberId] of moved ?? changesOfHands(assignment, members)) {
      const hand = assignment.get(memberId) ?? []
      const at = hand.findIndex(({ topic, partition }) => partitionKey(topic, partition) === key)
      if (at >= 0) hand.splice(at, 1)
    }
    return assignment
  },
}

function cooperativeClaim(member: AssignorMember): Claim {
  // Subscription v2 and up carries the generation itself (KIP-792).
  const generationId = member.generationId >= 0 ? member.generationId : decodeCooperativeUserData(member.userData)
  return { partitions: member.ownedPartitions, generationId }
}

function assignSticky(
  topics: ReadonlyMap<string, AssignorTopic>,
  members: readonly AssignorMember[],
  claimOf: (member: AssignorMember) => Claim,
): { assignment: Assignment; moved: Map<string, string> | null } {
  const wanted = new Set(members.flatMap((member) => member.topics))
  const existing = new Map([...topics].filter(([topic]) => wanted.has(topic)))
  const state = settleClaims(existing, members, claimOf)
  return wantTheSame(members) ? assignEqual(state) : { assignment: assignMixed(state), moved: null }
}

function wantTheSame(members: readonly AssignorMember[]): boolean {
  const measure = new Set(members[0]?.topics)
  return members.every(({ topics }) => topics.length === measure.size && topics.every((topic) => measure.has(topic)))
}

function settleClaims(
  topics: ReadonlyMap<string, AssignorTopic>,
  members: readonly AssignorMember[],
  claimOf: (member: AssignorMember) => Claim,
): StickyState {
  const claims = new Map<string, Claim>()
  const owned = new Map<string, TopicPartition[]>()
  const ownerOf = new Map<string, AssignorMember>()
  const claimedTwice = new Set<string>()
  let generationIdMax = -1
  for (const member of members) {
    const claim = claimOf(member)
    const generationId = claim.generationId ?? -1
    generationIdMax = Math.max(generationIdMax, generationId)
    claims.set(member.memberId, claim)
    const hand: TopicPartition[] = []
    owned.set(member.memberId, hand)
    for (const at of claim.partitions) {
      if (!topics.has(at.topic)) continue
      const key = partitionKey(at.topic, at.partition)
      const other = ownerOf.get(key)
      if (other === undefined) {
        hand.push(at)
        ownerOf.set(key, member)
        continue
      }
      // Kafka compares with the generation in the other's subscription, not in its user data.
      if (generationId < other.generationId) continue
      if (generationId === other.generationId) claimedTwice.add(key)
      else hand.push(at)
      const otherHand = owned.get(other.memberId) ?? []
      const position = otherHand.findIndex(({ topic, partition }) => topic === at.topic && partition === at.partition)
      if (position >= 0) otherHand.splice(position, 1)
      ownerOf.set(key, member)
    }
  }
  return {
    topics,
    members,
    racks: new RackMap(topics, members),
    claims,
    owned,
    claimedTwice,
    generationIdMax,
  }
}

/** Partitions that somebody gains and somebody else still holds. */
function changesOfHands(assignment: Assignment, members: readonly AssignorMember[]): Map<string, string> {
  const gained = new Map<string, string>()
  const given = new Set<string>()
  for (const { memberId, ownedPartitions } of members) {
    const ownedKeys = new Set(ownedPartitions.map(({ topic, partition }) => partitionKey(topic, partition)))
    const assignedKeys = new Set<string>()
    for (const { topic, partition } of assignment.get(memberId) ?? []) {
      const key = partitionKey(topic, partition)
      assignedKeys.add(key)
      if (!ownedKeys.has(key)) gained.set(key, memberId)
    }
    for (const key of ownedKeys) if (!assignedKeys.has(key)) given.add(key)
  }
  return new Map([...gained].filter(([key]) => given.has(key)))
}
