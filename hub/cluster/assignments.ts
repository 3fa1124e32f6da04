/**
 * @module cluster/assignments — replicas of new partitions: checked when the client gave them, placed when it did not; and the records.
 * Source of the messages: org.apache.kafka.controller.ReplicationControlManager of Kafka 4.3.1.
 */
import { ErrorCode, encodeMetadataRecord, PartitionRecord, ZERO_UUID } from '../wire/index.ts'
import { type Circumstances, isActive, type Problem, problem, versionsOf } from './decision.ts'
import type { BrokerState, ClusterImage, PartitionState } from './image.ts'
import { placeReplicas } from './placement.ts'
import { partitionValue } from './topic-records.ts'

/** Replicas by new partition, preferred leader first. */
export type Assignment = readonly (readonly number[])[]

/** Places replicas over all brokers. */
export function placed(circumstances: Circumstances, partitionCount: number, replicationFactor: number): Assignment | Problem {
  const { image, randomFloat } = circumstances
  const placement = placeReplicas({ brokers: [...image.brokers.values()], partitionCount, replicationFactor, randomFloat })
  if ('replicas' in placement) return placement.replicas
  return problem(
    ErrorCode.INVALID_REPLICATION_FACTOR,
    `Unable to replicate the partition ${replicationFactor} time(s): ${placement.problem}`,
  )
}

/** What is wrong with replicas that a client chose for a new partition: {@link replicasProblem}, or that none of them is alive. */
export function manualProblem(
  image: ClusterImage,
  partition: number,
  replicas: readonly number[],
  replicationFactor: number | undefined,
): Problem | undefined {
  const wrong = replicasProblem(image, replicas, replicationFactor)
  if (wrong !== undefined || replicas.some((brokerId) => isActive(image.brokers.get(brokerId)))) return wrong
  const message = `All brokers specified in the manual partition assignment for partition ${partition} are fenced or in controlled shutdown.`
  return problem(ErrorCode.INVALID_REPLICA_ASSIGNMENT, message)
}

/** What is wrong with replicas that a client chose; `replicationFactor` is that of the topic's other partitions, if it has to be the same. */
export function replicasProblem(
  image: ClusterImage,
  replicas: readonly number[],
  replicationFactor: number | undefined,
): Problem | undefined {
  const refuse = (message: string): Problem => problem(ErrorCode.INVALID_REPLICA_ASSIGNMENT, message)
  if (replicas.length === 0) return refuse('The manual partition assignment includes an empty replica list.')
  let previous: number | undefined
  for (const brokerId of replicas.toSorted((a, b) => a - b)) {
    if (!image.brokers.has(brokerId))
      return refuse(`The manual partition assignment includes broker ${brokerId}, but no such broker is registered.`)
    if (brokerId === previous) return refuse(`The manual partition assignment includes the broker ${brokerId} more than once.`)
    previous = brokerId
  }
  if (replicationFactor !== undefined && replicas.length !== replicationFactor) {
    return refuse(
      `The manual partition assignment includes a partition with ${replicas.length} replica(s), but this is not consistent with previous ` +
        `partitions, which have ${replicationFactor} replica(s).`,
    )
  }
  return undefined
}

/** Records of new partitions: the live replicas are in sync, the first of them leads. */
export function partitionRecords(image: ClusterImage, topicId: string, firstPartition: number, assignment: Assignment): Buffer[] {
  const { partition: version } = versionsOf(image)
  return assignment.map((replicas, index) => {
    const state = newPartition(image, firstPartition + index, replicas)
    return encodeMetadataRecord(PartitionRecord, partitionValue(topicId, state), version)
  })
}

function newPartition(image: ClusterImage, partition: number, replicas: readonly number[]): PartitionState {
  const isr = replicas.filter((brokerId) => isActive(image.brokers.get(brokerId)))
  return {
    partition,
    leader: isr[0] as number,
    leaderEpoch: 0,
    partitionEpoch: 0,
    leaderRecoveryState: 0,
    replicas,
    isr,
    removingReplicas: [],
    addingReplicas: [],
    directories: replicas.map((brokerId) => onlyDirectory(image.brokers.get(brokerId))),
    eligibleLeaderReplicas: [],
    lastKnownElr: [],
  }
}

/** A broker with one log directory has no choice (KIP-858); of several it chooses itself. */
function onlyDirectory(broker: BrokerState | undefined): string {
  return broker?.logDirs.length === 1 ? (broker.logDirs[0] as string) : ZERO_UUID
}

/** Refuses what would pass the limits on partitions. */
export function countProblem(circumstances: Circumstances, newPartitionCount: number): Problem | undefined {
  const { image, limits } = circumstances
  if (newPartitionCount > limits.requestPartitionsMax) {
    return problem(ErrorCode.POLICY_VIOLATION, 'Excessively large number of partitions per request.')
  }
  if (image.partitionCount + newPartitionCount <= limits.clusterPartitionsMax) return undefined
  const message = `The cluster has ${image.partitionCount} partitions; ${newPartitionCount} more would pass its limit of ${limits.clusterPartitionsMax}.`
  return problem(ErrorCode.POLICY_VIOLATION, message)
}
