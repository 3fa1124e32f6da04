/**
 * @module txn/coordinator — the transaction coordinator: its calls, the partitions behind them, and the timers that end what nobody ends.
 *
 * @example
 * ```ts
 * const transactions = createTransactionCoordinator({ topic, clock, logger, config: transactionConfig((key) => settings[key]), markers, … })
 * await transactions.start()
 * const { producerId, producerEpoch } = await transactions.initProducerId(request, { apiVersion: 5 })
 * ```
 */
import type { Clock, Timer } from '../io/index.ts'
import {
  type AddOffsetsToTxn,
  type AddPartitionsToTxn,
  type EndTxn,
  ErrorCode,
  type InitProducerId,
  type RequestOf,
  type ResponseInput,
} from '../wire/index.ts'
import { verifyPartitions } from './add-partitions.ts'
import { describeTransaction, listTransactions } from './listing.ts'
import type { TopicPartition } from './partitions.ts'
import { Shards } from './shards.ts'
import { code } from './steps.ts'
import { type Answer, NO_PRODUCER_EPOCH, NO_PRODUCER_ID, type TransactionRequest, type TransactionVersion } from './transaction.ts'
import { TRANSACTION_LIMITS } from './transaction-config.ts'
import type { TransactionCoordinator, TransactionCoordinatorOptions } from './types.ts'

/** First versions that know PRODUCER_FENCED; older clients hear INVALID_PRODUCER_EPOCH (KIP-588). */
const FENCED_VERSION_MIN = { initProducerId: 4, addPartitionsToTxn: 2, addOffsetsToTxn: 2, endTxn: 2 } as const
/** First versions that speak TV2. */
const ADD_PARTITIONS_TV2_VERSION_MIN = 4
const END_TXN_TV2_VERSION_MIN = 5
/** First version of AddPartitionsToTxn with many transactions. */
const BATCH_VERSION_MIN = 4

const OFFSETS_TOPIC = '__consumer_offsets'

/** What the calls work with. */
interface Context {
  readonly options: TransactionCoordinatorOptions
  readonly shards: Shards
}

/**
 * A {@link TransactionCoordinator} over a state topic. Calls before `start` are served as soon as their partition is loaded; after `close` they
 * answer COORDINATOR_NOT_AVAILABLE.
 */
export function createTransactionCoordinator(options: TransactionCoordinatorOptions): TransactionCoordinator {
  const { topic, clock, config } = options
  const shards = new Shards(topic, { ...options, limits: { ...TRANSACTION_LIMITS, ...options.limits } })
  const context = { options, shards }
  let timedOutCount = 0
  const checks = [
    repeating(clock, config.timeoutCheckIntervalMs, async () => {
      for (const shard of shards.ready()) timedOutCount += shard.abortTimedOut()
    }),
    repeating(clock, config.expirationCheckIntervalMs, async () => {
      await Promise.all(shards.ready().map((shard) => shard.removeExpired()))
    }),
  ]
  return {
    initProducerId: (request, { apiVersion }) => initProducerId(context, request, apiVersion),
    addPartitionsToTxn: (request, { apiVersion }) => addPartitionsToTxn(context, request, apiVersion),
    addOffsetsToTxn: (request, { apiVersion }) => addOffsetsToTxn(context, request, apiVersion),
    endTxn: (request, { apiVersion }) => endTxn(context, request, apiVersion),
    describeTransactions: async ({ transactionalIds }) => ({
      throttleTimeMs: 0,
      transactionStates: await Promise.all(transactionalIds.map((transactionalId) => describeTransaction(shards, transactionalId))),
    }),
    listTransactions: async (request) => listTransactions(shards, request, clock.nowMs()),
    enrol: (transactionalId, producer, partitions, { verifyOnly }) =>
      verifyOnly ? verify(context, transactionalId, producer, partitions) : add(context, transactionalId, producer, partitions, 2),
    ensureTopic: () => topic.ensure(),
    facts: () => {
      const ready = shards.ready()
      const transactionalIdCount = ready.reduce((sum, shard) => sum + shard.idCount, 0)
      const completingCount = ready.reduce((sum, shard) => sum + shard.completingCount, 0)
      return { transactionalIdCount, completingCount, timedOutCount }
    },
    start: async () => {
      for (const check of checks) check.start()
      await shards.start()
    },
    close: async () => {
      for (const check of checks) check.stop()
      await shards.close()
    },
  }
}

