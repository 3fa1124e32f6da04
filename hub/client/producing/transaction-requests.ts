/**
 * @module client/producing/transaction-requests — what a transactional producer asks its coordinators, one attempt each, and what an
 * error means: try again, abort, or the end (KIP-98, KIP-360, KIP-588, KIP-890, KIP-1050).
 */
import { AddOffsetsToTxn, AddPartitionsToTxn, EndTxn, ErrorCode, InitProducerId, isRetriable, TxnOffsetCommit } from '../../wire/index.ts'
import type { Coordinators } from '../coordinators.ts'
import { ClientError, KafkaError, throwIfError } from '../errors.ts'
import type { OffsetToCommit } from '../group-offsets.ts'
import type { GroupMetadata, TopicPartition } from '../types.ts'
import type { ProducerIdentity } from './batch.ts'

/** First versions of the second generation (KIP-890): the coordinator may raise the epoch, and learns of partitions from the brokers. */
const END_BUMP_VERSION = 5
const OFFSETS_IMPLICIT_VERSION = 5
/** Clients ask for one transaction at a time; from v4 on the API is for brokers. */
const ADD_PARTITIONS_VERSION_MAX = 3
/** First InitProducerId version that raises the epoch of a producer that is told (KIP-360). */
const INIT_BUMP_VERSION = 3
/** v6 is for two-phase commit (KIP-939). */
const INIT_VERSION_MAX = 5
/** First TxnOffsetCommit version that tells the member (KIP-447). */
const OFFSETS_MEMBER_VERSION = 3

/** Who asks. */
export interface Transactor {
  readonly coordinators: Coordinators
  readonly transactionalId: string
  readonly signal: AbortSignal
}

/** What an error means for the transaction. */
export type ErrorClass = 'retry' | 'abortable' | 'fatal'

const FENCED: ReadonlySet<number> = new Set([ErrorCode.PRODUCER_FENCED, ErrorCode.INVALID_PRODUCER_EPOCH])
/** Codes of which the transaction dies, but not the producer. */
const ABORTABLE: ReadonlySet<number> = new Set([
  ErrorCode.TRANSACTION_ABORTABLE,
  ErrorCode.TOPIC_AUTHORIZATION_FAILED,
  ErrorCode.GROUP_AUTHORIZATION_FAILED,
  ErrorCode.OPERATION_NOT_ATTEMPTED,
  ErrorCode.FENCED_INSTANCE_ID,
  ErrorCode.UNKNOWN_MEMBER_ID,
  ErrorCode.ILLEGAL_GENERATION,
  ErrorCode.STALE_MEMBER_EPOCH,
  ErrorCode.FENCED_MEMBER_EPOCH,
  ErrorCode.GROUP_ID_NOT_FOUND,
  ErrorCode.OFFSET_METADATA_TOO_LARGE,
])
/** Codes that say that the coordinator no longer knows the producer id: another epoch heals it, where the client may ask for one. */
const UNKNOWN_PRODUCER: ReadonlySet<number> = new Set([ErrorCode.UNKNOWN_PRODUCER_ID, ErrorCode.INVALID_PRODUCER_ID_MAPPING])
/** Codes of Produce of which the producer dies. */
const PRODUCE_FATAL: ReadonlySet<number> = new Set([
  ErrorCode.PRODUCER_FENCED,
  ErrorCode.CLUSTER_AUTHORIZATION_FAILED,
  ErrorCode.TRANSACTIONAL_ID_AUTHORIZATION_FAILED,
  ErrorCode.INVALID_PRODUCER_ID_MAPPING,
  ErrorCode.UNSUPPORTED_VERSION,
])

/** Whether the coordinator has lost the producer's id. */
export function isUnknownProducer(error: unknown): boolean {
  return error instanceof KafkaError && UNKNOWN_PRODUCER.has(error.code)
}

/** Judges an error of a coordinator's answer, or of the way to it. `mayBump`: the client may ask for another epoch (before KIP-890). */
export function classify(error: unknown, mayBump: boolean): ErrorClass {
  if (error instanceof ClientError) return error.retriable ? 'retry' : 'fatal'
  if (!(error instanceof KafkaError) || FENCED.has(error.code)) return 'fatal'
  if (isRetriable(error.code)) return 'retry'
  if (ABORTABLE.has(error.code) || (mayBump && UNKNOWN_PRODUCER.has(error.code))) return 'abortable'
  return 'fatal'
}

/**
 * Judges why a batch, or a record before it had one, was given up. INVALID_PRODUCER_EPOCH from a partition may only mean that the
 * transaction timed out; whether the producer is fenced is for the coordinator to say, when it is asked to abort (KIP-588).
 */
export function classifyProduce(error: unknown): 'abortable' | 'fatal' {
  if (error instanceof KafkaError) return PRODUCE_FATAL.has(error.code) ? 'fatal' : 'abortable'
  return error instanceof ClientError && error.kind === 'unsupported-version' ? 'fatal' : 'abortable'
}

/** Gets an identity: the first one, or (with `current`) the same producer id under the next epoch. Ends what its predecessor left open. */
export async function initProducer(
  { coordinators, transactionalId, signal }: Transactor,
  transactionTimeoutMs: number,
  current: ProducerIdentity | null,
): Promise<ProducerIdentity> {
  const answer = await coordinators.ask(
    transactionalId,
    'control',
    InitProducerId,
    () => ({ transactionalId, transactionTimeoutMs, producerId: current?.producerId ?? -1, producerEpoch: current?.epoch ?? -1 }),
    { signal, versionMin: current === null ? 0 : INIT_BUMP_VERSION, versionMax: INIT_VERSION_MAX },
  )
  throwIfError(answer.errorCode, null, { transactionalId })
  return { producerId: answer.producerId, epoch: answer.producerEpoch }
}

