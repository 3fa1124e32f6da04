/**
 * @module client/consuming/locator — finds out where partitions begin: what the group committed, else by the reset policy; and
 * whether a position is still good after a change of leader (KIP-320).
 */
import { ErrorCode, OffsetForLeaderEpoch, OffsetSpec } from '../../wire/index.ts'
import { backoffMs } from '../backoff.ts'
import type { Cluster } from '../cluster.ts'
import type { ResolvedConsumerOptions } from '../consumer-options.ts'
import type { Coordinators } from '../coordinators.ts'
import { canRetry, ClientError, KafkaError } from '../errors.ts'
import { fetchCommitted } from '../group-offsets.ts'
import { listOffsetsOnce } from '../list-offsets.ts'
import { partitionKey } from '../types.ts'
import type { PartitionState, Position, Positions } from './positions.ts'

/** Brings partitions to phase `ready`. Errors that are final are kept for the next poll. */
export class Locator {
  readonly #cluster: Cluster
  readonly #coordinators: Coordinators
  readonly #options: ResolvedConsumerOptions
  readonly #positions: Positions
  readonly #onMoved: () => void
  #failure: unknown = null

  /** `onMoved`: some partition has become ready, or an error waits. */
  constructor(cluster: Cluster, coordinators: Coordinators, options: ResolvedConsumerOptions, positions: Positions, onMoved: () => void) {
    this.#cluster = cluster
    this.#coordinators = coordinators
    this.#options = options
    this.#positions = positions
    this.#onMoved = onMoved
  }

  /** The error that came up since the last call, if one did. */
  takeFailure(): unknown {
    const failure = this.#failure
    this.#failure = null
    return failure
  }

  /** Asks whatever is to be asked now; answers come in the background. Returns ms until there is more to ask. */
  update(nowMs: number): number {
    const due = new Map<string, PartitionState[]>()
    let waitMs = Number.POSITIVE_INFINITY
    for (const state of this.#positions) {
      this.#checkEpoch(state)
      if (state.phase === 'ready' || state.asking) continue
      if (state.notBeforeMs > nowMs) waitMs = Math.min(waitMs, state.notBeforeMs - nowMs)
      else due.set(state.phase, [...(due.get(state.phase) ?? []), state])
    }
    this.#start(due.get('committed'), (states) => this.#committed(states))
    this.#start(due.get('reset'), (states) => this.#reset(states))
    this.#start(due.get('validate'), (states) => this.#validate(states))
    return waitMs
  }

  /** Position out of range: by the policy, unless there is none. */
  resetOrFail(state: PartitionState, error: ClientError): void {
    if (this.#options.offsetReset === 'none') this.#fail(error)
    else state.reset(null)
  }

  #fail(error: unknown): void {
    this.#failure ??= error
    this.#onMoved()
  }

