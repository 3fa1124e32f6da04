/**
 * @module group/offset-commit — OffsetCommit and TxnOffsetCommit: who may commit, and what is stored.
 *
 * What a transaction commits is pending until its marker comes (KIP-98); before it is written, the transaction must know of the partition of
 * `__consumer_offsets` that it goes to (KIP-890).
 */
import type { Clock } from '../io/index.ts'
import type { Verification } from '../log/index.ts'
import { ErrorCode, ZERO_UUID } from '../wire/index.ts'
import type { OffsetCommit, RequestOf, ResponseInput, TxnOffsetCommit } from '../wire/index.ts'
import type { GroupConfig } from './group-config.ts'
import { judgeCommit } from './next/index.ts'
import type { CommittedOffset, OffsetKey } from './records.ts'
import type { GroupShard } from './shard.ts'
import type { Shards } from './shards.ts'
import type { Caller, Enrol, TxnOffsetCommitRequest } from './types.ts'

const COMMIT_WITH_GROUP_NOT_FOUND = 9
const TXN_COMMIT_WITH_LOADING_ERROR = 2
const TXN_COMMIT_WITH_ABORTABLE_ERROR = 4
const TXN_COMMIT_WITH_IMPLICIT_ENROLMENT = 5
const DEFAULT_RETENTION = -1

/** What these calls need. */
export interface CommitContext {
  readonly shards: Shards
  readonly config: GroupConfig
  readonly clock: Clock
}

type CommitRequest = RequestOf<typeof OffsetCommit>

/** Topics of either request. */
type Topics = readonly {
  readonly name: string
  readonly topicId: string
  readonly partitions: readonly CommittedPartition[]
}[]

interface CommittedPartition {
  readonly partitionIndex: number
  readonly committedOffset: number
  readonly committedLeaderEpoch: number
  readonly committedMetadata: string | null
}

/** A commit by whom, of what. */
interface Commit {
  readonly groupId: string
  readonly memberId: string
  readonly groupInstanceId: string | null
  readonly generationId: number
  readonly isTransactional: boolean
  readonly apiVersion: number
  readonly topics: Topics
}

interface Change {
  readonly key: OffsetKey
  readonly value: CommittedOffset
}

/** OffsetCommit. Resolves when the offsets are synced; an empty group id is allowed, as in Kafka. */
export async function offsetCommit(
  context: CommitContext,
  request: CommitRequest,
  caller: Caller,
): Promise<ResponseInput<typeof OffsetCommit>> {
  const { groupId, generationIdOrMemberEpoch: generationId } = request
  const answer = (errorOf: ErrorOf): ResponseInput<typeof OffsetCommit> => ({
    topics: request.topics.map(({ name, topicId, partitions }) => ({ name, topicId, partitions: answered(partitions, errorOf) })),
  })
  const shard = await context.shards.of(groupId)
  if (typeof shard === 'number') return answer(() => shard)
  const refused = admit(shard, { ...request, generationId, isTransactional: false, apiVersion: caller.apiVersion })
  if (refused !== ErrorCode.NONE) return answer(() => refused)
  const nowMs = context.clock.nowMs()
  const changes = changesOf(groupId, request.topics, context.config, {
    commitTimestampMs: nowMs,
    expireTimestampMs: request.retentionTimeMs === DEFAULT_RETENTION ? -1 : nowMs + request.retentionTimeMs,
  })
  if (changes.length === 0) shard.dropIfVacant(groupId)
  shard.counts.offsetCommitCount += changes.length
  const written = changes.length === 0 ? ErrorCode.NONE : await shard.write(changes)
  return answer((partition) => (isTooLarge(partition, context.config) ? ErrorCode.OFFSET_METADATA_TOO_LARGE : written))
}

/** TxnOffsetCommit. Resolves when the offsets are synced as a part of the transaction. */
export async function txnOffsetCommit(
  context: CommitContext,
  request: TxnOffsetCommitRequest,
  caller: Caller,
  enrol: Enrol,
): Promise<ResponseInput<typeof TxnOffsetCommit>> {
  const { apiVersion } = caller
  const answer = (errorOf: ErrorOf): ResponseInput<typeof TxnOffsetCommit> => ({
    throttleTimeMs: 0,
    topics: request.topics.map(({ name, partitions }) => ({ name, partitions: answered(partitions, errorOf) })),
  })
  const refuse = (errorCode: number): ResponseInput<typeof TxnOffsetCommit> => answer(() => codeForVersion(errorCode, apiVersion))
  if (request.groupId === '') return refuse(ErrorCode.INVALID_GROUP_ID)
  const shard = await context.shards.of(request.groupId)
  if (typeof shard === 'number') return refuse(shard)
  const verification = await verify(shard, context.shards.indexOf(request.groupId), request, apiVersion, enrol)
  if (typeof verification === 'number') return refuse(verification)
  // Nothing below waits before the append: what was found out above still holds.
  const refused = admit(shard, { ...request, isTransactional: true, apiVersion })
  if (refused !== ErrorCode.NONE) return refuse(refused)
  const changes = changesOf(
    request.groupId,
    // The API names no topic ids, and Kafka's record of such an offset has none.
    request.topics.map((topic) => ({ ...topic, topicId: ZERO_UUID })),
    context.config,
    { commitTimestampMs: context.clock.nowMs(), expireTimestampMs: -1 },
  )
  if (changes.length === 0) shard.dropIfVacant(request.groupId)
  shard.counts.offsetCommitCount += changes.length
  const { producerId, producerEpoch } = request
  const written = changes.length === 0 ? ErrorCode.NONE : await shard.writePending(changes, { producerId, producerEpoch, verification })
  const code = codeForVersion(written, apiVersion)
  return answer((partition) => (isTooLarge(partition, context.config) ? ErrorCode.OFFSET_METADATA_TOO_LARGE : code))
}

