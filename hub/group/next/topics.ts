/**
 * @module group/next/topics — the topics as a consumer group sees them, and the hash by which it notices that they changed (KIP-1101).
 */
import { Xxh3 } from './xxh3.ts'

/** One topic. */
export interface TopicFacts {
  readonly topicId: string
  readonly name: string
  readonly partitionCount: number
  /** Racks of the brokers that hold a replica; those without one left out. */
  racksOf(partition: number): readonly string[]
}

/** All topics at one time. Another object stands for another time; it is the same as long as no topic changes. */
export interface Topics {
  /** Rises with the metadata. */
  readonly version: number
  byName(name: string): TopicFacts | undefined
  byId(topicId: string): TopicFacts | undefined
  names(): Iterable<string>
}

/** Version of the way in which a topic is hashed. */
const HASH_VERSION = 0
const NO_TOPIC_HASH = 0n

const hashes = new WeakMap<TopicFacts, bigint>()

/** Hash over id, name, partitions and racks of a topic, as Kafka 4.3 computes it. */
export function topicHash(topic: TopicFacts): bigint {
  const known = hashes.get(topic)
  if (known !== undefined) return known
  const hasher = new Xxh3()
  const id = Buffer.from(topic.topicId, 'base64url')
  hasher.byte(HASH_VERSION).long(id.readBigInt64BE(0)).long(id.readBigInt64BE(8)).string(topic.name).int(topic.partitionCount)
  for (let partition = 0; partition < topic.partitionCount; partition++) {
    hasher.int(partition)
    for (const rack of [...topic.racksOf(partition)].sort()) hasher.int(rack.length).string(rack)
  }
  const hash = hasher.digest()
  hashes.set(topic, hash)
  return hash
}

/** Hash over the topics of a group, those that don't exist left out; 0 when none is left. */
export function metadataHash(names: Iterable<string>, topics: Topics): bigint {
  const existing = [...names].sort().flatMap((name) => topics.byName(name) ?? [])
  if (existing.length === 0) return NO_TOPIC_HASH
  const hasher = new Xxh3()
  for (const topic of existing) hasher.long(topicHash(topic))
  return hasher.digest()
}