  #checkEpoch(state: PartitionState): void {
    if (state.phase !== 'ready' || state.position === null) return
    const { leaderEpoch } = this.#cluster.partition(state.topic, state.partition) ?? { leaderEpoch: -1 }
    if (leaderEpoch <= state.validatedEpoch) return
    // Without the epoch of the last record there is nothing to compare.
    if (state.position.leaderEpoch < 0) state.validatedEpoch = leaderEpoch
    else state.phase = 'validate'
  }

  #start(states: PartitionState[] | undefined, ask: (states: PartitionState[]) => Promise<void>): void {
    if (states === undefined) return
    const versions = new Map(states.map((state) => [state, state.version]))
    for (const state of states) state.asking = true
    ask(states)
      .catch((error: unknown) => {
        if (!canRetry(error)) return this.#fail(error)
        for (const [state, version] of versions) if (state.version === version) this.#delay(state)
      })
      .finally(() => {
        for (const [state, version] of versions) if (state.version === version) state.asking = false
        this.#onMoved()
      })
  }

  #delay(state: PartitionState): void {
    const { retryBackoffMs, retryBackoffMsMax, world } = this.#options
    const pauseMs = backoffMs(state.failureCount++, retryBackoffMs, retryBackoffMsMax, world.random)
    state.notBeforeMs = world.clock.monotonicMs() + pauseMs
  }

  async #committed(states: readonly PartitionState[]): Promise<void> {
    const { groupId } = this.#options
    const versions = states.map(({ version }) => version)
    const committed =
      groupId === ''
        ? new Map()
        : await fetchCommitted(
            this.#coordinators,
            groupId,
            states.map(({ topic, partition }) => ({ topic, partition })),
            // Offsets that a transaction is about to commit are waited for, whatever is read: or its records would be read again.
            'where-known',
            this.#cluster.closing,
          )
    states.forEach((state, index) => {
      if (state.version !== versions[index] || state.phase !== 'committed') return
      const found = committed.get(partitionKey(state.topic, state.partition))
      if (found !== undefined) state.seek({ offset: found.offset, leaderEpoch: found.leaderEpoch })
      else this.resetOrFail(state, new ClientError('no-offset', 'no committed offset and auto.offset.reset is none', { place: state }))
    })
  }

  async #reset(states: readonly PartitionState[]): Promise<void> {
    for (const topic of new Set(states.map((state) => state.topic))) await this.#cluster.topic(topic, this.#cluster.closing)
    const versions = new Map(states.map((state) => [partitionKey(state.topic, state.partition), { state, version: state.version }]))
    const queries = states.map((state) => ({
      topic: state.topic,
      partition: state.partition,
      timestamp: state.resetTimestamp ?? this.#policyTimestamp(),
    }))
    for (const answer of await listOffsetsOnce(this.#cluster, queries, this.#options.isolation, this.#cluster.closing)) {
      const { state, version } = versions.get(partitionKey(answer.query.topic, answer.query.partition)) ?? {}
      if (state === undefined || state.version !== version) continue
      if (answer.error !== null) this.#onPartitionError(state, answer.error)
      // Nothing is as young as the time that was asked for: the end is where it will come.
      else if (answer.offset < 0) state.reset(OffsetSpec.LATEST)
      else {
        state.seek({ offset: answer.offset, leaderEpoch: -1 })
        state.validatedEpoch = answer.leaderEpoch
      }
    }
  }

  #policyTimestamp(): number {
    const { offsetReset, world } = this.#options
    if (typeof offsetReset === 'object') return Math.max(0, world.clock.nowMs() - offsetReset.sinceMs)
    return offsetReset === 'earliest' ? OffsetSpec.EARLIEST : OffsetSpec.LATEST
  }

  #onPartitionError(state: PartitionState, error: KafkaError): void {
    if (!error.retriable) {
      this.#fail(error)
      return
    }
    this.#cluster.invalidate()
    this.#delay(state)
  }

  async #validate(states: readonly PartitionState[]): Promise<void> {
    const byLeader = Map.groupBy(states, (state) => this.#cluster.partition(state.topic, state.partition)?.leaderId ?? -1)
    await Promise.all(
      [...byLeader].map(async ([leaderId, asked]) => {
        if (leaderId >= 0) return this.#askEpochs(leaderId, asked)
        this.#cluster.invalidate()
        for (const state of asked) this.#delay(state)
      }),
    )
  }

  async #askEpochs(leaderId: number, states: readonly PartitionState[]): Promise<void> {
    const versions = new Map(states.map((state) => [partitionKey(state.topic, state.partition), { state, version: state.version }]))
    const epochOf = (state: PartitionState): number => this.#cluster.partition(state.topic, state.partition)?.leaderEpoch ?? -1
    const askedEpochs = new Map(states.map((state) => [state, epochOf(state)]))
    // What is buffered goes on being handed out meanwhile: the answer speaks of the position that was asked about.
    const askedPositions = new Map(states.map((state) => [state, state.position]))
    const response = await this.#cluster.ask(
      leaderId,
      'control',
      OffsetForLeaderEpoch,
      () => ({
        replicaId: -1,
        topics: [...Map.groupBy(states, ({ topic }) => topic)].map(([topic, parts]) => ({
          topic,
          partitions: parts.map((state) => ({
            partition: state.partition,
            currentLeaderEpoch: askedEpochs.get(state) ?? -1,
            leaderEpoch: askedPositions.get(state)?.leaderEpoch ?? -1,
          })),
        })),
      }),
      // Before v3 a client may not ask without rights on the cluster (KIP-320).
      { versionMin: 3, signal: this.#cluster.closing },
    )
    for (const { topic, partitions } of response.topics) {
      for (const end of partitions) {
        const { state, version } = versions.get(partitionKey(topic, end.partition)) ?? {}
        if (state === undefined || state.version !== version || state.position === null) continue
        if (!isSamePosition(state.position, askedPositions.get(state))) continue
        if (end.errorCode !== ErrorCode.NONE) {
          this.#onPartitionError(
            state,
            new KafkaError(end.errorCode, null, {
              topic,
              partition: end.partition,
            }),
          )
        } else this.#onEpochEnd(state, end, askedEpochs.get(state) ?? -1)
      }
    }
  }

  #onEpochEnd(state: PartitionState, end: { endOffset: number; leaderEpoch: number }, askedEpoch: number): void {
    const offset = state.position?.offset ?? 0
    state.validatedEpoch = askedEpoch
    if (end.endOffset >= offset && end.leaderEpoch >= 0) {
      state.phase = 'ready'
      return
    }
    const place = { topic: state.topic, partition: state.partition }
    const message = `records before offset ${offset} are no longer in the log, which was cut to ${end.endOffset}`
    if (this.#options.offsetReset === 'none') this.#fail(new ClientError('truncated', message, { place }))
    else if (end.endOffset < 0 || end.leaderEpoch < 0) state.reset(null)
    else state.seek({ offset: end.endOffset, leaderEpoch: end.leaderEpoch })
  }
}

function isSamePosition(one: Position, other: Position | null | undefined): boolean {
  return one.offset === other?.offset && one.leaderEpoch === other.leaderEpoch
}
