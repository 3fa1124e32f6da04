/**
 * @module client/consumer — records out of topics, alone or as a member of a group.
 *
 * @example
 * const consumer = createConsumer({ bootstrapServers: '127.0.0.1:9092', groupId: 'readers', offsetReset: 'earliest' })
 * consumer.subscribe(['greetings'])
 * for await (const records of consumer) {
 *   for (const { key, value } of records) console.log(String(key), String(value))
 * }
 */
import { OffsetSpec } from '../wire/index.ts'
import { Cluster } from './cluster.ts'
import type { Consumer, OffsetAndTimestamp } from './consumer-types.ts'
import { type ConsumerOptions, resolveConsumerOptions, type ResolvedConsumerOptions } from './consumer-options.ts'
import { ConsumerRecords, NO_RECORDS } from './consumer-records.ts'
import { Fetcher } from './consuming/fetcher.ts'
import { Locator } from './consuming/locator.ts'
import { ConsumerMembership } from './consuming/consumer-membership.ts'
import type { GroupPart, Subscription } from './consuming/group-part.ts'
import { Membership } from './consuming/membership.ts'
import { Positions } from './consuming/positions.ts'
import { Coordinators } from './coordinators.ts'
import { Bell, boundedSignal, withDeadline } from './deadline.ts'
import { ClientError } from './errors.ts'
import { type Committer, commitOffsets, fetchCommitted, type OffsetToCommit, SIMPLE_COMMITTER } from './group-offsets.ts'
import { listOffsets } from './list-offsets.ts'
import { isGone } from './metadata.ts'
import { type GroupMetadata, partitionKey, type TopicPartition } from './types.ts'

/** Longest sleep of a waiting poll: subscriptions by pattern and metadata are looked at so often. */
const POLL_STEP_MS_MAX = 1_000

/** A {@link Consumer}; it connects when it is first used. Throws a ClientError of kind `config`. */
export function createConsumer(options: ConsumerOptions): Consumer {
  return new KafkaConsumer(resolveConsumerOptions(options))
}

class KafkaConsumer implements Consumer {
  readonly #options: ResolvedConsumerOptions
  readonly #cluster: Cluster
  readonly #coordinators: Coordinators
  readonly #positions = new Positions()
  readonly #locator: Locator
  readonly #fetcher: Fetcher
  readonly #bell = new Bell()
  #membership: GroupPart | null = null
  #lastCommitMs: number
  /** The automatic commit that runs. */
  #committing: AbortController | null = null
  #polling = false
  #wakeup = false
  #closing: Promise<void> | null = null

  constructor(options: ResolvedConsumerOptions) {
    this.#options = options
    this.#cluster = new Cluster(options, options.autoCreateTopics)
    this.#coordinators = new Coordinators(this.#cluster)
    const ring = (): void => this.#bell.ring()
    this.#locator = new Locator(this.#cluster, this.#coordinators, options, this.#positions, ring)
    this.#fetcher = new Fetcher(this.#cluster, options, this.#positions, this.#locator, ring)
    this.#cluster.onChange(ring)
    this.#lastCommitMs = this.#nowMs()
  }

