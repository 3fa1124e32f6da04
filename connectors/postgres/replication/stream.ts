/**
 * @module connector-postgres/replication/stream — the replication stream of a slot.
 *
 * ```
 *   server ──▶ socket ──▶ items, at most bufferBytesMax ──next()──▶ consumer
 *      ▲  paused when full ┘                                           │
 *      └── status: received, acknowledged ◀──── acknowledge(lsn) ◀─────┘
 * ```
 * The status goes out by a timer of its own, whether the consumer reads or not, and at once when the server asks: a slow consumer never
 * looks dead. Each status asks for a keepalive, so that an idle stream has one, and silence means that the connection is gone.
 */
import type pg from 'pg'
import type { Lsn } from '../model.ts'
import type { ServerAddress } from './address.ts'
import { CopyTap, frameBytes } from './copy-tap.ts'
import { ConnectionError, ServerError, toOwnError } from './errors.ts'
import { lsnText } from './lsn.ts'
import { quoteIdentifier } from './quote.ts'
import { type OpenSession, openSession, workError } from './session.ts'
import { copyDone, type StreamItem, statusUpdate, streamItem } from './wal-frames.ts'

export type { StreamItem } from './wal-frames.ts'

export const streamLimits = {
  /** Milliseconds of silence after which a stream is given up, as a receiver of the server's own does (wal_receiver_timeout); 60,000. */
  silenceMs: 60_000,
  /** Milliseconds that the goodbye may take before the socket is cut; 500. */
  closeMs: 500,
  /**
   * Milliseconds between answers to a server that asks again and again; 100. One that stops asks until everything is acknowledged, each
   * time as soon as it is answered.
   */
  replyMs: 100,
  /** Bytes that an item takes in memory besides its message: small changes are mostly that; 160. */
  itemBytes: 160,
} as const

export interface StreamRequest {
  readonly slotName: string
  readonly publicationNames: readonly string[]
  /** The server starts at the later one of it and what the slot has confirmed: only transactions that commit behind it are sent. */
  readonly startLsn: Lsn
  /** Milliseconds between statuses; shortened where the server's wal_sender_timeout wants them more often. */
  readonly statusIntervalMs: number
  /** Bytes, with all that messages take in memory, that wait for the consumer before the socket is paused. */
  readonly bufferBytesMax: number
  /** Further options of the output plugin, by name: `{ messages: 'true' }`. */
  readonly streamParams?: Readonly<Record<string, string>>
  /**
   * Milliseconds of silence after which the stream is given up. Default: {@link streamLimits.silenceMs}, or the server's wal_sender_timeout
   * if that is longer, since one that passes over a large transaction may say nothing for half of it.
   */
  readonly silenceMs?: number
  readonly signal: AbortSignal
}

export interface ReplicationStream {
  /** Process id of the server's walsender. */
  readonly processId: number
  /** What came since, in order; waits if nothing did. Rejects with an error of the sdk once all that came before it has been given. One call at a time. */
  next(): Promise<readonly StreamItem[]>
  /** Lets the server forget everything before `lsn`, and tells it so at once. Only ever rises. */
  acknowledge(lsn: Lsn): void
  /** Tells the server for the last time what is acknowledged and ends; within about streamLimits.closeMs. Idempotent, never rejects. */
  close(): Promise<void>
}

/**
 * START_REPLICATION on a connection of its own. Rejects with an error of the sdk: RetriableError where the slot is in use (SQLSTATE 55006)
 * or the connection fails, FatalError where the slot is missing, lost, or of another plugin or database.
 */
export async function openStream(address: ServerAddress, request: StreamRequest): Promise<ReplicationStream> {
  const { signal, slotName, statusIntervalMs } = request
  const session = await openSession(address, signal, true)
  const stream = new SlotStream(session, request)
  try {
    const timeoutMs = await senderTimeoutMs(session)
    await stream.start(statusIntervalMs, timeoutMs)
    return stream
  } catch (error) {
    await stream.close()
    throw workError(session.link, error, `streaming from slot "${slotName}"`)
  }
}

