/** @module api/46-list-partition-reassignments — moves of partitions that are under way. Version 0 (KIP-455). Null for the topics means all. */
import type { PartitionImage } from '../cluster/index.ts'
import { ErrorCode, ListPartitionReassignments } from '../wire/index.ts'
import { defineHandler } from './handler.ts'

export const listPartitionReassignments = defineHandler({
  api: ListPartitionReassignments,
  overlaps: false,
  create: (broker) => (request) => {
    const { topicsByName } = broker.controller.image
    const asked =
      request.topics?.map(({ name, partitionIndexes }) => ({
        name,
        partitions: partitionIndexes.flatMap((index) => topicsByName.get(name)?.partitions[index] ?? []),
      })) ?? topicsByName.values()
    const topics = []
    for (const { name, partitions } of asked) {
      const moving = partitions.filter(isMoving)
      if (moving.length > 0) topics.push({ name, partitions: moving.map(describe) })
    }
    return { throttleTimeMs: 0, errorCode: ErrorCode.NONE, errorMessage: null, topics }
  },
})

function isMoving({ addingReplicas, removingReplicas }: PartitionImage): boolean {
  return addingReplicas.length + removingReplicas.length > 0
}

function describe({ partition, replicas, addingReplicas, removingReplicas }: PartitionImage) {
  return {
    partitionIndex: partition,
    replicas: [...replicas],
    addingReplicas: [...addingReplicas],
    removingReplicas: [...removingReplicas],
  }
}
