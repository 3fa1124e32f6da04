/**
 * @module api/21-delete-records — moves the start of logs. Versions 0–2.
 *
 * Offset −1 means the high watermark. The new start is durable before the answer. Not for internal topics, nor for topics that are only
 * compacted (KIP-107).
 */
import { DeleteRecords, ErrorCode, ZERO_UUID } from '../wire/index.ts'
import { type Broker, defineHandler, isInternalTopic } from './handler.ts'
import { findPartition } from './partition-lookup.ts'

const HIGH_WATERMARK = -1
const UNKNOWN_LOW_WATERMARK = -1

export const deleteRecords = defineHandler({
  api: DeleteRecords,
  overlaps: false,
  create: (broker) => async (request) => {
    const topics = []
    for (const topic of request.topics) {
      const partitions = await Promise.all(
        topic.partitions.map(async ({ partitionIndex, offset }) => {
          const result = await advance(broker, topic.name, partitionIndex, offset)
          return { partitionIndex, ...result }
        }),
      )
      topics.push({ name: topic.name, partitions })
    }
    return { throttleTimeMs: 0, topics }
  },
})

async function advance(broker: Broker, topic: string, index: number, offset: number): Promise<{ lowWatermark: number; errorCode: number }> {
  const refuse = (errorCode: number) => ({ lowWatermark: UNKNOWN_LOW_WATERMARK, errorCode })
  if (isInternalTopic(topic)) return refuse(ErrorCode.INVALID_TOPIC_EXCEPTION)
  const partition = findPartition(broker, { name: topic, topicId: ZERO_UUID }, index)
  if (typeof partition === 'number') return refuse(partition)
  const { cleanupPolicies } = partition.log.config
  if (cleanupPolicies.has('compact') && !cleanupPolicies.has('delete')) return refuse(ErrorCode.POLICY_VIOLATION)
  const target = offset === HIGH_WATERMARK ? partition.highWatermark.value : offset
  if (target < 0 || target > partition.highWatermark.value) return refuse(ErrorCode.OFFSET_OUT_OF_RANGE)
  try {
    if (target > partition.logStartOffset) await partition.log.advanceLogStart(target)
    return { lowWatermark: partition.logStartOffset, errorCode: ErrorCode.NONE }
  } catch (error) {
    broker.logger.error(`cannot move the start of ${topic}-${index}`, { error })
    return refuse(ErrorCode.KAFKA_STORAGE_ERROR)
  }
}
