/**
 * @module api/fetch-pass — one pass of a fetch over its partitions: what each gives now, and what a wait for more would listen to.
 *
 * Errors are those of Kafka's ReplicaManager and KafkaApis. A partition that no topic of the image has is no reason to answer at once, as in
 * Kafka: a reader that goes on asking for a deleted topic would else never wait for the others.
 */
import type { AbortedTransaction } from '../log/index.ts'
import type { Isolation, Partition, PartitionRead, Seen } from '../replica/index.ts'
import { batchHeader, ErrorCode, forEachBatch } from '../wire/index.ts'
import type { Answered, WantedPartition } from './fetch-sessions.ts'
import type { Broker } from './handler.ts'
import { findPartition } from './partition-lookup.ts'

const READ_COMMITTED = 1
const NONE_ABORTED: readonly AbortedTransaction[] = []
const NO_RECORDS = Buffer.alloc(0)
const NOTHING_READ: PartitionRead = { errorCode: ErrorCode.NONE, records: [], sizeBytes: 0, owned: [], abortedTransactions: null }
/** First versions that know KAFKA_STORAGE_ERROR, zstd, and hints about leaders. */
const STORAGE_ERROR_VERSION_MIN = 6
const ZSTD_VERSION_MIN = 10
const LEADER_HINT_VERSION_MIN = 16

/** What holds for all partitions of a fetch. */
export interface FetchTerms {
  readonly apiVersion: number
  readonly isolation: Isolation
  readonly maxBytes: number
  /** The reader is a replica; there are none besides the leaders here. */
  readonly isFollower: boolean
}

/** A partition as Fetch answers it. */
export interface PartitionAnswer {
  readonly partitionIndex: number
  readonly errorCode: number
  readonly highWatermark: number
  readonly lastStableOffset: number
  readonly logStartOffset: number
  readonly divergingEpoch?: { readonly epoch: number; readonly endOffset: number }
  readonly currentLeader?: { readonly leaderId: number; readonly leaderEpoch: number }
  /** A list, even an empty one, is for readers that asked for committed records only (broker-semantics rule 3), and for unknown topics. */
  readonly abortedTransactions: readonly AbortedTransaction[] | null
  readonly preferredReadReplica: number
  readonly records: Buffer | readonly Buffer[]
}

/** A partition that was read, and what is waited for: more than was there then. */
interface Read extends Seen {
  readonly offset: number
  readonly records: readonly Buffer[]
}

/** One pass over all partitions. */
export interface Pass {
  readonly answered: Answered<PartitionAnswer>[]
  readonly reads: Read[]
  /** Bytes that were read from files for this pass alone. */
  readonly owned: Buffer[]
  bytes: number
  /** An error or a diverging epoch: answer at once. */
  urgent: boolean
}

export function newPass(): Pass {
  return { answered: [], reads: [], owned: [], bytes: 0, urgent: false }
}

/** Fills the pass, partition by partition. `isFirst`: nothing has been waited for yet. */
export async function readAll(
  broker: Broker,
  wantedPartitions: readonly WantedPartition[],
  terms: FetchTerms,
  pass: Pass,
  isFirst: boolean,
): Promise<void> {
  for (const wanted of wantedPartitions) {
    // Looked up one by one: while one is read from a file, the topic of the next may go.
    const partition = find(broker, wanted)
    if (typeof partition === 'number') {
      if (!isFirst || !UNKNOWN.has(partition)) pass.urgent = true
      const errorCode = errorCodeFor(partition, terms)
      pass.answered.push({ wanted, answer: withLeader(broker, wanted, failure(wanted.partition, errorCode, []), terms) })
      continue
    }
    const read = readOne(broker, partition, wanted, terms, pass)
    pass.answered.push({ wanted, answer: read instanceof Promise ? await read : read })
  }
}

/** Answers that say that the image has no such topic or partition. */
const UNKNOWN: ReadonlySet<number> = new Set([ErrorCode.UNKNOWN_TOPIC_OR_PARTITION, ErrorCode.UNKNOWN_TOPIC_ID])

