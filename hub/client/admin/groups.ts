/** @module client/admin/groups — groups: list, describe, delete; their offsets: read, set, delete. */
import {
  ConsumerGroupDescribe,
  type ConsumerGroupDescribeResponse,
  ConsumerProtocolAssignment,
  DecodeError,
  decodeVersioned,
  DeleteGroups,
  DescribeGroups,
  type DescribeGroupsResponse,
  ErrorCode,
  ListGroups,
  OffsetDelete,
} from '../../wire/index.ts'
import { ClientError, type KafkaError, throwIfError } from '../errors.ts'
import { commitOnce, fetchCommitted, type OffsetToCommit, SIMPLE_COMMITTER } from '../group-offsets.ts'
import type { CommittedOffset, TopicPartition } from '../types.ts'
import { type AdminContext, ask, type ItemResult, itemError, throwIfMisdirected } from './routes.ts'

/** A group as a list names it. */
export interface ListedGroup {
  readonly groupId: string
  /** `consumer`, `connect`, …; empty for a group without members that only holds offsets. */
  readonly protocolType: string
  /** `Stable`, `Empty`, …; empty from brokers before it was told (KIP-518). */
  readonly state: string
  /** `classic`, `consumer`, …; empty from brokers before it was told (KIP-848). */
  readonly type: string
}

/** A member of a group. */
export interface DescribedMember {
  readonly memberId: string
  readonly groupInstanceId: string | null
  readonly clientId: string
  readonly host: string
  /** Of members of protocol type `consumer`; empty for others. */
  readonly assignment: readonly TopicPartition[]
  /** Where a consumer group is moving it (KIP-848); null for classic groups. */
  readonly targetAssignment: readonly TopicPartition[] | null
  readonly rackId: string | null
  /** -1 in classic groups. */
  readonly memberEpoch: number
  /** Classic groups: bytes as the member and the leader wrote them. */
  readonly metadataBytes: Buffer | null
  readonly assignmentBytes: Buffer | null
}

/** A group described. */
export interface DescribedGroup extends ItemResult {
  readonly groupId: string
  readonly type: 'classic' | 'consumer'
  readonly protocolType: string
  /** The assignor. */
  readonly protocolName: string
  readonly state: string
  /** Node id of the coordinator. */
  readonly coordinatorId: number
  /** Group epoch of a consumer group; -1 for classic groups. */
  readonly epoch: number
  readonly members: readonly DescribedMember[]
}

/** All groups of all brokers; filters are applied by brokers that can (ListGroups v4 and v5), else here. */
export async function listGroups(
  context: AdminContext,
  filter: {
    readonly states?: readonly string[]
    readonly types?: readonly string[]
  },
  signal: AbortSignal | undefined,
): Promise<readonly ListedGroup[]> {
  const { cluster } = context
  await cluster.retry('Metadata', signal, (bounded) => cluster.refresh(bounded))
  const fold = (names: readonly string[] | undefined) => new Set(names?.map((name) => name.toLowerCase()))
  const states = fold(filter.states)
  const types = fold(filter.types)
  const perBroker = [...cluster.image.brokers.keys()].map((nodeId) =>
    ask(
      context,
      { nodeId },
      ListGroups,
      () => ({
        statesFilter: [...(filter.states ?? [])],
        typesFilter: [...(filter.types ?? [])],
      }),
      (response) => {
        throwIfError(response.errorCode)
        return response.groups
      },
      { signal },
    ),
  )
  const found = new Map<string, ListedGroup>()
  for (const { groupId, protocolType, groupState, groupType } of (await Promise.all(perBroker)).flat()) {
    const matches =
      (states.size === 0 || groupState === '' || states.has(groupState.toLowerCase())) &&
      (types.size === 0 || groupType === '' || types.has(groupType.toLowerCase()))
    if (matches)
      found.set(groupId, {
        groupId,
        protocolType,
        state: groupState,
        type: groupType,
      })
  }
  return [...found.values()].sort((one, other) => (one.groupId < other.groupId ? -1 : 1))
}

