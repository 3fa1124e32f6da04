/**
 * @module client/consuming/membership — takes a subscribed consumer through rebalances, a step at each poll.
 *
 * Requests to the group run in the background, but partitions change hands, and listeners are called, only within `poll`:
 * whoever works on records never loses a partition under its feet. With only cooperative assignors a member goes on
 * reading what it owns while the group rebalances, and partitions move in a second rebalance (KIP-429).
 */
import type { Cluster } from '../cluster.ts'
import type { ResolvedConsumerOptions } from '../consumer-options.ts'
import type { Coordinators } from '../coordinators.ts'
import { ClientError } from '../errors.ts'
import { GroupMember } from '../group-member.ts'
import type { Generation, JoinedMember, MemberProtocol } from '../group-member-types.ts'
import { type Committer, SIMPLE_COMMITTER } from '../group-offsets.ts'
import type { ClusterImage } from '../metadata.ts'
import { partitionKey, type TopicPartition } from '../types.ts'
import { type GroupHooks, type GroupPart, isPattern, matchingTopics, type Subscription } from './group-part.ts'
import type { Positions } from './positions.ts'
import { assignAll, decodeAssignment, decodeMembers, encodeAssignment, encodeSubscription, partitionCounts } from './subscription.ts'

/** One consumer's part in its group. */
export class Membership implements GroupPart {
  readonly #cluster: Cluster
  readonly #options: ResolvedConsumerOptions
  readonly #positions: Positions
  readonly #hooks: GroupHooks
  readonly #member: GroupMember
  readonly #cooperative: boolean
  #subscription: readonly string[] | RegExp
  #topics: readonly string[] = []
  /** What the last look at the topics was based on. */
  #seen: { readonly subscription: Subscription; readonly generation: Generation | null; readonly image: ClusterImage } | null = null
  /** A rejoin begins with a commit, in the background. */
  #commit: { isDone: boolean } | null = null
  readonly #leaving = new AbortController()
  #joining: Promise<void> | null = null
  #joined: Generation | null = null
  #joinFailure: unknown = null
  #seenLostCount = 0
  /** What the last deal of this leader was based on. */
  #dealtTopics: readonly string[] = []
  #dealtCounts = ''
  /** Owned when the assignor last gave: in the order in which it did. */
  #given: readonly TopicPartition[] | null = null
  #givenGenerationId = -1

