/** @module connector-postgres/replication/copy-rows — the rows of a query by COPY, as fast as they are asked for and no faster. */
import type pg from 'pg'
import type { RowText } from '../model.ts'
import { parseCopyRow } from './copy-text.ts'
import { CopyTap, FRAME_HEADER_BYTES, frameBytes } from './copy-tap.ts'
import { ConnectionError, toOwnError } from './errors.ts'
import { type OpenSession, type Session, workError } from './session.ts'

export const copyLimits = {
  /** Bytes of rows that are kept for the consumer before the socket is paused; 4 MiB. */
  bufferBytesMax: 4 * 1024 * 1024,
} as const

/** Where {@link CopyRows.next} puts a row. Used again for a later one it holds that; two of them hold two rows. */
export interface RowCursor extends RowText {
  bytes: Buffer
}

/** A place for a row of so many columns. */
export function rowCursor(columnCount: number): RowCursor {
  return { bytes: Buffer.alloc(0), bounds: new Int32Array(2 * columnCount) }
}

/** Some rows, each to be had once. */
export interface CopyRows {
  /** Bytes of the rows in it, as they came. */
  readonly byteCount: number
  /** The next row, in `into`, which it gives back; null: there is no other here. Throws when the row has not as many columns as `into`. */
  next(into: RowCursor): RowText | null
}

/**
 * `COPY (query) TO STDOUT` in text form, for a query of `columnCount` columns. At most one copy at a time on a session, and no other statement meanwhile. Breaking out of the
 * iteration, and the signal, break the session: the server is told to stop. Rejects with an error of the sdk.
 */
export async function* copyRows(
  session: Session,
  query: string,
  columnCount: number,
  signal: AbortSignal,
  what = 'copying',
): AsyncGenerator<CopyRows, void> {
  const openSession = session as OpenSession
  const { link } = openSession
  await openSession.idle()
  if (link.failure !== null) throw workError(link, link.failure, what)
  openSession.isCopying = true
  const copy = new Copy(link, `COPY (${query}) TO STDOUT`)
  const onAbort = (): void => link.break(new ConnectionError('stopped'))
  if (signal.aborted) onAbort()
  signal.addEventListener('abort', onAbort)
  try {
    copy.start()
    for (;;) {
      const rows = await copy.take()
      if (rows === null) return
      yield new Spans(rows, columnCount)
    }
  } catch (error) {
    throw workError(link, error, what)
  } finally {
    signal.removeEventListener('abort', onAbort)
    copy.end()
    openSession.isCopying = false
  }
}

class Copy {
  readonly #link: OpenSession['link']
  readonly #text: string
  #tap: CopyTap | null = null
  #spans: Span[] = []
  #bufferBytes = 0
  #isPaused = false
  #isDone = false
  #failure: Error | null = null
  #wake: (() => void) | null = null
  #lastReceivedMs = performance.now()
  #watchdog: NodeJS.Timeout | undefined
  #unwatch: (() => void) | undefined

  constructor(link: OpenSession['link'], text: string) {
    this.#link = link
    this.#text = text
  }

  start(): void {
    const { client, connection, address } = this.#link
    this.#unwatch = this.#link.watch((failure) => this.#finish(failure))
    this.#tap = new CopyTap(connection, (bytes, start, end) => this.#receive(bytes, start, end))
    client.query({
      submit: () => connection.query(this.#text),
      handleError: (error: unknown) => this.#finish(toOwnError(error)),
      handleReadyForQuery: () => this.#finish(null),
      handleCommandComplete: () => undefined,
      handleRowDescription: () => this.#finish(new Error('the statement is no COPY')),
      handleDataRow: () => undefined,
      handleEmptyQuery: () => undefined,
    } as pg.Submittable)
    if (address.queryTimeoutMs > 0) this.#watchdog = setInterval(() => this.#check(), Math.max(50, address.queryTimeoutMs / 4))
  }

  /** The rows that came since; null: that was all. */
  async take(): Promise<readonly Span[] | null> {
    while (this.#spans.length === 0) {
      if (this.#failure !== null) throw this.#failure
      if (this.#isDone) return null
      await new Promise<void>((resolve) => {
        this.#wake = resolve
      })
    }
    const spans = this.#spans
    this.#spans = []
    this.#bufferBytes = 0
    if (this.#isPaused) {
      this.#isPaused = false
      this.#lastReceivedMs = performance.now()
      this.#link.connection.stream.resume()
    }
    return spans
  }

  /** Ends a copy that is not done by breaking the connection: there is no other way that is bounded. */
  end(): void {
    clearInterval(this.#watchdog)
    this.#unwatch?.()
    if (!this.#isDone && this.#failure === null) this.#link.break(new ConnectionError('the copy was broken off'))
    this.#tap?.release()
  }

  #receive(bytes: Buffer, start: number, end: number): void {
    this.#lastReceivedMs = performance.now()
    this.#spans.push({ bytes, start, end })
    this.#bufferBytes += end - start
    if (this.#bufferBytes >= copyLimits.bufferBytesMax && !this.#isPaused) {
      this.#isPaused = true
      this.#link.connection.stream.pause()
    }
    this.#wakeUp()
  }

  #finish(failure: Error | null): void {
    this.#failure ??= failure
    this.#isDone = true
    this.#wakeUp()
  }

  #check(): void {
    const { queryTimeoutMs } = this.#link.address
    if (this.#isPaused || this.#isDone || performance.now() - this.#lastReceivedMs < queryTimeoutMs) return
    this.#link.break(new ConnectionError(`no row within ${queryTimeoutMs} ms`))
  }

  #wakeUp(): void {
    const wake = this.#wake
    this.#wake = null
    wake?.()
  }
}

/** Whole CopyData frames in `bytes[start … end)`. */
interface Span {
  readonly bytes: Buffer
  readonly start: number
  readonly end: number
}

class Spans implements CopyRows {
  readonly byteCount: number
  readonly #spans: readonly Span[]
  readonly #columnCount: number
  #index = 0
  #at = 0

  constructor(spans: readonly Span[], columnCount: number) {
    this.#spans = spans
    this.#columnCount = columnCount
    this.byteCount = spans.reduce((sum, { start, end }) => sum + end - start, 0)
    this.#at = spans[0]?.start ?? 0
  }

  next(into: RowCursor): RowText | null {
    const span = this.#spans[this.#index]
    if (span === undefined) return null
    const { bytes } = span
    const end = this.#at + frameBytes(bytes, this.#at)
    const columnCount = parseCopyRow(bytes, this.#at + FRAME_HEADER_BYTES, end, into.bounds)
    if (columnCount !== this.#columnCount) {
      throw new Error(`a row of ${columnCount < 0 ? 'more' : columnCount} columns where ${this.#columnCount} were asked for`)
    }
    into.bytes = bytes
    this.#at = end
    if (end >= span.end) this.#at = this.#spans[++this.#index]?.start ?? 0
    return into
  }
}
