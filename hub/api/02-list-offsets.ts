/**
 * @module api/02-list-offsets — offsets by time. Versions 1–11.
 *
 * 2: isolation level. 4: leader epochs (KIP-320). 7: −3, largest timestamp (KIP-734). 8: −4, earliest local (KIP-405). 9: −5, last tiered
 * (KIP-1005). 10: timeout for remote reads. 11: −6, earliest not yet tiered. With no tiered storage the earliest local offset is the
 * earliest, and there is no tiered one.
 */
import type { OffsetAndTimestamp } from '../log/index.ts'
import type { Partition } from '../replica/index.ts'
import { ErrorCode, ListOffsets, type RequestOf, ZERO_UUID } from '../wire/index.ts'
import { type Broker, defineHandler } from './handler.ts'
import { findPartition } from './partition-lookup.ts'

/** The timestamps that are names, and the first version that knows them. */
const LATEST = -1
const EARLIEST = -2
const MAX_TIMESTAMP = -3
const EARLIEST_LOCAL = -4
const LATEST_TIERED = -5
const EARLIEST_PENDING_UPLOAD = -6
const VERSION_MIN: ReadonlyMap<number, number> = new Map([
  [LATEST, 0],
  [EARLIEST, 0],
  [MAX_TIMESTAMP, 7],
  [EARLIEST_LOCAL, 8],
  [LATEST_TIERED, 9],
  [EARLIEST_PENDING_UPLOAD, 11],
])
const READ_COMMITTED = 1
/** `replicaId` of a consumer; −2 is a debugging reader, others are replicas: they see what no consumer does yet. */
const CONSUMER = -1
const NOT_FOUND: OffsetAndTimestamp = { offset: -1, timestampMs: -1, leaderEpoch: -1 }

type Request = RequestOf<typeof ListOffsets>
type PartitionRequest = Request['topics'][number]['partitions'][number]

export const listOffsets = defineHandler({
  api: ListOffsets,
  overlaps: false,
  create: (broker) => async (request, context) => {
    const duplicates = duplicatePartitions(request.topics)
    /** Answered once, as by Kafka. */
    const refused = new Set<string>()
    const topics = []
    for (const topic of request.topics) {
      const partitions = []
      for (const wanted of topic.partitions) {
        const key = `${topic.name}-${wanted.partitionIndex}`
        const duplicate = duplicates.has(key)
        if (duplicate && refused.has(key)) continue
        if (duplicate) refused.add(key)
        const found = duplicate ? ErrorCode.INVALID_REQUEST : await lookUp(broker, topic.name, wanted, request, context.apiVersion)
        const errorCode = typeof found === 'number' ? found : ErrorCode.NONE
        const { offset, timestampMs, leaderEpoch } = typeof found === 'number' ? NOT_FOUND : found
        partitions.push({ partitionIndex: wanted.partitionIndex, errorCode, timestamp: timestampMs, offset, leaderEpoch })
      }
      topics.push({ name: topic.name, partitions })
    }
    return { throttleTimeMs: 0, topics }
  },
})

async function lookUp(
  broker: Broker,
  name: string,
  wanted: PartitionRequest,
  request: Request,
  apiVersion: number,
): Promise<OffsetAndTimestamp | number> {
  if (wanted.timestamp < 0 && (VERSION_MIN.get(wanted.timestamp) ?? Number.POSITIVE_INFINITY) > apiVersion)
    return ErrorCode.UNSUPPORTED_VERSION
  const partition = findPartition(broker, { name, topicId: ZERO_UUID }, wanted.partitionIndex)
  if (typeof partition === 'number') return partition
  const epochError = partition.checkLeaderEpoch(wanted.currentLeaderEpoch)
  if (epochError !== ErrorCode.NONE) return epochError
  try {
    return await offsetFor(partition, wanted.timestamp, endFor(partition, request))
  } catch (error) {
    broker.logger.error(`cannot search ${name}-${wanted.partitionIndex} by time`, { error })
    return ErrorCode.KAFKA_STORAGE_ERROR
  }
}

/** Up to where the reader sees. */
function endFor(partition: Partition, { replicaId, isolationLevel }: Request): number {
  if (replicaId !== CONSUMER) return partition.log.logEndOffset
  return isolationLevel === READ_COMMITTED ? partition.lastStableOffset : partition.highWatermark.value
}

async function offsetFor(partition: Partition, timestamp: number, endOffset: number): Promise<OffsetAndTimestamp> {
  switch (timestamp) {
    case LATEST:
      return { offset: endOffset, timestampMs: -1, leaderEpoch: partition.leaderEpoch }
    case EARLIEST:
    case EARLIEST_LOCAL:
      return { offset: partition.logStartOffset, timestampMs: -1, leaderEpoch: epochAt(partition, partition.logStartOffset) }
    case LATEST_TIERED:
    case EARLIEST_PENDING_UPLOAD:
      return NOT_FOUND
    default: {
      const found = timestamp === MAX_TIMESTAMP ? await partition.log.maxTimestamp() : await partition.log.offsetForTimestamp(timestamp)
      return found !== undefined && found.offset < endOffset ? found : NOT_FOUND
    }
  }
}

function epochAt(partition: Partition, offset: number): number {
  return offset === partition.log.logEndOffset ? partition.leaderEpoch : partition.log.epochForOffset(offset)
}

function duplicatePartitions(topics: Request['topics']): Set<string> {
  const met = new Set<string>()
  const duplicates = new Set<string>()
  for (const topic of topics) {
    for (const { partitionIndex } of topic.partitions) {
      const key = `${topic.name}-${partitionIndex}`
      if (met.has(key)) duplicates.add(key)
      met.add(key)
    }
  }
  return duplicates
}
