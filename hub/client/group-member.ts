/**
 * @module client/group-member — a member of a classic group, of whatever protocol type.
 *
 * ```
 *             join()                    JoinGroup, SyncGroup                heartbeat says rebalance,
 *   unjoined ────────▶ joining ───────────────────────────────▶ stable ────────────────────────────▶ stable, rejoinNeeded
 *      ▲                                                         │  ▲                                     │ join()
 *      └──── left, or the group went on without it ◀─────────────┘  └─────────────────────────────────────┘
 * ```
 * The consumer is built on it, and so is a Connect worker (protocol type `connect`). The owner calls `join` whenever
 * `rejoinNeeded`; in between heartbeats run by themselves. Nothing here touches what the assignment means.
 */
import type { Timer } from '../io/index.ts'
import { ErrorCode, Heartbeat, JoinGroup, type JoinGroupResponse, LeaveGroup, SyncGroup } from '../wire/index.ts'
import { backoffMs } from './backoff.ts'
import { Cluster } from './cluster.ts'
import { Coordinators } from './coordinators.ts'
import { abortable } from './deadline.ts'
import { canRetry, ClientError, KafkaError, throwIfError } from './errors.ts'
import { type ClientOptions, resolveClientOptions } from './options.ts'

/** A JoinGroup is answered when all members have joined, so it may take the whole rebalance timeout and a bit. */
const JOIN_GRACE_MS = 5_000
/** Codes after which the member joins again at once, as a new member where its id is no longer known. */
const REJOIN: ReadonlySet<number> = new Set([
  ErrorCode.REBALANCE_IN_PROGRESS,
  ErrorCode.UNKNOWN_MEMBER_ID,
  ErrorCode.ILLEGAL_GENERATION,
  ErrorCode.MEMBER_ID_REQUIRED,
])

/** What a member is and how patient it is. */
export interface GroupMemberOptions {
  readonly groupId: string
  /** Static membership (KIP-345); null for a dynamic member. */
  readonly groupInstanceId: string | null
  /** `consumer`, `connect`, …; all members of a group have the same. */
  readonly protocolType: string
  readonly sessionTimeoutMs: number
  readonly heartbeatIntervalMs: number
  /** How long the group waits for this member to join again. */
  readonly rebalanceTimeoutMs: number
  /** Leave the group when `touch` was not called for so long; undefined: never. */
  readonly pollIntervalMsMax?: number
}

/** A way of sharing work that the member knows, with what it wants to tell the leader. */
export interface MemberProtocol {
  readonly name: string
  readonly metadata: Buffer
}

/** A member as the leader sees it. */
export interface JoinedMember {
  readonly memberId: string
  readonly groupInstanceId: string | null
  readonly metadata: Buffer
}

/** What the owner does for its member. */
export interface GroupMemberHandlers {
  /** In order of preference; asked for at every join. */
  protocols(): readonly MemberProtocol[]
  /** This member was chosen to share out the work: member id to assignment. Members left out get empty bytes. */
  onJoinedAsLeader(protocolName: string, members: readonly JoinedMember[]): Promise<ReadonlyMap<string, Buffer>>
  /** `rejoinNeeded` has become true, or `fatalError` was set. */
  onAttention(): void
}

/** A completed join. */
export interface Generation {
  readonly generationId: number
  readonly memberId: string
  readonly protocolName: string
  readonly isLeader: boolean
  /** Made by the leader; empty when it had nothing for this member. */
  readonly assignment: Buffer
}

/** A member of a group. One `join` at a time. */
export class GroupMember {
  readonly #cluster: Cluster
  readonly #coordinators: Coordinators
  readonly #options: GroupMemberOptions
  readonly #handlers: GroupMemberHandlers
  #memberId = ''
  #generation: Generation | null = null
  #rejoinNeeded = true
  #rejoinReason = ''
  #lostCount = 0
  #fatalError: unknown = null
  #joining = false
  #leaveCount = 0
  #heartbeatTimer: Timer | null = null
  #lastHeartbeatMs = 0
  #lastTouchMs: number

  constructor(cluster: Cluster, coordinators: Coordinators, options: GroupMemberOptions, handlers: GroupMemberHandlers) {
    this.#cluster = cluster
    this.#coordinators = coordinators
    this.#options = options
    this.#handlers = handlers
    this.#lastTouchMs = this.#nowMs()
  }

  /** The generation that the member is in; null before the first join and after the group went on without it. */
  get generation(): Generation | null {
    return this.#generation
  }

  /** Whether `join` is due. */
  get rejoinNeeded(): boolean {
    return this.#rejoinNeeded
  }

  /** Counts how often a generation was lost: what was owned by then belongs to others. */
  get lostCount(): number {
    return this.#lostCount
  }