/** How long the server waits for a sign of life (wal_sender_timeout); 0: for ever. */
async function senderTimeoutMs(session: OpenSession): Promise<number> {
  const [row] = await session.query<{ ms: string }>(
    `SELECT setting AS ms FROM pg_catalog.pg_settings WHERE name = 'wal_sender_timeout'`,
    [],
    'reading wal_sender_timeout',
  )
  return Number(row?.ms ?? 0)
}

class SlotStream implements ReplicationStream {
  readonly #session: OpenSession
  readonly #request: StreamRequest
  #silenceMs: number
  #tap: CopyTap | null = null
  #items: StreamItem[] = []
  #bufferBytes = 0
  #isPaused = false
  #received: Lsn = 0
  #acknowledged: Lsn = 0
  #lastReceivedMs = performance.now()
  #lastStatusMs = 0
  #statusTimer: NodeJS.Timeout | undefined
  #replyTimer: NodeJS.Timeout | undefined
  #failure: Error | null = null
  #wake: (() => void) | null = null
  readonly #ended = Promise.withResolvers<void>()
  #isStarted = false
  #isClosed = false
  #closing: Promise<void> | null = null

  constructor(session: OpenSession, request: StreamRequest) {
    this.#session = session
    this.#request = request
    this.#silenceMs = request.silenceMs ?? streamLimits.silenceMs
  }

  get processId(): number {
    return this.#session.processId
  }

  /** Resolves when the server has turned the connection into a stream. It hears of us three times in the time that it waits, or more often. */
  async start(statusIntervalMs: number, timeoutMs: number): Promise<void> {
    this.#silenceMs = this.#request.silenceMs ?? Math.max(streamLimits.silenceMs, timeoutMs)
    const periodMs = timeoutMs > 0 ? Math.min(statusIntervalMs, Math.max(10, Math.floor(timeoutMs / 3))) : statusIntervalMs
    const { link } = this.#session
    const { client, connection, address } = link
    if (link.failure !== null) throw link.failure
    link.watch((failure) => this.#fail(failure))
    client.on('notice', (notice) => this.#heed(notice))
    await new Promise<void>((resolve, reject) => {
      const settle = (failure: Error | null): void => {
        clearTimeout(timer)
        if (failure === null) resolve()
        else reject(failure)
      }
      const timer = setTimeout(
        () => link.break(new ConnectionError(`no answer within ${address.queryTimeoutMs} ms`)),
        address.queryTimeoutMs || 2 ** 31 - 1,
      )
      link.watch(settle)
      connection.once('replicationStart', () => settle(null))
      this.#tap = new CopyTap(connection, (bytes, start, end) => this.#receive(bytes, start, end))
      client.query({
        submit: () => connection.query(this.#command()),
        handleError: (error: unknown) => {
          const failure = toOwnError(error)
          this.#fail(failure)
          settle(failure)
        },
        handleReadyForQuery: () => {
          const failure = new ConnectionError('the server ended the stream')
          this.#fail(failure)
          settle(failure)
        },
        handleCommandComplete: () => undefined,
      } as pg.Submittable)
    })
    this.#isStarted = true
    this.#lastReceivedMs = performance.now()
    this.#statusTimer = setInterval(() => this.#tick(), periodMs)
  }

  async next(): Promise<readonly StreamItem[]> {
    while (this.#items.length === 0) {
      if (this.#failure !== null) throw this.#workError()
      await new Promise<void>((resolve) => {
        this.#wake = resolve
      })
    }
    const items = this.#items
    this.#items = []
    this.#bufferBytes = 0
    if (this.#isPaused) {
      this.#isPaused = false
      this.#lastReceivedMs = performance.now()
      this.#session.link.connection.stream.resume()
    }
    return items
  }

  acknowledge(lsn: Lsn): void {
    if (lsn <= this.#acknowledged) return
    this.#acknowledged = lsn
    this.#sendStatus(false)
  }

  close(): Promise<void> {
    this.#closing ??= this.#end()
    return this.#closing
  }

  async #end(): Promise<void> {
    this.#isClosed = true
    this.#items = []
    clearInterval(this.#statusTimer)
    clearTimeout(this.#replyTimer)
    const { link } = this.#session
    if (this.#isStarted && link.failure === null) {
      this.#sendStatus(false)
      await this.#sayGoodbye()
    }
    this.#tap?.release()
    await this.#session.close()
    this.#fail(new ConnectionError('the stream is closed'))
  }

  /** Without the goodbye the server would find out by its next write only, and keep the slot until then. */
  async #sayGoodbye(): Promise<void> {
    const { stream } = this.#session.link.connection
    stream.write(copyDone())
    stream.resume()
    let timer: NodeJS.Timeout | undefined
    const late = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, streamLimits.closeMs)
    })
    await Promise.race([this.#ended.promise, late])
    clearTimeout(timer)
  }

  #command(): string {
    const { slotName, publicationNames, startLsn, streamParams } = this.#request
    const options: Record<string, string> = {
      proto_version: '1',
      publication_names: publicationNames.map(quoteIdentifier).join(','),
      ...streamParams,
    }
    // The replication grammar knows no escape in a text but the doubled quote.
    const listed = Object.entries(options).map(([name, value]) => `${quoteIdentifier(name)} '${value.replaceAll("'", "''")}'`)
    return `START_REPLICATION SLOT ${quoteIdentifier(slotName)} LOGICAL ${lsnText(startLsn)} (${listed.join(', ')})`
  }

  #receive(bytes: Buffer, start: number, end: number): void {
    if (this.#isClosed) return
    this.#lastReceivedMs = performance.now()
    let isReplyDue = false
    for (let at = start; at < end; at += frameBytes(bytes, at)) {
      const item = streamItem(bytes, at)
      if (item.kind === 'data') this.#received = Math.max(this.#received, item.walStart)
      else {
        this.#received = Math.max(this.#received, item.walEnd)
        isReplyDue ||= item.isReplyRequested
      }
      this.#items.push(item)
      this.#bufferBytes += streamLimits.itemBytes
    }
    this.#bufferBytes += end - start
    if (isReplyDue) this.#reply()
    if (this.#bufferBytes >= this.#request.bufferBytesMax && !this.#isPaused) {
      this.#isPaused = true
      this.#session.link.connection.stream.pause()
    }
    this.#wakeUp()
  }

  /**
   * PostgreSQL 18 warns where earlier ones fail: the publication was not there when the change was made, and the change is left out. Going
   * on would lose it without a word.
   */
  #heed({
    severity,
    message,
    code,
    detail,
    hint,
  }: { [K in 'severity' | 'message' | 'code' | 'detail' | 'hint']?: string | undefined }): void {
    if (severity !== 'WARNING' || code !== '55000' || message?.includes('publication') !== true) return
    this.#session.link.break(new ServerError(code, message, detail ?? null, hint ?? null))
  }

  #tick(): void {
    const { link } = this.#session
    if (!this.#isPaused && performance.now() - this.#lastReceivedMs > this.#silenceMs) {
      link.break(new ConnectionError(`nothing heard from the server for ${this.#silenceMs} ms`))
      return
    }
    this.#sendStatus(true)
  }

