/** @module client/errors — what can go wrong: a broker's answer, or the way to it. */
import { errorMessage, errorName, isRetriable } from '../wire/index.ts'

/** What an error speaks of. */
export interface ErrorPlace {
  readonly topic?: string | undefined
  readonly partition?: number | undefined
  readonly groupId?: string | undefined
  readonly transactionalId?: string | undefined
}

/** A Kafka error code that a broker answered. `name` is Kafka's name of the code, as in `UNKNOWN_TOPIC_OR_PARTITION`. */
export class KafkaError extends Error {
  readonly code: number
  /** The message without the place: the broker's own text where it sent one, else the default text of the code. */
  readonly text: string
  /** Whether the same request may succeed later (Kafka's error table). */
  readonly retriable: boolean
  readonly place: ErrorPlace

  /** `text`: the broker's own where it sent one. */
  constructor(code: number, text?: string | null, place: ErrorPlace = {}) {
    const plain = text || errorMessage(code) || errorName(code)
    super(`${plain}${placeText(place)}`)
    this.code = code
    this.text = plain
    this.name = errorName(code)
    this.retriable = isRetriable(code)
    this.place = place
  }
}

/** Why a client could not get or use an answer. */
export type ClientErrorKind =
  /** The connection could not be made or broke; whether a request was carried out is unknown. */
  | 'disconnected'
  /** No answer, or no success, in time. */
  | 'timeout'
  /** The client was closed. */
  | 'closed'
  /** The broker speaks no version of the API that the call needs. */
  | 'unsupported-version'
  /** Bytes that are no answer to what was asked. */
  | 'bad-response'
  /** A wrong option. */
  | 'config'
  /** A call that the state of the client does not allow. */
  | 'state'
  /** Offsets are out of range, or none is committed, and auto.offset.reset is none. */
  | 'no-offset'
  /** Records were lost by an unclean leader election below the position (KIP-320), and auto.offset.reset is none. */
  | 'truncated'

const RETRIABLE_KINDS: ReadonlySet<ClientErrorKind> = new Set(['disconnected', 'timeout'])

/** A failure on this side or on the way; `cause` has what lies under it. */
export class ClientError extends Error {
  override readonly name = 'ClientError'
  readonly kind: ClientErrorKind
  readonly retriable: boolean
  readonly place: ErrorPlace

  constructor(kind: ClientErrorKind, message: string, options: { cause?: unknown; place?: ErrorPlace } = {}) {
    super(`${message}${placeText(options.place ?? {})}`, options.cause === undefined ? {} : { cause: options.cause })
    this.kind = kind
    this.retriable = RETRIABLE_KINDS.has(kind)
    this.place = options.place ?? {}
  }
}

/**
 * A transaction cannot go on; `cause` is what happened. `abortable`: abortTransaction ends it, and the next one may succeed. `fatal`: the
 * producer is of no use any more (another one with its id has taken over, it may not use the id, …): close it.
 */
export class TransactionError extends Error {
  override readonly name = 'TransactionError'
  readonly kind: 'abortable' | 'fatal'

  constructor(kind: 'abortable' | 'fatal', cause: unknown) {
    const text = cause instanceof Error ? cause.message : String(cause)
    super(kind === 'fatal' ? `the producer cannot go on: ${text}` : `the transaction can only be aborted: ${text}`, { cause })
    this.kind = kind
  }
}

/** Whether trying again may help: a retriable code, a lost connection, a timeout. */
export function canRetry(error: unknown): boolean {
  return (error instanceof KafkaError || error instanceof ClientError) && error.retriable
}

/** Throws the code as a KafkaError unless it is 0. */
export function throwIfError(code: number, message?: string | null, place?: ErrorPlace): void {
  if (code !== 0) throw new KafkaError(code, message, place)
}

function placeText({ topic, partition, groupId, transactionalId }: ErrorPlace): string {
  if (topic !== undefined) return partition === undefined ? ` (topic ${topic})` : ` (${topic}-${partition})`
  if (transactionalId !== undefined) return ` (transactional id ${transactionalId})`
  return groupId === undefined ? '' : ` (group ${groupId})`
}
