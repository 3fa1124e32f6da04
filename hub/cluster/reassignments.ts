/**
 * @module cluster/reassignments — decides on moving partitions to other replicas (KIP-455). On a lone node that is: taking away replicas of
 * brokers that are gone, waiting for brokers that never come, and taking such a wait back.
 * Source of the rules and messages: org.apache.kafka.controller.ReplicationControlManager, PartitionReassignmentReplicas and
 * PartitionReassignmentRevert of Kafka 4.3.1.
 */
import { ErrorCode, encodeMetadataRecord, PartitionChangeRecord, ZERO_UUID } from '../wire/index.ts'
import { replicasProblem } from './assignments.ts'
import { type Circumstances, type Decision, isActive, type Problem, problem, SUCCESS, versionsOf } from './decision.ts'
import type { ClusterImage, PartitionState } from './image.ts'
import { NO_LEADER } from './topic-records.ts'
import type { PartitionOutcome, ReassignmentSpec } from './types.ts'

/** What a PartitionChangeRecord says beside whom it is about. */
interface Change {
  readonly replicas: readonly number[]
  readonly isr: readonly number[]
  readonly removingReplicas: readonly number[]
  readonly addingReplicas: readonly number[]
}

/** One outcome per partition, in the order of the request. */
export function decideReassignments(
  circumstances: Circumstances,
  specs: readonly ReassignmentSpec[],
  options: { readonly allowReplicationFactorChange: boolean },
): Decision<PartitionOutcome> {
  const records: Buffer[] = []
  const outcomes = specs.map((spec): PartitionOutcome => {
    const { topic, partition } = spec
    const decided = reassignOne(circumstances, spec, options.allowReplicationFactorChange)
    if ('errorCode' in decided) return { topic, partition, ...decided }
    records.push(...decided)
    return { topic, partition, ...SUCCESS }
  })
  return { records, outcomes }
}

function reassignOne(circumstances: Circumstances, spec: ReassignmentSpec, allowsOtherCount: boolean): readonly Buffer[] | Problem {
  const { image } = circumstances
  const topic = image.topicsByName.get(spec.topic)
  if (topic === undefined) return problem(ErrorCode.UNKNOWN_TOPIC_OR_PARTITION, `Unable to find a topic named ${spec.topic}.`)
  const partition = topic.partitions[spec.partition]
  if (partition === undefined)
    return problem(ErrorCode.UNKNOWN_TOPIC_OR_PARTITION, `Unable to find partition ${spec.topic}:${spec.partition}.`)
  const change = spec.replicas === null ? reverted(partition) : moved(image, partition, spec.replicas, allowsOtherCount)
  if (change === undefined) return []
  if ('errorCode' in change) return change
  return [recordOf(circumstances, topic.topicId, partition, change)]
}

/** Undefined when the replicas are what is asked for already. */
function moved(
  image: ClusterImage,
  partition: PartitionState,
  target: readonly number[],
  allowsOtherCount: boolean,
): Change | Problem | undefined {
  const wrong = replicasProblem(image, target, undefined)
  if (wrong !== undefined) return wrong
  const replicaCount = original(partition).length
  if (!allowsOtherCount && target.length !== replicaCount) {
    const message = `The replication factor is changed from ${replicaCount} to ${target.length}`
    return problem(ErrorCode.INVALID_REPLICATION_FACTOR, message)
  }
  const removing = sortedWithout(partition.replicas, target)
  const adding = sortedWithout(target, partition.replicas)
  const change: Change = {
    replicas: [...target, ...removing],
    isr: partition.isr,
    removingReplicas: removing.length > 0 ? removing : partition.removingReplicas,
    addingReplicas: adding.length > 0 ? adding : partition.addingReplicas,
  }
  const next = completed(image, change) ?? change
  const { replicas, isr, removingReplicas, addingReplicas } = partition
  return JSON.stringify(next) === JSON.stringify({ replicas, isr, removingReplicas, addingReplicas }) ? undefined : next
}

/** The end of a reassignment whose last replicas are all in sync and alive already; undefined when it has to wait. */
function completed(image: ClusterImage, { replicas, isr, removingReplicas, addingReplicas }: Change): Change | undefined {
  if (removingReplicas.length + addingReplicas.length === 0) return undefined
  const stays = (brokerId: number): boolean => !removingReplicas.includes(brokerId)
  const remaining = replicas.filter(stays)
  const isReady = remaining.every((brokerId) => isr.includes(brokerId) && isActive(image.brokers.get(brokerId)))
  if (remaining.length === 0 || !isReady) return undefined
  return { replicas: remaining, isr: isr.filter(stays), removingReplicas: [], addingReplicas: [] }
}

function reverted(partition: PartitionState): Change | Problem {
  if (partition.removingReplicas.length + partition.addingReplicas.length === 0) return problem(ErrorCode.NO_REASSIGNMENT_IN_PROGRESS, null)
  const remaining = partition.isr.filter((member) => !partition.addingReplicas.includes(member))
  return { replicas: original(partition), isr: remaining, removingReplicas: [], addingReplicas: [] }
}

/** The replicas without those that a reassignment under way is adding. */
function original({ replicas, addingReplicas }: PartitionState): readonly number[] {
  return replicas.filter((brokerId) => !addingReplicas.includes(brokerId))
}

function sortedWithout(list: readonly number[], others: readonly number[]): number[] {
  return list.filter((brokerId) => !others.includes(brokerId)).toSorted((one, other) => one - other)
}

/** Says what is different. Where a replica goes, the leader is named anew, so that its epoch rises and fences the one that goes. */
function recordOf(circumstances: Circumstances, topicId: string, partition: PartitionState, change: Change): Buffer {
  const { image } = circumstances
  const { partitionChange: version } = versionsOf(image)
  const isShrinking = partition.replicas.some((brokerId) => !change.replicas.includes(brokerId))
  const leads = change.isr.includes(partition.leader)
  const leader = leads ? partition.leader : (change.isr.find((member) => isActive(image.brokers.get(member))) ?? NO_LEADER)
  const directories = change.replicas.map((brokerId) => directoryOf(image, partition, brokerId))
  const value = {
    partitionId: partition.partition,
    topicId,
    ...(isShrinking || !leads ? { leader } : {}),
    replicas: [...change.replicas],
    isr: [...change.isr],
    removingReplicas: [...change.removingReplicas],
    addingReplicas: [...change.addingReplicas],
    ...(version === 0 ? {} : { directories }),
  }
  return encodeMetadataRecord(PartitionChangeRecord, value, version)
}

/** That of a replica that stays; a broker with one directory has no choice (KIP-858). */
function directoryOf(image: ClusterImage, partition: PartitionState, brokerId: number): string {
  const at = partition.replicas.indexOf(brokerId)
  if (at >= 0) return partition.directories[at] ?? ZERO_UUID
  const directories = image.brokers.get(brokerId)?.logDirs ?? []
  return directories.length === 1 ? (directories[0] as string) : ZERO_UUID
}
