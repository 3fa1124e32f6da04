/**
 * @module replica/state-topic — a coordinator's store: the partitions of `__consumer_offsets` or of `__transaction_state`.
 *
 * Every append is one batch at acks=all, in the order of the calls. A transactional batch (offsets that a transaction commits) counts only
 * once its marker says so: `load` gives back records and markers in the order of the log, and whoever loads puts the two together.
 * The topic is made at the first need, compacted, as Kafka's coordinators make theirs.
 */
import type { Controller } from '../cluster/index.ts'
import type { Clock } from '../io/index.ts'
import { LogClosedError, type Marker, type Refused, type Verification, type VerificationGuard } from '../log/index.ts'
import { batchHeader, ControlType, decodeControlKey, decodeRecords, encodeBatch, ErrorCode, forEachBatch } from '../wire/index.ts'
import type { Accepted, Partition } from './partition.ts'
import type { Partitions } from './partitions.ts'

/** Limits of this file. */
const limits = {
  /** Bytes read at a time while loading. */
  loadChunkBytes: 1024 * 1024,
} as const

const NO_PRODUCER_ID = -1
const NO_PRODUCER_EPOCH = -1

/** What a coordinator appends; a null value is a tombstone. */
export interface StateRecordInput {
  readonly key: Buffer
  readonly value: Buffer | null
}

/** The producer whose transaction a batch belongs to. */
export interface StateTransaction {
  readonly producerId: number
  readonly producerEpoch: number
  /** What `beginVerification` gave before the transaction coordinator was asked; `trusted` unless told. */
  readonly verification?: Verification
}

/**
 * What `load` gives: a record (of a transaction when its producer id is not −1: pending until a marker of that producer follows), or the
 * marker that ends the open transaction of a producer.
 */
export type StateRecord =
  | {
      readonly kind: 'record'
      readonly key: Buffer | null
      readonly value: Buffer | null
      readonly offset: number
      readonly timestampMs: number
      readonly producerId: number
      readonly producerEpoch: number
    }
  | {
      readonly kind: 'marker'
      readonly producerId: number
      readonly producerEpoch: number
      readonly isCommit: boolean
      readonly offset: number
    }

/** One partition of the topic. */
export interface StatePartition {
  /**
   * Appends the records as one batch; resolves with 0 when they are synced (acks=all), else with the error code that the client gets:
   * COORDINATOR_NOT_AVAILABLE for a storage fault, RECORD_LIST_TOO_LARGE …; with `transaction` also INVALID_PRODUCER_EPOCH, and INVALID_TXN_STATE when a
   * marker made its guard void.
   */
  append(records: readonly StateRecordInput[], transaction?: StateTransaction): Promise<number>
  /**
   * Before the transaction coordinator is asked to enrol this partition: undefined when the transaction is open here, else the guard for
   * `append` (KIP-890). `supportsEpochBump`: TxnOffsetCommit ≥ 5.
   */
  beginVerification(producerId: number, producerEpoch: number, supportsEpochBump: boolean): VerificationGuard | undefined
  /** Ends a producer's transaction here; resolves with 0 when the marker is synced, else as `append`, or TRANSACTION_COORDINATOR_FENCED. */
  appendMarker(marker: Marker): Promise<number>
  /** All records and markers from the log start to the high watermark at the time of the call, in order. Throws when the partition goes away. */
  load(): AsyncIterable<readonly StateRecord[]>
}

/** The topic. */
export interface StateTopic {
  /** How many partitions it has, or will have. */
  readonly partitionCount: number
  /** The partition, or the error code for «not here» (NOT_COORDINATOR, COORDINATOR_NOT_AVAILABLE). */
  partition(index: number): StatePartition | number
  /** Makes the topic when it is absent; calls that overlap share one try. Resolves with 0 or the error code. */
  ensure(): Promise<number>
}

export interface StateTopicOptions {
  readonly name: string
  readonly clock: Clock
  readonly controller: Controller
  readonly partitions: Partitions
  /** `….topic.num.partitions`: the count of a topic yet to be made. */
  readonly partitionCount: number
  /** `….topic.replication.factor`, −1 where nobody set it. */
  readonly replicationFactor: number
  /** `….topic.segment.bytes`. */
  readonly segmentBytes: number
  /** `transaction.state.log.min.isr`; without it the broker's own. */
  readonly minInsyncReplicas?: number
  /** The topic's `compression.type`: `producer` unless told. */
  readonly compressionType?: 'producer' | 'uncompressed'
}