/** Whether there was more than was read: the limits of this answer keep it out, and waiting does not change them. */
export function isCut({ offset, records, value: endOffset }: Read): boolean {
  let nextOffset = offset
  const last = records.at(-1)
  if (last !== undefined) {
    forEachBatch(last, (at) => {
      nextOffset = batchHeader.lastOffset(last, at) + 1
    })
  }
  return nextOffset < endOffset
}

/** Once its id had a name in this session, a topic is looked for under that name: it was deleted, or made again under another id. */
function find(broker: Broker, wanted: WantedPartition): Partition | number {
  const found = findPartition(broker, { name: wanted.topic, topicId: wanted.topicId }, wanted.partition)
  if (typeof found !== 'number') {
    wanted.resolvedName ??= found.topic
    return found
  }
  if (found !== ErrorCode.UNKNOWN_TOPIC_ID || wanted.resolvedName === undefined) return found
  const isMadeAgain = broker.controller.image.topicsByName.get(wanted.resolvedName)?.partitions[wanted.partition] !== undefined
  return isMadeAgain ? ErrorCode.INCONSISTENT_TOPIC_ID : ErrorCode.UNKNOWN_TOPIC_OR_PARTITION
}

/** Reads one partition: at once from memory where it can, so that a fetch at the end of the log costs no turn of the event loop. */
function readOne(
  broker: Broker,
  partition: Partition,
  wanted: WantedPartition,
  terms: FetchTerms,
  pass: Pass,
): PartitionAnswer | Promise<PartitionAnswer> {
  const refused = checkPosition(partition, wanted, terms)
  if (refused !== undefined) {
    pass.urgent = true
    return withLeader(broker, wanted, refused, terms)
  }
  const { isolation } = terms
  const seen = partition.seen(isolation)
  const finish = (read: PartitionRead): PartitionAnswer => {
    const { errorCode, records, sizeBytes, abortedTransactions } = read
    if (errorCode !== ErrorCode.NONE) {
      pass.urgent = true
      return withLeader(broker, wanted, failure(wanted.partition, errorCode, null), terms)
    }
    pass.bytes += sizeBytes
    broker.answers.take(sizeBytes)
    pass.owned.push(...read.owned)
    const roomBytes = wanted.partitionMaxBytes - sizeBytes
    pass.reads.push({ ...seen, gainedBytes: () => withinRoom(seen.gainedBytes(), roomBytes), offset: wanted.fetchOffset, records })
    return success(partition, abortedTransactions, records.length === 0 ? NO_RECORDS : records)
  }
  const maxBytes = Math.min(wanted.partitionMaxBytes, terms.maxBytes - pass.bytes, broker.answers.roomBytes)
  const minOneBatch = pass.bytes === 0
  if (maxBytes <= 0 && !minOneBatch) return finish({ ...NOTHING_READ, abortedTransactions: noneAborted(terms) })
  const read = partition.read(wanted.fetchOffset, { maxBytes, minOneBatch, isolation })
  if (!(read instanceof Promise)) return finish(read)
  // Counted from here on, so that many fetches which begin together don't all find the same room.
  const reservedBytes = Math.max(0, maxBytes)
  broker.answers.take(reservedBytes)
  const settled = read.finally(() => broker.answers.release(reservedBytes))
  return settled.then(finish, (error: unknown) => {
    broker.logger.error(`cannot read ${partition.topic}-${partition.partition} from offset ${wanted.fetchOffset}`, { error })
    pass.urgent = true
    return failure(wanted.partition, errorCodeFor(ErrorCode.KAFKA_STORAGE_ERROR, terms), null)
  })
}

/** Bytes that a partition has gained for one that takes `roomBytes` more of it; without limit when it has more, as waiting on brings nothing. */
function withinRoom(gainedBytes: number, roomBytes: number): number {
  return gainedBytes > roomBytes ? Number.POSITIVE_INFINITY : gainedBytes
}