/** Describes groups of both kinds: each is asked for as a consumer group first, where the broker knows those. */
export function describeGroups(
  context: AdminContext,
  groupIds: readonly string[],
  signal: AbortSignal | undefined,
): Promise<readonly DescribedGroup[]> {
  return Promise.all(groupIds.map((groupId) => describeGroup(context, groupId, signal)))
}

async function describeGroup(context: AdminContext, groupId: string, signal: AbortSignal | undefined): Promise<DescribedGroup> {
  try {
    const consumer = await describeConsumerGroup(context, groupId, signal)
    const absent = consumer.error?.code === ErrorCode.GROUP_ID_NOT_FOUND || consumer.error?.code === ErrorCode.UNSUPPORTED_VERSION
    if (!absent) return consumer
  } catch (error) {
    if (!(error instanceof ClientError && error.kind === 'unsupported-version')) throw error
  }
  return describeClassicGroup(context, groupId, signal)
}

async function describeConsumerGroup(
  { coordinators }: AdminContext,
  groupId: string,
  signal: AbortSignal | undefined,
): Promise<DescribedGroup> {
  const group = await coordinators.retry(
    groupId,
    ConsumerGroupDescribe,
    () => ({ groupIds: [groupId], includeAuthorizedOperations: false }),
    (response) => theOne(response.groups, groupId),
    { signal },
  )
  return {
    groupId,
    type: 'consumer',
    protocolType: 'consumer',
    protocolName: group.assignorName,
    state: group.groupState,
    coordinatorId: await coordinators.find(groupId, signal),
    epoch: group.groupEpoch,
    members: group.members.map(consumerMember),
    error: itemError(group.errorCode, group.errorMessage, { groupId }),
  }
}

function consumerMember(member: ConsumerGroupDescribeResponse['groups'][number]['members'][number]): DescribedMember {
  const flat = (assignment: typeof member.assignment): TopicPartition[] =>
    assignment.topicPartitions.flatMap(({ topicName, partitions }) => partitions.map((partition) => ({ topic: topicName, partition })))
  return {
    memberId: member.memberId,
    groupInstanceId: member.instanceId,
    clientId: member.clientId,
    host: member.clientHost,
    assignment: flat(member.assignment),
    targetAssignment: flat(member.targetAssignment),
    rackId: member.rackId,
    memberEpoch: member.memberEpoch,
    metadataBytes: null,
    assignmentBytes: null,
  }
}

async function describeClassicGroup(
  { coordinators }: AdminContext,
  groupId: string,
  signal: AbortSignal | undefined,
): Promise<DescribedGroup> {
  const group = await coordinators.retry(
    groupId,
    DescribeGroups,
    () => ({ groups: [groupId], includeAuthorizedOperations: false }),
    (response) => theOne(response.groups, groupId),
    { signal },
  )
  return {
    groupId,
    type: 'classic',
    protocolType: group.protocolType,
    protocolName: group.protocolData,
    state: group.groupState,
    coordinatorId: await coordinators.find(groupId, signal),
    epoch: -1,
    members: group.members.map((member) => classicMember(group.protocolType, member)),
    error: itemError(group.errorCode, group.errorMessage, { groupId }),
  }
}

function classicMember(protocolType: string, member: DescribeGroupsResponse['groups'][number]['members'][number]): DescribedMember {
  return {
    memberId: member.memberId,
    groupInstanceId: member.groupInstanceId,
    clientId: member.clientId,
    host: member.clientHost,
    assignment: protocolType === 'consumer' ? consumerAssignment(member.memberAssignment) : [],
    targetAssignment: null,
    rackId: null,
    memberEpoch: -1,
    metadataBytes: member.memberMetadata,
    assignmentBytes: member.memberAssignment,
  }
}

