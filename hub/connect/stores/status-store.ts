/** @module connect/stores/status-store — states of connectors and tasks in the status topic. */
import type { ClientWorld } from '../../client/index.ts'
import type { Logger } from '../../observe/index.ts'
import type { Status, TaskId } from '../types.ts'
import { type BackingLog, openBackingLog, StoreClosedError, type StoreOptions } from './backing-log.ts'
import { Complaints } from './complaints.ts'
import { Patience } from './patience.ts'
import { connectorStatusRecord, readStatusRecord, type StatusRecord, taskStatusRecord, topicStatusRecord } from './status-records.ts'
import { mayOverwrite, StatusTable } from './status-table.ts'
import type { ReadRecord, StoredRecord } from './stored-record.ts'
import type { StatusStore } from './types.ts'

/** Limits of what waits to be written. */
const STATUS_LIMITS = {
  /** Records that go out in one go. */
  batchRecordsMax: 500,
  /** Records that may wait; beyond, and after a failure, only the newest of each key is kept. Where so many keys wait, twice as many may. */
  waitingRecordsMax: 2_000,
  /** Characters of a trace; what is beyond is cut off. */
  traceCharactersMax: 100_000,
} as const

/** Opens the store; resolves when the topic has been read to its end. @throws StorageTopicError for a topic that cannot be used */
export async function openStatusStore(options: StoreOptions): Promise<StatusStore> {
  const { config, world, logger } = options
  const topic = config.storage.status
  const store = new TopicStatusStore(topic.name, world, logger)
  const log = await openBackingLog({ ...options, topic, onRecord: (record) => store.onRecord(record) })
  store.start(log)
  return store
}

interface Waiting {
  readonly key: string
  readonly record: StoredRecord
}

/** A key of which puts are on their way. What the log says of it meanwhile is older than they are, until the last has been read back. */
interface OnTheWay {
  putCount: number
  fromLog: StatusRecord | undefined
}

/** Reads show puts at once. One write at a time keeps the order. */
class TopicStatusStore implements StatusStore {
  readonly #topic: string
  readonly #world: ClientWorld
  readonly #complaints: Complaints
  readonly #patience: Patience
  readonly #table = new StatusTable()
  readonly #onTheWay = new Map<string, OnTheWay>()
  readonly #closing = new AbortController()
  #log: BackingLog | null = null
  #waiting: Waiting[] = []
  #waitingMax: number = STATUS_LIMITS.waitingRecordsMax
  #writing: Promise<void> | null = null

  constructor(topic: string, world: ClientWorld, logger: Logger) {
    this.#topic = topic
    this.#world = world
    this.#complaints = new Complaints(topic, logger)
    this.#patience = new Patience(`writing to topic ${topic}`, world, logger)
  }

  start(log: BackingLog): void {
    this.#log = log
  }

  onRecord(record: ReadRecord): void {
    const read = readStatusRecord(record.key, record.value)
    if (read.kind === 'garbage') this.#complaints.add(record, read.why)
    if (read.kind !== 'record') return
    const onTheWay = this.#onTheWay.get(record.key?.toString() ?? '')
    if (onTheWay === undefined) this.#table.apply(read.record)
    else onTheWay.fromLog = read.record
  }

  connector(name: string): Status | undefined {
    return this.#table.connector(name)
  }

  task(id: TaskId): Status | undefined {
    return this.#table.task(id)
  }

  tasks(connector: string): readonly { readonly id: TaskId; readonly status: Status }[] {
    return this.#table.tasks(connector)
  }

  topics(connector: string): readonly string[] {
    return this.#table.topics(connector)
  }

  putConnector(name: string, status: Status): void {
    if (status.state === 'DESTROYED') this.removeConnector(name)
    else if (mayOverwrite(this.connector(name), status)) {
      const shown = withoutLongTrace(status)
      this.#put(connectorStatusRecord(name, shown), { kind: 'connector', name, status: shown })
    }
  }

