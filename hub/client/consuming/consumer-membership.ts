/**
 * @module client/consuming/consumer-membership — a subscribed consumer as member of a KIP-848 group: the coordinator deals, heartbeats
 * carry what is wanted and what is owned.
 *
 * Heartbeats run in the background; partitions change hands, and listeners are called, only within `poll`. Once something has been
 * given up the next heartbeat goes out at once, since another member waits for it. Drawing: member-state.ts.
 */
import type { Timer } from '../../io/index.ts'
import { type ConsumerGroupHeartbeatResponse, ErrorCode } from '../../wire/index.ts'
import { backoffMs } from '../backoff.ts'
import type { Cluster } from '../cluster.ts'
import type { ResolvedConsumerOptions } from '../consumer-options.ts'
import type { Coordinators } from '../coordinators.ts'
import { canRetry, ClientError, KafkaError } from '../errors.ts'
import { type Committer, SIMPLE_COMMITTER } from '../group-offsets.ts'
import { type ClusterImage, topicNameOf } from '../metadata.ts'
import { partitionKey, type TopicPartition } from '../types.ts'
import { type GroupHooks, type GroupPart, isPattern, matchingTopics, type Subscription } from './group-part.ts'
import { Heartbeats, JOIN_EPOCH, type Wanted } from './heartbeats.ts'
import {
  differenceOf,
  isInGroup,
  type MemberEvent,
  type MemberStatus,
  nextStatus,
  type OwnedPartition,
  type Share,
  shareOf,
} from './member-state.ts'
import type { Positions } from './positions.ts'

/** Before a first answer has told the interval. */
const FIRST_INTERVAL_MS = 3_000

const FENCED: ReadonlySet<number> = new Set([ErrorCode.UNKNOWN_MEMBER_ID, ErrorCode.FENCED_MEMBER_EPOCH])

/** One consumer's part in its group. */
export class ConsumerMembership implements GroupPart {
  readonly #cluster: Cluster
  readonly #coordinators: Coordinators
  readonly #options: ResolvedConsumerOptions
  readonly #positions: Positions
  readonly #hooks: GroupHooks
  readonly #leaving = new AbortController()
  readonly #heartbeats: Heartbeats
  #status: MemberStatus = 'joining'
  #memberEpoch = JOIN_EPOCH
  #subscription: Subscription
  /** Null: not known yet. */
  #wanted: Wanted | null = null
  #seen: { readonly subscription: Subscription; readonly image: ClusterImage } | null = null
  #owned: readonly OwnedPartition[] = []
  #target: Share | null = null
  /** The image by which names were last looked for in vain. */
  #unresolvedBy: ClusterImage | null = null
  #intervalMs = FIRST_INTERVAL_MS
  #timer: Timer | null = null
  #beating = false
  /** A member that was killed under the same instance id may still be in the group. */
  #hasPredecessor: boolean
  #beatAgain = false
  #failureCount = 0
  #lastTouchMs: number
  /** Nothing is given up before what was read of it is committed. */
  #commit: { readonly keys: string; isDone: boolean } | null = null
  #failure: unknown = null
  #fatalError: unknown = null

  constructor(
    cluster: Cluster,
    coordinators: Coordinators,
    options: ResolvedConsumerOptions,
    positions: Positions,
    subscription: Subscription,
    hooks: GroupHooks,
  ) {
    this.#cluster = cluster
    this.#coordinators = coordinators
    this.#options = options
    this.#heartbeats = new Heartbeats(cluster, coordinators, options)
    this.#positions = positions
    this.#subscription = subscription
    this.#hooks = hooks
    this.#lastTouchMs = this.#nowMs()
    this.#hasPredecessor = options.replacesPredecessor && options.groupInstanceId !== ''
  }

