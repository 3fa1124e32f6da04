/** @module client/admin/transactions — transactions and producers: list, describe, and end those that hang (KIP-664). */
import { DescribeProducers, DescribeTransactions, ErrorCode, InitProducerId, ListTransactions, WriteTxnMarkers } from '../../wire/index.ts'
import { ClientError, KafkaError, throwIfError } from '../errors.ts'
import type { TopicPartition } from '../types.ts'
import { type AdminContext, ask, type ItemResult, itemError, throwIfMisdirected } from './routes.ts'
import { describeTopics } from './topics.ts'

/** A transactional id as a list names it. */
export interface ListedTransaction {
  readonly transactionalId: string
  readonly producerId: number
  /** By Kafka's name: `Ongoing`, `PrepareCommit`, `CompleteAbort` … */
  readonly state: string
  /** Node id of the coordinator. */
  readonly coordinatorId: number
}

/** Which transactions to list; what is left out does not matter. */
export interface TransactionFilter {
  readonly states?: readonly string[]
  readonly producerIds?: readonly number[]
  /** Only those that have been open for longer. */
  readonly durationMs?: number
  /** An expression in RE2's syntax that the whole id must match (KIP-1152). */
  readonly transactionalIdPattern?: string
}

/** A transactional id described. */
export interface DescribedTransaction extends ItemResult {
  readonly transactionalId: string
  readonly coordinatorId: number
  readonly state: string
  readonly producerId: number
  readonly producerEpoch: number
  readonly timeoutMs: number
  /** -1: none is open. */
  readonly startTimeMs: number
  readonly partitions: readonly TopicPartition[]
}

/** A producer as a partition remembers it. */
export interface ActiveProducer {
  readonly producerId: number
  readonly producerEpoch: number
  readonly lastSequence: number
  readonly lastTimestampMs: number
  /** Of the coordinator that wrote the last marker; -1: none. */
  readonly coordinatorEpoch: number
  /** -1: no transaction is open. */
  readonly currentTransactionStartOffset: number
}

/** The producers of a partition. */
export interface DescribedProducers extends TopicPartition, ItemResult {
  readonly producers: readonly ActiveProducer[]
}

/** A transaction in one partition that nobody will end. */
export interface HangingTransaction extends TopicPartition {
  readonly producerId: number
  readonly producerEpoch: number
  readonly coordinatorEpoch: number
}

/** A producer put out; the identity is the one that came after it. */
export interface FencedProducer extends ItemResult {
  readonly transactionalId: string
  readonly producerId: number
  readonly producerEpoch: number
}

/** First ListTransactions versions that filter by duration (KIP-994) and by pattern (KIP-1152). */
const DURATION_VERSION = 1
const PATTERN_VERSION = 2
/** v6 of InitProducerId is for two-phase commit. */
const INIT_VERSION_MAX = 5

/** Asks every broker for the transactions that it coordinates. */
export async function listTransactions(
  context: AdminContext,
  filter: TransactionFilter,
  signal: AbortSignal | undefined,
): Promise<readonly ListedTransaction[]> {
  const { cluster } = context
  await cluster.retry('Metadata', signal, (bounded) => cluster.refresh(bounded))
  const { states = [], producerIds = [], durationMs = -1, transactionalIdPattern } = filter
  const versionMin = transactionalIdPattern !== undefined ? PATTERN_VERSION : durationMs >= 0 ? DURATION_VERSION : 0
  const perBroker = [...cluster.image.brokers.keys()].map((nodeId) =>
    ask(
      context,
      { nodeId },
      ListTransactions,
      () => ({
        stateFilters: [...states],
        producerIdFilters: [...producerIds],
        durationFilter: durationMs,
        transactionalIdPattern: transactionalIdPattern ?? null,
      }),
      (response) => {
        throwIfError(response.errorCode)
        return response.transactionStates.map(({ transactionalId, producerId, transactionState }) => ({
          transactionalId,
          producerId,
          state: transactionState,
          coordinatorId: nodeId,
        }))
      },
      { signal, versionMin },
    ),
  )
  return (await Promise.all(perBroker)).flat()
}

/** Describes transactional ids, each by its coordinator. */
export function describeTransactions(
  { transactionCoordinators }: AdminContext,
  transactionalIds: readonly string[],
  signal: AbortSignal | undefined,
): Promise<readonly DescribedTransaction[]> {
  return Promise.all(
    transactionalIds.map(async (transactionalId) => {
      const found = await transactionCoordinators.retry(
        transactionalId,
        DescribeTransactions,
        () => ({ transactionalIds: [transactionalId] }),
        ({ transactionStates }) => {
          throwIfMisdirected(transactionStates.map(({ errorCode }) => errorCode))
          return transactionStates.find((one) => one.transactionalId === transactionalId)
        },
        { signal },
      )
      if (found === undefined)
        throw new ClientError('bad-response', 'the answer lacks the transactional id', { place: { transactionalId } })
      return {
        transactionalId,
        coordinatorId: await transactionCoordinators.find(transactionalId, signal),
        state: found.transactionState,
        producerId: found.producerId,
        producerEpoch: found.producerEpoch,
        timeoutMs: found.transactionTimeoutMs,
        startTimeMs: found.transactionStartTimeMs,
        partitions: found.topics.flatMap(({ topic, partitions }) => partitions.map((partition) => ({ topic, partition }))),
        error: itemError(found.errorCode, null, { transactionalId }),
      }
    }),
  )
}

