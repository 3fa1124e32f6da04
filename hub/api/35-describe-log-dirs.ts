/**
 * @module api/35-describe-log-dirs — sizes of logs and of the device. Versions 1–5.
 *
 * 3: top-level error. 4: bytes of the device (KIP-827). 5: cordoned directories (KIP-1066).
 */
import { DescribeLogDirs, ErrorCode } from '../wire/index.ts'
import { type Broker, defineHandler } from './handler.ts'

const UNKNOWN_BYTES = -1

export const describeLogDirs = defineHandler({
  api: DescribeLogDirs,
  overlaps: false,
  create: (broker) => async (request) => {
    const wanted =
      request.topics === null ? undefined : new Map(request.topics.map(({ topic, partitions }) => [topic, new Set(partitions)]))
    const space = await broker.disk.space(broker.directory.path).catch(() => ({ freeBytes: UNKNOWN_BYTES, totalBytes: UNKNOWN_BYTES }))
    const result = {
      errorCode: ErrorCode.NONE,
      logDir: broker.directory.path,
      topics: sizes(broker, wanted),
      totalBytes: space.totalBytes,
      usableBytes: space.freeBytes,
      isCordoned:
        broker.controller.image.brokers.get(broker.nodeId)?.cordonedLogDirs?.includes(broker.directory.identity.directoryId) ?? false,
    }
    return { throttleTimeMs: 0, errorCode: ErrorCode.NONE, results: [result] }
  },
})

function sizes(broker: Broker, wanted: ReadonlyMap<string, ReadonlySet<number>> | undefined) {
  const topics = []
  for (const topic of broker.partitions.topics()) {
    const indexes = wanted?.get(topic.name)
    if (wanted !== undefined && indexes === undefined) continue
    const partitions = []
    for (const partition of topic.partitions) {
      if (partition === undefined || indexes?.has(partition.partition) === false) continue
      partitions.push({ partitionIndex: partition.partition, partitionSize: partition.log.sizeBytes, offsetLag: 0, isFutureKey: false })
    }
    if (partitions.length > 0) topics.push({ name: topic.name, partitions })
  }
  return topics
}
