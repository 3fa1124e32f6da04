/** @module connector-postgres/replication/session — a connection for ordinary statements, with settings that make text unambiguous. */
import { type EngineError, isEngineError } from '@millrace/sdk'
import { type ServerAddress, serverName } from './address.ts'
import { ConnectionError, ServerError, toEngineError, toOwnError } from './errors.ts'
import { type Link, openLink } from './link.ts'

/** A row of an answer. bool, int2, int4, oid, text[] and name[] are JavaScript's; everything else is the server's text; null is null. */
export type Row = Readonly<Record<string, unknown>>

/** A connection to the server. One statement at a time: later ones wait. */
export interface Session {
  readonly address: ServerAddress
  /** `server_version_num`: 150018, 180004. */
  readonly serverVersion: number
  readonly processId: number
  /** Whether it still stands. */
  readonly isOpen: boolean
  /**
   * Runs a statement. Rejects with an error of the sdk whose message begins with `what` and the server, and whose cause is the
   * {@link ServerError} if the server answered with one ({@link sqlStateOf}). Where no answer comes within the address' queryTimeoutMs
   * the session is broken, and the server told to end the statement.
   */
  query<R extends Row = Row>(text: string, values?: readonly unknown[], what?: string): Promise<readonly R[]>
  /** Ends it, whatever it does; idempotent, never rejects. */
  close(): Promise<void>
}

/** What a session of this room is inside. */
export interface OpenSession extends Session {
  readonly link: Link
  /** Resolves when no statement is under way. */
  idle(): Promise<unknown>
  /** Whether the connection is taken by a copy: statements are refused meanwhile, since they would wait for their own caller. */
  isCopying: boolean
}

/**
 * Dials the server and makes the session's text unambiguous (UTF-8, ISO dates in UTC, `postgres` intervals, all digits of a float,
 * hexadecimal bytea) and its life independent of the server's defaults (no statement, idle or lock timeout). Breaks when the signal
 * aborts. Rejects with an error of the sdk.
 */
export async function connect(address: ServerAddress, signal: AbortSignal): Promise<Session> {
  return openSession(address, signal, false)
}

export async function openSession(address: ServerAddress, signal: AbortSignal, isReplication: boolean): Promise<OpenSession> {
  const link = await openLink(address, signal, isReplication)
  const session = new LinkSession(link)
  try {
    await session.query(settings(link.serverVersion), [], 'preparing the session')
    for (const statement of address.initialStatements) await session.query(statement, [], 'running database.initial.statements')
    return session
  } catch (error) {
    await session.close()
    throw error
  }
}

function settings(serverVersion: number): string {
  const set: Record<string, string> = {
    client_encoding: 'UTF8',
    client_min_messages: 'warning',
    DateStyle: 'ISO, MDY',
    IntervalStyle: 'postgres',
    TimeZone: 'UTC',
    extra_float_digits: '3',
    bytea_output: 'hex',
    quote_all_identifiers: 'off',
    // Rows that a policy hides would be missing without a word: a query that it concerns fails instead.
    row_security: 'off',
    statement_timeout: '0',
    lock_timeout: '0',
    idle_in_transaction_session_timeout: '0',
    ...(serverVersion >= 140_000 ? { idle_session_timeout: '0' } : {}),
    ...(serverVersion >= 170_000 ? { transaction_timeout: '0' } : {}),
  }
  return Object.entries(set)
    .map(([name, value]) => `SET ${name} = '${value}'`)
    .join('; ')
}

class LinkSession implements OpenSession {
  readonly link: Link
  isCopying = false
  #last: Promise<unknown> = Promise.resolve()
  #isBusy = false

  constructor(link: Link) {
    this.link = link
  }

  get address(): ServerAddress {
    return this.link.address
  }

  get serverVersion(): number {
    return this.link.serverVersion
  }

  get processId(): number {
    return this.link.processId
  }

  get isOpen(): boolean {
    return this.link.failure === null
  }

  query<R extends Row>(text: string, values: readonly unknown[] = [], what = 'asking'): Promise<readonly R[]> {
    if (this.isCopying) return Promise.reject(new Error(`${what}: a copy is under way on this session`))
    const answer = this.#last.then(() => this.#ask<R>(text, values, what))
    this.#last = answer.catch(() => undefined)
    return answer
  }

  idle(): Promise<unknown> {
    return this.#last
  }

  async #ask<R extends Row>(text: string, values: readonly unknown[], what: string): Promise<readonly R[]> {
    const { link } = this
    const { queryTimeoutMs } = link.address
    const timer =
      queryTimeoutMs === 0
        ? undefined
        : setTimeout(() => link.break(new ConnectionError(`no answer within ${queryTimeoutMs} ms`)), queryTimeoutMs)
    try {
      if (link.failure !== null) throw link.failure
      this.#isBusy = true
      const answer: unknown = await link.client.query(values.length === 0 ? { text } : { text, values: [...values] })
      // Several statements in one text give several answers.
      const last = (Array.isArray(answer) ? answer.at(-1) : answer) as { readonly rows: R[] }
      return last.rows
    } catch (error) {
      throw workError(link, link.failure ?? error, what)
    } finally {
      this.#isBusy = false
      clearTimeout(timer)
    }
  }

  close(): Promise<void> {
    if (this.#isBusy || this.isCopying) this.link.break(new ConnectionError('the session was closed'))
    return this.link.close()
  }
}

/** The error that leaves this room: `what` and the server in front. */
export function workError(link: Link, error: unknown, what: string): EngineError {
  return toEngineError(isEngineError(error) ? error : toOwnError(error), `${what} at ${serverName(link.address)}`)
}

/** SQLSTATE of the server's answer behind an error; null: there is none. */
export function sqlStateOf(error: unknown): string | null {
  for (let at = error; at instanceof Error; at = at.cause) if (at instanceof ServerError) return at.code
  return null
}
