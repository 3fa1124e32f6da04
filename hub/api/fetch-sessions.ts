/**
 * @module api/fetch-sessions — incremental fetch sessions (KIP-227): what a reader asked for and was told, kept between its fetches. Pure.
 *
 * ```
 *   session id, epoch          what the fetch is                       what is answered
 *   any, −1                    full, and the session named ends        every partition, session 0
 *   any, 0                     full, and the session named ends        every partition, and a new session if there is room
 *   id, the epoch expected     the cached partitions with its changes  those with records, an error, or marks that the reader was not told
 *   id, another                refused                                 INVALID_FETCH_SESSION_EPOCH, session 0
 *   another id                 refused                                 FETCH_SESSION_ID_NOT_FOUND, session 0
 * ```
 * A full fetch is always answered from what it asks, never from a session. Partitions that brought records go to the end of their session's
 * order, so that none starves behind others that fill every answer. Source of the rules: FetchSession of Kafka 4.3.1.
 */
import { ErrorCode, type Fetch, type RequestOf } from '../wire/index.ts'

/** Limits of this file. */
const fetchSessionLimits = {
  /** Partitions of all sessions together: some 300 bytes each. Beyond, no session is opened, and one that outgrows it ends. */
  partitionsMax: 250_000,
  /** Characters of a topic name that is kept; what is longer names no topic, and its fetch gets no session. */
  topicNameCharsMax: 249,
  /** A session that was not used for longer makes room for any other; one younger than this is not pushed out by a larger one. */
  evictionMs: 120_000,
  /** While no session can be pushed out, the next look at all of them comes no sooner. */
  evictionPauseMs: 100,
  /** The epoch after which a session counts from 1 again. */
  epochMax: 2 ** 31 - 1,
} as const

export type FetchSessionLimits = { readonly [K in keyof typeof fetchSessionLimits]: number }

const NO_SESSION = 0
const INITIAL_EPOCH = 0
const FINAL_EPOCH = -1
const ID_MAX = 2 ** 31 - 1
/** First version in which topics have ids. */
const TOPIC_ID_VERSION_MIN = 13

type Request = RequestOf<typeof Fetch>
type PartitionRequest = Request['topics'][number]['partitions'][number]

/** One partition as a fetch asks for it. */
export interface WantedPartition {
  /** Empty when the topic is named by its id. */
  readonly topic: string
  readonly topicId: string
  readonly partition: number
  readonly currentLeaderEpoch: number
  readonly fetchOffset: number
  readonly lastFetchedEpoch: number
  readonly partitionMaxBytes: number
  /** The topic's name once its id was known in this session; nobody keeps it without a session. */
  resolvedName: string | undefined
}

/** What a session looks at in an answer. */
export interface AnsweredMarks {
  readonly errorCode: number
  readonly highWatermark: number
  readonly lastStableOffset: number
  readonly logStartOffset: number
  readonly divergingEpoch?: object
  /** Bytes, or pieces that are not empty. */
  readonly records: { readonly length: number }
}

/** A partition with its answer. */
export interface Answered<T extends AnsweredMarks> {
  readonly wanted: WantedPartition
  readonly answer: T
}

/** What goes out. */
export interface SessionAnswer<T extends AnsweredMarks> {
  readonly errorCode: number
  readonly sessionId: number
  readonly partitions: readonly Answered<T>[]
}

/** One fetch in its session, or without one. */
export interface FetchContext {
  /** All partitions to read, in order. */
  readonly partitions: readonly WantedPartition[]
  /** To be called once, with an answer for each of {@link partitions} in their order. */
  answer<T extends AnsweredMarks>(answered: readonly Answered<T>[]): SessionAnswer<T>
}

interface CachedPartition extends WantedPartition {
  readonly key: string
  currentLeaderEpoch: number
  fetchOffset: number
  lastFetchedEpoch: number
  partitionMaxBytes: number
  /** What the reader was told last; −1 nothing yet, or an error. */
  highWatermark: number
  lastStableOffset: number
  logStartOffset: number
}

interface Session {
  readonly id: number
  /** Of a follower. */
  readonly isPrivileged: boolean
  readonly usesTopicIds: boolean
  readonly createdMs: number
  lastUsedMs: number
  /** What the next fetch has to say. */
  epoch: number
  /** In the order in which they are read. */
  readonly partitions: Map<string, CachedPartition>
}

export interface FetchSessionsOptions {
  /** `max.incremental.fetch.session.cache.slots` */
  readonly slots: number
  readonly nowMs: () => number
  readonly randomFloat: () => number
  readonly limits?: Partial<FetchSessionLimits>
}

/** All sessions of a broker. */
export class FetchSessions {
  readonly #options: FetchSessionsOptions
  readonly #limits: FetchSessionLimits
  /** The one used least lately first. */
  readonly #sessions = new Map<number, Session>()
  #partitionCount = 0
  #evictedCount = 0
  #noEvictionBeforeMs = Number.NEGATIVE_INFINITY

  constructor(options: FetchSessionsOptions) {
    this.#options = options
    this.#limits = { ...fetchSessionLimits, ...options.limits }
  }