  /** At once, but not in a circle. */
  #reply(): void {
    const waitMs = this.#lastStatusMs + streamLimits.replyMs - performance.now()
    if (waitMs <= 0) this.#sendStatus(false)
    else this.#replyTimer ??= setTimeout(() => this.#sendStatus(false), waitMs)
  }

  #sendStatus(isReplyRequested: boolean): void {
    const { stream } = this.#session.link.connection
    if (!this.#isStarted || !stream.writable) return
    clearTimeout(this.#replyTimer)
    this.#replyTimer = undefined
    this.#lastStatusMs = performance.now()
    stream.write(statusUpdate({ written: this.#received, acknowledged: this.#acknowledged, isReplyRequested, nowMs: Date.now() }))
  }

  #fail(failure: Error): void {
    this.#failure ??= failure
    clearInterval(this.#statusTimer)
    clearTimeout(this.#replyTimer)
    this.#ended.resolve()
    this.#wakeUp()
  }

  #wakeUp(): void {
    const wake = this.#wake
    this.#wake = null
    wake?.()
  }

  #workError(): Error {
    return workError(
      this.#session.link,
      this.#isClosed ? new ConnectionError('the stream is closed') : this.#failure,
      `streaming from slot "${this.#request.slotName}"`,
    )
  }
}