async function initProducerId(
  context: Context,
  request: RequestOf<typeof InitProducerId>,
  apiVersion: number,
): Promise<ResponseInput<typeof InitProducerId>> {
  const { errorCode, producerId, producerEpoch } = await initProducer(context, request)
  return { throttleTimeMs: 0, errorCode: known(errorCode, apiVersion, FENCED_VERSION_MIN.initProducerId), producerId, producerEpoch }
}

async function initProducer(context: Context, request: RequestOf<typeof InitProducerId>): Promise<Answer> {
  const { transactionalId, transactionTimeoutMs: timeoutMs, producerId, producerEpoch } = request
  const { config, newProducerId, logger } = context.options
  if ((producerId === NO_PRODUCER_ID) !== (producerEpoch === NO_PRODUCER_EPOCH)) return code(ErrorCode.INVALID_REQUEST)
  if (transactionalId === null) {
    try {
      return { errorCode: ErrorCode.NONE, producerId: await newProducerId(), producerEpoch: 0 }
    } catch (error) {
      logger.error('cannot allocate producer ids', { error })
      return code(ErrorCode.COORDINATOR_NOT_AVAILABLE)
    }
  }
  if (transactionalId === '') return code(ErrorCode.INVALID_REQUEST)
  if (timeoutMs <= 0 || timeoutMs > config.maxTimeoutMs) return code(ErrorCode.INVALID_TRANSACTION_TIMEOUT)
  const expected = producerId === NO_PRODUCER_ID ? null : { producerId, producerEpoch }
  return ask(context, transactionalId, { type: 'initProducerId', timeoutMs, expected })
}

interface Producer {
  readonly producerId: number
  readonly producerEpoch: number
}

interface Topic {
  readonly name: string
  readonly partitions: readonly number[]
}

/** A transaction of AddPartitionsToTxn, in one shape for all versions. */
interface Added {
  readonly transactionalId: string
  readonly producerId: number
  readonly producerEpoch: number
  readonly verifyOnly: boolean
  readonly topics: readonly Topic[]
}

async function addPartitionsToTxn(
  context: Context,
  request: RequestOf<typeof AddPartitionsToTxn>,
  apiVersion: number,
): Promise<ResponseInput<typeof AddPartitionsToTxn>> {
  const response = { throttleTimeMs: 0, errorCode: ErrorCode.NONE, resultsByTransaction: [], resultsByTopicV3AndBelow: [] }
  if (apiVersion < BATCH_VERSION_MIN) {
    const { v3AndBelowTransactionalId: transactionalId, v3AndBelowProducerId: producerId, v3AndBelowProducerEpoch: producerEpoch } = request
    const added = { transactionalId, producerId, producerEpoch, verifyOnly: false, topics: request.v3AndBelowTopics }
    return { ...response, resultsByTopicV3AndBelow: await addPartitions(context, added, apiVersion) }
  }
  const resultsByTransaction = await Promise.all(
    request.transactions.map(async (added) => ({
      transactionalId: added.transactionalId,
      topicResults: await addPartitions(context, added, apiVersion),
    })),
  )
  return { ...response, resultsByTransaction }
}

async function addPartitions(context: Context, { transactionalId, topics, verifyOnly, ...producer }: Added, apiVersion: number) {
  const partitions = topics.flatMap(({ name, partitions }) => partitions.map((partition) => ({ topic: name, partition })))
  const clientTransactionVersion = apiVersion >= ADD_PARTITIONS_TV2_VERSION_MIN ? 2 : 0
  const errorCodes = verifyOnly
    ? await verify(context, transactionalId, producer, partitions)
    : await add(context, transactionalId, producer, partitions, clientTransactionVersion)
  let at = 0
  return topics.map(({ name, partitions: numbers }) => ({
    name,
    resultsByPartition: numbers.map((partitionIndex) => ({
      partitionIndex,
      partitionErrorCode: known(errorCodes[at++] ?? ErrorCode.UNKNOWN_SERVER_ERROR, apiVersion, FENCED_VERSION_MIN.addPartitionsToTxn),
    })),
  }))
}

