/**
 * @module group/next/describe — a consumer group as ConsumerGroupDescribe shows it (pure).
 */
import { ErrorCode } from '../../wire/index.ts'
import type { ConsumerGroupDescribe, ResponseInput } from '../../wire/index.ts'
import { preferredAssignor } from './epoch.ts'
import { stateOf } from './group.ts'
import type { ConsumerGroup, ConsumerMember } from './group.ts'
import { NO_PARTITIONS, listOf } from './partitions.ts'
import type { OwnedPartitions, Partitions } from './partitions.ts'
import type { Topics } from './topics.ts'

/** One group of the answer. */
export type DescribedConsumerGroup = ResponseInput<typeof ConsumerGroupDescribe>['groups'][number]
type Assignment = DescribedConsumerGroup['members'][number]['assignment']

const CLASSIC_MEMBER = 0
const CONSUMER_MEMBER = 1

/** A group that can't be described. */
export function undescribed(groupId: string, errorCode: number, errorMessage: string | null): DescribedConsumerGroup {
  return { errorCode, errorMessage, groupId, groupState: '', groupEpoch: 0, assignmentEpoch: 0, assignorName: '', members: [] }
}

/** A group with its members; topics that are gone are left out. */
export function describeGroup(group: ConsumerGroup, assignorNames: readonly string[], topics: Topics): DescribedConsumerGroup {
  return {
    errorCode: ErrorCode.NONE,
    errorMessage: null,
    groupId: group.groupId,
    groupState: stateOf(group),
    groupEpoch: group.groupEpoch,
    assignmentEpoch: group.assignmentEpoch,
    assignorName: preferredAssignor(group, assignorNames),
    members: [...group.members.values()].map((member) => ({
      memberId: member.memberId,
      instanceId: member.instanceId,
      rackId: member.rackId,
      memberEpoch: member.memberEpoch,
      clientId: member.clientId,
      clientHost: member.clientHost,
      subscribedTopicNames: [...member.topicNames],
      subscribedTopicRegex: member.topicRegex,
      assignment: named(ownedBy(member), topics),
      targetAssignment: named(group.targets.get(member.memberId) ?? NO_PARTITIONS, topics),
      memberType: member.classic === null ? CONSUMER_MEMBER : CLASSIC_MEMBER,
    })),
  }
}

/** What a member has, with what it has still to give back. */
function ownedBy({ assigned, pendingRevocation }: ConsumerMember): OwnedPartitions {
  const owned = new Map<string, ReadonlyMap<number, number>>(assigned)
  for (const [topicId, epochs] of pendingRevocation) owned.set(topicId, new Map([...(owned.get(topicId) ?? []), ...epochs]))
  return owned
}

function named(partitions: Partitions | OwnedPartitions, topics: Topics): Assignment {
  return {
    topicPartitions: listOf(partitions).flatMap(({ topicId, partitions: numbers }) => {
      const topic = topics.byId(topicId)
      return topic === undefined ? [] : [{ topicId, topicName: topic.name, partitions: numbers }]
    }),
  }
}
