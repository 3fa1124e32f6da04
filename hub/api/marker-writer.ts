/**
 * @module api/marker-writer — writes the marker of a transaction's end to a partition of this broker: for our own transaction coordinator,
 * and for whoever sends WriteTxnMarkers.
 *
 * Markers to `__consumer_offsets` are the group coordinator's to write, as the offsets that they decide are in its memory.
 */
import type { Controller } from '../cluster/index.ts'
import type { Marker } from '../log/index.ts'
import type { GroupCoordinator } from '../group/index.ts'
import type { Partitions } from '../replica/index.ts'
import type { MarkerWriter } from '../txn/index.ts'
import { ErrorCode } from '../wire/index.ts'

const OFFSETS_TOPIC = '__consumer_offsets'

/** A {@link MarkerWriter} over the partitions that this broker hosts. */
export function markerWriter(controller: Controller, partitions: Partitions, groups: GroupCoordinator): MarkerWriter {
  return {
    async write({ topic, partition }, marker) {
      if (controller.image.topicsByName.get(topic)?.partitions[partition] === undefined) return ErrorCode.UNKNOWN_TOPIC_OR_PARTITION
      if (topic === OFFSETS_TOPIC) return leaderCode(await groups.completeTransaction(partition, marker))
      return writeToLog(partitions, topic, partition, marker)
    },
  }
}

/** Who writes markers knows partitions, not coordinators: a partition that is not here, or not loaded yet, is asked for again. */
function leaderCode(coordinatorCode: number): number {
  switch (coordinatorCode) {
    case ErrorCode.NOT_COORDINATOR:
    case ErrorCode.COORDINATOR_NOT_AVAILABLE:
    case ErrorCode.COORDINATOR_LOAD_IN_PROGRESS:
      return ErrorCode.NOT_LEADER_OR_FOLLOWER
    default:
      return coordinatorCode
  }
}

async function writeToLog(partitions: Partitions, topic: string, index: number, marker: Marker): Promise<number> {
  const partition = partitions.get(topic, index)
  if (partition === undefined) {
    return partitions.failure(topic, index) === undefined ? ErrorCode.NOT_LEADER_OR_FOLLOWER : ErrorCode.KAFKA_STORAGE_ERROR
  }
  const outcome = partition.appendMarker(marker)
  if (outcome.kind === 'refused') return outcome.errorCode
  try {
    await outcome.durable
    return ErrorCode.NONE
  } catch {
    return ErrorCode.KAFKA_STORAGE_ERROR
  }
}
