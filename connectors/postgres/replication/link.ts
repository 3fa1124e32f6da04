/** @module connector-postgres/replication/link — one connection to the server: dialled, authenticated, watched, and surely gone in the end. */
import { connect as dial } from 'node:net'
import type { EngineError } from '@millrace/sdk'
import pg from 'pg'
import { type ServerAddress, serverName } from './address.ts'
import { ConnectionError, ServerError, toEngineError, toOwnError } from './errors.ts'
import { type TlsAttempt, tlsAttempts } from './tls.ts'

export const linkLimits = {
  /** Milliseconds that a request to cancel a statement may take; 2,000. */
  cancelMs: 2_000,
  /** Milliseconds that a goodbye may take before the socket is cut; 1,000. */
  closeMs: 1_000,
} as const

/** Members of `pg`'s client that its types leave out. */
interface ClientInternals {
  readonly connection: pg.Connection
  readonly processID: number | null
  readonly secretKey: number | null
}

/** Types that the connector's own look-ups use come as JavaScript's; all others as the server's text. */
const nativeTypes = new Set([16 /* bool */, 21 /* int2 */, 23 /* int4 */, 26 /* oid */, 1003 /* name[] */, 1009 /* text[] */])
const asText = (text: string): string => text

/** One connection. Broken once, it stays so: `failure` says why. */
export class Link {
  readonly address: ServerAddress
  readonly client: pg.Client
  readonly signal: AbortSignal
  /** The server's version as `server_version_num` counts: 150018, 180004. */
  serverVersion = 0
  failure: ServerError | ConnectionError | null = null
  #isClosing = false
  readonly #watchers = new Set<(failure: ServerError | ConnectionError) => void>()
  readonly #onAbort = (): void => this.break(new ConnectionError('stopped'))

  constructor(address: ServerAddress, ssl: TlsAttempt, isReplication: boolean, signal: AbortSignal) {
    this.address = address
    this.signal = signal
    this.client = new pg.Client({
      host: address.hostname,
      port: address.port,
      user: address.user,
      database: address.database,
      // As a function, since `pg` would look into the environment and the home directory for an empty one.
      password: () => address.password,
      ssl,
      keepAlive: address.tcpKeepAlive,
      application_name: address.applicationName,
      types: { getTypeParser: ((oid: number) => (nativeTypes.has(oid) ? pg.types.getTypeParser(oid) : asText)) as never },
      ...(isReplication ? { replication: 'database' } : {}),
    })
    this.client.on('error', (error) => this.#fail(toOwnError(error)))
    this.client.on('end', () => this.#fail(new ConnectionError('the server closed the connection')))
    this.connection.on('parameterStatus', ({ parameterName, parameterValue }: Record<string, string>) => {
      if (parameterName === 'server_version') this.serverVersion = versionNumber(parameterValue ?? '')
    })
  }

  get connection(): pg.Connection {
    return (this.client as unknown as ClientInternals).connection
  }

  get processId(): number {
    return (this.client as unknown as ClientInternals).processID ?? 0
  }

  /** Calls `watcher` once, when the connection breaks; gives what takes it away again. */
  watch(watcher: (failure: ServerError | ConnectionError) => void): () => void {
    this.#watchers.add(watcher)
    return () => this.#watchers.delete(watcher)
  }

  async open(): Promise<void> {
    const { address, client, signal } = this
    if (signal.aborted) throw new ConnectionError('stopped')
    signal.addEventListener('abort', this.#onAbort)
    const timer = setTimeout(
      () => this.break(new ConnectionError(`no answer within ${address.connectTimeoutMs} ms`)),
      address.connectTimeoutMs,
    )
    try {
      await client.connect()
    } catch (error) {
      const failure = this.failure ?? toOwnError(error)
      this.break(failure)
      throw failure
    } finally {
      clearTimeout(timer)
    }
  }

  /** Cuts the connection, and asks the server to end what it does for it. Whoever waits for an answer gets `failure`. */
  break(failure: ServerError | ConnectionError): void {
    if (this.failure !== null || this.#isClosing) return
    this.#cancel()
    this.#fail(failure)
  }

  /** Says goodbye; resolves when the socket is closed, by force after a while. */
  async close(): Promise<void> {
    this.signal.removeEventListener('abort', this.#onAbort)
    if (this.failure !== null || this.#isClosing) return
    this.#isClosing = true
    const { stream } = this.connection
    const timer = setTimeout(() => stream.destroy(), linkLimits.closeMs)
    await this.client.end().catch(() => undefined)
    clearTimeout(timer)
    stream.destroy()
  }

  #fail(failure: ServerError | ConnectionError): void {
    this.signal.removeEventListener('abort', this.#onAbort)
    if (this.failure === null) {
      this.failure = failure
      for (const watcher of this.#watchers) watcher(failure)
      this.#watchers.clear()
    }
    this.connection.stream.destroy()
  }

  /** PostgreSQL documentation, "Canceling Requests in Progress": a connection of its own, no answer. Without it a walsender may wait on. */
  #cancel(): void {
    const { address } = this
    const { secretKey } = this.client as unknown as ClientInternals
    if (this.processId === 0 || secretKey === null) return
    const request = Buffer.alloc(16)
    request.writeInt32BE(16, 0)
    request.writeInt32BE(80_877_102, 4)
    request.writeInt32BE(this.processId, 8)
    request.writeInt32BE(secretKey, 12)
    const socket = dial(address.port, address.hostname, () => socket.end(request))
    socket.setTimeout(linkLimits.cancelMs, () => socket.destroy())
    socket.on('error', () => socket.destroy())
    socket.unref()
  }
}

/** Dials as `database.sslmode` says. Rejects with an error of the sdk that names the server. */
export async function openLink(address: ServerAddress, signal: AbortSignal, isReplication: boolean): Promise<Link> {
  const what = `connecting to PostgreSQL at ${serverName(address)} as ${JSON.stringify(address.user)}`
  const attempts = await tlsAttempts(address.ssl)
  for (const [index, ssl] of attempts.entries()) {
    const link = new Link(address, ssl, isReplication, signal)
    try {
      await link.open()
      return link
    } catch (error) {
      if (index === attempts.length - 1 || !mayTryNext(error)) throw connectError(error, what)
    }
  }
  throw new Error('no way to connect was tried')
}

/** Another attempt helps where the server has no TLS, or lets in only with it, or only without. */
function mayTryNext(error: unknown): boolean {
  if (error instanceof ServerError) return error.code === '28000'
  return error instanceof ConnectionError && /SSL/.test(error.message)
}

function connectError(error: unknown, what: string): EngineError {
  if (error instanceof ConnectionError && /does not support SSL|SASL|SCRAM/.test(error.message)) {
    const message = error.message.replace(/^SASL: /, '')
    const isTls = /SSL/.test(message)
    return toEngineError(new ServerError(isTls ? '28000' : '28P01', message, null, null), what)
  }
  return toEngineError(error, what)
}

/** `15.18 (Debian 15.18-1)` → 150018; `18beta1` → 180000; `9.6.24` → 90624. */
export function versionNumber(text: string): number {
  const [major = 0, minor = 0, patch = 0] = (/^[\d.]+/.exec(text)?.[0] ?? '').split('.').map(Number)
  return major >= 10 ? major * 10_000 + minor : major * 10_000 + minor * 100 + patch
}
