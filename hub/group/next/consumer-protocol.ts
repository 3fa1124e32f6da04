/**
 * @module group/next/consumer-protocol — what members of the classic protocol say in its embedded `consumer` protocol, and what they
 * are told (KIP-429, KIP-848).
 */
import {
  ConsumerProtocolAssignment,
  ConsumerProtocolSubscription,
  DecodeError,
  decodeVersioned,
  encodeVersioned,
} from '../../wire/index.ts'
import { listOf } from './partitions.ts'
import type { Partitions, TopicPartitions } from './partitions.ts'
import type { Topics } from './topics.ts'

/** The protocol type of consumers. */
export const CONSUMER_PROTOCOL_TYPE = 'consumer'
const VERSION_BYTES = 2

/** What a member subscribes to. */
export interface ClassicSubscription {
  readonly topicNames: readonly string[]
  readonly rackId: string | null
  readonly owned: TopicPartitions
}

/** Reads a subscription; topics that don't exist own nothing. Null: malformed. */
export function readSubscription(metadata: Buffer, topics: Topics): ClassicSubscription | null {
  return orNull(() => {
    const read = decodeVersioned(ConsumerProtocolSubscription, metadata)
    return {
      topicNames: [...new Set(read.topics)].sort(),
      rackId: read.rackId === '' ? null : read.rackId,
      owned: byId(read.ownedPartitions, topics),
    }
  })
}

/** Reads an assignment of a classic leader. Null: malformed, or with user data of a client's own assignor, which would be lost. */
export function readAssignment(assignment: Buffer, topics: Topics): TopicPartitions | null {
  if (assignment.length === 0) return []
  return orNull(() => {
    const { assignedPartitions, userData } = decodeVersioned(ConsumerProtocolAssignment, assignment)
    return (userData?.length ?? 0) > 0 ? null : byId(assignedPartitions, topics)
  })
}

/** Writes an assignment in the version in which the member wrote its subscription. */
export function writeAssignment(partitions: Partitions, metadata: Buffer, topics: Topics): Buffer {
  const assignedPartitions = listOf(partitions).flatMap(({ topicId, partitions: numbers }) => {
    const topic = topics.byId(topicId)
    return topic === undefined ? [] : [{ topic: topic.name, partitions: numbers }]
  })
  const asked = metadata.length >= VERSION_BYTES ? metadata.readInt16BE(0) : 0
  const { min, max } = ConsumerProtocolAssignment.versions
  return encodeVersioned(ConsumerProtocolAssignment, { assignedPartitions, userData: null }, Math.min(Math.max(asked, min), max))
}

function byId(named: readonly { readonly topic: string; readonly partitions: readonly number[] }[], topics: Topics): TopicPartitions {
  return named.flatMap(({ topic, partitions }) => {
    const topicId = topics.byName(topic)?.topicId
    return topicId === undefined ? [] : [{ topicId, partitions }]
  })
}

function orNull<T>(read: () => T | null): T | null {
  try {
    return read()
  } catch (error) {
    if (error instanceof DecodeError) return null
    throw error
  }
}
