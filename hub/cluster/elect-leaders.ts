/**
 * @module cluster/elect-leaders — decides on elections that somebody asks for: of preferred leaders (KIP-460), or of any live replica where
 * nobody leads, in sync or not (unclean: what only the others had is lost).
 * Source of the messages: org.apache.kafka.controller.ReplicationControlManager of Kafka 4.3.1.
 */
import { ErrorCode, encodeMetadataRecord, errorMessage, PartitionChangeRecord } from '../wire/index.ts'
import { type Circumstances, type Decision, isActive, type Problem, problem, SUCCESS, versionsOf } from './decision.ts'
import type { PartitionState, TopicState } from './image.ts'
import { NO_LEADER } from './topic-records.ts'
import type { ElectionType, PartitionOutcome, TopicPartitions } from './types.ts'

/** One outcome per partition named; for null one per partition of the cluster whose leader is not the one wanted, and none for the others. */
export function decideElectLeaders(
  circumstances: Circumstances,
  type: ElectionType,
  named: readonly TopicPartitions[] | null,
): Decision<PartitionOutcome> {
  const { image } = circumstances
  const records: Buffer[] = []
  const outcomes: PartitionOutcome[] = []
  const elect = (topic: string, partition: number): void => {
    const decided = electOne(circumstances, type, topic, partition)
    if ('errorCode' in decided) {
      if (named === null && decided.errorCode === ErrorCode.ELECTION_NOT_NEEDED) return
      outcomes.push({ topic, partition, ...decided })
      return
    }
    records.push(decided)
    outcomes.push({ topic, partition, ...SUCCESS })
  }
  if (named === null) {
    for (const { name, partitions } of image.topicsByName.values()) for (const { partition } of partitions) elect(name, partition)
  } else for (const { topic, partitions } of named) for (const partition of partitions) elect(topic, partition)
  return { records, outcomes }
}

function electOne(circumstances: Circumstances, type: ElectionType, name: string, index: number): Buffer | Problem {
  const { image } = circumstances
  const topic = image.topicsByName.get(name)
  if (topic === undefined) return problem(ErrorCode.UNKNOWN_TOPIC_OR_PARTITION, `No such topic as ${name}`)
  const partition = topic.partitions[index]
  if (partition === undefined) return problem(ErrorCode.UNKNOWN_TOPIC_OR_PARTITION, `No such partition as ${name}-${index}`)
  const isNotNeeded = type === 'preferred' ? partition.leader === partition.replicas[0] : partition.leader !== NO_LEADER
  if (isNotNeeded) return known(ErrorCode.ELECTION_NOT_NEEDED)
  const isLive = (brokerId: number): boolean => isActive(image.brokers.get(brokerId))
  const inSync = partition.replicas.filter((brokerId) => partition.isr.includes(brokerId) && isLive(brokerId))
  if (type === 'preferred') {
    const [preferred] = partition.replicas
    if (preferred === undefined || !inSync.includes(preferred)) return known(ErrorCode.PREFERRED_LEADER_NOT_AVAILABLE)
    return change(circumstances, topic, partition, { leader: preferred })
  }
  const [leader = partition.replicas.find(isLive)] = inSync
  if (leader === undefined) return known(ErrorCode.ELIGIBLE_LEADERS_NOT_AVAILABLE)
  // Who is elected uncleanly is the only one in sync from now on.
  return change(circumstances, topic, partition, { leader, ...(partition.isr.includes(leader) ? {} : { isr: [leader] }) })
}

function known(errorCode: number): Problem {
  return problem(errorCode, errorMessage(errorCode))
}

function change(
  circumstances: Circumstances,
  { topicId }: TopicState,
  { partition, eligibleLeaderReplicas, lastKnownElr }: PartitionState,
  changes: { readonly leader: number; readonly isr?: number[] },
): Buffer {
  const version = versionsOf(circumstances.image).partitionChange
  const isEligible = changes.isr !== undefined && eligibleLeaderReplicas.length + lastKnownElr.length > 0
  const value = { partitionId: partition, topicId, ...changes, ...(isEligible ? { eligibleLeaderReplicas: [], lastKnownElr: [] } : {}) }
  return encodeMetadataRecord(PartitionChangeRecord, value, version)
}
