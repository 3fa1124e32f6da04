/**
 * @module group/coordinator — the group coordinator: nine calls, the partitions behind them, and the timer that expires offsets.
 *
 * @example
 * ```ts
 * const groups = createGroupCoordinator({ offsetsTopic, clock, random, logger, config: groupConfig((key) => settings[key]) })
 * await groups.start()
 * const { errorCode } = await groups.heartbeat(request, { clientId: 'c', clientHost: '/127.0.0.1', signal, apiVersion: 4 })
 * ```
 */
import type { Clock, Random, Timer } from '../io/index.ts'
import type { Logger } from '../observe/index.ts'
import { deleteGroups, describeGroups, listGroups, removeExpired, topicsDeleted } from './admin-api.ts'
import { GROUP_LIMITS } from './group-config.ts'
import type { GroupConfig, GroupLimits } from './group-config.ts'
import { heartbeat, joinGroup, leaveGroup, syncGroup } from './members-api.ts'
import { offsetCommit, offsetFetch } from './offsets-api.ts'
import { Shards } from './shards.ts'
import type { GroupCoordinator, OffsetsTopic } from './types.ts'

/** What the coordinator is made of. */
interface GroupCoordinatorOptions {
  readonly offsetsTopic: OffsetsTopic
  readonly clock: Clock
  readonly random: Random
  readonly logger: Logger
  readonly config: GroupConfig
  readonly limits?: Partial<GroupLimits>
}

/**
 * A {@link GroupCoordinator} over an offsets topic. Calls before `start` are served as soon as their partition is loaded; after
 * `close` they answer COORDINATOR_NOT_AVAILABLE. Answers are protocol errors, never rejections.
 */
export function createGroupCoordinator(options: GroupCoordinatorOptions): GroupCoordinator {
  const { clock, random, config, logger } = options
  const limits: GroupLimits = { ...GROUP_LIMITS, ...options.limits }
  const shards = new Shards(options.offsetsTopic, {
    clock,
    logger,
    rules: {
      initialRebalanceDelayMs: config.initialRebalanceDelayMs,
      memberCountMax: config.memberCountMax,
      pendingMemberCountMax: limits.pendingMemberCountMax,
      newMemberJoinTimeoutMs: limits.newMemberJoinTimeoutMs,
    },
  })
  const context = { shards, config, limits, clock, random }
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
    describeGroups: (request, caller) => describeGroups(context, request, caller),
    listGroups: async (request) => listGroups(context, request),
    deleteGroups: (request) => deleteGroups(context, request),
    topicsDeleted: (topics) => topicsDeleted(context, topics),
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
