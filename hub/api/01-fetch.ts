/**
 * @module api/01-fetch — reads batches. Versions 4–18.
 *
 * Whole batches as they lie in the log, partitions in request order; the first one that has something returns at least one batch however
 * large (KIP-74). While there is less than `minBytes`, nothing went wrong and no limit cut what was read, the fetch waits on the high
 * watermarks of its partitions; it reads again once they have brought what is missing, or at its deadline.
 * 7: sessions (KIP-227), which this broker does not open: it answers session 0, which is legal. 9: leader epoch (KIP-320). 11: rack
 * (KIP-392). 12: diverging epoch (KIP-595). 13: topic ids (KIP-516). 15: replica state (KIP-903). 16: endpoints of new leaders (KIP-951).
 */
import { type Partition, type PartitionRead, type Seen, waitForRise } from '../replica/index.ts'
import { batchHeader, ErrorCode, Fetch, forEachBatch, type RequestOf } from '../wire/index.ts'
import { type Broker, defineHandler, type RequestContext } from './handler.ts'
import { findPartition } from './partition-lookup.ts'

const READ_COMMITTED = 1
const NO_RECORDS = Buffer.alloc(0)
const NOTHING_READ: PartitionRead = { errorCode: ErrorCode.NONE, records: [], sizeBytes: 0, owned: [] }
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

/** A partition that was read, and what is waited for: more than was there then. */
interface Read extends Seen {
  readonly offset: number
  readonly records: readonly Buffer[]
}

/** One pass over all partitions. */
interface Pass {
  readonly responses: { readonly topic: string; readonly topicId: string; readonly partitions: PartitionAnswer[] }[]
  readonly reads: Read[]
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
    const maxBytes = Math.min(request.maxBytes, broker.config().brokerConfig['fetch.max.bytes'])
    // As in Kafka: nobody waits for more than the answer may hold.
    const minBytes = Math.min(request.minBytes, maxBytes)
    const deadlineMs = broker.clock.monotonicMs() + request.maxWaitMs
    for (let isLast = false; ; ) {
      const pass: Pass = { responses: [], reads: [], owned: [], bytes: 0, urgent: false }
      const release = (isUnused: boolean): void => {
        broker.answers.release(pass.bytes)
        if (isUnused) giveBack(pass.owned)
      }
      // Before anything is read, so that a failure in the midst of it releases what it took.
      context.afterSent(release)
      await readAll(broker, request, maxBytes, pass)
      if (isLast || pass.urgent || pass.bytes >= minBytes || pass.reads.length === 0 || pass.reads.some(isCut))
        return answer(pass.responses)
      const waited = waitForMore(broker, pass, minBytes - pass.bytes, deadlineMs, context)
      if (pass.bytes > 0) {
        // Held for somebody who may wait long, it would be missed by others; it is read again with what comes.
        context.afterSent(() => {})
        release(true)
      }
      isLast = (await waited) === 'deadline' || isEnding(broker, context)
      if (isLast && pass.bytes === 0 && !hasRisen(pass)) return answer(pass.responses)
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

/** Nothing is read meanwhile: partitions say how many bytes their rise brings. */
function waitForMore(broker: Broker, pass: Pass, missingBytes: number, deadlineMs: number, context: RequestContext) {
  const ends: Seen[] = [broker.stopping, context.connection.gone].map((mark) => ({ mark, value: 0 }))
  return waitForRise([...pass.reads, ...ends], broker.clock, deadlineMs - broker.clock.monotonicMs(), missingBytes)
}

function hasRisen(pass: Pass): boolean {
  return pass.reads.some(({ mark, value }) => mark.isEnded || mark.value > value)
}

function isEnding(broker: Broker, context: RequestContext): boolean {
  return broker.stopping.value > 0 || context.connection.gone.value > 0
}

async function readAll(broker: Broker, request: Request, maxBytes: number, pass: Pass): Promise<void> {
  for (const topic of request.topics) {
    const partitions: PartitionAnswer[] = []
    const reference = { name: topic.topic, topicId: topic.topicId }
    for (const wanted of topic.partitions) {
      // Looked up one by one: while one is read from a file, the topic of the next may go.
      const partition = findPartition(broker, reference, wanted.partition)
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
}

/** Whether there was more than was read: the limits of this answer keep it out, and waiting does not change them. */
function isCut({ offset, records, value: endOffset }: Read): boolean {
  let nextOffset = offset
  const last = records.at(-1)
  if (last !== undefined) {
    forEachBatch(last, (at) => {
      nextOffset = batchHeader.lastOffset(last, at) + 1
    })
  }
  return nextOffset < endOffset
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
  const seen = partition.seen()
  const finish = (read: PartitionRead): PartitionAnswer => {
    const { errorCode, records, sizeBytes } = read
    if (errorCode !== ErrorCode.NONE) {
      pass.urgent = true
      return failure(wanted.partition, errorCode, null)
    }
    pass.bytes += sizeBytes
    broker.answers.take(sizeBytes)
    pass.owned.push(...read.owned)
    const roomBytes = wanted.partitionMaxBytes - sizeBytes
    pass.reads.push({ ...seen, gainedBytes: () => withinRoom(seen.gainedBytes(), roomBytes), offset: wanted.fetchOffset, records })
    return success(partition, wanted.partition, request.isolationLevel, records.length === 0 ? NO_RECORDS : records)
  }
  const maxBytes = Math.min(wanted.partitionMaxBytes, bytesLeft)
  const minOneBatch = pass.bytes === 0
  if (maxBytes <= 0 && !minOneBatch) return finish(NOTHING_READ)
  const read = partition.read(wanted.fetchOffset, { maxBytes, minOneBatch })
  if (!(read instanceof Promise)) return finish(read)
  // Counted from here on, so that many fetches which begin together don't all find the same room.
  const reservedBytes = Math.max(0, maxBytes)
  broker.answers.take(reservedBytes)
  const settled = read.finally(() => broker.answers.release(reservedBytes))
  return settled.then(finish, (error: unknown) => {
    broker.logger.error(`cannot read ${partition.topic}-${partition.partition} from offset ${wanted.fetchOffset}`, { error })
    pass.urgent = true
    return failure(wanted.partition, ErrorCode.KAFKA_STORAGE_ERROR, null)
  })
}

/** Bytes that a partition has gained for one that takes `roomBytes` more of it; without limit when it has more, as waiting on brings nothing. */
function withinRoom(gainedBytes: number, roomBytes: number): number {
  return gainedBytes > roomBytes ? Number.POSITIVE_INFINITY : gainedBytes
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
