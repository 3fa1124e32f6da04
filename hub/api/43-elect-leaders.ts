/**
 * @module api/43-elect-leaders — elects leaders on demand. Versions 0–2 (KIP-183).
 *
 * 0: preferred leaders only. 1: top-level error, unclean elections (KIP-460). Null for the partitions means all of the cluster: then every
 * topic is named, with only those of its partitions whose leader was not the one wanted.
 */
import type { ElectionType, PartitionOutcome } from '../cluster/index.ts'
import { ElectLeaders, ErrorCode, type RequestOf } from '../wire/index.ts'
import { type Broker, defineHandler } from './handler.ts'

type Request = RequestOf<typeof ElectLeaders>

const ELECTION_TYPES: ReadonlyMap<number, ElectionType> = new Map([
  [0, 'preferred'],
  [1, 'unclean'],
])

export const electLeaders = defineHandler({
  api: ElectLeaders,
  overlaps: false,
  create: (broker) => async (request) => {
    const type = ELECTION_TYPES.get(request.electionType)
    if (type === undefined) return refused(request)
    const outcomes = await broker.controller.electLeaders(type, request.topicPartitions)
    return { throttleTimeMs: 0, errorCode: ErrorCode.NONE, replicaElectionResults: byTopic(broker, request, outcomes) }
  },
})

function byTopic(broker: Broker, { topicPartitions }: Request, outcomes: readonly PartitionOutcome[]) {
  const topics = topicPartitions?.map(({ topic }) => topic) ?? [...broker.controller.image.topicsByName.keys()]
  const outcomesOf = Map.groupBy(outcomes, ({ topic }) => topic)
  return [...new Set(topics)].map((topic) => ({
    topic,
    partitionResult: (outcomesOf.get(topic) ?? []).map(({ partition, errorCode, errorMessage }) => ({
      partitionId: partition,
      errorCode,
      errorMessage,
    })),
  }))
}

function refused({ electionType, topicPartitions }: Request) {
  const errorCode = ErrorCode.INVALID_REQUEST
  const replicaElectionResults = (topicPartitions ?? []).map(({ topic, partitions }) => ({
    topic,
    partitionResult: partitions.map((partitionId) => ({
      partitionId,
      errorCode,
      errorMessage: `Unknown election type ${electionType}`,
    })),
  }))
  return { throttleTimeMs: 0, errorCode, replicaElectionResults }
}