/** Tells the coordinator which partitions the transaction will write to; only before KIP-890. */
export async function addPartitions(
  { coordinators, transactionalId, signal }: Transactor,
  { producerId, epoch }: ProducerIdentity,
  partitions: readonly TopicPartition[],
): Promise<void> {
  const topics = [...Map.groupBy(partitions, ({ topic }) => topic)].map(([name, parts]) => ({
    name,
    partitions: parts.map(({ partition }) => partition),
  }))
  const answer = await coordinators.ask(
    transactionalId,
    'control',
    AddPartitionsToTxn,
    () => ({
      transactions: [],
      v3AndBelowTransactionalId: transactionalId,
      v3AndBelowProducerId: producerId,
      v3AndBelowProducerEpoch: epoch,
      v3AndBelowTopics: topics,
    }),
    { signal, versionMax: ADD_PARTITIONS_VERSION_MAX },
  )
  throwWorst(
    answer.resultsByTopicV3AndBelow.flatMap(({ name, resultsByPartition }) =>
      resultsByPartition.map(({ partitionIndex, partitionErrorCode }) => ({
        code: partitionErrorCode,
        place: { topic: name, partition: partitionIndex },
      })),
    ),
  )
}

/** Tells the coordinator that offsets of the group will be in the transaction; only before KIP-890. */
export async function addOffsets(
  { coordinators, transactionalId, signal }: Transactor,
  { producerId, epoch }: ProducerIdentity,
  groupId: string,
): Promise<void> {
  const answer = await coordinators.ask(
    transactionalId,
    'control',
    AddOffsetsToTxn,
    () => ({ transactionalId, producerId, producerEpoch: epoch, groupId }),
    { signal },
  )
  throwIfError(answer.errorCode, null, { transactionalId })
}

/** Writes offsets into the transaction, at the group's coordinator. `implicit`: that one tells the transaction's (KIP-890). */
export async function commitInTransaction(
  groups: Coordinators,
  { transactionalId, signal }: Transactor,
  { producerId, epoch }: ProducerIdentity,
  offsets: readonly OffsetToCommit[],
  group: GroupMetadata,
  implicit: boolean,
): Promise<void> {
  const { groupId, generationId, memberId, groupInstanceId } = group
  const isMember = memberId !== '' || generationId >= 0 || groupInstanceId !== null
  const topics = [...Map.groupBy(offsets, ({ topic }) => topic)].map(([name, parts]) => ({
    name,
    partitions: parts.map((part) => ({
      partitionIndex: part.partition,
      committedOffset: part.offset,
      committedLeaderEpoch: part.leaderEpoch ?? -1,
      committedMetadata: part.metadata ?? '',
    })),
  }))
  const answer = await groups.ask(
    groupId,
    'control',
    TxnOffsetCommit,
    () => ({ transactionalId, groupId, producerId, producerEpoch: epoch, generationId, memberId, groupInstanceId, topics }),
    {
      signal,
      versionMin: implicit ? OFFSETS_IMPLICIT_VERSION : isMember ? OFFSETS_MEMBER_VERSION : 0,
      versionMax: implicit ? OFFSETS_IMPLICIT_VERSION : OFFSETS_IMPLICIT_VERSION - 1,
    },
  )
  throwWorst(
    answer.topics.flatMap(({ name, partitions }) =>
      partitions.map(({ partitionIndex, errorCode }) => ({
        code: errorCode,
        place: { topic: name, partition: partitionIndex, groupId },
      })),
    ),
  )
}

/** Commits or aborts. With `bumps` (KIP-890) the answer is the identity for the next transaction; asking again is safe. */
export async function endTransaction(
  { coordinators, transactionalId, signal }: Transactor,
  { producerId, epoch }: ProducerIdentity,
  committed: boolean,
  bumps: boolean,
): Promise<ProducerIdentity | null> {
  const answer = await coordinators.ask(
    transactionalId,
    'control',
    EndTxn,
    () => ({ transactionalId, producerId, producerEpoch: epoch, committed }),
    { signal, ...(bumps ? { versionMin: END_BUMP_VERSION } : { versionMax: END_BUMP_VERSION - 1 }) },
  )
  throwIfError(answer.errorCode, null, { transactionalId })
  return bumps && answer.producerId >= 0 ? { producerId: answer.producerId, epoch: answer.producerEpoch } : null
}

/** Throws the error that decides: a final one before one that may pass. */
function throwWorst(results: readonly { code: number; place: { topic: string; partition: number; groupId?: string } }[]): void {
  const failed = results.filter(({ code }) => code !== ErrorCode.NONE)
  const rank = ({ code }: { code: number }): number => {
    const verdict = classify(new KafkaError(code), true)
    if (verdict === 'retry') return 3
    // That others failed is why this one was not tried.
    if (code === ErrorCode.OPERATION_NOT_ATTEMPTED) return 2
    return verdict === 'fatal' ? 0 : 1
  }
  const [worst] = failed.sort((one, other) => rank(one) - rank(other))
  if (worst !== undefined) throw new KafkaError(worst.code, null, worst.place)
}