  get committer(): Committer {
    if (this.#memberEpoch <= JOIN_EPOCH) return SIMPLE_COMMITTER
    const { memberId, instanceId } = this.#heartbeats
    return { generationId: this.#memberEpoch, memberId, groupInstanceId: instanceId }
  }

  get needsStep(): boolean {
    if (this.#failure !== null || this.#fatalError !== null || this.#status === 'fenced' || this.#status === 'stale') return true
    if (this.#status !== 'reconciling' || this.#commit?.isDone === false) return false
    return this.#unresolvedBy !== this.#cluster.image
  }

  /** Partitions that are being given up are held back one by one. */
  get mayRead(): boolean {
    return true
  }

  resubscribe(subscription: Subscription): void {
    this.#subscription = subscription
  }

  async step(): Promise<void> {
    this.#lastTouchMs = this.#nowMs()
    if (this.#fatalError !== null) throw this.#fatalError
    if (this.#failure !== null) {
      const failure = this.#failure
      this.#failure = null
      throw failure
    }
    if (this.#status === 'fenced' || this.#status === 'stale') await this.#release()
    this.#updateTopics()
    if (this.#status === 'reconciling') await this.#reconcile()
  }

  noteCommitError(error: unknown): void {
    // The next heartbeat tells what became of the member.
    if (error instanceof KafkaError && FENCED.has(error.code)) this.#beatNow()
  }

  async leave(_reason: string, signal: AbortSignal | undefined): Promise<void> {
    this.#leaving.abort()
    const isMember = isInGroup(this.#status)
    try {
      if (isMember) await this.#giveBack(this.#owned)
      else await this.#tellLost(this.#drop())
    } finally {
      this.#stopTimer()
      this.#move('leave')
      this.#memberEpoch = JOIN_EPOCH
      if (isMember) await this.#heartbeats.leave(signal)
    }
  }

  #nowMs(): number {
    return this.#cluster.options.world.clock.monotonicMs()
  }

  #move(event: MemberEvent): void {
    this.#status = nextStatus(this.#status, event)
  }

  /** What belonged to the member is gone already; it joins anew. */
  async #release(): Promise<void> {
    const lost = this.#drop()
    this.#memberEpoch = JOIN_EPOCH
    this.#target = null
    this.#heartbeats.startOver()
    this.#commit = null
    this.#move('released')
    this.#beatNow()
    await this.#tellLost(lost)
  }

  #drop(): readonly OwnedPartition[] {
    const lost = this.#owned
    this.#owned = []
    this.#positions.assign([])
    return lost
  }

  async #tellLost(lost: readonly OwnedPartition[]): Promise<void> {
    if (lost.length === 0) return
    const { listener } = this.#options
    if (listener.onPartitionsLost !== undefined) await listener.onPartitionsLost(lost.map(placeOf))
    else await listener.onPartitionsRevoked?.(lost.map(placeOf))
  }

  /** Partitions are still ours while the listener runs, so that it may commit. */
  async #giveBack(revoked: readonly OwnedPartition[]): Promise<void> {
    if (revoked.length === 0) return
    try {
      await this.#options.listener.onPartitionsRevoked?.(revoked.map(placeOf))
    } finally {
      const keys = keysOf(revoked)
      this.#owned = this.#owned.filter((at) => !keys.has(partitionKey(at.topic, at.partition)))
      this.#positions.assign(this.#owned.map(placeOf))
    }
  }

  #updateTopics(): void {
    const subscription = this.#subscription
    const { image } = this.#cluster
    if (this.#seen?.subscription === subscription && this.#seen.image === image) return
    const wanted = this.#wantedBy(subscription)
    if (wanted === null) return
    this.#seen = { subscription, image }
    if (wanted.topics.length > 0) this.#cluster.track(wanted.topics)
    const isNew = JSON.stringify(this.#wanted) !== JSON.stringify(wanted)
    this.#wanted = wanted
    if (isNew) this.#beatNow()
  }

  /** Null as long as it is not known. With an expression for the broker names are needed all the same, for what it deals. */
  #wantedBy(subscription: Subscription): Wanted | null {
    if (isPattern(subscription)) {
      this.#cluster.track('all')
      return { topics: [], pattern: subscription.pattern }
    }
    if (!(subscription instanceof RegExp)) return { topics: [...subscription].sort(), pattern: '' }
    const topics = matchingTopics(this.#cluster, subscription, this.#options.excludeInternalTopics, (error) => {
      this.#failure ??= error
      this.#hooks.onAttention()
    })
    return topics === null ? null : { topics: topics.sort(), pattern: '' }
  }

  /** A step towards what the coordinator has dealt: the commit, giving up, taking over. */
  async #reconcile(): Promise<void> {
    if (this.#target === null) return
    const { image } = this.#cluster
    const difference = differenceOf(this.#owned, this.#target, (topicId) => topicNameOf(image, topicId))
    const { revoked, added, unknownIds } = difference
    this.#unresolvedBy = unknownIds.length > 0 ? image : null
    if (unknownIds.length > 0) this.#cluster.invalidate()
    this.#hold(revoked)
    if (!this.#isCommitted(revoked)) return
    this.#commit = null
    if (revoked.length === 0 && added.length === 0) {
      // Only names are missing, or the target went back to what is owned before anything was done.
      if (unknownIds.length === 0) this.#settle()
      return
    }
    await this.#giveBack(revoked)
    if (this.#status !== 'reconciling') return
    this.#owned = difference.next
    this.#positions.assign(this.#owned.map(placeOf))
    this.#settle()
    await this.#options.listener.onPartitionsAssigned?.(added.map(placeOf))
  }

  #settle(): void {
    this.#move('owned')
    this.#beatNow()
  }

  /** Keeps records of these partitions back, and no others. */
  #hold(revoked: readonly OwnedPartition[]): void {
    const keys = keysOf(revoked)
    for (const state of this.#positions) state.isLeaving = keys.has(partitionKey(state.topic, state.partition))
  }

  /** Whether what was read of these partitions is committed; begins to see to it if not. */
  #isCommitted(revoked: readonly OwnedPartition[]): boolean {
    if (revoked.length === 0) return true
    const keys = [...keysOf(revoked)].sort().join()
    if (this.#commit?.keys === keys) return this.#commit.isDone
    const commit = { keys, isDone: false }
    this.#commit = commit
    void this.#hooks.beforeRebalance(this.#leaving.signal).then(() => {
      commit.isDone = true
      this.#hooks.onAttention()
    })
    return false
  }

  #stopTimer(): void {
    this.#timer?.cancel()
    this.#timer = null
  }