/** The store over the hosted partitions of the topic. */
export function createStateTopic(options: StateTopicOptions): StateTopic {
  const { name, clock, controller, partitions } = options
  let making: Promise<number> | undefined

  return {
    get partitionCount(): number {
      return controller.image.topicsByName.get(name)?.partitions.length ?? options.partitionCount
    },
    partition(index) {
      const partition = partitions.get(name, index)
      if (partition === undefined) return ErrorCode.COORDINATOR_NOT_AVAILABLE
      return {
        append: (records, transaction) => outcomeOf(appendRecords(partition, records, clock.nowMs(), transaction)),
        beginVerification: (producerId, producerEpoch, supportsEpochBump) =>
          partition.beginVerification(producerId, producerEpoch, 0, supportsEpochBump),
        appendMarker: (marker) => outcomeOf(partition.appendMarker(marker)),
        load: () => loadRecords(partition),
      }
    },
    ensure() {
      making ??= make(options).finally(() => {
        making = undefined
      })
      return making
    },
  }
}

async function make(options: StateTopicOptions): Promise<number> {
  const { name, controller, partitions, partitionCount, replicationFactor, segmentBytes, minInsyncReplicas } = options
  if (!controller.image.topicsByName.has(name)) {
    const configs = [
      { name: 'cleanup.policy', value: 'compact' },
      { name: 'compression.type', value: options.compressionType ?? 'producer' },
      { name: 'segment.bytes', value: String(segmentBytes) },
    ]
    if (minInsyncReplicas !== undefined) configs.push({ name: 'min.insync.replicas', value: String(minInsyncReplicas) })
    const spec = { name, partitionCount, replicationFactor, assignments: [], configs }
    const [outcome] = await controller.createTopics([spec], { validateOnly: false })
    const errorCode = outcome?.errorCode ?? ErrorCode.NONE
    if (errorCode !== ErrorCode.NONE && errorCode !== ErrorCode.TOPIC_ALREADY_EXISTS) return errorCode
  }
  await partitions.settled()
  return ErrorCode.NONE
}

function appendRecords(
  partition: Partition,
  records: readonly StateRecordInput[],
  timestampMs: number,
  transaction: StateTransaction | undefined,
): Accepted | Refused {
  // Sequences from 0, as Kafka's coordinators write them; nobody checks those of a coordinator.
  const { producerId = NO_PRODUCER_ID, producerEpoch = NO_PRODUCER_EPOCH, verification = 'trusted' } = transaction ?? {}
  const producer = transaction === undefined ? {} : { producerId, producerEpoch, transactional: true, baseSequence: 0 }
  const batch = encodeBatch({ ...producer, records: records.map((record) => ({ ...record, timestampMs })) })
  return partition.append(batch, -1, 'coordinator', verification)
}

/** A storage fault reads as «coordinator not available»: whoever asked finds the coordinator anew and tries again. */
async function outcomeOf(outcome: Accepted | Refused): Promise<number> {
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

async function* loadRecords(partition: Partition): AsyncGenerator<StateRecord[]> {
  const endOffset = partition.highWatermark.value
  let offset = partition.logStartOffset
  while (offset < endOffset) {
    const { errorCode, records } = await partition.read(offset, { maxBytes: limits.loadChunkBytes, minOneBatch: true })
    // What was loaded so far is not all: whoever loads must not take it for that.
    if (errorCode !== ErrorCode.NONE) throw new LogClosedError(partition.log.directory)
    const loaded: StateRecord[] = []
    let nextOffset = offset
    for (const buffer of records) {
      forEachBatch(buffer, (at) => {
        nextOffset = batchHeader.lastOffset(buffer, at) + 1
        loadBatch(buffer, at, loaded)
      })
    }
    if (nextOffset === offset) return
    offset = nextOffset
    yield loaded
  }
}

function loadBatch(buffer: Buffer, at: number, loaded: StateRecord[]): void {
  const isTransactional = batchHeader.isTransactional(buffer, at)
  const producerId = isTransactional ? batchHeader.producerId(buffer, at) : NO_PRODUCER_ID
  const producerEpoch = isTransactional ? batchHeader.producerEpoch(buffer, at) : NO_PRODUCER_EPOCH
  const records = decodeRecords(buffer, at)
  if (!batchHeader.isControl(buffer, at)) {
    for (const { key, value, offset, timestampMs } of records)
      loaded.push({ kind: 'record', key, value, offset, timestampMs, producerId, producerEpoch })
    return
  }
  // A marker whose record compaction has removed has nothing left to end.
  const [control] = records
  const type = control === undefined ? undefined : decodeControlKey(control.key).type
  if (control === undefined || (type !== ControlType.COMMIT && type !== ControlType.ABORT)) return
  loaded.push({ kind: 'marker', producerId, producerEpoch, isCommit: type === ControlType.COMMIT, offset: control.offset })
}
