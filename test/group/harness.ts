/** A coordinator on a memory topic with a crank for the clock, as the tests of this folder use it. */
import type { Api, RequestInput, RequestOf } from '../../hub/wire/index.ts'
import {
  DescribeGroups,
  Heartbeat,
  JoinGroup,
  ListGroups,
  OffsetCommit,
  OffsetFetch,
  Reader,
  SyncGroup,
  Writer,
  ZERO_UUID,
} from '../../hub/wire/index.ts'
import { createGroupCoordinator, groupConfig } from '../../hub/group/index.ts'
import type { Caller, ConsumerWorld, GroupConfig, GroupConfigKey, GroupCoordinator, GroupLimits } from '../../hub/group/index.ts'
import { type MemoryStateTopic, memoryStateTopic } from '../../hub/replica/index.ts'
import { memoryClock, seededRandom } from '../../hub/io/index.ts'
import type { MemoryClock } from '../../hub/io/index.ts'
import type { MemoryLogger } from '../../hub/observe/index.ts'
import { memoryLogger } from '../../hub/observe/index.ts'
import { fakeWorld } from './next/world.ts'

/** Kafka's defaults, with no delay of the first rebalance. */
const DEFAULTS: Record<GroupConfigKey, number> = {
  'group.min.session.timeout.ms': 6000,
  'group.max.session.timeout.ms': 1_800_000,
  'group.initial.rebalance.delay.ms': 0,
  'group.max.size': 2_147_483_647,
  'offset.metadata.max.bytes': 4096,
  'offsets.retention.minutes': 10_080,
  'offsets.retention.check.interval.ms': 600_000,
}

export interface Harness {
  readonly clock: MemoryClock
  readonly topic: MemoryStateTopic
  readonly groups: GroupCoordinator
  readonly logger: MemoryLogger
  /** Another coordinator over what a crash leaves of the topic. */
  restart(): Promise<Harness>
}

export interface HarnessOptions {
  readonly settings?: Partial<Record<GroupConfigKey, number>>
  readonly limits?: Partial<GroupLimits>
  readonly topic?: MemoryStateTopic
  readonly clock?: MemoryClock
  readonly partitionCount?: number
  readonly world?: ConsumerWorld
  readonly seed?: number
}

/** A started coordinator. */
export async function harness(options: HarnessOptions = {}): Promise<Harness> {
  const made = unstarted(options)
  await made.groups.start()
  return made
}

/** A coordinator that has not read its log. */
export function unstarted(options: HarnessOptions = {}): Harness {
  const clock = options.clock ?? memoryClock()
  const topic = options.topic ?? memoryStateTopic({ partitionCount: options.partitionCount ?? 5, nowMs: () => clock.nowMs() })
  const config: GroupConfig = groupConfig((key) => options.settings?.[key] ?? DEFAULTS[key])
  const logger = memoryLogger()
  const seed = options.seed ?? 1
  const groups = createGroupCoordinator({
    offsetsTopic: topic,
    clock,
    random: seededRandom(seed),
    logger,
    config,
    world: options.world ?? fakeWorld(),
    limits: options.limits ?? {},
  })
  return { clock, topic, groups, logger, restart: () => harness({ ...options, topic: topic.reopened(), clock, seed: seed + 1 }) }
}

/** A caller on a connection that stays open, unless a signal says otherwise. */
export function caller(apiVersion: number, signal: AbortSignal = new AbortController().signal, clientId = 'golden'): Caller {
  return { apiVersion, signal, clientId, clientHost: '/127.0.0.1' }
}

/** A request as the wire would deliver it. */
export function request<Q, QI, P, PI>(api: Api<Q, QI, P, PI>, version: number, input: QI): Q {
  const writer = new Writer()
  api.request.encode(input, version, writer)
  return api.request.decode(new Reader(writer.toBuffer()), version)
}

/** A response as the wire would deliver it: proves that the version can carry it. */
export function overWire<Q, QI, P, PI>(api: Api<Q, QI, P, PI>, version: number, response: PI): P {
  const writer = new Writer()
  api.response.encode(response, version, writer)
  return api.response.decode(new Reader(writer.toBuffer()), version)
}

export const RANGE_T1 = Buffer.from('AAMAAAABAAJ0Mf////8AAAAA/////wAA', 'base64')

/** A JoinGroup request with the usual settings. */
export function joinRequest(
  version: number,
  groupId: string,
  memberId = '',
  change: Partial<RequestInput<typeof JoinGroup>> = {},
): RequestOf<typeof JoinGroup> {
  return request(JoinGroup, version, {
    groupId,
    memberId,
    sessionTimeoutMs: 10_000,
    rebalanceTimeoutMs: 60_000,
    protocolType: 'consumer',
    protocols: [{ name: 'range', metadata: RANGE_T1 }],
    ...change,
  })
}

