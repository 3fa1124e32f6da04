/**
 * @module connector-postgres/streaming — from the messages of the stream to batches of records, and to positions without records.
 *
 * Positions move in three ways: with records; by {@link SourceOffsets.advance} while only other tables change, so that the server never
 * keeps its log for an idle table; and to the server only by `onCommitted`, when they stand in the offsets topic.
 */
import { type PluginLog, RetriableError, type SourceOffsets, type SourceRecordInput } from '@millrace/sdk'
import type { Lsn, PgOutputMessage } from './model.ts'
import { decodeMessage } from './pgoutput/index.ts'
import type { Cursor } from './position.ts'
import type { StreamPlace } from './position-place.ts'
import type { ReplicationStream, StreamItem } from './replication/index.ts'
import type { Heartbeat } from './streaming-heartbeat.ts'
import type { StreamTables } from './streaming-tables.ts'

export const streamingLimits = {
  /** Milliseconds that a server which wants everything acknowledged is kept waiting before its stream is left; 1,000. */
  urgedMs: 1_000,
} as const

/** What streaming needs. */
export interface StreamingJob {
  readonly stream: ReplicationStream
  readonly tables: StreamTables
  readonly cursor: Cursor
  readonly place: StreamPlace
  readonly heartbeat: Heartbeat
  readonly offsets: Pick<SourceOffsets, 'advance'>
  readonly log: PluginLog
  readonly batchCountMax: number
  /** Bytes of messages whose records make a batch. */
  readonly batchBytesMax: number
  /** Milliseconds at least between two positions without records. */
  readonly advanceIntervalMs: number
  /** Where everything before is done at the start. */
  readonly doneLsn: Lsn
  /** End of the log at the start: what Debezium stored stands before it. */
  readonly searchEndLsn: Lsn
  /** Rejects when nothing can come any more though the stream stands: asked before a position moves without a record. */
  readonly check: () => Promise<void>
  /** Whether the server was told that everything before is done. */
  readonly isAcknowledged: (lsn: Lsn) => boolean
  readonly nowMs: () => number
  readonly signal: AbortSignal
}

type Change = Extract<PgOutputMessage, { kind: 'insert' | 'update' | 'delete' | 'truncate' }>

/** Yields batches for ever; ends by what the stream rejects with. */
export async function* streamChanges(job: StreamingJob): AsyncGenerator<readonly SourceRecordInput[], never> {
  const changes = new Changes(job)
  const arrivals = new Arrivals(job)
  for (;;) {
    const items = await arrivals.next()
    for (const item of items ?? []) {
      // Almost nothing has to be waited for, and a promise for each message would cost more than the message.
      const wait = changes.take(item)
      if (wait !== undefined) await wait
      if (!changes.isFull && !changes.isAdvanceDue) continue
      if (changes.isAny) yield changes.batch()
      if (changes.isAdvanceDue) await changes.advance()
    }
    changes.beat()
    if (changes.isAny) yield changes.batch()
  }
}

/** What comes next: messages, the time of a heartbeat, the end. */
class Arrivals {
  readonly #job: StreamingJob
  #isAsked = false
  #items: readonly StreamItem[] | null = null
  #failure: { readonly error: unknown } | null = null
  #bell: () => void = () => undefined

  constructor(job: StreamingJob) {
    this.#job = job
  }

  /** null: a heartbeat is due. Rejects with what the stream does, and when the signal aborts. */
  async next(): Promise<readonly StreamItem[] | null> {
    const { heartbeat, nowMs, signal } = this.#job
    this.#ask()
    const dueInMs = heartbeat.dueInMs(nowMs())
    let isDue = false
    const ring = (): void => this.#bell()
    const timer =
      dueInMs === Number.POSITIVE_INFINITY
        ? undefined
        : setTimeout(() => {
            isDue = true
            ring()
          }, dueInMs)
    signal.addEventListener('abort', ring)
    try {
      while (this.#items === null && this.#failure === null && !isDue && !signal.aborted) {
        await new Promise<void>((resolve) => {
          this.#bell = resolve
        })
      }
    } finally {
      clearTimeout(timer)
      signal.removeEventListener('abort', ring)
    }
    signal.throwIfAborted()
    if (this.#failure !== null) throw this.#failure.error
    const items = this.#items
    this.#items = null
    return items
  }

  /** One question at a time: a heartbeat does not take it back. */
  #ask(): void {
    if (this.#isAsked) return
    this.#isAsked = true
    const answered = (): void => {
      this.#isAsked = false
      this.#bell()
    }
    this.#job.stream.next().then(
      (items) => {
        this.#items = items
        answered()
      },
      (error: unknown) => {
        this.#failure = { error }
        answered()
      },
    )
  }
}

/** Turns messages into records, in order. */
class Changes {
  readonly #job: StreamingJob
  #batch: SourceRecordInput[] = []
  #batchBytes = 0
  /** Every transaction with a commit record before it has been told. */
  #doneLsn: Lsn
  #advancedLsn: Lsn
  #advancedMs: number
  /** Since when the server wants everything acknowledged; null: it does not. */
  #urgedSinceMs: number | null = null

  constructor(job: StreamingJob) {
    this.#job = job
    this.#doneLsn = job.doneLsn
    this.#advancedLsn = job.doneLsn
    this.#advancedMs = job.nowMs()
  }

  get isAny(): boolean {
    return this.#batch.length > 0
  }

  get isFull(): boolean {
    return this.#batch.length >= this.#job.batchCountMax || this.#batchBytes >= this.#job.batchBytesMax
  }