  get count(): number {
    return this.#sessions.size
  }

  /** Cached partitions of all sessions. */
  get partitionCount(): number {
    return this.#partitionCount
  }

  /** Sessions that made room for others, since the start. */
  get evictedCount(): number {
    return this.#evictedCount
  }

  /** Finds out what a fetch is; an error code when its session is refused. */
  open(request: Request, apiVersion: number): FetchContext | number {
    const { sessionId, sessionEpoch } = request
    const usesTopicIds = apiVersion >= TOPIC_ID_VERSION_MIN
    if (sessionEpoch === INITIAL_EPOCH || sessionEpoch === FINAL_EPOCH) {
      this.#remove(sessionId)
      return sessionEpoch === FINAL_EPOCH ? sessionless(request) : this.#full(request, usesTopicIds)
    }
    const session = this.#sessions.get(sessionId)
    if (session === undefined) return ErrorCode.FETCH_SESSION_ID_NOT_FOUND
    if (session.epoch !== sessionEpoch) return ErrorCode.INVALID_FETCH_SESSION_EPOCH
    if (session.usesTopicIds !== usesTopicIds) return ErrorCode.FETCH_SESSION_TOPIC_ID_ERROR
    if (!this.#update(session, request)) {
      this.#remove(sessionId)
      return ErrorCode.FETCH_SESSION_ID_NOT_FOUND
    }
    if (session.partitions.size === 0) {
      this.#remove(sessionId)
      return sessionless(request)
    }
    this.#touch(session)
    session.epoch = sessionEpoch === this.#limits.epochMax ? 1 : sessionEpoch + 1
    return incremental(session)
  }

  #full(request: Request, usesTopicIds: boolean): FetchContext {
    const partitions = wantedPartitions(request)
    return {
      partitions,
      answer: (answered) => {
        const isPrivileged = request.replicaId >= 0 || request.replicaState.replicaId >= 0
        return { errorCode: ErrorCode.NONE, sessionId: this.#create(answered, isPrivileged, usesTopicIds), partitions: answered }
      },
    }
  }

  /** The new session's id; 0 when there is no room for it. */
  #create(answered: readonly Answered<AnsweredMarks>[], isPrivileged: boolean, usesTopicIds: boolean): number {
    if (!answered.every(({ wanted }) => this.#isKeepable(wanted.topic))) return NO_SESSION
    if (this.#sessions.size >= this.#options.slots && !this.#evict(isPrivileged, answered.length)) return NO_SESSION
    if (this.#partitionCount + answered.length > this.#limits.partitionsMax) return NO_SESSION
    const partitions = new Map<string, CachedPartition>()
    for (const { wanted, answer } of answered) {
      const key = keyOf(wanted.topic, wanted.topicId, wanted.partition)
      const cached: CachedPartition = { ...wanted, key, highWatermark: -1, lastStableOffset: -1, logStartOffset: -1 }
      note(cached, answer)
      partitions.set(key, cached)
    }
    const nowMs = this.#options.nowMs()
    const id = this.#newId()
    this.#sessions.set(id, { id, isPrivileged, usesTopicIds, createdMs: nowMs, lastUsedMs: nowMs, epoch: 1, partitions })
    this.#partitionCount += partitions.size
    return id
  }

  /** Takes over what the request changes; false when the session outgrows the limits. */
  #update(session: Session, request: Request): boolean {
    const { partitions } = session
    for (const { topic, topicId, partitions: changes } of request.topics) {
      for (const change of changes) {
        const key = keyOf(topic, topicId, change.partition)
        const cached = partitions.get(key)
        if (cached !== undefined) {
          cached.currentLeaderEpoch = change.currentLeaderEpoch
          cached.fetchOffset = change.fetchOffset
          cached.lastFetchedEpoch = change.lastFetchedEpoch
          cached.partitionMaxBytes = change.partitionMaxBytes
          continue
        }
        if (this.#partitionCount >= this.#limits.partitionsMax || !this.#isKeepable(topic)) return false
        const marks = { highWatermark: -1, lastStableOffset: -1, logStartOffset: -1 }
        partitions.set(key, { ...wantedPartition(topic, topicId, change), key, ...marks })
        this.#partitionCount++
      }
    }
    for (const { topic, topicId, partitions: forgotten } of request.forgottenTopicsData) {
      for (const partition of forgotten) if (partitions.delete(keyOf(topic, topicId, partition))) this.#partitionCount--
    }
    return true
  }

  #isKeepable(topic: string): boolean {
    return topic.length <= this.#limits.topicNameCharsMax
  }

  #touch(session: Session): void {
    session.lastUsedMs = this.#options.nowMs()
    this.#sessions.delete(session.id)
    this.#sessions.set(session.id, session)
  }

  #remove(sessionId: number): void {
    const session = this.#sessions.get(sessionId)
    if (session === undefined) return
    this.#sessions.delete(sessionId)
    this.#partitionCount -= session.partitions.size
    this.#noEvictionBeforeMs = Number.NEGATIVE_INFINITY
  }