/** A group of one member that has its assignment; resolves with the member's id. */
export async function stableMember(of: Harness, groupId: string, change: Partial<RequestInput<typeof JoinGroup>> = {}): Promise<string> {
  const version = change.groupInstanceId === undefined ? 3 : 9
  const answer = await settle(of, of.groups.joinGroup(joinRequest(version, groupId, '', change), caller(version)))
  await settle(
    of,
    of.groups.syncGroup(syncRequest(groupId, answer.memberId, answer.generationId ?? -1, { [answer.memberId]: 'all' }), caller(3)),
  )
  return answer.memberId
}

/** SyncGroup version 3 with assignments given as text. */
export function syncRequest(
  groupId: string,
  memberId: string,
  generationId: number,
  assignments: Record<string, string> = {},
  groupInstanceId: string | null = null,
): RequestOf<typeof SyncGroup> {
  return request(SyncGroup, 3, {
    groupId,
    memberId,
    generationId,
    groupInstanceId,
    assignments: Object.entries(assignments).map(([id, text]) => ({ memberId: id, assignment: Buffer.from(text) })),
  })
}

/** Lets what is due happen and resolves with the answer. */
export async function settle<T>(of: Harness, pending: Promise<T>): Promise<T> {
  await of.clock.advance(0)
  return pending
}

/** OffsetCommit of one partition from outside the group, or of a member. */
export function commitRequest(
  groupId: string,
  topic: string,
  partition: number,
  offset: number,
  change: CommitChange = {},
): RequestOf<typeof OffsetCommit> {
  const version = change.version ?? 9
  const decoded = request(OffsetCommit, version, {
    groupId,
    memberId: change.memberId ?? '',
    generationIdOrMemberEpoch: change.generationId ?? -1,
    ...(change.retentionTimeMs === undefined ? {} : { retentionTimeMs: change.retentionTimeMs }),
    topics: [
      {
        name: topic,
        topicId: ZERO_UUID,
        partitions: [
          {
            partitionIndex: partition,
            committedOffset: offset,
            committedLeaderEpoch: change.leaderEpoch ?? -1,
            committedMetadata: change.metadata ?? null,
          },
        ],
      },
    ],
  })
  return { ...decoded, topics: decoded.topics.map((each) => ({ ...each, name: topic, topicId: change.topicId ?? ZERO_UUID })) }
}

/** What a commit may carry besides the offset. */
export interface CommitChange {
  readonly version?: number
  readonly memberId?: string
  readonly generationId?: number
  readonly metadata?: string | null
  readonly leaderEpoch?: number
  readonly topicId?: string
  readonly retentionTimeMs?: number
}

/** The error of the only partition of a commit's answer. */
export async function commit(of: Harness, asked: RequestOf<typeof OffsetCommit>, version = 9): Promise<number | undefined> {
  const answer = await of.groups.offsetCommit(asked, caller(version))
  return answer.topics[0]?.partitions[0]?.errorCode
}

/** All visible offsets of a group, as `topic-partition → offset metadata`. */
export async function offsetsOf(of: Harness, groupId: string, requireStable = false): Promise<Record<string, string>> {
  const asked = request(OffsetFetch, 9, { groups: [{ groupId, topics: null }], requireStable })
  const answer = await of.groups.offsetFetch(asked, caller(9))
  const all: Record<string, string> = {}
  for (const topic of answer.groups?.[0]?.topics ?? []) {
    for (const each of topic.partitions) all[`${topic.name}-${each.partitionIndex}`] = `${each.committedOffset} ${each.metadata}`.trimEnd()
  }
  return all
}

/** DescribeGroups version 5 of one group. */
export async function describeGroup(
  of: Harness,
  groupId: string,
): Promise<NonNullable<Awaited<ReturnType<GroupCoordinator['describeGroups']>>['groups']>[number] | undefined> {
  const asked = request(DescribeGroups, 5, { groups: [groupId], includeAuthorizedOperations: false })
  return (await of.groups.describeGroups(asked, caller(5))).groups[0]
}

/** Ids and states of all groups. */
export async function listedGroups(of: Harness): Promise<Record<string, string | undefined>> {
  const listed = await of.groups.listGroups(request(ListGroups, 5, { statesFilter: [], typesFilter: [] }), caller(5))
  return Object.fromEntries(listed.groups.map((group) => [group.groupId, group.groupState]))
}

/** A heartbeat's error code. */
export async function beat(
  of: Harness,
  groupId: string,
  memberId: string,
  generationId: number,
  groupInstanceId: string | null = null,
): Promise<number> {
  return (await of.groups.heartbeat(request(Heartbeat, 4, { groupId, memberId, generationId, groupInstanceId }), caller(4))).errorCode
}
