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
import type { Generation, GroupMemberHandlers, GroupMemberOptions } from './group-member-types.ts'
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
  /** Static membership as it is: null also where the broker has none. */
  #groupInstanceId: string | null
  /** A member that was killed under the same instance id may still be in the group. */
  #hasPredecessor: boolean
  /** A join without a member id is on its way: the group may know this member before it knows itself. */
  #isAnonymous = false
  #heartbeatTimer: Timer | null = null
  #lastHeartbeatMs = 0
  #lastTouchMs: number

  constructor(cluster: Cluster, coordinators: Coordinators, options: GroupMemberOptions, handlers: GroupMemberHandlers) {
    this.#cluster = cluster
    this.#coordinators = coordinators
    this.#options = options
    this.#handlers = handlers
    this.#groupInstanceId = options.groupInstanceId
    this.#hasPredecessor = options.replacesPredecessor === true && options.groupInstanceId !== null
    this.#lastTouchMs = this.#nowMs()
  }

  /** The generation that the member is in; null before the first join and after the group went on without it. */
  get generation(): Generation | null {
    return this.#generation
  }

  /** The instance id under which the group knows it; null for a dynamic member. */
  get groupInstanceId(): string | null {
    return this.#groupInstanceId
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

  /** Leaves the group, unless the member means to come back. Errors don't matter: the session would end it. */
  async leave(reason: string, signal?: AbortSignal): Promise<void> {
    this.#stopHeartbeats()
    this.#leaveCount++
    const memberId = this.#memberId
    const { groupInstanceId, isLeaving = groupInstanceId === null } = this.#options
    const isKnown = memberId !== '' || (this.#isAnonymous && this.#groupInstanceId !== null)
    this.#forget()
    if (!isKnown || !isLeaving) return
    try {
      await this.#askLeave(memberId, reason, memberId === '' ? 3 : 0, signal)
    } catch {
      // Nobody is left to act on it.
    }
  }

  /** Takes a member out of the group: this one, or by the instance id alone (from v3) whoever has it. That there is none is no error. */
  async #askLeave(memberId: string, reason: string, versionMin: number, signal: AbortSignal | undefined): Promise<void> {
    const { groupId } = this.#options
    const member = { memberId, groupInstanceId: this.#groupInstanceId, reason: reason.slice(0, 255) }
    const response = await this.#coordinators.ask(
      groupId,
      'control',
      LeaveGroup,
      (version) => (version >= 3 ? { groupId, members: [member] } : { groupId, memberId, members: [] }),
      { signal, versionMin },
    )
    throwIfError(response.errorCode, null, { groupId })
  }

  /** Before the first join of a member that does not want the place of the one before it. Rejects as a join does. */
  async #putOutPredecessor(signal: AbortSignal): Promise<void> {
    if (!this.#hasPredecessor) return
    try {
      await this.#askLeave('', 'replaced by its successor', 3, signal)
    } catch (error) {
      if (!(error instanceof ClientError && error.kind === 'unsupported-version')) throw error
      this.#groupInstanceId = null
    }
    this.#hasPredecessor = false
  }

  #nowMs(): number {
    return this.#cluster.options.world.clock.monotonicMs()
  }

  async #joinOnce(signal: AbortSignal): Promise<Generation> {
    this.#rejoinNeeded = false
    try {
      await this.#putOutPredecessor(signal)
      const joined = await this.#askJoin(signal)
      this.#memberId = joined.memberId
      const isLeader = joined.leader === joined.memberId
      const protocolName = joined.protocolName ?? ''
      const none = new Map<string, Buffer>()
      const dealt = isLeader ? await abortable(this.#handlers.onJoinedAsLeader(protocolName, joined.members), signal) : none
      // A static leader that returns is told not to share out anew (KIP-814); it deals all the same, to know what it has to watch.
      const assignments = joined.skipAssignment ? none : dealt
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
    const { groupId, protocolType, sessionTimeoutMs, rebalanceTimeoutMs } = this.#options
    const groupInstanceId = this.#groupInstanceId
    this.#isAnonymous = this.#memberId === ''
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
    this.#isAnonymous = false
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
    const { groupId, protocolType, rebalanceTimeoutMs } = this.#options
    const groupInstanceId = this.#groupInstanceId
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
    const { pollIntervalMsMax, sessionTimeoutMs, groupId } = this.#options
    const groupInstanceId = this.#groupInstanceId
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
