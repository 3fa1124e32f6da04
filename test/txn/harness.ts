/** @module test/txn/harness — a transaction coordinator on a topic in memory, with a crank for the clock and partitions that keep what they are told. */
import { type MemoryClock, memoryClock } from '../../hub/io/index.ts'
import { type MemoryLogger, memoryLogger } from '../../hub/observe/index.ts'
import { type MemoryStateTopic, memoryStateTopic } from '../../hub/replica/index.ts'
import { createTransactionCoordinator, type TopicPartition, transactionConfig, type TransactionCoordinator } from '../../hub/txn/index.ts'
import { transactionRecord } from '../../hub/txn/records.ts'
import type { TransactionFields, TransactionVersion } from '../../hub/txn/transaction.ts'
import { AddOffsetsToTxn, AddPartitionsToTxn, coordinatorPartition, EndTxn, InitProducerId } from '../../hub/wire/index.ts'
import { overWire, request } from '../group/harness.ts'
import { DataPartitions } from './data-partitions.ts'

/** Kafka's defaults. */
const DEFAULTS: Parameters<Parameters<typeof transactionConfig>[0]>[0] extends infer Key extends string ? Record<Key, number> : never = {
  'transaction.max.timeout.ms': 900_000,
  'transactional.id.expiration.ms': 604_800_000,
  'transaction.abort.timed.out.transaction.cleanup.interval.ms': 10_000,
  'transaction.remove.expired.transaction.cleanup.interval.ms': 3_600_000,
  'add.partitions.to.txn.retry.backoff.max.ms': 100,
}

export interface Harness {
  readonly clock: MemoryClock
  readonly topic: MemoryStateTopic
  readonly transactions: TransactionCoordinator
  readonly data: DataPartitions
  readonly logger: MemoryLogger
  /** The process is killed, and another one comes up over what is on the device. What the old one has under way is never heard of again. */
  crash(): Promise<Harness>
  /** Another coordinator over what is on the device, beside this one; it writes no markers. */
  reread(): Promise<Harness>
}

export interface HarnessOptions {
  readonly transactionVersion?: TransactionVersion
  readonly settings?: Partial<typeof DEFAULTS>
  readonly topic?: MemoryStateTopic
  readonly clock?: MemoryClock
  readonly data?: DataPartitions
  readonly coordinatorEpoch?: number
  readonly producerIds?: { next: number }
  /** What the topic holds at first. */
  readonly ids?: Readonly<Record<string, TransactionFields>>
}

const PARTITION_COUNT = 2

export async function harness(options: HarnessOptions = {}): Promise<Harness> {
  const {
    transactionVersion = 2,
    clock = memoryClock(),
    data = new DataPartitions(),
    coordinatorEpoch = 0,
    producerIds = { next: 1000 },
    ids = {},
  } = options
  const topic = options.topic ?? memoryStateTopic({ partitionCount: PARTITION_COUNT, nowMs: () => clock.nowMs() })
  for (const [transactionalId, fields] of Object.entries(ids)) {
    const partition = topic.partition(coordinatorPartition(transactionalId, PARTITION_COUNT))
    if (typeof partition !== 'number') await partition.append([transactionRecord(transactionalId, fields, transactionVersion)])
  }
  const logger = memoryLogger()
  const markers = data.writer()
  const settings = { ...DEFAULTS, ...options.settings }
  const transactions = createTransactionCoordinator({
    topic,
    clock,
    logger,
    markers,
    config: transactionConfig((key) => settings[key]),
    newProducerId: () => Promise.resolve(producerIds.next++),
    transactionVersion: () => transactionVersion,
    coordinatorEpoch: () => coordinatorEpoch,
    offsetsPartition: () => 7,
  })
  await transactions.start()
  const shared = { ...options, clock, producerIds, ids: {}, coordinatorEpoch: coordinatorEpoch + 1 }
  return {
    clock,
    topic,
    transactions,
    data,
    logger,
    crash: async () => {
      const reopened = topic.reopened()
      markers.cut()
      topic.failAppends(-1)
      topic.releaseAppends()
      await transactions.close()
      return harness({ ...shared, data, topic: reopened })
    },
    reread: () => harness({ ...shared, data: new DataPartitions(), topic: topic.reopened() }),
  }
}

/** Who a producer is. */
export interface Identity {
  readonly producerId: number
  readonly producerEpoch: number
}

/** InitProducerId v5. */
export async function init(of: Harness, transactionalId: string, expected: Partial<Identity> = {}, transactionTimeoutMs = 60_000) {
  const asked = request(InitProducerId, 5, { transactionalId, transactionTimeoutMs, ...expected })
  const { errorCode, producerId, producerEpoch } = overWire(
    InitProducerId,
    5,
    await of.transactions.initProducerId(asked, { apiVersion: 5 }),
  )
  return { errorCode, producerId, producerEpoch }
}

/** AddPartitionsToTxn v3; the code of the first partition. */
export async function add(of: Harness, transactionalId: string, { producerId, producerEpoch }: Identity, ...partitions: TopicPartition[]) {
  const answer = await of.transactions.addPartitionsToTxn(
    request(AddPartitionsToTxn, 3, {
      v3AndBelowTransactionalId: transactionalId,
      v3AndBelowProducerId: producerId,
      v3AndBelowProducerEpoch: producerEpoch,
      v3AndBelowTopics: partitions.map(({ topic, partition }) => ({ name: topic, partitions: [partition] })),
    }),
    { apiVersion: 3 },
  )
  return answer.resultsByTopicV3AndBelow?.[0]?.resultsByPartition[0]?.partitionErrorCode
}

/** What the first batch of a transaction does under TV2. */
export async function enrol(of: Harness, transactionalId: string, producer: Identity, partition: TopicPartition, verifyOnly = false) {
  const [errorCode] = await of.transactions.enrol(transactionalId, producer, [partition], { verifyOnly })
  return errorCode
}

/** EndTxn. */
export async function end(of: Harness, apiVersion: number, transactionalId: string, producer: Identity, committed: boolean) {
  const asked = request(EndTxn, apiVersion, { transactionalId, ...producer, committed })
  const { errorCode, producerId, producerEpoch } = overWire(EndTxn, apiVersion, await of.transactions.endTxn(asked, { apiVersion }))
  return { errorCode, producerId, producerEpoch }
}

/** AddOffsetsToTxn v4. */
export async function addOffsets(of: Harness, transactionalId: string, producer: Identity, groupId: string) {
  const asked = request(AddOffsetsToTxn, 4, { transactionalId, ...producer, groupId })
  return (await of.transactions.addOffsetsToTxn(asked, { apiVersion: 4 })).errorCode
}

/** What DescribeTransactions says. */
export async function describeId(of: Harness, transactionalId: string) {
  const { transactionStates } = await of.transactions.describeTransactions({ transactionalIds: [transactionalId] })
  return transactionStates[0]
}
