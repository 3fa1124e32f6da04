/**
 * @module client/consuming/fetch-session — what a broker remembers of our fetches, so that each tells only what has changed (KIP-227). Pure.
 *
 * ```
 *           full request, epoch 0                 answer with a session id
 *   none ───────────────────────────▶ (answered) ─────────────────────────▶ open, epoch 1, 2, … (changes only)
 *    ▲ ▲                                  │ id 0: the broker's cache is full           │
 *    │ └──────────────────────────────────┘                                            │
 *    └── the broker has forgotten it, or no answer came (the full request names the old id, to be closed) ◀──┘
 * ```
 */
import { ErrorCode } from '../../wire/index.ts'

/** A request with all partitions, which asks for a session. */
const FULL_EPOCH = 0
/** The epoch after the last one is 1 again. */
const EPOCH_MAX = 2_147_483_647

/** Codes that say that broker and client no longer mean the same session. */
const LOST: ReadonlySet<number> = new Set([
  ErrorCode.FETCH_SESSION_ID_NOT_FOUND,
  ErrorCode.INVALID_FETCH_SESSION_EPOCH,
  ErrorCode.FETCH_SESSION_TOPIC_ID_ERROR,
  ErrorCode.INCONSISTENT_TOPIC_ID,
])

/** A partition as a request names it. */
export interface FetchedPartition {
  readonly topic: string
  readonly topicId: string
  readonly partition: number
  readonly fetchOffset: number
  readonly currentLeaderEpoch: number
}

/** What a request is to carry. */
export interface SessionRequest {
  readonly sessionId: number
  readonly sessionEpoch: number
  readonly partitions: readonly FetchedPartition[]
  readonly forgotten: readonly FetchedPartition[]
}

/** The session with one broker; one request at a time. */
export class FetchSession {
  #id = 0
  #epoch = FULL_EPOCH
  #known = new Map<string, FetchedPartition>()
  #usesIds = false

  /** The next request, for exactly these partitions. `usesIds`: it names topics by id. */
  next(partitions: readonly FetchedPartition[], usesIds: boolean): SessionRequest {
    // Names and ids do not go together in one session.
    if (usesIds !== this.#usesIds) this.onLost()
    this.#usesIds = usesIds
    const before = this.#epoch === FULL_EPOCH ? new Map<string, FetchedPartition>() : this.#known
    this.#known = new Map(partitions.map((partition) => [keyOf(partition, usesIds), partition]))
    const isFull = this.#epoch === FULL_EPOCH
    return {
      sessionId: this.#id,
      sessionEpoch: this.#epoch,
      partitions: isFull ? partitions : partitions.filter((partition) => !isSame(before.get(keyOf(partition, usesIds)), partition)),
      forgotten: [...before].filter(([key]) => !this.#known.has(key)).map(([, partition]) => partition),
    }
  }

  /** An answer; false when it only says that the session is gone: the next request makes another. */
  onAnswer(errorCode: number, sessionId: number): boolean {
    const isFull = this.#epoch === FULL_EPOCH
    if (errorCode !== ErrorCode.NONE) {
      const isLost = LOST.has(errorCode) && !isFull
      if (errorCode === ErrorCode.FETCH_SESSION_ID_NOT_FOUND) this.#id = 0
      this.#epoch = FULL_EPOCH
      return !isLost
    }
    this.#id = sessionId
    if (sessionId === 0) this.#epoch = FULL_EPOCH
    else this.#epoch = this.#epoch >= EPOCH_MAX ? 1 : this.#epoch + 1
    return true
  }

  /** No answer: what the broker remembers is unknown. */
  onLost(): void {
    this.#epoch = FULL_EPOCH
  }
}

function keyOf({ topic, topicId, partition }: FetchedPartition, usesIds: boolean): string {
  return `${usesIds ? topicId : topic}:${partition}`
}

function isSame(known: FetchedPartition | undefined, now: FetchedPartition): boolean {
  return known !== undefined && known.fetchOffset === now.fetchOffset && known.currentLeaderEpoch === now.currentLeaderEpoch
}
