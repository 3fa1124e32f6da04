/**
 * @module replica/offsets-topic — the group coordinator's store: the partitions of `__consumer_offsets`.
 *
 * Has the shape of the group room's `OffsetsTopic` port, which stands to the right of this room and so is not imported; `hub.ts` puts
 * the two together. The topic is made at the first need, with `offsets.topic.num.partitions` and compaction, as Kafka does.
 */
import type { Controller } from '../cluster/index.ts'
import type { Clock } from '../io/index.ts'
import { LogClosedError } from '../log/index.ts'
import { batchHeader, decodeRecords, encodeBatch, ErrorCode, forEachBatch } from '../wire/index.ts'
import type { Partition } from './partition.ts'
import type { Partitions } from './partitions.ts'

/** Name of the topic in which committed offsets and groups are kept. */
const OFFSETS_TOPIC = '__consumer_offsets'

/** Limits of this file. */
const limits = {
  /** Bytes read at a time while loading. */
  loadChunkBytes: 1024 * 1024,
} as const

interface OffsetsTopicOptions {
  readonly clock: Clock
  readonly controller: Controller
  readonly partitions: Partitions
  /** `offsets.topic.num.partitions`: the count of a topic yet to be made. */
  readonly partitionCount: number
  /** `offsets.topic.replication.factor`, −1 where nobody set it. */
  readonly replicationFactor: number
  /** `offsets.topic.segment.bytes`. */
  readonly segmentBytes: number
}

/** One record of the topic; a null value is a tombstone. */
interface OffsetsRecord {
  readonly key: Buffer | null
  readonly value: Buffer | null
  readonly offset: number
  readonly timestampMs: number
}

/** The store over the hosted partitions of `__consumer_offsets`. */
export function createOffsetsTopic(options: OffsetsTopicOptions) {
  const { clock, controller, partitions } = options
  let making: Promise<number> | undefined

  return {
    /** How many partitions the topic has, or will have. */
    get partitionCount(): number {
      return controller.image.topicsByName.get(OFFSETS_TOPIC)?.partitions.length ?? options.partitionCount
    },
    /** The partition, or COORDINATOR_NOT_AVAILABLE while the topic is not there. */
    partition(index: number) {
      const partition = partitions.get(OFFSETS_TOPIC, index)
      if (partition === undefined) return ErrorCode.COORDINATOR_NOT_AVAILABLE
      return {
        append: (records: readonly { readonly key: Buffer; readonly value: Buffer | null }[]) =>
          appendRecords(partition, records, clock.nowMs()),
        load: () => loadRecords(partition),
      }
    },
    /** Makes the topic when it is absent; calls that overlap share one try. Resolves with 0 or the error code. */
    ensure(): Promise<number> {
      making ??= make(options).finally(() => {
        making = undefined
      })
      return making
    },
  }
}

async function make({ controller, partitions, partitionCount, replicationFactor, segmentBytes }: OffsetsTopicOptions): Promise<number> {
  if (!controller.image.topicsByName.has(OFFSETS_TOPIC)) {
    const configs = [
      { name: 'cleanup.policy', value: 'compact' },
      { name: 'compression.type', value: 'producer' },
      { name: 'segment.bytes', value: String(segmentBytes) },
    ]
    const spec = { name: OFFSETS_TOPIC, partitionCount, replicationFactor, assignments: [], configs }
    const [outcome] = await controller.createTopics([spec], { validateOnly: false })
    const errorCode = outcome?.errorCode ?? ErrorCode.NONE
    if (errorCode !== ErrorCode.NONE && errorCode !== ErrorCode.TOPIC_ALREADY_EXISTS) return errorCode
  }
  await partitions.settled()
  return ErrorCode.NONE
}

/** One batch at acks=all. A storage fault reads as «coordinator not available» to a group's member: it finds the coordinator anew and tries again. */
async function appendRecords(
  partition: Partition,
  records: readonly { readonly key: Buffer; readonly value: Buffer | null }[],
  timestampMs: number,
): Promise<number> {
  const batch = encodeBatch({ records: records.map((record) => ({ ...record, timestampMs })) })
  const outcome = partition.append(batch, -1, 'coordinator')
  if (outcome.kind === 'refused') return coordinatorError(outcome.errorCode)
  try {
    await outcome.durable
    return ErrorCode.NONE
  } catch {
    return ErrorCode.COORDINATOR_NOT_AVAILABLE
  }
}

function coordinatorError(errorCode: number): number {
  switch (errorCode) {
    case ErrorCode.KAFKA_STORAGE_ERROR:
    case ErrorCode.NOT_LEADER_OR_FOLLOWER:
      return ErrorCode.COORDINATOR_NOT_AVAILABLE
    case ErrorCode.MESSAGE_TOO_LARGE:
      return ErrorCode.RECORD_LIST_TOO_LARGE
    default:
      return errorCode
  }
}

async function* loadRecords(partition: Partition): AsyncGenerator<OffsetsRecord[]> {
  const endOffset = partition.highWatermark.value
  let offset = partition.logStartOffset
  while (offset < endOffset) {
    const { errorCode, records } = await partition.read(offset, { maxBytes: limits.loadChunkBytes, minOneBatch: true })
    // What was loaded so far is not all: whoever loads must not take it for that.
    if (errorCode !== ErrorCode.NONE) throw new LogClosedError(partition.log.directory)
    const loaded: OffsetsRecord[] = []
    let nextOffset = offset
    for (const buffer of records) {
      forEachBatch(buffer, (at) => {
        nextOffset = batchHeader.lastOffset(buffer, at) + 1
        if (!batchHeader.isControl(buffer, at)) loaded.push(...decodeRecords(buffer, at))
      })
    }
    if (nextOffset === offset) return
    offset = nextOffset
    yield loaded
  }
}
