/**
 * @module client/consuming/fetcher — fetches ahead of the consumer, one request at a time per broker, within bounds.
 *
 * Each broker remembers in a session what is fetched, so that a request tells only what has changed (KIP-227). A broker is asked again
 * only when all of its partitions have room for more, so that none waits out the fetch of another.
 */
import { ErrorCode, Fetch, type FetchResponse, IsolationLevel, type LogRecord } from '../../wire/index.ts'
import { backoffMs } from '../backoff.ts'
import type { Cluster } from '../cluster.ts'
import type { ResolvedConsumerOptions } from '../consumer-options.ts'
import { canRetry, ClientError, KafkaError } from '../errors.ts'
import { hasTopicId, topicNameOf } from '../metadata.ts'
import { partitionKey, type TimestampType } from '../types.ts'
import { type FetchedPartition, FetchSession } from './fetch-session.ts'
import { FetchedRecords, positionAfter } from './fetched.ts'
import type { Locator } from './locator.ts'
import type { PartitionState, Positions } from './positions.ts'

/** First Fetch version with topic ids (KIP-516). */
const TOPIC_ID_VERSION = 13
/** First Fetch version with an isolation level that tells aborted transactions; what we speak at least. */
const VERSION_MIN = 4

type PartitionData = FetchResponse['responses'][number]['partitions'][number]

interface Asked {
  readonly state: PartitionState
  readonly version: number
}

/** Records of one partition and one timestamp type, as handed out by `take`. */
export interface TakenRecords {
  readonly state: PartitionState
  readonly timestampType: TimestampType
  readonly records: readonly LogRecord[]
}

/** Fetches. */
export class Fetcher {
  readonly #cluster: Cluster
  readonly #options: ResolvedConsumerOptions
  readonly #positions: Positions
  readonly #locator: Locator
  readonly #onFetched: () => void
  readonly #busyNodes = new Set<number>()
  readonly #sessions = new Map<number, FetchSession>()
  readonly #buffered: FetchedRecords[] = []
  #failure: unknown = null

  /** `onFetched`: records or an error wait, or a broker may be asked again. */
  constructor(cluster: Cluster, options: ResolvedConsumerOptions, positions: Positions, locator: Locator, onFetched: () => void) {
    this.#cluster = cluster
    this.#options = options
    this.#positions = positions
    this.#locator = locator
    this.#onFetched = onFetched
  }

  /** The error that came up since the last call, if one did. */
  takeFailure(): unknown {
    const failure = this.#failure
    this.#failure = null
    return failure
  }

