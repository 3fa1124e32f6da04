/**
 * @module client/cluster — one client's view of a cluster: metadata kept fresh, leaders, coordinators, and the way to them.
 *
 * Metadata is asked for when a topic is first used, when somebody finds it wrong, and when it is old. One request at a
 * time; known brokers first, then the bootstrap list, so that a client whose brokers have all moved finds the new ones
 * (KIP-899).
 */
import type { Timer } from '../io/index.ts'
import { type Api, Metadata, type MetadataResponse } from '../wire/index.ts'
import { backoffMs } from './backoff.ts'
import { Calls } from './calls.ts'
import type { BrokerConnection, RequestOptions } from './connection.ts'
import { abortable, withDeadline } from './deadline.ts'
import { canRetry, ClientError, KafkaError, throwIfError } from './errors.ts'
import { type Lane, Links } from './links.ts'
import { applyLeader, applyMetadata, type ClusterImage, EMPTY_IMAGE, type TopicImage } from './metadata.ts'
import type { ResolvedClientOptions } from './options.ts'
import type { BrokerInfo, PartitionInfo } from './types.ts'

/** Metadata error codes that end the wait for a topic at once. */
const isFinal = (error: unknown): boolean => error instanceof KafkaError && !error.retriable

/** A client's cluster. */
export class Cluster {
  readonly options: ResolvedClientOptions
  /** What callers of the client wait for. */
  readonly calls: Calls
  readonly #links: Links
  readonly #autoCreate: boolean
  readonly #topics = new Set<string>()
  readonly #listeners = new Set<(image: ClusterImage) => void>()
  #allTopics = false
  #knowsAllTopics = false
  #newTopics = false
  #image: ClusterImage = EMPTY_IMAGE
  #refreshing: Promise<void> | null = null
  #lastSuccessMs: number
  #ageTimer: Timer | null = null
  #failureCount = 0
  #lastAttemptMs = Number.NEGATIVE_INFINITY
  readonly #closing = new AbortController()

  /** `autoCreate`: ask brokers to create topics that are not there, if they are set up to. */
  constructor(options: ResolvedClientOptions, autoCreate: boolean) {
    this.options = options
    this.calls = new Calls(options.world.clock)
    this.#links = new Links(options)
    this.#autoCreate = autoCreate
    this.#lastSuccessMs = options.world.clock.monotonicMs()
  }

  get image(): ClusterImage {
    return this.#image
  }

  /** Whether the image has been told of all topics there are, since that is tracked. */
  get knowsAllTopics(): boolean {
    return this.#knowsAllTopics
  }

  /** Aborts when the client closes. */
  get closing(): AbortSignal {
    return this.#closing.signal
  }

  /** Calls `listener` after every change of the image; returns the way to stop it. */
  onChange(listener: (image: ClusterImage) => void): () => void {
    this.#listeners.add(listener)
    return () => void this.#listeners.delete(listener)
  }

  /** The partition as known now; undefined when unknown. */
  partition(topic: string, partition: number): PartitionInfo | undefined {
    return this.#image.topics.get(topic)?.partitions[partition]
  }

  /** From now on metadata covers these topics too, or all topics there are. */
  track(topics: Iterable<string> | 'all'): void {
    if (topics === 'all') {
      this.#newTopics ||= !this.#allTopics
      this.#allTopics = true
    } else for (const topic of topics) this.#track(topic)
  }

  /** Replaces what is tracked. */
  trackOnly(topics: Iterable<string> | 'all'): void {
    this.#allTopics = false
    this.#knowsAllTopics = false
    this.#topics.clear()
    this.track(topics)
  }

  /** The topic, asked for until it is there. Rejects with the broker's error when it says no, or when the signal aborts. */
  async topic(name: string, signal?: AbortSignal): Promise<TopicImage> {
    this.#track(name)
    for (;;) {
      const topic = this.#image.topics.get(name)
      if (topic !== undefined) return topic
      try {
        await this.refresh(signal)
      } catch (error) {
        // A deadline's own error counts as retriable for others.
        if (signal?.aborted || isFinal(error) || !canRetry(error)) throw error
      }
      const code = this.#image.topicErrors.get(name)
      if (code === undefined) continue
      const error = new KafkaError(code, null, { topic: name })
      if (isFinal(error)) throw error
    }
  }

