/**
 * @module api/01-fetch — reads batches. Versions 4–18.
 *
 * Whole batches as they lie in the log, partitions in request order; the first one that has something returns at least one batch however
 * large (KIP-74). While there is less than `minBytes` and nothing went wrong, the fetch waits on the high watermarks of its partitions.
 * 7: sessions (KIP-227), which this broker does not open: it answers session 0, which is legal. 9: leader epoch (KIP-320). 11: rack
 * (KIP-392). 12: diverging epoch (KIP-595). 13: topic ids (KIP-516). 15: replica state (KIP-903). 16: endpoints of new leaders (KIP-951).
 */
import { type Partition, type PartitionRead, type Seen, waitForRise } from '../replica/index.ts'
import { ErrorCode, Fetch, type RequestOf } from '../wire/index.ts'
import { type Broker, defineHandler, type RequestContext } from './handler.ts'
import { findPartition, findTopic } from './partition-lookup.ts'

const READ_COMMITTED = 1
const NO_RECORDS = Buffer.alloc(0)
const NO_SESSION = 0
/** Session epochs of a fetch without a session: −1 a last full one, 0 the first of a session to be opened. */
const SESSION_EPOCHS_WITHOUT_SESSION = new Set([-1, 0])

type Request = RequestOf<typeof Fetch>
type TopicRequest = Request['topics'][number]
type PartitionRequest = TopicRequest['partitions'][number]

interface PartitionAnswer {
  readonly partitionIndex: number
  readonly errorCode: number
  readonly highWatermark: number
  readonly lastStableOffset: number
  readonly logStartOffset: number
  readonly divergingEpoch?: { readonly epoch: number; readonly endOffset: number }
  readonly abortedTransactions: readonly never[] | null
  readonly preferredReadReplica: number
  readonly records: Buffer | readonly Buffer[]
}

/** One pass over all partitions. */
interface Pass {
  readonly responses: { readonly topic: string; readonly topicId: string; readonly partitions: PartitionAnswer[] }[]
  /** What each partition's mark was when it was read: the fetch waits for more than that. */
  readonly seen: Seen[]
  /** Bytes that were read from files for this pass alone. */
  readonly owned: Buffer[]
  bytes: number
  /** An error or a diverging epoch: answer at once. */
  urgent: boolean
}

export const fetch = defineHandler({
  api: Fetch,
  overlaps: false,
  create: (broker) => async (request, context) => {
    const refused = checkSession(request)
    if (refused !== ErrorCode.NONE) return answer([], refused)
    const deadlineMs = broker.clock.monotonicMs() + request.maxWaitMs
    for (;;) {
      const pass = await readAll(broker, request)
      context.afterSent((isSent) => {
        broker.answers.release(pass.bytes)
        if (isSent) giveBack(pass.owned)
      })
      if (pass.urgent || pass.bytes >= request.minBytes || pass.seen.length === 0) return answer(pass.responses)
      const waited = await waitForMore(broker, pass, deadlineMs, context)
      if (waited === 'deadline' || isEnding(broker, context)) return answer(pass.responses)
      context.afterSent(() => {})
      broker.answers.release(pass.bytes)
      giveBack(pass.owned)
    }
  },
})

/**
 * Gives the memory of what was read from files back now, not at the next garbage collection: a consumer that reads a log from its beginning
 * would otherwise leave 1 MB of garbage per partition and answer, and marking the heap cost as much as all its copying.
 */
function giveBack(owned: readonly Buffer[]): void {
  for (const { buffer } of owned) if (buffer instanceof ArrayBuffer && !buffer.detached) buffer.transfer(0)
}

function answer(responses: Pass['responses'], errorCode: number = ErrorCode.NONE) {
  return { throttleTimeMs: 0, errorCode, sessionId: NO_SESSION, responses }
}

function checkSession(request: Request): number {
  if (request.sessionId !== NO_SESSION) return ErrorCode.FETCH_SESSION_ID_NOT_FOUND
  return SESSION_EPOCHS_WITHOUT_SESSION.has(request.sessionEpoch) ? ErrorCode.NONE : ErrorCode.INVALID_FETCH_SESSION_EPOCH
}

function waitForMore(broker: Broker, pass: Pass, deadlineMs: number, context: RequestContext) {
  pass.seen.push({ mark: broker.stopping, value: 0 }, { mark: context.connection.gone, value: 0 })
  return waitForRise(pass.seen, broker.clock, deadlineMs - broker.clock.monotonicMs())
}

function isEnding(broker: Broker, context: RequestContext): boolean {
  return broker.stopping.value > 0 || context.connection.gone.value > 0
}

