/**
 * @module group/next/offset-guard — who may commit and fetch the offsets of a consumer group (KIP-848, KIP-1251) (pure).
 */
import { ErrorCode } from '../../wire/index.ts'
import type { ConsumerGroup, ConsumerMember } from './group.ts'
import type { TopicPartitions } from './partitions.ts'

/** First version of OffsetCommit that members of the new protocol may use. */
const COMMIT_VERSION_MIN = 9

/** A commit: by whom and of what. */
export interface CommitClaim {
  readonly memberId: string
  readonly groupInstanceId: string | null
  readonly memberEpoch: number
  readonly isTransactional: boolean
  /** Of OffsetCommit; anything for a transactional one. */
  readonly apiVersion: number
  readonly partitions: TopicPartitions
}

/**
 * Whether a commit is taken: 0 or one code for all of it. A member may be behind with its epoch as long as it got each partition no
 * later than that epoch: what it read then is still its own.
 */
export function judgeCommit(group: ConsumerGroup, claim: CommitClaim): number {
  const { memberEpoch, isTransactional } = claim
  if (memberEpoch < 0 && group.members.size === 0) return ErrorCode.NONE
  const fromOutside = memberEpoch === -1 && claim.memberId === '' && claim.groupInstanceId === null
  if (isTransactional && fromOutside) return ErrorCode.NONE
  const member = group.members.get(claim.memberId)
  if (member === undefined) return ErrorCode.UNKNOWN_MEMBER_ID
  if (!isTransactional && member.classic === null && claim.apiVersion < COMMIT_VERSION_MIN) return ErrorCode.UNSUPPORTED_VERSION
  if (memberEpoch === member.memberEpoch) return ErrorCode.NONE
  const stale = isTransactional ? ErrorCode.ILLEGAL_GENERATION : staleCode(member)
  if (memberEpoch > member.memberEpoch) return stale
  const ownsAll = claim.partitions.every(({ topicId, partitions }) =>
    partitions.every((partition) => {
      const epoch = member.assigned.get(topicId)?.get(partition) ?? member.pendingRevocation.get(topicId)?.get(partition)
      return epoch !== undefined && memberEpoch >= epoch
    }),
  )
  return ownsAll ? ErrorCode.NONE : stale
}

/** Whether a fetch of offsets is answered; one without member id and epoch always is. */
export function judgeFetch(group: ConsumerGroup, memberId: string | null, memberEpoch: number): number {
  if (memberId === null && memberEpoch < 0) return ErrorCode.NONE
  const member = memberId === null ? undefined : group.members.get(memberId)
  if (member === undefined) return ErrorCode.UNKNOWN_MEMBER_ID
  return member.memberEpoch === memberEpoch ? ErrorCode.NONE : staleCode(member)
}

function staleCode(member: ConsumerMember): number {
  return member.classic === null ? ErrorCode.STALE_MEMBER_EPOCH : ErrorCode.ILLEGAL_GENERATION
}
