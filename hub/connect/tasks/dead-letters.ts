/**
 * @module connect/tasks/dead-letters — records that a sink could not take, kept in a topic of their own: raw as they were read, with the
 * reason in headers (KIP-298). Commits wait until they are acknowledged, so that nothing is skipped that is not kept.
 */
import type { Admin, Producer, RecordHeader } from '../../client/index.ts'
import { traceOf } from '../failure.ts'
import type { TaskId } from '../types.ts'
import type { Origin, RawRecord } from './conversion.ts'
import { classNameOf, messageOf, TaskFailure } from './failure.ts'
import type { FailureSettings } from './settings.ts'
import type { Step } from './step.ts'

/** Upstream's default of errors.deadletterqueue.topic.replication.factor. */
const REPLICATION_FACTOR = 3
const TOPIC_KEY = 'errors.deadletterqueue.topic.name'

/** A record that failed, and why. */
export interface DeadLetter {
  readonly raw: Pick<RawRecord, 'key' | 'value' | 'headers' | 'timestampMs' | 'offset'>
  readonly origin: Pick<Origin, 'topic' | 'partition'>
  readonly step: Step
  readonly error: unknown
}

/** The context headers, by upstream's names and in its order. Pure. */
export function contextHeaders(id: TaskId, { raw, origin, step, error }: DeadLetter): RecordHeader[] {
  const facts: readonly (readonly [string, string])[] = [
    ['topic', origin.topic],
    ['partition', String(origin.partition)],
    ['offset', String(raw.offset)],
    ['connector.name', id.connector],
    ['task.id', String(id.task)],
    ['stage', step.stage],
    ['class.name', step.className],
    ['exception.class.name', classNameOf(error)],
    ['exception.message', messageOf(error)],
    ['exception.stacktrace', traceOf(error)],
  ]
  return facts.map(([name, text]) => ({ key: `__connect.errors.${name}`, value: Buffer.from(text) }))
}

/** Keeps dead letters. */
export class DeadLetters {
  readonly #id: TaskId
  readonly #settings: FailureSettings
  readonly #producer: Producer
  readonly #onFailure: (failure: TaskFailure) => void
  #pendingCount = 0
  #failure: TaskFailure | null = null
  #idle = Promise.withResolvers<void>()

  /** `onFailure` hears when a record could not be kept: the task must not go on then. */
  constructor(id: TaskId, settings: FailureSettings, producer: Producer, onFailure: (failure: TaskFailure) => void) {
    this.#id = id
    this.#settings = settings
    this.#producer = producer
    this.#onFailure = onFailure
  }

  /** Sends a record; {@link settled} waits for it. */
  keep(letter: DeadLetter): void {
    const { deadLetterTopic: topic, deadLetterHeaders } = this.#settings
    const { key, value, headers, timestampMs } = letter.raw
    const all = deadLetterHeaders ? [...headers, ...contextHeaders(this.#id, letter)] : headers
    if (this.#pendingCount++ === 0) this.#idle = Promise.withResolvers<void>()
    this.#producer
      .send({ topic, key, value, headers: all, timestampMs: timestampMs < 0 ? undefined : timestampMs })
      .catch((error: unknown) => this.#fail(error, letter))
      .finally(() => {
        if (--this.#pendingCount === 0) this.#idle.resolve()
      })
  }

  /** Resolves when more may be given: a topic full of failing records is read faster than they are kept. */
  ready(signal: AbortSignal): Promise<void> {
    return this.#producer.ready(signal)
  }

  /** Resolves when all that was given so far is acknowledged; rejects with a TaskFailure when something never will be. */
  async settled(): Promise<void> {
    if (this.#pendingCount > 0) await this.#idle.promise
    if (this.#failure !== null) throw this.#failure
  }

  #fail(error: unknown, { raw, origin }: DeadLetter): void {
    const place = `${origin.topic}-${origin.partition}@${raw.offset}`
    this.#failure ??= new TaskFailure(
      classNameOf(error),
      `${messageOf(error)} (record ${place} could not be kept in the dead letter queue ${this.#settings.deadLetterTopic}; ` +
        `make that topic writable for such records, or name another one in ${TOPIC_KEY})`,
      { cause: error },
    )
    this.#onFailure(this.#failure)
  }
}

/** Makes the topic (one partition) when it is not there. Rejects with a TaskFailure that says what to change. */
export async function ensureDeadLetterTopic(admin: Admin, settings: FailureSettings, signal: AbortSignal): Promise<void> {
  const { deadLetterTopic: name, deadLetterReplicationFactor: wanted } = settings
  const known = await admin.listTopics({ includeInternal: true }, signal)
  if (known.some((topic) => topic.name === name)) return
  const { brokers } = await admin.describeCluster({}, signal)
  const replicationFactor = wanted ?? Math.max(1, Math.min(REPLICATION_FACTOR, brokers.length))
  const [created] = await admin.createTopics([{ name, partitionCount: 1, replicationFactor }], {}, signal)
  const error = created?.error ?? null
  if (error === null || error.name === 'TOPIC_ALREADY_EXISTS') return
  throw new TaskFailure(
    'org.apache.kafka.connect.errors.ConnectException',
    `Could not initialize dead letter queue with topic=${name}: ${error.message}; create it, or change ${TOPIC_KEY} or ` +
      'errors.deadletterqueue.topic.replication.factor',
    { cause: error },
  )
}
