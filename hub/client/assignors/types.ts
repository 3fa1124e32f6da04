/** @module client/assignors/types — what a group leader knows when it deals out partitions. */
import type { TopicPartition } from '../types.ts'

/** A member's wish and what it owns, decoded from its join metadata. */
export interface AssignorMember {
  readonly memberId: string
  readonly groupInstanceId?: string | null
  readonly rackId?: string | null
  /** In the order in which the member named them. */
  readonly topics: readonly string[]
  readonly ownedPartitions: readonly TopicPartition[]
  /** Generation in which it got `ownedPartitions`; -1 when unknown. */
  readonly generationId: number
  readonly userData: Buffer | null
}

/** A topic that exists: for each partition the racks of its replicas (empty when unknown). */
export interface AssignorTopic {
  readonly partitionCount: number
  readonly partitionRacks?: readonly (readonly string[])[]
}

/** Member id to partitions, in the order in which they were dealt. */
export type Assignment = Map<string, TopicPartition[]>

/** A way of dealing out partitions. Pure: the same members and topics give the same assignment. */
export interface Assignor {
  /** Protocol name on the wire. */
  readonly name: string
  /** Whether members keep what they own while a rebalance runs (KIP-429). */
  readonly cooperative: boolean
  assign(topics: ReadonlyMap<string, AssignorTopic>, members: readonly AssignorMember[]): Assignment
  /** What this assignor wants to read next time, written into the subscription; null for nothing. */
  userData(owned: readonly TopicPartition[] | null, generationId: number): Buffer | null
}

/** Java's String.compareTo: by UTF-16 code units. */
export function compareText(one: string, other: string): number {
  return one < other ? -1 : one > other ? 1 : 0
}

/** By topic, then partition. */
export function byTopic(one: TopicPartition, other: TopicPartition): number {
  return compareText(one.topic, other.topic) || one.partition - other.partition
}

/** Static members by their instance id and before dynamic ones, which go by member id (KIP-345): stable over restarts. */
export function compareMembers(one: AssignorMember, other: AssignorMember): number {
  const instance = one.groupInstanceId ?? null
  const otherInstance = other.groupInstanceId ?? null
  if (instance !== null && otherInstance !== null) return compareText(instance, otherInstance)
  if (instance !== null) return -1
  if (otherInstance !== null) return 1
  return compareText(one.memberId, other.memberId)
}

/** An empty hand for every member. */
export function emptyAssignment(members: readonly AssignorMember[]): Assignment {
  return new Map(members.map((member) => [member.memberId, []]))
}

/** Racks matter only when members and replicas share some, and the replicas of some partition don't reach all of them (KIP-881). */
export function racksMatter(memberRacks: ReadonlySet<string>, partitionRacks: ReadonlyMap<string, ReadonlySet<string>>): boolean {
  if (memberRacks.size === 0) return false
  const all = new Set<string>()
  for (const racks of partitionRacks.values()) for (const rack of racks) all.add(rack)
  if (![...memberRacks].some((rack) => all.has(rack))) return false
  return [...partitionRacks.values()].some((racks) => racks.size !== all.size)
}