  /** An error that no rejoin heals (fenced by another member with the same instance id, not authorized). */
  get fatalError(): unknown {
    return this.#fatalError
  }

  /** Says that the owner is alive. */
  touch(): void {
    this.#lastTouchMs = this.#nowMs()
  }

  /** Makes `rejoinNeeded` true, for a changed subscription or a leader that saw the world change. */
  requestRejoin(reason: string): void {
    if (this.#rejoinNeeded) return
    this.#rejoinNeeded = true
    this.#rejoinReason = reason
    this.#handlers.onAttention()
  }

  /** Joins, or joins again. Tries until it succeeds, an error is final, or the signal aborts. */
  async join(signal: AbortSignal): Promise<Generation> {
    if (this.#joining) throw new ClientError('state', 'the member is joining already')
    this.#joining = true
    this.#stopHeartbeats()
    const { random, clock } = this.#cluster.options.world
    const { retryBackoffMs, retryBackoffMsMax } = this.#cluster.options
    const leaveCount = this.#leaveCount
    try {
      for (let failureCount = 0; ; ) {
        // Whoever leaves while a join is on its way must not come back by it.
        if (this.#leaveCount !== leaveCount) throw new ClientError('closed', 'the member left the group')
        try {
          return await this.#joinOnce(signal)
        } catch (error) {
          signal.throwIfAborted()
          if (this.#noteError(error)) continue
          if (!canRetry(error)) throw error
          await clock.sleep(backoffMs(failureCount++, retryBackoffMs, retryBackoffMsMax, random), signal)
        }
      }
    } finally {
      this.#joining = false
      if (this.#generation !== null) this.#armHeartbeat()
    }
  }

  /**
   * Takes note of an error that another request of the member got (an offset commit): its generation may be over.
   * True when joining again is the answer.
   */
  noteError(error: unknown): boolean {
    const rejoin = this.#noteError(error)
    if (rejoin) this.#handlers.onAttention()
    return rejoin
  }

  /** Leaves the group, unless the member is static and means to come back. Errors don't matter: the session would end it. */
  async leave(reason: string, signal?: AbortSignal): Promise<void> {
    this.#stopHeartbeats()
    this.#leaveCount++
    const memberId = this.#memberId
    const { groupId, groupInstanceId } = this.#options
    this.#forget()
    if (memberId === '' || groupInstanceId !== null) return
    try {
      await this.#coordinators.ask(
        groupId,
        'control',
        LeaveGroup,
        (version) =>
          version >= 3 ? { groupId, members: [{ memberId, reason: reason.slice(0, 255) }] } : { groupId, memberId, members: [] },
        { signal },
      )
    } catch {
      // Nobody is left to act on it.
    }
  }

  #nowMs(): number {
    return this.#cluster.options.world.clock.monotonicMs()
  }

  async #joinOnce(signal: AbortSignal): Promise<Generation> {
    this.#rejoinNeeded = false
    try {
      const joined = await this.#askJoin(signal)
      this.#memberId = joined.memberId
      const isLeader = joined.leader === joined.memberId
      const protocolName = joined.protocolName ?? ''
      // A static leader that returns is told not to share out anew (KIP-814).
      const assignments =
        isLeader && !joined.skipAssignment
          ? await abortable(this.#handlers.onJoinedAsLeader(protocolName, joined.members), signal)
          : new Map<string, Buffer>()
      const assignment = await this.#askSync(joined, protocolName, assignments, signal)
      this.#generation = {
        generationId: joined.generationId,
        memberId: joined.memberId,
        protocolName,
        isLeader,
        assignment,
      }
      this.#lastHeartbeatMs = this.#nowMs()
      return this.#generation
    } catch (error) {
      this.#rejoinNeeded = true
      throw error
    }
  }

  async #askJoin(signal: AbortSignal): Promise<JoinGroupResponse> {
    const { groupId, groupInstanceId, protocolType, sessionTimeoutMs, rebalanceTimeoutMs } = this.#options
    const protocols = this.#handlers.protocols().map(({ name, metadata }) => ({ name, metadata }))
    const response = await this.#coordinators.ask(
      groupId,
      'group',
      JoinGroup,
      () => ({
        groupId,
        sessionTimeoutMs,
        rebalanceTimeoutMs,
        memberId: this.#memberId,
        groupInstanceId,
        protocolType,
        protocols,
        reason: this.#rejoinReason.slice(0, 255) || null,
      }),
      {
        signal,
        timeoutMs: Math.max(this.#cluster.options.requestTimeoutMs, rebalanceTimeoutMs + JOIN_GRACE_MS),
        ...(groupInstanceId === null ? {} : { versionMin: 5 }),
      },
    )
    // The id in this refusal is ours from now on (KIP-394).
    if (response.errorCode === ErrorCode.MEMBER_ID_REQUIRED) this.#memberId = response.memberId
    throwIfError(response.errorCode, null, { groupId })
    return response
  }

  async #askSync(
    joined: JoinGroupResponse,
    protocolName: string,
    assignments: ReadonlyMap<string, Buffer>,
    signal: AbortSignal,
  ): Promise<Buffer> {
    const { groupId, groupInstanceId, protocolType, rebalanceTimeoutMs } = this.#options
    const response = await this.#coordinators.ask(
      groupId,
      'group',
      SyncGroup,
      () => ({
        groupId,
        generationId: joined.generationId,
        memberId: joined.memberId,
        groupInstanceId,
        protocolType,
        protocolName,
        assignments: [...assignments].map(([memberId, assignment]) => ({
          memberId,
          assignment,
        })),
      }),
      {
        signal,
        timeoutMs: Math.max(this.#cluster.options.requestTimeoutMs, rebalanceTimeoutMs + JOIN_GRACE_MS),
      },
    )
    throwIfError(response.errorCode, null, { groupId })
    return response.assignment
  }

