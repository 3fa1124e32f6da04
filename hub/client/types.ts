/** @module client/types — the words that producer, consumer and admin share. */
import type { Clock, Net, Random } from '../io/index.ts'

/** What the client takes from the outside: time, chance, sockets. */
export interface ClientWorld {
  readonly clock: Clock
  readonly random: Random
  readonly net: Net
}

/** Whose time a record carries: the producer's, or the broker's where the topic uses LogAppendTime. */
export type TimestampType = 'create' | 'append'

/** One partition of one topic. */
export interface TopicPartition {
  readonly topic: string
  readonly partition: number
}

/** A record header. Keys may repeat; their order is kept. */
export interface RecordHeader {
  readonly key: string
  readonly value: Buffer | null
}

/** A broker as metadata names it. */
export interface BrokerInfo {
  readonly nodeId: number
  readonly host: string
  readonly port: number
  readonly rack: string | null
}

/** A partition as metadata describes it. `leaderId` and `leaderEpoch` are -1 when unknown. */
export interface PartitionInfo extends TopicPartition {
  readonly leaderId: number
  readonly leaderEpoch: number
  readonly replicas: readonly number[]
  readonly isr: readonly number[]
  readonly offlineReplicas: readonly number[]
}

/** What a group remembers for a partition. */
export interface CommittedOffset {
  /** Next offset to read. */
  readonly offset: number
  /** Epoch of the record before it; -1 when unknown (KIP-320). */
  readonly leaderEpoch: number
  readonly metadata: string
}

/** A consumer as its group knows it: what a transactional producer needs to commit offsets in its name (KIP-447). */
export interface GroupMetadata {
  readonly groupId: string
  /** Generation, or member epoch with the consumer protocol; -1: no member. */
  readonly generationId: number
  readonly memberId: string
  readonly groupInstanceId: string | null
}

/** The text key of a partition in maps. */
export function partitionKey(topic: string, partition: number): string {
  return `${topic}-${partition}`
}
