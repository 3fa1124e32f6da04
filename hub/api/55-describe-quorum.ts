/**
 * @module api/55-describe-quorum — the quorum of the metadata log. Versions 0–2 (KIP-595).
 *
 * A lone voter, which leads; it has no listener for controllers, as there are no others to talk to. 1: times (KIP-836). 2: directory ids,
 * messages, endpoints (KIP-853).
 */
import { DescribeQuorum, ErrorCode, type RequestOf } from '../wire/index.ts'
import { type Broker, defineHandler } from './handler.ts'

type Request = RequestOf<typeof DescribeQuorum>

const METADATA_TOPIC = '__cluster_metadata'
const NOT_HOSTED = 'This server does not host this topic-partition.'

export const describeQuorum = defineHandler({
  api: DescribeQuorum,
  overlaps: false,
  create: (broker) => (request) => {
    const isAsked = isMetadataLogAlone(request)
    return {
      errorCode: ErrorCode.NONE,
      errorMessage: '',
      topics: request.topics.map(({ topicName, partitions }) => ({
        topicName,
        partitions: partitions.map(({ partitionIndex }) => (isAsked ? quorum(broker) : notHosted(partitionIndex))),
      })),
      nodes: isAsked ? [{ nodeId: broker.nodeId, listeners: [] }] : [],
    }
  },
})

/** As in Kafka, the one partition there is has to be asked for alone. */
function isMetadataLogAlone({ topics: [topic, ...others] }: Request): boolean {
  const [partition, ...more] = topic?.partitions ?? []
  return others.length + more.length === 0 && topic?.topicName === METADATA_TOPIC && partition?.partitionIndex === 0
}

function quorum(broker: Broker) {
  const { leaderId, leaderEpoch, highWatermark, logEndOffset } = broker.controller.quorum()
  const nowMs = broker.clock.nowMs()
  const voter = {
    replicaId: leaderId,
    replicaDirectoryId: broker.directory.identity.directoryId,
    logEndOffset,
    lastFetchTimestamp: nowMs,
    lastCaughtUpTimestamp: nowMs,
  }
  return {
    partitionIndex: 0,
    errorCode: ErrorCode.NONE,
    errorMessage: '',
    leaderId,
    leaderEpoch,
    highWatermark,
    currentVoters: [voter],
    observers: [],
  }
}

function notHosted(partitionIndex: number) {
  return {
    partitionIndex,
    errorCode: ErrorCode.UNKNOWN_TOPIC_OR_PARTITION,
    errorMessage: NOT_HOSTED,
    leaderId: 0,
    leaderEpoch: 0,
    highWatermark: 0,
    currentVoters: [],
    observers: [],
  }
}