  constructor(
    cluster: Cluster,
    coordinators: Coordinators,
    options: ResolvedConsumerOptions,
    positions: Positions,
    subscription: Subscription,
    hooks: GroupHooks,
  ) {
    this.#cluster = cluster
    this.#options = options
    this.#positions = positions
    this.#subscription = checked(subscription)
    this.#hooks = hooks
    // A group can keep partitions over a rebalance only when every assignor that it may choose can.
    this.#cooperative = options.assignors.every((assignor) => assignor.cooperative)
    const { groupId, groupInstanceId, leaveGroupOnClose, replacesPredecessor, sessionTimeoutMs, heartbeatIntervalMs, pollIntervalMsMax } =
      options
    this.#member = new GroupMember(
      cluster,
      coordinators,
      {
        groupId,
        groupInstanceId: groupInstanceId === '' ? null : groupInstanceId,
        isLeaving: leaveGroupOnClose,
        replacesPredecessor,
        protocolType: 'consumer',
        sessionTimeoutMs,
        heartbeatIntervalMs,
        rebalanceTimeoutMs: pollIntervalMsMax,
        pollIntervalMsMax,
      },
      {
        protocols: () => this.#protocols(),
        onJoinedAsLeader: (name, members) => this.#deal(name, members),
        onAttention: () => this.#hooks.onAttention(),
      },
    )
  }

  /** In whose name offsets are committed. */
  get committer(): Committer {
    const { generation } = this.#member
    if (generation === null) return SIMPLE_COMMITTER
    const { generationId, memberId } = generation
    return {
      generationId,
      memberId,
      groupInstanceId: this.#member.groupInstanceId,
    }
  }

  /** Whether a step is due before a poll may wait for records. */
  get needsStep(): boolean {
    return (
      this.#joined !== null ||
      this.#joinFailure !== null ||
      this.#member.fatalError !== null ||
      this.#member.lostCount !== this.#seenLostCount ||
      (this.#mayJoin && this.#commit?.isDone !== false)
    )
  }

  /** Whether records may be handed out: not once what was read is committed for a join that takes everything away. */
  get mayRead(): boolean {
    return (this.#joining === null && this.#commit === null) || this.#cooperative
  }

  /** Changes the subscription; takes effect at the next poll. */
  resubscribe(subscription: Subscription): void {
    this.#subscription = checked(subscription)
  }

  noteCommitError(error: unknown): void {
    this.#member.noteError(error)
  }

  /**
   * Does what is due: draws consequences of a lost generation, begins a join, takes over the outcome of one. Waits for the
   * listener, never for a broker.
   */
  async step(): Promise<void> {
    this.#member.touch()
    if (this.#member.fatalError !== null) throw this.#member.fatalError
    await this.#noteLoss()
    this.#updateTopics()
    if (this.#joined !== null) await this.#complete(this.#joined)
    if (this.#joinFailure !== null) {
      const failure = this.#joinFailure
      this.#joinFailure = null
      throw failure
    }
    if (this.#mayJoin) await this.#begin()
  }

  /** Leaves: gives back all partitions and tells the group. */
  async leave(reason: string, signal: AbortSignal | undefined): Promise<void> {
    this.#leaving.abort()
    await this.#revoke(this.#positions.partitions())
    await this.#member.leave(reason, signal)
  }

  /** Until the topics are known there is nothing to ask the group for. */
  get #mayJoin(): boolean {
    return this.#member.rejoinNeeded && this.#joining === null && this.#joined === null && this.#seen !== null
  }

  #protocols(): MemberProtocol[] {
    const owned = this.#positions.partitions()
    return this.#options.assignors.map((assignor) => ({
      name: assignor.name,
      metadata: encodeSubscription({
        topics: this.#topics,
        owned,
        generationId: this.#givenGenerationId,
        rackId: this.#options.rackId,
        userData: assignor.userData(this.#given, this.#givenGenerationId),
      }),
    }))
  }

  async #deal(protocolName: string, joined: readonly JoinedMember[]): Promise<Map<string, Buffer>> {
    const assignor = this.#options.assignors.find(({ name }) => name === protocolName)
    if (assignor === undefined) throw new ClientError('state', `the group chose assignor ${protocolName}, which this member lacks`)
    const members = decodeMembers(joined)
    const topics = [...new Set(members.flatMap((member) => member.topics))]
    this.#cluster.track(topics)
    // A topic that is not there (yet) must not hold up the group: one look, then deal with what is known.
    if (topics.some((topic) => !this.#cluster.image.topics.has(topic))) await this.#cluster.refresh(this.#cluster.closing)
    this.#dealtTopics = topics
    this.#dealtCounts = partitionCounts(topics, this.#cluster.image)
    const assignment = assignAll(assignor, members, this.#cluster.image)
    return new Map([...assignment].map(([memberId, partitions]) => [memberId, encodeAssignment(partitions)]))
  }

  /** Asks for a rejoin when the subscription means other topics than before, or a leader sees other partition counts. */
  #updateTopics(): void {
    const subscription = this.#subscription
    const { generation } = this.#member
    const seen = this.#seen
    if (seen?.subscription === subscription && seen.generation === generation && seen.image === this.#cluster.image) return
    const topics = subscription instanceof RegExp ? this.#matching(subscription) : subscription
    if (topics === null) return
    this.#seen = { subscription, generation, image: this.#cluster.image }
    this.#cluster.track(topics)
    if (topics.length !== this.#topics.length || topics.some((topic) => !this.#topics.includes(topic))) {
      this.#topics = topics
      this.#member.requestRejoin('subscribed topics changed')
    }
    const changed = generation?.isLeader && this.#dealtCounts !== partitionCounts(this.#dealtTopics, this.#cluster.image)
    if (changed && this.#dealtTopics.length > 0) this.#member.requestRejoin('partition counts changed')
  }

  #matching(pattern: RegExp): string[] | null {
    return matchingTopics(this.#cluster, pattern, this.#options.excludeInternalTopics, (error) => {
      this.#joinFailure ??= error
      this.#hooks.onAttention()
    })
  }

  /** A step towards a join: the commit, and when that is done, giving back and asking for more. */
  async #begin(): Promise<void> {
    if (this.#commit === null && this.#positions.size > 0) {
      const commit = { isDone: false }
      this.#commit = commit
      void this.#hooks.beforeRebalance(this.#leaving.signal).then(() => {
        commit.isDone = true
        this.#hooks.onAttention()
      })
    }
    if (this.#commit?.isDone === false) return
    this.#commit = null
    const owned = this.#positions.partitions()
    await this.#revoke(this.#cooperative ? owned.filter(({ topic }) => !this.#topics.includes(topic)) : owned)
    this.#joining = this.#member.join(this.#cluster.closing).then(
      (generation) => {
        this.#joined = generation
      },
      (error: unknown) => {
        if (!this.#cluster.closing.aborted) this.#joinFailure = error
      },
    )
    void this.#joining.then(() => {
      this.#joining = null
      this.#hooks.onAttention()
    })
  }

  async #complete(generation: Generation): Promise<void> {
    const assigned = decodeAssignment(generation.assignment)
    const owned = this.#positions.partitions()
    const keysOf = (list: readonly TopicPartition[]) => new Set(list.map((at) => partitionKey(at.topic, at.partition)))
    const assignedKeys = keysOf(assigned)
    const ownedKeys = keysOf(owned)
    const revoked = owned.filter((at) => !assignedKeys.has(partitionKey(at.topic, at.partition)))
    const added = assigned.filter((at) => !ownedKeys.has(partitionKey(at.topic, at.partition)))
    this.#joined = null
    this.#given = assigned
    this.#givenGenerationId = generation.generationId
    if (revoked.length > 0) {
      await this.#revoke(revoked)
      this.#member.requestRejoin('revoked partitions can be given to others')
    }
    this.#positions.assign(assigned)
    await this.#options.listener.onPartitionsAssigned?.(added)
  }

  async #noteLoss(): Promise<void> {
    if (this.#member.lostCount === this.#seenLostCount) return
    this.#seenLostCount = this.#member.lostCount
    const lost = this.#positions.partitions()
    this.#positions.assign([])
    this.#commit = null
    this.#given = null
    this.#givenGenerationId = -1
    if (lost.length === 0) return
    const { listener } = this.#options
    if (listener.onPartitionsLost !== undefined) await listener.onPartitionsLost(lost)
    else await listener.onPartitionsRevoked?.(lost)
  }

  /** Partitions are still ours while the listener runs, so that it may commit. */
  async #revoke(partitions: readonly TopicPartition[]): Promise<void> {
    if (partitions.length === 0) return
    try {
      await this.#options.listener.onPartitionsRevoked?.(partitions)
    } finally {
      const keys = new Set(partitions.map((at) => partitionKey(at.topic, at.partition)))
      this.#positions.assign(this.#positions.partitions().filter((at) => !keys.has(partitionKey(at.topic, at.partition))))
    }
  }
}

function checked(subscription: Subscription): readonly string[] | RegExp {
  if (!isPattern(subscription)) return subscription
  throw new ClientError('state', 'an expression for the broker needs group.protocol=consumer')
}