  batch(): readonly SourceRecordInput[] {
    const batch = this.#batch
    this.#batch = []
    this.#batchBytes = 0
    return batch
  }

  /** Only between transactions: what a keepalive tells within one is beyond what was sent of it. */
  get isAdvanceDue(): boolean {
    const { cursor, nowMs, advanceIntervalMs } = this.#job
    if (cursor.isOpen || this.#doneLsn <= this.#advancedLsn) return false
    const elapsedMs = nowMs() - this.#advancedMs
    // Below zero: the clock was set back, and the server must not keep its log for as long.
    return this.#urgedSinceMs !== null || elapsedMs >= advanceIntervalMs || elapsedMs < 0
  }

  /** Everything before has been yielded. */
  async advance(): Promise<void> {
    const { place, offsets, check, nowMs } = this.#job
    const doneLsn = this.#doneLsn
    await check()
    offsets.advance(place.sourcePartition, place.idleOffset(doneLsn))
    this.#advancedLsn = doneLsn
    this.#advancedMs = nowMs()
  }

  /** A heartbeat, if one is due; one that moves no position as long as there is none of ours, or only one that is behind what is stored. */
  beat(): void {
    const { cursor, heartbeat, place, nowMs } = this.#job
    const now = nowMs()
    if (heartbeat.dueInMs(now) > 0) return
    const isBehind = cursor.isPassing || (cursor.isSearching && this.#doneLsn === 0)
    const offset = isBehind ? null : place.heartbeatOffset(this.#doneLsn)
    this.#batch.push(heartbeat.beat(now, place.sourcePartition, offset))
  }

  /** The next message; a promise only where something has to be waited for. */
  take(item: StreamItem): Promise<void> | undefined {
    const { cursor, place, tables } = this.#job
    if (item.kind === 'keepalive') {
      if (!cursor.isOpen) this.#keepalive(item)
      return undefined
    }
    this.#urgedSinceMs = null
    const message = decodeMessage(item.bytes)
    switch (message.kind) {
      case 'begin':
        cursor.begin(message.commitLsn, message.xid)
        place.begin(item.walStart, message.xid, message.timeUs)
        return undefined
      case 'commit':
        cursor.commit()
        place.commit(item.walStart)
        this.#done(message.endLsn)
        this.beat()
        return undefined
      case 'relation':
        return tables.learn(message)
      case 'origin':
        place.origin = { name: message.name, lsn: message.lsn }
        return undefined
      case 'type':
      case 'message':
        return undefined
      default:
        this.#batchBytes += item.bytes.length
        return this.#change(item.walStart, message)
    }
  }

  /**
   * A server that shuts down ends a stream only when everything that it sent is acknowledged, and asks again and again. Positions are stored
   * now and then only, so it is left instead: the engine stores them, and comes back when the server does.
   */
  #keepalive({ walEnd, isReplyRequested }: Extract<StreamItem, { kind: 'keepalive' }>): void {
    const { nowMs, isAcknowledged } = this.#job
    this.#done(walEnd)
    if (!isReplyRequested || isAcknowledged(walEnd)) {
      this.#urgedSinceMs = null
      return
    }
    this.#urgedSinceMs ??= nowMs()
    if (nowMs() - this.#urgedSinceMs < streamingLimits.urgedMs) return
    throw new RetriableError(
      'the server wants all changes acknowledged, as it does when it shuts down; the stream is left, and begun again',
    )
  }

  #done(lsn: Lsn): void {
    if (this.#job.cursor.isSearching && lsn < this.#job.searchEndLsn) return
    this.#doneLsn = Math.max(this.#doneLsn, lsn)
  }

  #change(lsn: Lsn, message: Change): Promise<void> | undefined {
    const { tables } = this.#job
    if (message.kind === 'truncate') {
      this.#truncate(lsn, message.relationOids)
      return undefined
    }
    const { relationOid } = message
    if (message.kind !== 'delete' && tables.isStale(relationOid, message.row)) {
      return tables.refresh(relationOid, message.row).then(() => this.#tell(lsn, message))
    }
    this.#tell(lsn, message)
    return undefined
  }

  #tell(lsn: Lsn, message: Exclude<Change, { kind: 'truncate' }>): void {
    const { cursor, tables, place } = this.#job
    const isDelivered = cursor.change(lsn)
    const events = tables.eventsOf(message.relationOid)
    if (events === null) return
    switch (message.kind) {
      case 'insert':
        place.change(lsn, 'INSERT')
        if (isDelivered) this.#add(events.insert(message.row, place))
        return
      case 'update':
        place.change(lsn, 'UPDATE')
        if (isDelivered) this.#add(events.update(message.oldKind, message.old, message.row, place))
        return
      case 'delete':
        place.change(lsn, 'DELETE')
        if (isDelivered) this.#add(events.delete(message.oldKind, message.old, place))
    }
  }

  /** One message, an event for each table: the position behind it comes with the last one. */
  #truncate(lsn: Lsn, relationOids: readonly number[]): void {
    const { cursor, tables, place } = this.#job
    const captured = relationOids.flatMap((oid) => tables.eventsOf(oid) ?? [])
    const isDelivered = cursor.change(lsn, captured.length)
    for (const [index, events] of captured.entries()) {
      place.change(lsn, 'TRUNCATE', index === captured.length - 1)
      if (isDelivered) this.#add(events.truncate(place))
    }
  }

  #add(records: readonly SourceRecordInput[]): void {
    for (const record of records) this.#batch.push(record)
  }
}
