/**
 * @module api/61-describe-producers — the producers that a partition's log knows, to find transactions that nobody ends. Version 0 (KIP-664).
 *
 * A topic that does not exist is told with a message, a partition that does not exist without one, as in Kafka.
 */
import { DescribeProducers, ErrorCode, errorMessage, ZERO_UUID } from '../wire/index.ts'
import { type Broker, defineHandler } from './handler.ts'
import { findPartition } from './partition-lookup.ts'

export const describeProducers = defineHandler({
  api: DescribeProducers,
  overlaps: false,
  create: (broker) => (request) => ({
    throttleTimeMs: 0,
    topics: request.topics.map(({ name, partitionIndexes }) => {
      const isKnown = broker.controller.image.topicsByName.has(name)
      return { name, partitions: partitionIndexes.map((index) => (isKnown ? describe(broker, name, index) : unknownTopic(index))) }
    }),
  }),
})

function unknownTopic(partitionIndex: number) {
  const errorCode = ErrorCode.UNKNOWN_TOPIC_OR_PARTITION
  return { partitionIndex, errorCode, errorMessage: errorMessage(errorCode), activeProducers: [] }
}

function describe(broker: Broker, name: string, partitionIndex: number) {
  const partition = findPartition(broker, { name, topicId: ZERO_UUID }, partitionIndex)
  if (typeof partition === 'number') return { partitionIndex, errorCode: partition, errorMessage: null, activeProducers: [] }
  const activeProducers = partition.log.producers().map((producer) => ({
    producerId: producer.producerId,
    producerEpoch: producer.producerEpoch,
    lastSequence: producer.lastSequence,
    lastTimestamp: producer.lastTimestampMs,
    coordinatorEpoch: producer.coordinatorEpoch,
    currentTxnStartOffset: producer.currentTransactionStartOffset,
  }))
  return { partitionIndex, errorCode: ErrorCode.NONE, errorMessage: null, activeProducers }
}