  #beatNow(): void {
    if (this.#beating) this.#beatAgain = true
    else void this.#beat()
  }

  #arm(delayMs: number): void {
    this.#stopTimer()
    this.#timer = this.#cluster.options.world.clock.timer(delayMs, () => this.#beatNow())
  }

  /** One heartbeat, and the time of the next. Never rejects. */
  async #beat(): Promise<void> {
    const wanted = this.#wanted
    if (!isInGroup(this.#status) || wanted === null || this.#cluster.closing.aborted) return
    this.#stopTimer()
    if (this.#nowMs() - this.#lastTouchMs > this.#options.pollIntervalMsMax) {
      // Whoever does not poll must not keep partitions from others.
      this.#move('expired')
      this.#memberEpoch = JOIN_EPOCH
      await this.#heartbeats.leave(undefined)
      this.#hooks.onAttention()
      return
    }
    this.#beating = true
    this.#beatAgain = false
    let pauseMs = 0
    try {
      if (this.#hasPredecessor) await this.#heartbeats.putOutPredecessor()
      this.#onAnswer(await this.#heartbeats.send(this.#memberEpoch, wanted, shareOf(this.#owned)))
      this.#failureCount = 0
      pauseMs = this.#intervalMs
    } catch (error) {
      pauseMs = this.#onError(error)
    }
    this.#beating = false
    if (!isInGroup(this.#status)) return
    if (this.#beatAgain) void this.#beat()
    else this.#arm(pauseMs)
  }

  #onAnswer({ memberEpoch, heartbeatIntervalMs, assignment }: ConsumerGroupHeartbeatResponse): void {
    if (!isInGroup(this.#status)) return
    this.#memberEpoch = memberEpoch
    this.#hasPredecessor = false
    if (heartbeatIntervalMs > 0) this.#intervalMs = heartbeatIntervalMs
    if (assignment !== null) {
      this.#target = assignment.topicPartitions
      this.#unresolvedBy = null
    }
    const isSteady = this.#target === null || JSON.stringify(sorted(this.#target)) === JSON.stringify(shareOf(this.#owned))
    this.#move(isSteady ? 'steady' : 'target')
    if (!isSteady) this.#hooks.onAttention()
    else this.#hold([])
  }

  /** What an error means; returns ms until the next try. */
  #onError(error: unknown): number {
    const { groupId } = this.#options
    const { world, retryBackoffMs, retryBackoffMsMax } = this.#cluster.options
    if (this.#cluster.closing.aborted || !isInGroup(this.#status)) return 0
    this.#coordinators.noteError(groupId, error)
    if (error instanceof KafkaError && FENCED.has(error.code)) {
      this.#memberEpoch = JOIN_EPOCH
      this.#move('fenced')
      this.#hooks.onAttention()
      return 0
    }
    if (error instanceof KafkaError && error.code === ErrorCode.TOPIC_AUTHORIZATION_FAILED) this.#failure ??= error
    else if (!canRetry(error) && !this.#waitsForPredecessor(error)) {
      this.#fatalError = readable(error)
      this.#memberEpoch = JOIN_EPOCH
      this.#move('fatal')
    }
    if (this.#fatalError !== null || this.#failure !== null) this.#hooks.onAttention()
    return backoffMs(this.#failureCount++, retryBackoffMs, retryBackoffMsMax, world.random)
  }

  /** The place of a dead member falls free when its session ends. */
  #waitsForPredecessor(error: unknown): boolean {
    return this.#hasPredecessor && error instanceof KafkaError && error.code === ErrorCode.UNRELEASED_INSTANCE_ID
  }
}

function placeOf({ topic, partition }: OwnedPartition): TopicPartition {
  return { topic, partition }
}

function keysOf(partitions: readonly OwnedPartition[]): Set<string> {
  return new Set(partitions.map(({ topic, partition }) => partitionKey(topic, partition)))
}

function sorted(share: Share): Share {
  return share
    .filter(({ partitions }) => partitions.length > 0)
    .map(({ topicId, partitions }) => ({ topicId, partitions: [...partitions].sort((one, other) => one - other) }))
    .sort((one, other) => (one.topicId < other.topicId ? -1 : 1))
}

function readable(error: unknown): unknown {
  if (!(error instanceof ClientError && error.kind === 'unsupported-version')) return error
  return new ClientError('unsupported-version', 'the cluster does not support group.protocol=consumer', { cause: error })
}