/** A member may write what it likes into its assignment; what cannot be read is shown as nothing. */
function consumerAssignment(bytes: Buffer): TopicPartition[] {
  if (bytes.length === 0) return []
  try {
    return decodeVersioned(ConsumerProtocolAssignment, bytes).assignedPartitions.flatMap(({ topic, partitions }) =>
      partitions.map((partition) => ({ topic, partition })),
    )
  } catch (error) {
    if (error instanceof DecodeError) return []
    throw error
  }
}

/** Deletes groups that have no members, with their offsets. */
export function deleteGroups(
  { coordinators }: AdminContext,
  groupIds: readonly string[],
  signal: AbortSignal | undefined,
): Promise<readonly (ItemResult & { readonly groupId: string })[]> {
  return Promise.all(
    groupIds.map((groupId) =>
      coordinators.retry(
        groupId,
        DeleteGroups,
        () => ({ groupsNames: [groupId] }),
        ({ results }) => {
          throwIfMisdirected(results.map(({ errorCode }) => errorCode))
          return {
            groupId,
            error: itemError(results[0]?.errorCode ?? ErrorCode.UNKNOWN_SERVER_ERROR, null, { groupId }),
          }
        },
        { signal },
      ),
    ),
  )
}

/** What a group has committed, for these partitions or all; by topic and partition. */
export async function fetchGroupOffsets(
  { coordinators }: AdminContext,
  groupId: string,
  partitions: readonly TopicPartition[] | null,
  options: { readonly requireStable?: boolean },
  signal: AbortSignal | undefined,
): Promise<readonly (TopicPartition & CommittedOffset)[]> {
  const committed = await fetchCommitted(coordinators, groupId, partitions, options.requireStable ?? false, signal)
  return [...committed.values()].sort((one, other) =>
    one.topic === other.topic ? one.partition - other.partition : one.topic < other.topic ? -1 : 1,
  )
}

/** Sets offsets of a group; the broker refuses while the group has members of its own. */
export function alterGroupOffsets(
  { cluster, coordinators }: AdminContext,
  groupId: string,
  offsets: readonly OffsetToCommit[],
  signal: AbortSignal | undefined,
): Promise<readonly (TopicPartition & ItemResult)[]> {
  return cluster.retry(
    `OffsetCommit for group ${groupId}`,
    signal,
    async (bounded) => {
      const results = await commitOnce(cluster, coordinators, groupId, offsets, SIMPLE_COMMITTER, bounded)
      throwIfMisdirected(results.map(({ error }: { error: KafkaError | null }) => error?.code ?? 0))
      return results
    },
    (error) => coordinators.noteError(groupId, error),
  )
}

/** Deletes offsets of a group for partitions that no member is subscribed to. */
export function deleteGroupOffsets(
  { coordinators }: AdminContext,
  groupId: string,
  partitions: readonly TopicPartition[],
  signal: AbortSignal | undefined,
): Promise<readonly (TopicPartition & ItemResult)[]> {
  const topics = [...Map.groupBy(partitions, ({ topic }) => topic)].map(([name, parts]) => ({
    name,
    partitions: parts.map(({ partition }) => ({ partitionIndex: partition })),
  }))
  return coordinators.retry(
    groupId,
    OffsetDelete,
    () => ({ groupId, topics }),
    (response) => {
      throwIfError(response.errorCode, null, { groupId })
      return response.topics.flatMap(({ name, partitions: parts }) =>
        parts.map(({ partitionIndex, errorCode }) => ({
          topic: name,
          partition: partitionIndex,
          error: itemError(errorCode, null, {
            topic: name,
            partition: partitionIndex,
            groupId,
          }),
        })),
      )
    },
    { signal },
  )
}

function theOne<G extends { readonly groupId: string; readonly errorCode: number }>(groups: readonly G[], groupId: string): G {
  const group = groups.find((one) => one.groupId === groupId)
  if (group === undefined)
    throw new ClientError('bad-response', 'the answer lacks the group', {
      place: { groupId },
    })
  throwIfMisdirected([group.errorCode])
  return group
}