  subscribe(topics: Subscription): void {
    this.#needGroup()
    if (this.#membership !== null) {
      this.#membership.resubscribe(topics)
      return
    }
    if (this.#positions.size > 0) throw new ClientError('state', 'partitions are assigned by hand; unsubscribe first')
    const Part = this.#options.groupProtocol === 'consumer' ? ConsumerMembership : Membership
    this.#membership = new Part(this.#cluster, this.#coordinators, this.#options, this.#positions, topics, {
      beforeRebalance: (signal) => this.#commitQuietly(this.#rebalanceCommitMsMax(), signal),
      onAttention: () => this.#bell.ring(),
    })
  }

  assign(partitions: readonly TopicPartition[]): void {
    if (this.#membership !== null) throw new ClientError('state', 'the consumer is subscribed; unsubscribe first')
    this.#positions.assign(partitions)
    this.#cluster.track(partitions.map(({ topic }) => topic))
  }

  unsubscribe(signal?: AbortSignal): Promise<void> {
    return this.#cluster.calls.run(() => this.#giveBack('the consumer unsubscribed', this.#options.apiTimeoutMs, signal))
  }

  assignment(): readonly TopicPartition[] {
    return this.#positions.partitions()
  }

  async poll(timeoutMs: number, signal?: AbortSignal): Promise<ConsumerRecords> {
    if (this.#closing !== null) throw new ClientError('closed', 'the consumer was closed')
    if (this.#polling) throw new ClientError('state', 'another poll is running')
    if (this.#membership === null && this.#positions.size === 0) {
      throw new ClientError('state', 'nothing is subscribed or assigned')
    }
    signal?.throwIfAborted()
    this.#polling = true
    try {
      return await this.#cluster.calls.run(() => this.#pollUntil(this.#nowMs() + timeoutMs, signal))
    } finally {
      this.#polling = false
    }
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<ConsumerRecords, void, undefined> {
    while (this.#closing === null) {
      try {
        const records = await this.poll(POLL_STEP_MS_MAX)
        if (records.count > 0) yield records
      } catch (error) {
        if (error instanceof ClientError && error.kind === 'closed') return
        throw error
      }
    }
  }

  wakeup(): void {
    this.#wakeup = true
    this.#bell.ring()
  }

  seek(at: TopicPartition, offset: number, leaderEpoch = -1): void {
    if (!(Number.isSafeInteger(offset) && offset >= 0)) throw new ClientError('state', `offset ${offset} is none`)
    this.#positions.get(at).seek({ offset, leaderEpoch })
  }

  seekToBeginning(partitions: readonly TopicPartition[] = this.assignment()): void {
    for (const at of partitions) this.#positions.get(at).reset(OffsetSpec.EARLIEST)
  }

  seekToEnd(partitions: readonly TopicPartition[] = this.assignment()): void {
    for (const at of partitions) this.#positions.get(at).reset(OffsetSpec.LATEST)
  }

  position(at: TopicPartition, signal?: AbortSignal): Promise<number> {
    const { world, apiTimeoutMs } = this.#options
    const { calls, closing } = this.#cluster
    const find = async (bounded: AbortSignal): Promise<number> => {
      for (;;) {
        const { position } = this.#positions.get(at)
        if (position !== null) return position.offset
        const waitMs = this.#locator.update(this.#nowMs())
        await this.#bell.wait(world.clock, Math.min(waitMs, POLL_STEP_MS_MAX), bounded)
        const failure = this.#locator.takeFailure()
        if (failure !== null) throw failure
      }
    }
    return calls.run(() => withDeadline(world.clock, apiTimeoutMs, [signal, closing], `position of ${at.topic}-${at.partition}`, find))
  }

  async committed(partitions: readonly TopicPartition[], signal?: AbortSignal) {
    this.#needGroup()
    const { groupId } = this.#options
    const committed = await this.#cluster.calls.run(() => fetchCommitted(this.#coordinators, groupId, partitions, 'where-known', signal))
    return [...committed.values()]
  }

  async commit(offsets: readonly OffsetToCommit[] = this.#consumed(), signal?: AbortSignal): Promise<void> {
    this.#needGroup()
    await this.#cluster.calls.run(() => this.#commit(offsets, signal))
  }

  async #commit(offsets: readonly OffsetToCommit[], signal: AbortSignal | undefined): Promise<void> {
    const committer = (): Committer => this.#membership?.committer ?? SIMPLE_COMMITTER
    try {
      await commitOffsets(this.#cluster, this.#coordinators, this.#options.groupId, offsets, committer, signal)
    } catch (error) {
      this.#membership?.noteCommitError(error)
      throw error
    }
  }

  groupMetadata(): GroupMetadata {
    this.#needGroup()
    return { groupId: this.#options.groupId, ...(this.#membership?.committer ?? SIMPLE_COMMITTER) }
  }

  async offsetsForTimes(times: readonly (TopicPartition & { readonly timestampMs: number })[], signal?: AbortSignal) {
    return this.#listOffsets(times, (_at, index) => times[index]?.timestampMs ?? 0, signal)
  }

  beginningOffsets(partitions: readonly TopicPartition[], signal?: AbortSignal) {
    return this.#listOffsets(partitions, () => OffsetSpec.EARLIEST, signal)
  }

  endOffsets(partitions: readonly TopicPartition[], signal?: AbortSignal) {
    return this.#listOffsets(partitions, () => OffsetSpec.LATEST, signal)
  }

  pause(partitions: readonly TopicPartition[]): void {
    for (const at of partitions) this.#positions.get(at).paused = true
  }

  resume(partitions: readonly TopicPartition[]): void {
    for (const at of partitions) this.#positions.get(at).paused = false
    this.#bell.ring()
  }

  paused(): readonly TopicPartition[] {
    return [...this.#positions].filter(({ paused }) => paused).map(({ topic, partition }) => ({ topic, partition }))
  }

  lag(at: TopicPartition): number {
    const { position, highWatermark, lastStableOffset } = this.#positions.get(at)
    const end = this.#options.isolation === 'read_committed' ? lastStableOffset : highWatermark
    return position === null || end < 0 ? -1 : Math.max(0, end - position.offset)
  }

  close(signal?: AbortSignal): Promise<void> {
    this.#closing ??= this.#cluster.calls.run(() => this.#end(signal))
    return this.#closing
  }

  async #end(signal: AbortSignal | undefined): Promise<void> {
    this.#bell.ring()
    const { world, closeTimeoutMs } = this.#options
    const patience = boundedSignal(world.clock, closeTimeoutMs, [signal], 'closing')
    try {
      // A commit that gets nowhere leaves time to tell the group.
      await this.#giveBack('the consumer closed', closeTimeoutMs / 2, patience.signal)
    } finally {
      patience.release()
      this.#cluster.close()
      this.#bell.ring()
    }
  }

  async #giveBack(reason: string, commitMsMax: number, signal: AbortSignal | undefined): Promise<void> {
    await this.#commitQuietly(commitMsMax, signal)
    // A listener may still commit in the member's name.
    await this.#membership?.leave(reason, signal)
    this.#membership = null
    this.#positions.assign([])
  }

  async #pollUntil(deadlineMs: number, signal: AbortSignal | undefined): Promise<ConsumerRecords> {
    // What earlier polls returned counts as worked on; what this one will return does not.
    const { autoCommitIntervalMs, apiTimeoutMs } = this.#options
    const isDue = this.#committing === null && this.#nowMs() - this.#lastCommitMs >= autoCommitIntervalMs
    if (isDue) void this.#commitQuietly(apiTimeoutMs, undefined)
    for (;;) {
      if (this.#closing !== null) throw new ClientError('closed', 'the consumer was closed')
      await this.#membership?.step()
      this.#throwFailure()
      const waitMs = this.#update()
      const records = this.#take()
      if (records.count > 0) {
        // Ask for more while these are worked on.
        this.#update()
        return records
      }
      const nowMs = this.#nowMs()
      if (this.#wakeup || nowMs >= deadlineMs) {
        this.#wakeup = false
        return NO_RECORDS
      }
      if (this.#membership?.needsStep === true) continue
      await this.#bell.wait(this.#options.world.clock, Math.min(deadlineMs - nowMs, waitMs, POLL_STEP_MS_MAX), signal)
    }
  }

  #update(): number {
    const nowMs = this.#nowMs()
    return Math.min(this.#locator.update(nowMs), this.#fetcher.update(nowMs))
  }

  #take(): ConsumerRecords {
    if (this.#membership?.mayRead === false) return NO_RECORDS
    const taken = this.#fetcher.take(this.#options.pollRecordsMax)
    if (taken.length === 0) return NO_RECORDS
    return new ConsumerRecords(
      taken.map(({ state: { topic, partition }, timestampType, records }) => ({
        topic,
        partition,
        timestampType,
        records,
      })),
    )
  }

  #throwFailure(): void {
    const failure = this.#locator.takeFailure() ?? this.#fetcher.takeFailure()
    if (failure !== null) throw failure
  }

  /** Positions past what polls have returned. */
  #consumed(): OffsetToCommit[] {
    const offsets: OffsetToCommit[] = []
    for (const { topic, partition, position } of this.#positions) {
      if (position !== null) offsets.push({ topic, partition, ...position })
    }
    return offsets
  }

  /** An automatic commit that fails is made up for by the next one; a membership error shows in the next poll. */
  async #commitQuietly(timeoutMs: number, signal: AbortSignal | undefined): Promise<void> {
    const { autoCommit, groupId, world } = this.#options
    if (!autoCommit) return
    this.#lastCommitMs = this.#nowMs()
    // An older one that is still being tried must not come after this one.
    this.#committing?.abort()
    const committing = new AbortController()
    this.#committing = committing
    const offsets = this.#consumed().filter((at) => !isGone(this.#cluster.image, at))
    try {
      await withDeadline(world.clock, timeoutMs, [signal, committing.signal], `automatic commit for group ${groupId}`, (bounded) =>
        this.#commit(offsets, bounded),
      )
    } catch {
    } finally {
      if (this.#committing === committing) this.#committing = null
    }
  }

  /** So long that the group, which waits for max.poll.interval.ms, still sees the member join. */
  #rebalanceCommitMsMax(): number {
    return Math.min(this.#options.apiTimeoutMs, this.#options.pollIntervalMsMax / 2)
  }

  async #listOffsets(
    partitions: readonly TopicPartition[],
    timestampOf: (at: TopicPartition, index: number) => number,
    signal: AbortSignal | undefined,
  ): Promise<readonly OffsetAndTimestamp[]> {
    const queries = partitions.map((at, index) => ({
      topic: at.topic,
      partition: at.partition,
      timestamp: timestampOf(at, index),
    }))
    const answers = await this.#cluster.calls.run(() => listOffsets(this.#cluster, queries, this.#options.isolation, signal))
    const byKey = new Map(answers.map((answer) => [partitionKey(answer.query.topic, answer.query.partition), answer]))
    return queries.flatMap(({ topic, partition }) => {
      const answer = byKey.get(partitionKey(topic, partition))
      if (answer === undefined) return []
      const { offset, timestampMs, leaderEpoch } = answer
      return [{ topic, partition, offset, timestampMs, leaderEpoch }]
    })
  }

  #needGroup(): void {
    if (this.#options.groupId === '') throw new ClientError('config', 'group.id is not set')
  }

  #nowMs(): number {
    return this.#options.world.clock.monotonicMs()
  }
}