/** Has the transaction know of the partition, unless it is open there already. The guard for the append, or the code for clients. */
async function verify(
  shard: GroupShard,
  partitionIndex: number,
  producer: { readonly producerId: number; readonly producerEpoch: number },
  apiVersion: number,
  enrol: Enrol,
): Promise<Verification | number> {
  const enrolsImplicitly = apiVersion >= TXN_COMMIT_WITH_IMPLICIT_ENROLMENT
  const guard = shard.beginVerification(producer, enrolsImplicitly)
  if (guard === undefined) return 'trusted'
  const errorCode = await enrol(partitionIndex, { verifyOnly: !enrolsImplicitly })
  switch (errorCode) {
    case ErrorCode.NONE:
      return guard
    case ErrorCode.PRODUCER_FENCED:
      // Producers expect this one of an append.
      return ErrorCode.INVALID_PRODUCER_EPOCH
    case ErrorCode.TRANSACTION_ABORTABLE:
      return apiVersion >= TXN_COMMIT_WITH_ABORTABLE_ERROR ? errorCode : ErrorCode.INVALID_TXN_STATE
    default:
      return errorCode
  }
}

/** Clients before version 2 of TxnOffsetCommit do not know the loading error (KAFKA-7296). */
function codeForVersion(errorCode: number, apiVersion: number): number {
  const isUnknown = apiVersion < TXN_COMMIT_WITH_LOADING_ERROR && errorCode === ErrorCode.COORDINATOR_LOAD_IN_PROGRESS
  return isUnknown ? ErrorCode.COORDINATOR_NOT_AVAILABLE : errorCode
}

/** Whether the group takes this commit; makes a simple group for one from outside (KIP-211, KIP-848 for the codes). */
function admit(shard: GroupShard, commit: Commit): number {
  const { groupId, memberId, groupInstanceId, generationId, isTransactional, apiVersion } = commit
  const consumerGroup = shard.next.group(groupId)
  if (consumerGroup !== undefined) {
    const partitions = commit.topics.map((topic) => ({
      topicId: topic.topicId,
      partitions: topic.partitions.map(({ partitionIndex }) => partitionIndex),
    }))
    return judgeCommit(consumerGroup, { memberId, groupInstanceId, memberEpoch: generationId, isTransactional, apiVersion, partitions })
  }
  // Its first records are being written.
  if (shard.next.has(groupId)) return ErrorCode.COORDINATOR_LOAD_IN_PROGRESS
  if (shard.group(groupId) === undefined) {
    if (generationId >= 0) {
      const saysNotFound = !isTransactional && apiVersion >= COMMIT_WITH_GROUP_NOT_FOUND
      return saysNotFound ? ErrorCode.GROUP_ID_NOT_FOUND : ErrorCode.ILLEGAL_GENERATION
    }
    shard.ensureGroup(groupId)
  }
  const errorCode = shard.judge(groupId, (ticket) => ({ type: 'commit', ticket, memberId, groupInstanceId, generationId, isTransactional }))
  if (errorCode !== ErrorCode.NONE) shard.dropIfVacant(groupId)
  return errorCode
}

function changesOf(
  groupId: string,
  topics: Topics,
  config: GroupConfig,
  times: Pick<CommittedOffset, 'commitTimestampMs' | 'expireTimestampMs'>,
): Change[] {
  return topics.flatMap(({ name, topicId, partitions }) =>
    partitions.flatMap((partition): Change[] => {
      if (isTooLarge(partition, config)) return []
      const value: CommittedOffset = {
        offset: partition.committedOffset,
        leaderEpoch: partition.committedLeaderEpoch,
        metadata: partition.committedMetadata ?? '',
        ...times,
        topicId,
      }
      return [{ key: { groupId, topic: name, partition: partition.partitionIndex }, value }]
    }),
  )
}

function isTooLarge({ committedMetadata }: CommittedPartition, { offsetMetadataMaxBytes }: GroupConfig): boolean {
  return (committedMetadata?.length ?? 0) > offsetMetadataMaxBytes
}

type ErrorOf = (partition: CommittedPartition) => number

function answered(partitions: readonly CommittedPartition[], errorOf: ErrorOf): { partitionIndex: number; errorCode: number }[] {
  return partitions.map((partition) => ({ partitionIndex: partition.partitionIndex, errorCode: errorOf(partition) }))
}