async function readAll(broker: Broker, request: Request): Promise<Pass> {
  const pass: Pass = { responses: [], seen: [], owned: [], bytes: 0, urgent: false }
  const maxBytes = Math.min(request.maxBytes, broker.config().brokerConfig['fetch.max.bytes'])
  for (const topic of request.topics) {
    const partitions: PartitionAnswer[] = []
    const hosted = findTopic(broker, { name: topic.topic, topicId: topic.topicId })
    for (const wanted of topic.partitions) {
      const partition = findPartition(broker, { name: topic.topic, topicId: topic.topicId }, wanted.partition, hosted)
      if (typeof partition === 'number') {
        pass.urgent = true
        partitions.push(failure(wanted.partition, partition, []))
        continue
      }
      const read = readOne(broker, partition, wanted, request, Math.min(maxBytes - pass.bytes, broker.answers.roomBytes), pass)
      partitions.push(read instanceof Promise ? await read : read)
    }
    pass.responses.push({ topic: topic.topic, topicId: topic.topicId, partitions })
  }
  return pass
}

/** Reads one partition: at once from memory where it can, so that a fetch at the end of the log costs no turn of the event loop. */
function readOne(
  broker: Broker,
  partition: Partition,
  wanted: PartitionRequest,
  request: Request,
  bytesLeft: number,
  pass: Pass,
): PartitionAnswer | Promise<PartitionAnswer> {
  const refused = checkPosition(partition, wanted, request)
  if (refused !== undefined) {
    pass.urgent = true
    return refused
  }
  const seen = { mark: partition.highWatermark, value: partition.highWatermark.value }
  const finish = (read: PartitionRead): PartitionAnswer => {
    pass.bytes += read.sizeBytes
    broker.answers.take(read.sizeBytes)
    if (read.isOwned) pass.owned.push(...read.records)
    pass.seen.push(seen)
    return success(partition, wanted.partition, request.isolationLevel, read.records.length === 0 ? NO_RECORDS : read.records)
  }
  const maxBytes = Math.min(wanted.partitionMaxBytes, bytesLeft)
  const minOneBatch = pass.bytes === 0
  if (maxBytes <= 0 && !minOneBatch) return finish({ records: [], sizeBytes: 0, isOwned: false })
  const read = partition.read(wanted.fetchOffset, { maxBytes, minOneBatch })
  if (!(read instanceof Promise)) return finish(read)
  // Counted from here on, so that many fetches which begin together don't all find the same room.
  const reservedBytes = Math.max(0, maxBytes)
  broker.answers.take(reservedBytes)
  const settled = read.finally(() => broker.answers.release(reservedBytes))
  return settled.then(finish, () => {
    // The file could not be read, or the log was deleted meanwhile.
    pass.urgent = true
    return failure(wanted.partition, ErrorCode.KAFKA_STORAGE_ERROR, null)
  })
}

/** Fencing, offset bounds and divergence; undefined when the read may go on. */
function checkPosition(partition: Partition, wanted: PartitionRequest, request: Request): PartitionAnswer | undefined {
  const index = wanted.partition
  if (request.replicaId >= 0 || request.replicaState.replicaId >= 0) return failure(index, ErrorCode.NOT_LEADER_OR_FOLLOWER, null)
  const epochError = partition.checkLeaderEpoch(wanted.currentLeaderEpoch)
  if (epochError !== ErrorCode.NONE) return failure(index, epochError, null)
  if (wanted.lastFetchedEpoch >= 0) {
    const end = partition.log.endOffsetForEpoch(wanted.lastFetchedEpoch)
    if (end.endOffset < 0) return failure(index, ErrorCode.OFFSET_OUT_OF_RANGE, null)
    if (end.leaderEpoch < wanted.lastFetchedEpoch || end.endOffset < wanted.fetchOffset) {
      return {
        ...success(partition, index, request.isolationLevel, NO_RECORDS),
        divergingEpoch: { epoch: end.leaderEpoch, endOffset: end.endOffset },
      }
    }
  }
  if (wanted.fetchOffset < partition.logStartOffset || wanted.fetchOffset > partition.log.logEndOffset) {
    return failure(index, ErrorCode.OFFSET_OUT_OF_RANGE, null)
  }
  return undefined
}

function success(
  partition: Partition,
  partitionIndex: number,
  isolationLevel: number,
  records: Buffer | readonly Buffer[],
): PartitionAnswer {
  return {
    partitionIndex,
    errorCode: ErrorCode.NONE,
    highWatermark: partition.highWatermark.value,
    lastStableOffset: partition.lastStableOffset,
    logStartOffset: partition.logStartOffset,
    // A list, even an empty one, is for readers that asked for committed records only (broker-semantics rule 3).
    abortedTransactions: isolationLevel === READ_COMMITTED ? [] : null,
    preferredReadReplica: -1,
    records,
  }
}

function failure(partitionIndex: number, errorCode: number, abortedTransactions: readonly never[] | null): PartitionAnswer {
  return {
    partitionIndex,
    errorCode,
    highWatermark: -1,
    lastStableOffset: -1,
    logStartOffset: -1,
    abortedTransactions,
    preferredReadReplica: -1,
    records: NO_RECORDS,
  }
}
