/**
 * @module api/28-txn-offset-commit — keeps a group's positions as a part of a transaction. Versions 0–5.
 *
 * Topics and partitions that do not exist are answered here, the rest by the coordinator. 2: leader epoch. 3: member and generation (KIP-447).
 * 4: TRANSACTION_ABORTABLE (KIP-890). 5: the group's partition joins the transaction by itself; before, AddOffsetsToTxn did that, and it is
 * only looked whether it did.
 */
import type { Enrol } from '../group/index.ts'
import { ErrorCode, type RequestOf, TxnOffsetCommit } from '../wire/index.ts'
import { callerOf } from './group-caller.ts'
import { type Broker, defineHandler } from './handler.ts'
import { partExisting } from './existing-partitions.ts'

const OFFSETS_TOPIC = '__consumer_offsets'

export const txnOffsetCommit = defineHandler({
  api: TxnOffsetCommit,
  overlaps: false,
  create: (broker) => async (request, context) => {
    const { existing, merge } = partExisting(broker.controller.image, request.topics)
    const known = existing.map((topic) => ({
      ...topic,
      topicId: broker.controller.image.topicsByName.get(topic.name)?.topicId ?? '',
    }))
    if (known.length === 0) return { throttleTimeMs: 0, topics: merge([]) }
    const answered = await broker.groups.txnOffsetCommit({ ...request, topics: known }, callerOf(context), enrolment(broker, request))
    return { throttleTimeMs: 0, topics: merge(answered.topics) }
  },
})

function enrolment(broker: Broker, request: RequestOf<typeof TxnOffsetCommit>): Enrol {
  const { transactionalId, producerId, producerEpoch } = request
  return async (partition, options) => {
    const isVerified = broker.config().brokerConfig['transaction.partition.verification.enable']
    if (options.verifyOnly && !isVerified) return ErrorCode.NONE
    const partitions = [{ topic: OFFSETS_TOPIC, partition }]
    const [errorCode] = await broker.transactions.enrol(transactionalId, { producerId, producerEpoch }, partitions, options)
    return errorCode ?? ErrorCode.UNKNOWN_SERVER_ERROR
  }
}