/** Producers of partitions, told by their leaders, or by the replicas of one broker. */
export async function describeProducers(
  context: AdminContext,
  partitions: readonly TopicPartition[],
  options: { readonly brokerId?: number },
  signal: AbortSignal | undefined,
): Promise<readonly DescribedProducers[]> {
  const { brokerId } = options
  const groups = brokerId === undefined ? await byLeader(context, partitions, signal) : new Map([[brokerId, partitions]])
  const parts = [...groups].map(async ([nodeId, asked]): Promise<readonly DescribedProducers[]> => {
    if (nodeId < 0) return asked.map(({ topic, partition }) => ({ topic, partition, producers: [], error: noLeader(topic, partition) }))
    const topics = [...Map.groupBy(asked, ({ topic }) => topic)].map(([name, list]) => ({
      name,
      partitionIndexes: list.map(({ partition }) => partition),
    }))
    return ask(
      context,
      { nodeId },
      DescribeProducers,
      () => ({ topics }),
      (response) =>
        response.topics.flatMap(({ name, partitions: found }) =>
          found.map(({ partitionIndex, errorCode, errorMessage, activeProducers }) => ({
            topic: name,
            partition: partitionIndex,
            error: itemError(errorCode, errorMessage, { topic: name, partition: partitionIndex }),
            producers: activeProducers.map(({ lastTimestamp, currentTxnStartOffset, ...producer }) => ({
              ...producer,
              lastTimestampMs: lastTimestamp,
              currentTransactionStartOffset: currentTxnStartOffset,
            })),
          })),
        ),
      { signal },
    )
  })
  return (await Promise.all(parts)).flat()
}

/** Writes an abort marker into a partition, past the coordinator: for a transaction that the coordinator knows nothing of. */
export async function abortTransaction(
  context: AdminContext,
  { topic, partition, producerId, producerEpoch, coordinatorEpoch }: HangingTransaction,
  signal: AbortSignal | undefined,
): Promise<void> {
  const [[nodeId] = [-1]] = await byLeader(context, [{ topic, partition }], signal)
  if (nodeId < 0) throw noLeader(topic, partition)
  const marker = {
    producerId,
    producerEpoch,
    coordinatorEpoch,
    transactionResult: false,
    topics: [{ name: topic, partitionIndexes: [partition] }],
  }
  await ask(
    context,
    { nodeId },
    WriteTxnMarkers,
    () => ({ markers: [marker] }),
    (response) => {
      const written = response.markers[0]?.topics[0]?.partitions[0]
      if (written === undefined) throw new ClientError('bad-response', 'the answer lacks the partition', { place: { topic, partition } })
      throwIfError(written.errorCode, null, { topic, partition })
    },
    { signal },
  )
}

/** Puts out whoever produces with these ids, and aborts their transactions. */
export function fenceProducers(
  { cluster, transactionCoordinators }: AdminContext,
  transactionalIds: readonly string[],
  signal: AbortSignal | undefined,
): Promise<readonly FencedProducer[]> {
  return Promise.all(
    transactionalIds.map((transactionalId) =>
      transactionCoordinators.retry(
        transactionalId,
        InitProducerId,
        // Nobody will use the identity: the time out only has to be one that a broker takes.
        () => ({ transactionalId, transactionTimeoutMs: cluster.options.requestTimeoutMs }),
        ({ errorCode, producerId, producerEpoch }) => {
          const error = itemError(errorCode, null, { transactionalId })
          if (error?.retriable === true) throw error
          return { transactionalId, producerId, producerEpoch, error }
        },
        { signal, versionMax: INIT_VERSION_MAX },
      ),
    ),
  )
}

/** The partitions by the node id of their leader; -1 for those without one. */
async function byLeader(
  context: AdminContext,
  partitions: readonly TopicPartition[],
  signal: AbortSignal | undefined,
): Promise<Map<number, TopicPartition[]>> {
  const described = await describeTopics(context, [...new Set(partitions.map(({ topic }) => topic))], signal)
  const topics = new Map(described.map((topic) => [topic.name, topic]))
  return Map.groupBy(
    partitions,
    (at) => topics.get(at.topic)?.partitions.find(({ partition }) => partition === at.partition)?.leaderId ?? -1,
  )
}

function noLeader(topic: string, partition: number): KafkaError {
  return new KafkaError(ErrorCode.UNKNOWN_TOPIC_OR_PARTITION, null, { topic, partition })
}
