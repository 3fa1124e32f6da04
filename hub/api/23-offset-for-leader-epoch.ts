/**
 * @module api/23-offset-for-leader-epoch — where a leader epoch ends. Versions 2–4 (KIP-101, KIP-320).
 *
 * The epoch in force ends at the log end; an unknown one answers −1, −1.
 */
import { ErrorCode, OffsetForLeaderEpoch, type RequestOf, ZERO_UUID } from '../wire/index.ts'
import { type Broker, defineHandler } from './handler.ts'
import { findPartition } from './partition-lookup.ts'

type PartitionRequest = RequestOf<typeof OffsetForLeaderEpoch>['topics'][number]['partitions'][number]

const UNKNOWN = { leaderEpoch: -1, endOffset: -1 } as const

export const offsetForLeaderEpoch = defineHandler({
  api: OffsetForLeaderEpoch,
  overlaps: false,
  create: (broker) => (request) => ({
    throttleTimeMs: 0,
    topics: request.topics.map(({ topic, partitions }) => ({
      topic,
      partitions: partitions.map((wanted) => lookUp(broker, topic, wanted)),
    })),
  }),
})

function lookUp(broker: Broker, topic: string, { partition: index, currentLeaderEpoch, leaderEpoch }: PartitionRequest) {
  const partition = findPartition(broker, { name: topic, topicId: ZERO_UUID }, index)
  const errorCode = typeof partition === 'number' ? partition : partition.checkLeaderEpoch(currentLeaderEpoch)
  if (typeof partition === 'number' || errorCode !== ErrorCode.NONE) return { errorCode, partition: index, ...UNKNOWN }
  // The log knows the epoch in force from the moment on when it was hosted, batches or not.
  return { errorCode, partition: index, ...partition.log.endOffsetForEpoch(leaderEpoch) }
}