  /** Sends the fetches that are due. Returns ms until a delayed partition may be asked again. */
  update(nowMs: number): number {
    let waitMs = Number.POSITIVE_INFINITY
    let bufferedBytes = 0
    const byNode = new Map<number, PartitionState[]>()
    const fullNodes = new Set<number>()
    for (const state of this.#positions) {
      bufferedBytes += state.bufferedBytes
      if (state.phase !== 'ready' || state.paused || state.isLeaving || state.fetching) continue
      if (state.notBeforeMs > nowMs) {
        waitMs = Math.min(waitMs, state.notBeforeMs - nowMs)
        continue
      }
      const nodeId = this.#nodeFor(state, nowMs)
      if (nodeId < 0) this.#cluster.invalidate()
      else if (state.bufferedBytes >= this.#options.partitionFetchBytesMax) fullNodes.add(nodeId)
      else byNode.set(nodeId, [...(byNode.get(nodeId) ?? []), state])
    }
    if (bufferedBytes >= this.#options.fetchBytesMax) return waitMs
    for (const [nodeId, states] of byNode) {
      if (!this.#busyNodes.has(nodeId) && !fullNodes.has(nodeId)) void this.#fetch(nodeId, states)
    }
    return waitMs
  }

  /** Up to `countMax` records that wait, partition by partition; positions move on. Throws for a damaged batch that is next. */
  take(countMax: number): TakenRecords[] {
    const taken: TakenRecords[] = []
    let left = countMax
    for (let index = 0; index < this.#buffered.length && left > 0; ) {
      const fetched = this.#buffered[index] as FetchedRecords
      const { state } = fetched
      if (!fetched.isCurrent) {
        this.#buffered.splice(index, 1)
        continue
      }
      if (state.paused || state.isLeaving) {
        index++
        continue
      }
      let records: readonly LogRecord[]
      try {
        records = this.#takeFrom(fetched, left)
      } catch (error) {
        // What was taken before is to be delivered first; the next call meets the damage again.
        if (taken.length > 0) return taken
        throw error
      }
      state.advance(fetched.next)
      if (records.length > 0) {
        left -= records.length
        taken.push({ state, timestampType: fetched.timestampType, records })
        continue
      }
      this.#buffered.splice(index, 1)
      state.bufferedBytes -= fetched.sizeBytes
    }
    return taken
  }

  #takeFrom(fetched: FetchedRecords, countMax: number): readonly LogRecord[] {
    try {
      return fetched.take(countMax)
    } catch (error) {
      // Whoever seeks past the damage starts with an empty buffer.
      if (error instanceof KafkaError) throw error
      const { topic, partition } = fetched.state
      const message = `records at offset ${fetched.next.offset} cannot be read: ${(error as Error).message}`
      throw new KafkaError(ErrorCode.CORRUPT_MESSAGE, message, {
        topic,
        partition,
      })
    }
  }

  #nodeFor(state: PartitionState, nowMs: number): number {
    const preferred = state.preferredReplica
    if (preferred !== null) {
      if (preferred.untilMs > nowMs && this.#cluster.image.brokers.has(preferred.nodeId)) return preferred.nodeId
      state.preferredReplica = null
    }
    return this.#cluster.partition(state.topic, state.partition)?.leaderId ?? -1
  }

  /** One fetch. Never rejects. */
  async #fetch(nodeId: number, states: readonly PartitionState[]): Promise<void> {
    this.#busyNodes.add(nodeId)
    const asked = states.map((state): Asked => ({ state, version: state.version }))
    for (const state of states) state.fetching = true
    const session = this.#sessions.get(nodeId) ?? new FetchSession()
    this.#sessions.set(nodeId, session)
    try {
      const haveIds = states.every(({ topic }) => hasTopicId(this.#cluster.image.topics.get(topic)))
      const response = await this.#cluster.ask(nodeId, 'data', Fetch, (version) => this.#body(version, session, states), {
        versionMin: VERSION_MIN,
        ...(haveIds ? {} : { versionMax: TOPIC_ID_VERSION - 1 }),
        timeoutMs: this.#options.requestTimeoutMs + this.#options.fetchWaitMsMax,
        signal: this.#cluster.closing,
      })
      const isSaid = session.onAnswer(response.errorCode, response.sessionId)
      if (response.errorCode === ErrorCode.NONE) this.#onResponse(nodeId, asked, response)
      else if (isSaid) this.#onFailure(asked, new KafkaError(response.errorCode))
    } catch (error) {
      session.onLost()
      if (!this.#cluster.closing.aborted) this.#onFailure(asked, error)
    }
    this.#busyNodes.delete(nodeId)
    for (const state of states) state.fetching = false
    this.#onFetched()
  }

  #body(version: number, session: FetchSession, states: readonly PartitionState[]) {
    const { fetchWaitMsMax, fetchBytesMin, fetchBytesMax, partitionFetchBytesMax, isolation, rackId } = this.#options
    const usesIds = version >= TOPIC_ID_VERSION
    const { sessionId, sessionEpoch, partitions, forgotten } = session.next(
      states.map((state) => this.#asFetched(state)),
      usesIds,
    )
    const byTopic = (list: readonly FetchedPartition[]) => Map.groupBy(list, ({ topic, topicId }) => (usesIds ? topicId : topic))
    return {
      replicaId: -1,
      maxWaitMs: fetchWaitMsMax,
      minBytes: fetchBytesMin,
      maxBytes: fetchBytesMax,
      isolationLevel: isolation === 'read_committed' ? IsolationLevel.READ_COMMITTED : IsolationLevel.READ_UNCOMMITTED,
      sessionId,
      sessionEpoch,
      topics: [...byTopic(partitions)].map(([name, parts]) => ({
        ...(usesIds ? { topicId: name } : { topic: name }),
        partitions: parts.map(({ partition, currentLeaderEpoch, fetchOffset }) => ({
          partition,
          currentLeaderEpoch,
          fetchOffset,
          partitionMaxBytes: partitionFetchBytesMax,
        })),
      })),
      forgottenTopicsData: [...byTopic(forgotten)].map(([name, parts]) => ({
        ...(usesIds ? { topicId: name } : { topic: name }),
        partitions: parts.map(({ partition }) => partition),
      })),
      rackId,
    }
  }

  #asFetched({ topic, partition, fetchOffset }: PartitionState): FetchedPartition {
    const topicId = this.#cluster.image.topics.get(topic)?.topicId ?? ''
    return { topic, topicId, partition, fetchOffset, currentLeaderEpoch: this.#cluster.partition(topic, partition)?.leaderEpoch ?? -1 }
  }

  #onFailure(asked: readonly Asked[], error: unknown): void {
    if (!canRetry(error)) this.#failure ??= error
    this.#cluster.invalidate()
    for (const { state, version } of asked) if (state.version === version) this.#delay(state)
  }

  #onResponse(nodeId: number, asked: readonly Asked[], response: FetchResponse): void {
    const byKey = new Map(asked.map((one) => [partitionKey(one.state.topic, one.state.partition), one]))
    for (const topic of response.responses) {
      const name = topic.topic || topicNameOf(this.#cluster.image, topic.topicId)
      if (name === undefined) continue
      for (const data of topic.partitions) {
        const one = byKey.get(partitionKey(name, data.partitionIndex))
        if (one === undefined || one.state.version !== one.version) continue
        this.#cluster.noteLeader(one.state, data.currentLeader, response.nodeEndpoints)
        if (data.errorCode === ErrorCode.NONE) this.#onData(one.state, data)
        else this.#onError(nodeId, one.state, data.errorCode)
      }
    }
  }

  #onData(state: PartitionState, data: PartitionData): void {
    state.failureCount = 0
    state.highWatermark = data.highWatermark
    state.lastStableOffset = data.lastStableOffset
    state.logStartOffset = data.logStartOffset
    if (data.preferredReadReplica >= 0) {
      const untilMs = this.#options.world.clock.monotonicMs() + this.#options.metadataAgeMsMax
      state.preferredReplica = { nodeId: data.preferredReadReplica, untilMs }
    }
    const buffer = data.records
    if (buffer === null || buffer.length === 0) return
    const aborted = this.#options.isolation === 'read_committed' ? (data.abortedTransactions ?? []) : null
    const after = positionAfter(buffer)
    if (after === null) {
      this.#failure ??= new KafkaError(ErrorCode.CORRUPT_MESSAGE, `no whole batch at offset ${state.fetchOffset}`, state)
      return
    }
    this.#buffered.push(new FetchedRecords(state, buffer, aborted, this.#options.checkCrcs))
    state.bufferedBytes += buffer.length
    state.fetchOffset = after.offset
    state.fetchLeaderEpoch = after.leaderEpoch
  }

  #onError(nodeId: number, state: PartitionState, code: number): void {
    const place = { topic: state.topic, partition: state.partition }
    if (code === ErrorCode.OFFSET_OUT_OF_RANGE) {
      if (state.preferredReplica?.nodeId === nodeId) {
        // A follower may lag behind the leader; the leader knows.
        state.preferredReplica = null
        return
      }
      const message = `offset ${state.fetchOffset} is out of range and auto.offset.reset is none`
      // What was fetched before the end was lost is still to be delivered.
      if (state.bufferedBytes > 0) this.#delay(state)
      else this.#locator.resetOrFail(state, new ClientError('no-offset', message, { place }))
      return
    }
    const error = new KafkaError(code, null, place)
    if (!error.retriable || code === ErrorCode.CORRUPT_MESSAGE) this.#failure ??= error
    state.preferredReplica = null
    this.#cluster.invalidate()
    this.#delay(state)
  }

  #delay(state: PartitionState): void {
    const { retryBackoffMs, retryBackoffMsMax, world } = this.#options
    const pauseMs = backoffMs(state.failureCount++, retryBackoffMs, retryBackoffMsMax, world.random)
    state.notBeforeMs = world.clock.monotonicMs() + pauseMs
  }
}