  /** Draws the consequences of a membership error; true when the member is to join again. */
  #noteError(error: unknown): boolean {
    this.#coordinators.noteError(this.#options.groupId, error)
    if (!(error instanceof KafkaError) || !REJOIN.has(error.code)) return false
    if (error.code === ErrorCode.UNKNOWN_MEMBER_ID) this.#forget()
    else if (error.code === ErrorCode.ILLEGAL_GENERATION) this.#lose()
    this.#rejoinNeeded = true
    this.#rejoinReason = error.name
    return true
  }

  #lose(): void {
    if (this.#generation !== null) this.#lostCount++
    this.#generation = null
    this.#rejoinNeeded = true
  }

  #forget(): void {
    this.#memberId = ''
    this.#lose()
  }

  #stopHeartbeats(): void {
    this.#heartbeatTimer?.cancel()
    this.#heartbeatTimer = null
  }

  #armHeartbeat(): void {
    this.#stopHeartbeats()
    this.#heartbeatTimer = this.#cluster.options.world.clock.timer(this.#options.heartbeatIntervalMs, () => void this.#beat())
  }

  /** One heartbeat. Never rejects. */
  async #beat(): Promise<void> {
    const generation = this.#generation
    if (generation === null || this.#joining) return
    const { pollIntervalMsMax, sessionTimeoutMs, groupId, groupInstanceId } = this.#options
    if (pollIntervalMsMax !== undefined && this.#nowMs() - this.#lastTouchMs > pollIntervalMsMax) {
      await this.leave(`no poll for ${pollIntervalMsMax} ms (max.poll.interval.ms)`)
      this.#handlers.onAttention()
      return
    }
    // The coordinator has counted us out by now, if it lives; another one may answer.
    if (this.#nowMs() - this.#lastHeartbeatMs > sessionTimeoutMs) this.#coordinators.forget(groupId)
    try {
      const { generationId, memberId } = generation
      const response = await this.#coordinators.ask(
        groupId,
        'group',
        Heartbeat,
        () => ({ groupId, generationId, memberId, groupInstanceId }),
        {
          timeoutMs: Math.min(this.#cluster.options.requestTimeoutMs, sessionTimeoutMs),
          signal: this.#cluster.closing,
        },
      )
      throwIfError(response.errorCode, null, { groupId })
      this.#lastHeartbeatMs = this.#nowMs()
    } catch (error) {
      // An answer to a generation that is over says nothing about the one that stands.
      if (this.#generation === generation && !this.#joining) this.#onHeartbeatError(error)
    }
    if (this.#generation !== null && !this.#joining) this.#armHeartbeat()
  }

  #onHeartbeatError(error: unknown): void {
    if (this.#noteError(error)) this.#lastHeartbeatMs = this.#nowMs()
    else if (canRetry(error)) return
    else this.#fatalError = error
    this.#handlers.onAttention()
  }
}

/** A member with a cluster of its own; `close` leaves the group and ends the connections. */
export function createGroupMember(
  options: ClientOptions & GroupMemberOptions,
  handlers: GroupMemberHandlers,
): {
  readonly member: GroupMember
  readonly coordinators: Coordinators
  close(signal?: AbortSignal): Promise<void>
} {
  const cluster = new Cluster(resolveClientOptions(options), false)
  const coordinators = new Coordinators(cluster)
  const member = new GroupMember(cluster, coordinators, options, handlers)
  return {
    member,
    coordinators,
    close: async (signal) => {
      await member.leave('the member closes', signal)
      cluster.close()
    },
  }
}
