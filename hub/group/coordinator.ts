/**
 * @module group/coordinator — the group coordinator: its calls, the partitions behind them, and the timer that expires offsets.
 *
 * @example
 * ```ts
 * const groups = createGroupCoordinator({ offsetsTopic, clock, random, logger, config: groupConfig((key) => settings[key]), world })
 * await groups.start()
 * const { errorCode } = await groups.heartbeat(request, { clientId: 'c', clientHost: '/127.0.0.1', signal, apiVersion: 4 })
 * ```
 */
import type { Clock, Random, Timer } from '../io/index.ts'
import type { Logger } from '../observe/index.ts'
import { deleteGroups, describeGroups, listGroups, removeExpired, topicsDeleted } from './admin-api.ts'
import { noCounts } from './counts.ts'
import { factsOf } from './facts.ts'
import { GROUP_LIMITS } from './group-config.ts'
import type { GroupConfig, GroupLimits } from './group-config.ts'
import { heartbeat, joinGroup, leaveGroup, syncGroup } from './members-api.ts'
import { consumerGroupDescribe, consumerGroupHeartbeat } from './next/index.ts'
import type { ConsumerWorld } from './next/index.ts'
import { offsetCommit, txnOffsetCommit } from './offset-commit.ts'
import { offsetDelete } from './offset-delete.ts'
import { offsetFetch } from './offset-fetch.ts'
import { Shards } from './shards.ts'
import type { GroupCoordinator, OffsetsTopic } from './types.ts'

/** What the coordinator is made of. */
interface GroupCoordinatorOptions {
  readonly offsetsTopic: OffsetsTopic
  readonly clock: Clock
  readonly random: Random
  readonly logger: Logger
  readonly config: GroupConfig
  /** What consumer groups see of the cluster. */
  readonly world: ConsumerWorld
  readonly limits?: Partial<GroupLimits>
}

/**
 * A {@link GroupCoordinator} over an offsets topic. Calls before `start` are served as soon as their partition is loaded; after
 * `close` they answer COORDINATOR_NOT_AVAILABLE. Answers are protocol errors, never rejections.
 */
export function createGroupCoordinator(options: GroupCoordinatorOptions): GroupCoordinator {
  const { clock, random, config, logger, world } = options
  const limits: GroupLimits = { ...GROUP_LIMITS, ...options.limits }
  const counts = noCounts()
  const shards = new Shards(options.offsetsTopic, {
    clock,
    logger,
    world,
    counts,
    rules: {
      initialRebalanceDelayMs: config.initialRebalanceDelayMs,
      memberCountMax: config.memberCountMax,
      pendingMemberCountMax: limits.pendingMemberCountMax,
      newMemberJoinTimeoutMs: limits.newMemberJoinTimeoutMs,
    },
  })
  const context = { shards, config, limits, clock, random }
  const consumerContext = { shardOf: (groupId: string) => shards.of(groupId), world }
  let expiryTimer: Timer | null = null
  let closed = false
  const expireLater = (): void => {
    if (closed) return
    expiryTimer = clock.timer(config.offsetsRetentionCheckIntervalMs, () => {
      void Promise.all(shards.ready().map((shard) => removeExpired(context, shard))).then(expireLater)
    })
  }

  return {
    joinGroup: (request, caller) => joinGroup(context, request, caller),
    syncGroup: (request, caller) => syncGroup(context, request, caller),
    heartbeat: (request) => heartbeat(context, request),
    leaveGroup: (request, caller) => leaveGroup(context, request, caller),
    offsetCommit: (request, caller) => offsetCommit(context, request, caller),
    offsetFetch: (request, caller) => offsetFetch(context, request, caller),
    txnOffsetCommit: (request, caller, enrol) => txnOffsetCommit(context, request, caller, enrol),
    offsetDelete: (request) => offsetDelete(context, request),
    completeTransaction: async (partitionIndex, marker) => {
      const shard = await shards.at(partitionIndex)
      return typeof shard === 'number' ? shard : shard.completeTransaction(marker)
    },
    describeGroups: (request, caller) => describeGroups(context, request, caller),
    listGroups: async (request) => listGroups(context, request),
    deleteGroups: (request) => deleteGroups(context, request),
    consumerGroupHeartbeat: (request, caller) => consumerGroupHeartbeat(consumerContext, request, caller),
    consumerGroupDescribe: (request) => consumerGroupDescribe(consumerContext, request),
    topicsDeleted: (topics) => topicsDeleted(context, topics),
    facts: () => factsOf(shards.ready()),
    counts: () => counts,
    start: async () => {
      expireLater()
      await shards.start()
    },
    close: async () => {
      closed = true
      expiryTimer?.cancel()
      await shards.close()
    },
  }
}
