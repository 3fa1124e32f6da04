/**
 * @module api/24-add-partitions-to-txn — partitions join a transaction. Versions 0–5.
 *
 * One that does not exist refuses them all: the others are answered OPERATION_NOT_ATTEMPTED. 2: PRODUCER_FENCED (KIP-588). 4: many
 * transactions, and those that are only looked up (KIP-890); sent by brokers. 5: TRANSACTION_ABORTABLE.
 */
import { AddPartitionsToTxn, ErrorCode, type RequestOf } from '../wire/index.ts'
import { type Broker, defineHandler } from './handler.ts'

/** First version with many transactions. */
const BATCH_VERSION_MIN = 4

type Request = RequestOf<typeof AddPartitionsToTxn>
type TopicRequest = Request['v3AndBelowTopics'][number]

export const addPartitionsToTxn = defineHandler({
  api: AddPartitionsToTxn,
  overlaps: false,
  create:
    (broker) =>
    (request, { apiVersion }) =>
      apiVersion < BATCH_VERSION_MIN ? addOne(broker, request, apiVersion) : addMany(broker, request, apiVersion),
})

function addOne(broker: Broker, request: Request, apiVersion: number) {
  const refused = refuseMissing(broker, request.v3AndBelowTopics)
  if (refused === undefined) return broker.transactions.addPartitionsToTxn(request, { apiVersion })
  return { throttleTimeMs: 0, errorCode: ErrorCode.NONE, resultsByTransaction: [], resultsByTopicV3AndBelow: refused }
}

async function addMany(broker: Broker, request: Request, apiVersion: number) {
  const refusals = request.transactions.map(({ topics }) => refuseMissing(broker, topics))
  const asked = request.transactions.filter((_, at) => refusals[at] === undefined)
  const answered = await broker.transactions.addPartitionsToTxn({ ...request, transactions: asked }, { apiVersion })
  const results = (answered.resultsByTransaction ?? []).values()
  const resultsByTransaction = request.transactions.flatMap(({ transactionalId }, at) => {
    const topicResults = refusals[at]
    if (topicResults !== undefined) return [{ transactionalId, topicResults }]
    const result = results.next()
    return result.done === true ? [] : [result.value]
  })
  return { ...answered, resultsByTransaction }
}

/** The answer to a transaction that names a partition which does not exist, else undefined. */
function refuseMissing(broker: Broker, topics: readonly TopicRequest[]) {
  const { topicsByName } = broker.controller.image
  const exists = (name: string, index: number): boolean => topicsByName.get(name)?.partitions[index] !== undefined
  if (topics.every(({ name, partitions }) => partitions.every((index) => exists(name, index)))) return undefined
  return topics.map(({ name, partitions }) => ({
    name,
    resultsByPartition: partitions.map((partitionIndex) => ({
      partitionIndex,
      partitionErrorCode: exists(name, partitionIndex) ? ErrorCode.OPERATION_NOT_ATTEMPTED : ErrorCode.UNKNOWN_TOPIC_OR_PARTITION,
    })),
  }))
}
