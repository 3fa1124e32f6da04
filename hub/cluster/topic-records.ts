/** @module cluster/topic-records — records of partitions (KIP-631, KIP-858, KIP-966): applied to an image, and written from one. */
import { type DecodedOf, type PartitionChangeRecord, type PartitionRecord, ZERO_UUID } from '../wire/index.ts'
import type { PartitionState } from './image.ts'
import type { ImageEdit } from './image-edit.ts'
import { UnusableRecordError } from './unusable-record-error.ts'

/** `leader` of PartitionChangeRecord: none, and no change. */
export const NO_LEADER = -1
const NO_LEADER_CHANGE = -2
const NO_RECOVERY_CHANGE = -1

export function applyPartition(edit: ImageEdit, value: DecodedOf<typeof PartitionRecord>): void {
  const partitions = edit.partitions(value.topicId)
  if (partitions === undefined) throw unknown('PartitionRecord', value)
  partitions[value.partitionId] = {
    partition: value.partitionId,
    leader: value.leader,
    leaderEpoch: value.leaderEpoch,
    partitionEpoch: value.partitionEpoch,
    leaderRecoveryState: value.leaderRecoveryState,
    replicas: value.replicas,
    isr: value.isr,
    removingReplicas: value.removingReplicas,
    addingReplicas: value.addingReplicas,
    directories: directoriesFor(value.replicas, value.directories),
    eligibleLeaderReplicas: value.eligibleLeaderReplicas ?? [],
    lastKnownElr: value.lastKnownElr ?? [],
  }
}

/** The other way; lists that are empty by default stay out of the record. */
export function partitionValue(topicId: string, partition: PartitionState): Parameters<typeof PartitionRecord.encode>[0] {
  return {
    partitionId: partition.partition,
    topicId,
    replicas: [...partition.replicas],
    isr: [...partition.isr],
    removingReplicas: [...partition.removingReplicas],
    addingReplicas: [...partition.addingReplicas],
    leader: partition.leader,
    leaderRecoveryState: partition.leaderRecoveryState,
    leaderEpoch: partition.leaderEpoch,
    partitionEpoch: partition.partitionEpoch,
    directories: [...partition.directories],
    eligibleLeaderReplicas: orNull(partition.eligibleLeaderReplicas),
    lastKnownElr: orNull(partition.lastKnownElr),
  }
}

/** Every change raises the partition epoch; naming a leader, even the same one, raises the leader epoch. */
export function applyPartitionChange(edit: ImageEdit, value: DecodedOf<typeof PartitionChangeRecord>): void {
  const partitions = edit.partitions(value.topicId)
  const before = partitions?.[value.partitionId]
  if (partitions === undefined || before === undefined) throw unknown('PartitionChangeRecord', value)
  const replicas = value.replicas ?? before.replicas
  partitions[value.partitionId] = {
    partition: before.partition,
    leader: value.leader === NO_LEADER_CHANGE ? before.leader : value.leader,
    leaderEpoch: value.leader === NO_LEADER_CHANGE ? before.leaderEpoch : before.leaderEpoch + 1,
    partitionEpoch: before.partitionEpoch + 1,
    leaderRecoveryState: value.leaderRecoveryState === NO_RECOVERY_CHANGE ? before.leaderRecoveryState : value.leaderRecoveryState,
    replicas,
    isr: value.isr ?? before.isr,
    removingReplicas: value.removingReplicas ?? before.removingReplicas,
    addingReplicas: value.addingReplicas ?? before.addingReplicas,
    directories: value.directories ?? keptDirectories(before, replicas),
    eligibleLeaderReplicas: value.eligibleLeaderReplicas ?? before.eligibleLeaderReplicas,
    lastKnownElr: value.lastKnownElr ?? before.lastKnownElr,
  }
}

/** Empties the eligible leaders of a topic, of all topics for an empty name (KIP-966). */
export function applyClearElr(edit: ImageEdit, topicName: string): void {
  const topicIds = topicName === '' ? [...edit.base.topicsById.keys()] : [edit.topicIdOf(topicName)]
  for (const topicId of topicIds) {
    const partitions = topicId === undefined ? undefined : edit.partitions(topicId)
    if (partitions === undefined) throw new UnusableRecordError('ClearElrRecord', `names the topic ${topicName}, which does not exist`)
    for (const [index, partition] of partitions.entries()) {
      if (partition.eligibleLeaderReplicas.length + partition.lastKnownElr.length === 0) continue
      partitions[index] = { ...partition, eligibleLeaderReplicas: [], lastKnownElr: [], partitionEpoch: partition.partitionEpoch + 1 }
    }
  }
}

/** A record of before KIP-858 names no directories: then none is assigned. */
function directoriesFor(replicas: readonly number[], directories: readonly string[]): readonly string[] {
  return directories.length === replicas.length ? directories : replicas.map(() => ZERO_UUID)
}

function keptDirectories(before: PartitionState, replicas: readonly number[]): readonly string[] {
  if (replicas === before.replicas) return before.directories
  return replicas.map((brokerId) => before.directories[before.replicas.indexOf(brokerId)] ?? ZERO_UUID)
}

function orNull<T>(list: readonly T[]): T[] | null {
  return list.length === 0 ? null : [...list]
}

function unknown(recordName: string, value: { readonly topicId: string; readonly partitionId: number }): UnusableRecordError {
  return new UnusableRecordError(recordName, `names partition ${value.partitionId} of topic id ${value.topicId}, which does not exist`)
}