  putTask(id: TaskId, status: Status): void {
    if (status.state === 'DESTROYED') this.removeTask(id)
    else if (mayOverwrite(this.task(id), status)) {
      const shown = withoutLongTrace(status)
      this.#put(taskStatusRecord(id, shown), { kind: 'task', id, status: shown })
    }
  }

  removeConnector(name: string): void {
    this.resetTopics(name)
    this.#put(connectorStatusRecord(name, null), { kind: 'connector', name, status: null })
  }

  removeTask(id: TaskId): void {
    this.#put(taskStatusRecord(id, null), { kind: 'task', id, status: null })
  }

  putTopic(connector: string, task: number, topic: string): void {
    if (this.#table.uses(connector, topic)) return
    const discoveredMs = this.#world.clock.nowMs()
    this.#put(topicStatusRecord(connector, topic, { task, discoveredMs }), { kind: 'topic', connector, topic, isActive: true })
  }

  resetTopics(connector: string): void {
    for (const topic of this.topics(connector)) {
      this.#put(topicStatusRecord(connector, topic, null), { kind: 'topic', connector, topic, isActive: false })
    }
  }

  async flush(): Promise<void> {
    await this.#writing
    if (this.#waiting.length > 0) throw new StoreClosedError(this.#topic)
  }

  async close(): Promise<void> {
    this.#closing.abort(new StoreClosedError(this.#topic))
    await this.#log?.close()
    await this.#writing
  }

  #put(stored: StoredRecord, record: StatusRecord): void {
    if (this.#closing.signal.aborted) return
    const key = stored.key.toString()
    this.#table.apply(record)
    const onTheWay = this.#onTheWay.get(key)
    if (onTheWay === undefined) this.#onTheWay.set(key, { putCount: 1, fromLog: undefined })
    else onTheWay.putCount++
    this.#waiting.push({ key, record: stored })
    if (this.#waiting.length > this.#waitingMax) this.#keepNewest()
    this.#writing ??= this.#write()
  }

  async #write(): Promise<void> {
    // What is put in one go of the event loop goes out together.
    await Promise.resolve()
    while (this.#waiting.length > 0 && !this.#closing.signal.aborted) {
      const batch = this.#waiting.splice(0, STATUS_LIMITS.batchRecordsMax)
      try {
        await this.#log?.put(batch.map(({ record }) => record))
        this.#patience.worked()
        for (const { key } of batch) this.#arrived(key)
      } catch (error) {
        this.#waiting.unshift(...batch)
        this.#keepNewest()
        if (!this.#closing.signal.aborted) await this.#patience.wait(error, this.#closing.signal).catch(() => {})
      }
    }
    this.#writing = null
  }

  /** A put stands, or was overtaken by a later one. */
  #arrived(key: string): void {
    const onTheWay = this.#onTheWay.get(key)
    if (onTheWay === undefined) return
    onTheWay.putCount--
    if (onTheWay.putCount > 0) return
    this.#onTheWay.delete(key)
    if (onTheWay.fromLog !== undefined) this.#table.apply(onTheWay.fromLog)
  }

  #keepNewest(): void {
    const newest = new Map(this.#waiting.map((waiting) => [waiting.key, waiting]))
    const [kept, overtaken] = [new Set(newest.values()), this.#waiting]
    this.#waiting = overtaken.filter((waiting) => kept.has(waiting))
    // Not at each put again: thousands of connectors are thousands of keys.
    this.#waitingMax = Math.max(STATUS_LIMITS.waitingRecordsMax, 2 * this.#waiting.length)
    for (const waiting of overtaken) if (!kept.has(waiting)) this.#arrived(waiting.key)
  }
}

function withoutLongTrace(status: Status): Status {
  const { traceCharactersMax } = STATUS_LIMITS
  if (status.trace === null || status.trace.length <= traceCharactersMax) return status
  return { ...status, trace: `${status.trace.slice(0, traceCharactersMax)}…` }
}