  /** Asks for metadata now (or joins the request that runs); at most once per retry.backoff.ms, also when it fails. */
  refresh(signal?: AbortSignal): Promise<void> {
    this.#refreshing ??= this.#refreshOnce().finally(() => {
      this.#refreshing = null
    })
    return abortable(this.#refreshing, signal)
  }

  /** Says that the metadata has been found wrong; a refresh runs in the background. */
  invalidate(): void {
    if (this.#closing.signal.aborted) return
    // A failure here comes back at whoever needs the metadata next.
    this.refresh().catch(() => {})
  }

  /** Takes over a leader that an answer named (KIP-951). */
  noteLeader(
    at: { topic: string; partition: number },
    leader: { leaderId: number; leaderEpoch: number },
    endpoints: readonly BrokerInfo[],
  ): void {
    if (leader.leaderId >= 0) this.#setImage(applyLeader(this.#image, at, leader, endpoints))
  }

  /** A connection to the broker with this id. */
  async connect(nodeId: number, lane: Lane, signal?: AbortSignal): Promise<BrokerConnection> {
    let broker = this.#image.brokers.get(nodeId)
    if (broker === undefined) {
      await this.refresh(signal)
      broker = this.#image.brokers.get(nodeId)
    }
    if (broker === undefined) throw new ClientError('disconnected', `broker ${nodeId} is not known in the cluster`)
    try {
      return await this.#links.connect(String(nodeId), lane, broker, signal)
    } catch (error) {
      // It may have moved, or its partitions may have another leader by now.
      this.invalidate()
      throw error
    }
  }

  /** Asks the broker with this id. */
  async ask<Q, QI, P, PI>(
    nodeId: number,
    lane: Lane,
    api: Api<Q, QI, P, PI>,
    build: (version: number) => QI,
    options: RequestOptions = {},
  ): Promise<P> {
    const connection = await this.connect(nodeId, lane, options.signal)
    return connection.request(api, build, options)
  }

  /** Asks whichever broker answers first among those that are known. */
  async askAny<Q, QI, P, PI>(api: Api<Q, QI, P, PI>, build: (version: number) => QI, options: RequestOptions = {}): Promise<P> {
    const connection = await this.connectAny(options.signal)
    return connection.request(api, build, options)
  }

  /** A connection to any broker: known ones in random order, then the bootstrap list. */
  async connectAny(signal?: AbortSignal): Promise<BrokerConnection> {
    const known = [...this.#image.brokers.values()].map((broker) => ({
      name: String(broker.nodeId),
      address: broker,
    }))
    const bootstrap = this.options.bootstrapServers.map((address) => ({
      name: `${address.host}:${address.port}`,
      address,
    }))
    const ready = (candidate: { name: string }): boolean => !this.#links.isWaiting(candidate.name, 'control')
    const inOrder = [...this.#shuffled(known), ...this.#shuffled(bootstrap)]
    const candidates = inOrder.some(ready) ? inOrder.filter(ready) : inOrder
    let failure: unknown
    for (const { name, address } of candidates) {
      try {
        return await this.#links.connect(name, 'control', address, signal)
      } catch (error) {
        signal?.throwIfAborted()
        this.#closing.signal.throwIfAborted()
        failure = error
      }
    }
    throw failure
  }

  /**
   * Runs `attempt` until it succeeds or fails for good, with growing waits between, for apiTimeoutMs at most.
   * `onRetry` may put right what the failure shows to be wrong.
   */
  retry<T>(
    what: string,
    signal: AbortSignal | undefined,
    attempt: (signal: AbortSignal) => Promise<T>,
    onRetry: (error: unknown) => void = () => {},
  ): Promise<T> {
    const { world, apiTimeoutMs, retryBackoffMs, retryBackoffMsMax } = this.options
    return withDeadline(world.clock, apiTimeoutMs, [signal, this.#closing.signal], what, async (bounded) => {
      for (let count = 0; ; count++) {
        try {
          return await attempt(bounded)
        } catch (error) {
          this.#closing.signal.throwIfAborted()
          if (bounded.aborted || !canRetry(error)) throw error
          onRetry(error)
          try {
            await world.clock.sleep(backoffMs(count, retryBackoffMs, retryBackoffMsMax, world.random), bounded)
          } catch (aborted) {
            if (aborted instanceof ClientError && aborted.kind === 'timeout') {
              throw new ClientError('timeout', `${aborted.message}; last: ${(error as Error).message}`, { cause: error })
            }
            throw aborted
          }
        }
      }
    })
  }

  /** Ends all connections and waits. */
  close(): void {
    this.#ageTimer?.cancel()
    this.#listeners.clear()
    this.#closing.abort(new ClientError('closed', 'the client was closed'))
    this.#links.close()
  }

  #track(topic: string): void {
    if (this.#topics.has(topic)) return
    this.#topics.add(topic)
    this.#newTopics = true
  }

  async #refreshOnce(): Promise<void> {
    const { clock, random } = this.options.world
    const { retryBackoffMs, retryBackoffMsMax } = this.options
    const pauseMs = backoffMs(this.#failureCount, retryBackoffMs, retryBackoffMsMax, random)
    const waitMs = this.#lastAttemptMs + pauseMs - clock.monotonicMs()
    // A topic that was never asked for need not wait for the sake of others.
    if (waitMs > 0 && !this.#newTopics) await clock.sleep(waitMs, this.#closing.signal)
    this.#newTopics = false
    this.#lastAttemptMs = clock.monotonicMs()
    if (this.#lastAttemptMs - this.#lastSuccessMs > this.options.rebootstrapTriggerMs) {
      this.#image = { ...this.#image, brokers: new Map() }
    }
    // What is tracked may grow while the answer is on its way, so the question is remembered.
    const complete = this.#allTopics
    const asked = [...this.#topics]
    try {
      const response = await this.#askMetadata(complete ? null : asked)
      this.#lastSuccessMs = clock.monotonicMs()
      this.#knowsAllTopics = complete && this.#allTopics
      this.#setImage(applyMetadata(this.#image, response, complete))
      // Topics that are not there yet are asked for again, so the wait between two attempts applies to them as well.
      this.#failureCount = asked.some((topic) => this.#image.topicErrors.has(topic)) ? this.#failureCount + 1 : 0
    } catch (error) {
      this.#failureCount++
      throw error
    } finally {
      this.#armAgeTimer()
    }
  }

  async #askMetadata(topics: readonly string[] | null): Promise<MetadataResponse> {
    const connection = await this.connectAny(this.#closing.signal)
    const response = await connection.request(
      Metadata,
      (version) => ({
        // In v0 an empty list asks for all topics; from v1 on null does, and an empty list asks for none.
        topics: topics === null ? (version === 0 ? [] : null) : topics.map((name) => ({ name })),
        allowAutoTopicCreation: this.#autoCreate,
      }),
      { signal: this.#closing.signal },
    )
    throwIfError(response.errorCode)
    return response
  }

  #setImage(image: ClusterImage): void {
    if (image === this.#image) return
    this.#image = image
    for (const listener of this.#listeners) listener(image)
  }

  #armAgeTimer(): void {
    this.#ageTimer?.cancel()
    if (this.#closing.signal.aborted) return
    this.#ageTimer = this.options.world.clock.timer(this.options.metadataAgeMsMax, () => this.invalidate())
  }

  #shuffled<T>(list: readonly T[]): T[] {
    const { random } = this.options.world
    return list
      .map((value) => ({ value, rank: random.float() }))
      .sort((one, other) => one.rank - other.rank)
      .map(({ value }) => value)
  }
}
