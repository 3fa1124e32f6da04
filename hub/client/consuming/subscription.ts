/** @module client/consuming/subscription — the consumer protocol: what members tell the leader, and what it tells them. Pure. */
import { ConsumerProtocolAssignment, ConsumerProtocolSubscription, decodeVersioned, encodeVersioned } from '../../wire/index.ts'
import type { Assignment, Assignor, AssignorMember, AssignorTopic } from '../assignors/types.ts'
import type { JoinedMember } from '../group-member-types.ts'
import type { ClusterImage } from '../metadata.ts'
import type { TopicPartition } from '../types.ts'

/** Subscription with owned partitions (KIP-429), generation (KIP-792) and rack (KIP-881). */
const SUBSCRIPTION_VERSION = 3
const ASSIGNMENT_VERSION = 3

/** What a consumer tells the leader of its group. */
export interface SubscriptionInput {
  readonly topics: readonly string[]
  readonly owned: readonly TopicPartition[]
  readonly generationId: number
  readonly rackId: string
  readonly userData: Buffer | null
}

/** The subscription as bytes of a protocol's metadata. */
export function encodeSubscription(input: SubscriptionInput): Buffer {
  const value = {
    topics: [...input.topics].sort(),
    userData: input.userData,
    ownedPartitions: grouped(input.owned),
    generationId: input.generationId,
    rackId: input.rackId === '' ? null : input.rackId,
  }
  return encodeVersioned(ConsumerProtocolSubscription, value, SUBSCRIPTION_VERSION)
}

/** Members as an assignor wants them. Throws DecodeError for bytes that are no subscription. */
export function decodeMembers(members: readonly JoinedMember[]): AssignorMember[] {
  return members.map(({ memberId, groupInstanceId, metadata }) => {
    const { topics, userData, ownedPartitions, generationId, rackId } = decodeVersioned(ConsumerProtocolSubscription, metadata)
    return {
      memberId,
      groupInstanceId,
      topics,
      userData,
      ownedPartitions: flat(ownedPartitions),
      generationId,
      rackId,
    }
  })
}

/** One member's share as bytes. */
export function encodeAssignment(partitions: readonly TopicPartition[]): Buffer {
  return encodeVersioned(ConsumerProtocolAssignment, { assignedPartitions: grouped(partitions) }, ASSIGNMENT_VERSION)
}

/** Our share; empty bytes are an empty share. */
export function decodeAssignment(bytes: Buffer): TopicPartition[] {
  if (bytes.length === 0) return []
  return flat(decodeVersioned(ConsumerProtocolAssignment, bytes).assignedPartitions)
}

/** The leader's work. `racks` tells each broker's rack. */
export function assignAll(assignor: Assignor, members: readonly AssignorMember[], image: ClusterImage): Assignment {
  const topics = new Map<string, AssignorTopic>()
  for (const name of new Set(members.flatMap((member) => member.topics))) {
    const partitions = image.topics.get(name)?.partitions ?? []
    if (partitions.length === 0) continue
    topics.set(name, {
      partitionCount: partitions.length,
      partitionRacks: partitions.map(({ replicas }) =>
        replicas.map((nodeId) => image.brokers.get(nodeId)?.rack).filter((rack) => typeof rack === 'string'),
      ),
    })
  }
  return assignor.assign(topics, members)
}

/** Partition counts of topics: when they change, the leader deals anew. */
export function partitionCounts(topics: Iterable<string>, image: ClusterImage): string {
  return JSON.stringify([...topics].sort().map((topic) => [topic, image.topics.get(topic)?.partitions.length ?? 0]))
}

function grouped(partitions: readonly TopicPartition[]): { topic: string; partitions: number[] }[] {
  return [...Map.groupBy(partitions, ({ topic }) => topic)].map(([topic, parts]) => ({
    topic,
    partitions: parts.map(({ partition }) => partition),
  }))
}

function flat(topics: readonly { topic: string; partitions: readonly number[] }[]): TopicPartition[] {
  return topics.flatMap(({ topic, partitions }) => partitions.map((partition) => ({ topic, partition })))
}
