/** @module test/cluster/several-brokers — images of clusters with more brokers than one, as a directory written by Kafka may hold. */
import type { Circumstances, Decision } from '../../hub/cluster/decision.ts'
import { type ClusterImage, emptyImage } from '../../hub/cluster/image.ts'
import { clusterLimits } from '../../hub/cluster/limits.ts'
import { applyRecords } from '../../hub/cluster/records.ts'
import { encodeMetadataRecord, FeatureLevelRecord, PartitionRecord, RegisterBrokerRecord, TopicRecord } from '../../hub/wire/index.ts'

export const NODE_ID = 1
export const TOPIC_ID = 'tttttttttttttttttttttQ'
const DIRECTORIES: Readonly<Record<number, string>> = {
  1: 'aaaaaaaaaaaaaaaaaaaaaQ',
  2: 'bbbbbbbbbbbbbbbbbbbbbQ',
  3: 'cccccccccccccccccccccQ',
}

/** One partition of topic `t`. */
export interface PartitionFacts {
  readonly replicas: number[]
  readonly isr?: number[]
  readonly leader?: number
  readonly eligible?: number[]
  readonly adding?: number[]
  readonly removing?: number[]
}

/** Broker 1 is alive, the others are registered and fenced. */
export function imageOf(
  partitions: readonly PartitionFacts[],
  levels: Readonly<Record<string, number>> = { 'metadata.version': 30 },
): ClusterImage {
  const records = Object.entries(levels).map(([name, featureLevel]) => encodeMetadataRecord(FeatureLevelRecord, { name, featureLevel }))
  for (const brokerId of [1, 2, 3]) {
    const facts = {
      brokerId,
      incarnationId: TOPIC_ID,
      brokerEpoch: brokerId * 10,
      endPoints: [{ name: 'PLAINTEXT', host: `host${brokerId}`, port: 9092, securityProtocol: 0 }],
      features: [],
      rack: null,
    }
    const directories = { logDirs: [DIRECTORIES[brokerId] as string], cordonedLogDirs: [] }
    records.push(
      encodeMetadataRecord(
        RegisterBrokerRecord,
        { ...facts, ...directories, fenced: brokerId !== NODE_ID, inControlledShutdown: false },
        4,
      ),
    )
  }
  records.push(encodeMetadataRecord(TopicRecord, { name: 't', topicId: TOPIC_ID }))
  for (const [partitionId, facts] of partitions.entries()) {
    const { replicas, isr = replicas, leader = isr[0] ?? -1, eligible = null, adding = [], removing = [] } = facts
    const value = { partitionId, topicId: TOPIC_ID, replicas, isr, leader, leaderEpoch: 5, partitionEpoch: 7, leaderRecoveryState: 0 }
    const moving = { addingReplicas: adding, removingReplicas: removing, eligibleLeaderReplicas: eligible, lastKnownElr: null }
    const directories = replicas.map((brokerId) => DIRECTORIES[brokerId] as string)
    records.push(encodeMetadataRecord(PartitionRecord, { ...value, ...moving, directories }, 2))
  }
  return applyRecords(emptyImage('cluster', NODE_ID), records, { lastOffset: 100, epoch: 1, timestampMs: 0 })
}

export function circumstancesOf(image: ClusterImage): Circumstances {
  const settings = {
    partitionCount: 1,
    replicationFactor: 1,
    replicationFactorSet: false,
    minInsyncReplicas: 1,
    given: new Map<string, string>(),
  }
  return { image, nodeId: NODE_ID, settings, limits: clusterLimits, newId: () => TOPIC_ID, randomFloat: () => 0 }
}

/** The image after a decision. */
export function decided(image: ClusterImage, { records }: Decision<unknown>): ClusterImage {
  return applyRecords(image, records, { lastOffset: image.offset + records.length, epoch: 1, timestampMs: 0 })
}

/** A partition's state as far as decisions change it. */
export function stateOf(image: ClusterImage, index = 0) {
  const partition = image.topicsByName.get('t')?.partitions[index]
  if (partition === undefined) throw new Error(`no partition ${index}`)
  const { replicas, isr, leader, leaderEpoch, addingReplicas, removingReplicas, eligibleLeaderReplicas, directories } = partition
  return { replicas, isr, leader, leaderEpoch, addingReplicas, removingReplicas, eligibleLeaderReplicas, directories }
}