async function addOffsetsToTxn(
  context: Context,
  { transactionalId, groupId, producerId, producerEpoch }: RequestOf<typeof AddOffsetsToTxn>,
  apiVersion: number,
): Promise<ResponseInput<typeof AddOffsetsToTxn>> {
  const partitions = [{ topic: OFFSETS_TOPIC, partition: context.options.offsetsPartition(groupId) }]
  // Whoever speaks TV2 does not ask: TxnOffsetCommit enrols.
  const [errorCode = ErrorCode.NONE] = await add(context, transactionalId, { producerId, producerEpoch }, partitions, 0)
  return { throttleTimeMs: 0, errorCode: known(errorCode, apiVersion, FENCED_VERSION_MIN.addOffsetsToTxn) }
}

async function endTxn(
  context: Context,
  { transactionalId, committed: isCommit, ...request }: RequestOf<typeof EndTxn>,
  apiVersion: number,
): Promise<ResponseInput<typeof EndTxn>> {
  const clientTransactionVersion = apiVersion >= END_TXN_TV2_VERSION_MIN ? 2 : 0
  const { producerId: asProducerId, producerEpoch: inEpoch } = request
  const event = { type: 'endTransaction', producerId: asProducerId, producerEpoch: inEpoch, isCommit, clientTransactionVersion } as const
  const { errorCode, producerId, producerEpoch } = await ask(context, transactionalId, event)
  return { throttleTimeMs: 0, errorCode: known(errorCode, apiVersion, FENCED_VERSION_MIN.endTxn), producerId, producerEpoch }
}

async function ask({ shards }: Context, transactionalId: string, event: TransactionRequest): Promise<Answer> {
  if (transactionalId === '') return code(ErrorCode.INVALID_REQUEST)
  const shard = await shards.of(transactionalId)
  return typeof shard === 'number' ? code(shard) : shard.ask(transactionalId, event)
}

/** All of them or none: the same code for each. */
async function add(
  context: Context,
  transactionalId: string,
  { producerId, producerEpoch }: Producer,
  partitions: readonly TopicPartition[],
  clientTransactionVersion: TransactionVersion,
): Promise<readonly number[]> {
  const event = { type: 'addPartitions', producerId, producerEpoch, partitions, clientTransactionVersion } as const
  const { errorCode } = await ask(context, transactionalId, event)
  return partitions.map(() => errorCode)
}

async function verify(
  { shards }: Context,
  transactionalId: string,
  producer: Producer,
  partitions: readonly TopicPartition[],
): Promise<readonly number[]> {
  if (transactionalId === '') return partitions.map(() => ErrorCode.INVALID_REQUEST)
  const shard = await shards.of(transactionalId)
  if (typeof shard === 'number') return partitions.map(() => shard)
  return verifyPartitions(shard.transaction(transactionalId), producer, partitions)
}

/** The code in words that the client's version knows. */
function known(errorCode: number, apiVersion: number, fencedVersionMin: number): number {
  return errorCode === ErrorCode.PRODUCER_FENCED && apiVersion < fencedVersionMin ? ErrorCode.INVALID_PRODUCER_EPOCH : errorCode
}

/** Does `work` every `intervalMs`, counted from its end, between `start` and `stop`. */
function repeating(clock: Clock, intervalMs: number, work: () => Promise<void>): { start(): void; stop(): void } {
  let timer: Timer | null = null
  let isStopped = false
  const later = (): void => {
    if (!isStopped) timer = clock.timer(intervalMs, () => void work().then(later))
  }
  return {
    start: later,
    stop: () => {
      isStopped = true
      timer?.cancel()
    },
  }
}