/** Fencing, offset bounds and divergence; undefined when the read may go on. */
function checkPosition(partition: Partition, wanted: WantedPartition, terms: FetchTerms): PartitionAnswer | undefined {
  const { partition: index, fetchOffset, lastFetchedEpoch } = wanted
  if (terms.isFollower) return failure(index, ErrorCode.NOT_LEADER_OR_FOLLOWER, null)
  const epochError = partition.checkLeaderEpoch(wanted.currentLeaderEpoch)
  if (epochError !== ErrorCode.NONE) return failure(index, epochError, null)
  const isOutside = fetchOffset < partition.logStartOffset || fetchOffset > partition.log.logEndOffset
  if (lastFetchedEpoch >= 0 && fetchOffset >= partition.logStartOffset) {
    const end = partition.log.endOffsetForEpoch(lastFetchedEpoch)
    if (end.endOffset < 0) return failure(index, ErrorCode.OFFSET_OUT_OF_RANGE, null)
    if (end.leaderEpoch < lastFetchedEpoch || end.endOffset < fetchOffset) {
      return { ...success(partition, noneAborted(terms), NO_RECORDS), divergingEpoch: { epoch: end.leaderEpoch, endOffset: end.endOffset } }
    }
  }
  if (isOutside) return failure(index, ErrorCode.OFFSET_OUT_OF_RANGE, null)
  // A reader of before zstd is told so rather than given batches that it cannot unpack (KIP-110).
  const isUnreadable = terms.apiVersion < ZSTD_VERSION_MIN && partition.log.config.compressionType === 'zstd'
  return isUnreadable ? failure(index, ErrorCode.UNSUPPORTED_COMPRESSION_TYPE, []) : undefined
}

function errorCodeFor(errorCode: number, { apiVersion }: FetchTerms): number {
  const isUnknownToReader = errorCode === ErrorCode.KAFKA_STORAGE_ERROR && apiVersion < STORAGE_ERROR_VERSION_MIN
  return isUnknownToReader ? ErrorCode.NOT_LEADER_OR_FOLLOWER : errorCode
}

/** Tells who leads to a reader whose idea of it is old (KIP-951). */
function withLeader(broker: Broker, wanted: WantedPartition, answer: PartitionAnswer, { apiVersion }: FetchTerms): PartitionAnswer {
  if (apiVersion < LEADER_HINT_VERSION_MIN || !LEADER_ERRORS.has(answer.errorCode)) return answer
  const image = broker.controller.image.topicsById.get(wanted.topicId)?.partitions[wanted.partition]
  return image === undefined ? answer : { ...answer, currentLeader: { leaderId: image.leader, leaderEpoch: image.leaderEpoch } }
}

const LEADER_ERRORS: ReadonlySet<number> = new Set([ErrorCode.NOT_LEADER_OR_FOLLOWER, ErrorCode.FENCED_LEADER_EPOCH])

function noneAborted({ isolation }: FetchTerms): readonly AbortedTransaction[] | null {
  return isolation === 'read_committed' ? NONE_ABORTED : null
}

/** From the protocol's number. */
export function isolationOf(isolationLevel: number): Isolation {
  return isolationLevel === READ_COMMITTED ? 'read_committed' : 'read_uncommitted'
}

function success(
  partition: Partition,
  abortedTransactions: readonly AbortedTransaction[] | null,
  records: Buffer | readonly Buffer[],
): PartitionAnswer {
  return {
    partitionIndex: partition.partition,
    errorCode: ErrorCode.NONE,
    highWatermark: partition.highWatermark.value,
    lastStableOffset: partition.lastStableOffset,
    logStartOffset: partition.logStartOffset,
    abortedTransactions,
    preferredReadReplica: -1,
    records,
  }
}

function failure(partitionIndex: number, errorCode: number, abortedTransactions: readonly AbortedTransaction[] | null): PartitionAnswer {
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