  /**
   * Makes room for a session: of one that is stale, else of the smallest that is worth no more than the new one and was either there long
   * enough or, where the new one is a follower's, is no follower's. False when there is none.
   */
  #evict(isPrivileged: boolean, partitionCount: number): boolean {
    const nowMs = this.#options.nowMs()
    const { evictionMs, evictionPauseMs } = this.#limits
    const [oldest] = this.#sessions.values()
    if (oldest === undefined) return false
    if (nowMs - oldest.lastUsedMs > evictionMs) {
      this.#evicted(oldest)
      return true
    }
    if (!isPrivileged && nowMs < this.#noEvictionBeforeMs) return false
    let least: Session | undefined
    for (const session of this.#sessions.values()) {
      const isEvictable = session.lastUsedMs - session.createdMs > evictionMs || (isPrivileged && !session.isPrivileged)
      if (isEvictable && (least === undefined || isWorthLess(session, least))) least = session
    }
    if (least === undefined || isWorthAsMuch(least, isPrivileged, partitionCount)) {
      if (!isPrivileged) this.#noEvictionBeforeMs = nowMs + evictionPauseMs
      return false
    }
    this.#evicted(least)
    return true
  }

  #evicted(session: Session): void {
    this.#remove(session.id)
    this.#evictedCount++
  }

  #newId(): number {
    for (;;) {
      const id = 1 + Math.floor(this.#options.randomFloat() * (ID_MAX - 1))
      if (!this.#sessions.has(id)) return id
    }
  }
}

function isWorthLess(one: Session, other: Session): boolean {
  if (one.isPrivileged !== other.isPrivileged) return other.isPrivileged
  return one.partitions.size === other.partitions.size ? one.id < other.id : one.partitions.size < other.partitions.size
}

function isWorthAsMuch(session: Session, isPrivileged: boolean, partitionCount: number): boolean {
  return session.isPrivileged === isPrivileged ? session.partitions.size >= partitionCount : session.isPrivileged
}

function sessionless(request: Request): FetchContext {
  return {
    partitions: wantedPartitions(request),
    answer: (answered) => ({ errorCode: ErrorCode.NONE, sessionId: NO_SESSION, partitions: answered }),
  }
}

function incremental(session: Session): FetchContext {
  const expectedEpoch = session.epoch
  return {
    partitions: [...session.partitions.values()],
    answer: (answered) => {
      // A repeated request has been here meanwhile: what it was told must not be told twice in different ways.
      if (session.epoch !== expectedEpoch)
        return { errorCode: ErrorCode.INVALID_FETCH_SESSION_EPOCH, sessionId: session.id, partitions: [] }
      const told = answered.filter(({ wanted, answer }) => {
        const cached = wanted as CachedPartition
        const isNews = note(cached, answer)
        if (answer.records.length > 0) {
          session.partitions.delete(cached.key)
          session.partitions.set(cached.key, cached)
        }
        return isNews
      })
      return { errorCode: ErrorCode.NONE, sessionId: session.id, partitions: told }
    },
  }
}

/** Whether the reader has to be told; keeps what it knows then. Of an error it keeps nothing, so that its end is told. */
function note(cached: CachedPartition, answer: AnsweredMarks): boolean {
  const { errorCode, highWatermark, lastStableOffset, logStartOffset } = answer
  const hasMoved =
    cached.highWatermark !== highWatermark || cached.lastStableOffset !== lastStableOffset || cached.logStartOffset !== logStartOffset
  cached.highWatermark = errorCode === ErrorCode.NONE ? highWatermark : -1
  cached.lastStableOffset = lastStableOffset
  cached.logStartOffset = logStartOffset
  return hasMoved || errorCode !== ErrorCode.NONE || answer.records.length > 0 || answer.divergingEpoch !== undefined
}

/** As in Kafka, a partition that is named twice is read once, as it is named last. */
function wantedPartitions({ topics }: Request): WantedPartition[] {
  const [only] = topics
  const [first] = only?.partitions ?? []
  if (only !== undefined && first !== undefined && topics.length + only.partitions.length === 2)
    return [wantedPartition(only.topic, only.topicId, first)]
  const wanted = new Map<string, WantedPartition>()
  for (const { topic, topicId, partitions } of topics) {
    for (const partition of partitions) wanted.set(keyOf(topic, topicId, partition.partition), wantedPartition(topic, topicId, partition))
  }
  return [...wanted.values()]
}

function wantedPartition(topic: string, topicId: string, wanted: PartitionRequest): WantedPartition {
  const { partition, currentLeaderEpoch, fetchOffset, lastFetchedEpoch, partitionMaxBytes } = wanted
  return { topic, topicId, partition, currentLeaderEpoch, fetchOffset, lastFetchedEpoch, partitionMaxBytes, resolvedName: undefined }
}

/** In one session either all topics have ids or none has. */
function keyOf(topic: string, topicId: string, partition: number): string {
  return topic === '' ? `${topicId}:${partition}` : `${topic}:${partition}`
}
