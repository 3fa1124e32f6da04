/**
 * @module server/server — listeners and the connections they took.
 *
 * Ports are bound first (a port in use must end the start before anything is written), connections that come early wait unread until the
 * broker can serve them. Stopping: ports are freed, waiting fetches answer, what is under way is answered and sent, all ends.
 */
import type { Dispatcher } from '../api/index.ts'
import type { Clock, Connection, Net, Timer } from '../io/index.ts'
import type { Logger } from '../observe/index.ts'
import { ClientConnection, type ConnectionEnvironment } from './connection.ts'
import type { ConnectionLimits, ServerLimits } from './limits.ts'
import { RefusalLog } from './refusal-log.ts'
import { RequestBudget } from './request-budget.ts'
import type { OnAnswered } from './request-times.ts'

/** Idle connections are looked for this many times per idle time. */
const SWEEPS_PER_IDLE_TIME = 10
/** … but not more often than this. */
const SWEEP_INTERVAL_MS_MIN = 10

/** Where to listen; port 0 lets the system choose. */
interface ListenerSpec {
  readonly name: string
  readonly host: string
  readonly port: number
}

/** A bound listener. */
interface BoundListener extends ListenerSpec {
  /** Frees the port; connections that stand are left alone. */
  close(): Promise<void>
}

/** A port that could not be bound; `code` is Node's (EADDRINUSE, EACCES, EADDRNOTAVAIL …). */
export class ListenError extends Error {
  override readonly name = 'ListenError'
  readonly listener: ListenerSpec
  readonly code: string
  constructor(listener: ListenerSpec, cause: NodeJS.ErrnoException) {
    super(`cannot listen on ${listener.host}:${listener.port}: ${cause.message}`, { cause })
    this.listener = listener
    this.code = cause.code ?? ''
  }
}

interface ServerOptions {
  readonly net: Net
  readonly clock: Clock
  readonly logger: Logger
  readonly limits: ServerLimits
}

/** How many connections stand, and the bytes of requests that they hold. */
interface ServerLoad {
  readonly connectionCount: number
  readonly requestBytes: number
}

export class Server {
  readonly #options: ServerOptions
  #connectionLimits: ConnectionLimits
  readonly #budget: RequestBudget
  readonly #refusals: RefusalLog
  readonly #connections = new Set<ClientConnection>()
  readonly #perHost = new Map<string, number>()
  readonly #listeners: BoundListener[] = []
  #early: { readonly stream: Connection; readonly listenerName: string }[] = []
  #environment: ConnectionEnvironment | undefined
  #sweep: Timer | undefined
  #stopping = false
  #drained: (() => void) | undefined

  constructor(options: ServerOptions) {
    this.#options = options
    this.#connectionLimits = options.limits
    this.#refusals = new RefusalLog(options.logger, options.clock)
    this.#budget = new RequestBudget(options.limits.queuedRequestBytesMax)
  }

  get listeners(): readonly BoundListener[] {
    return this.#listeners
  }

  load(): ServerLoad {
    return { connectionCount: this.#connections.size, requestBytes: this.#budget.heldBytes }
  }

  /** Open connections by name of their listener. */
  connectionCounts(): ReadonlyMap<string, number> {
    const counts = new Map(this.#listeners.map(({ name }) => [name, 0]))
    for (const { listenerName } of this.#connections) counts.set(listenerName, (counts.get(listenerName) ?? 0) + 1)
    return counts
  }

  /** From now on; connections that stand already stay. */
  limitConnections(limits: ConnectionLimits): void {
    this.#connectionLimits = limits
  }

  /** Binds all; when one fails, frees those that were bound and throws {@link ListenError}. */
  async bind(specs: readonly ListenerSpec[]): Promise<void> {
    for (const spec of specs) {
      try {
        const listener = await this.#options.net.listen(spec.host, spec.port, (stream) => this.#accept(stream, spec.name))
        this.#listeners.push({ ...spec, port: listener.port, close: () => listener.close() })
      } catch (error) {
        await this.#unbind()
        throw new ListenError(spec, error as NodeJS.ErrnoException)
      }
    }
  }

  /** Serves what has connected so far and whatever comes; `onAnswered` hears of each request. */
  start(dispatcher: Dispatcher, onAnswered: OnAnswered): void {
    const { limits, clock } = this.#options
    this.#environment = {
      dispatcher,
      limits,
      clock,
      refusals: this.#refusals,
      budget: this.#budget,
      onAnswered,
      onClose: (connection) => this.#forget(connection),
    }
    const early = this.#early
    this.#early = []
    for (const { stream, listenerName } of early) if (!stream.destroyed) this.#accept(stream, listenerName)
    this.#armSweep()
  }

  /** Frees the ports, lets connections finish what is under way, and ends the rest after `drainMs`. */
  async stop(): Promise<void> {
    this.#stopping = true
    this.#sweep?.cancel()
    await this.#unbind()
    for (const { stream } of this.#early) stream.destroy()
    if (this.#connections.size === 0) return
    await new Promise<void>((resolve) => {
      const deadline = this.#options.clock.timer(this.#options.limits.drainMs, () => {
        for (const connection of this.#connections) connection.destroy()
      })
      this.#drained = () => {
        deadline.cancel()
        resolve()
      }
      for (const connection of [...this.#connections]) connection.end()
    })
  }

  async #unbind(): Promise<void> {
    await Promise.all(this.#listeners.splice(0).map((listener) => listener.close()))
  }

  #accept(stream: Connection, listenerName: string): void {
    if (this.#environment === undefined) {
      this.#early.push({ stream, listenerName })
      return
    }
    const { connectionsMax, connectionsPerHostMax, connectionsPerHostOverrides } = this.#connectionLimits
    const host = stream.remoteHost
    const ofHostMax = connectionsPerHostOverrides.get(host) ?? connectionsPerHostMax
    const ofHost = this.#perHost.get(host) ?? 0
    if (this.#stopping || this.#connections.size >= connectionsMax || ofHost >= ofHostMax) {
      if (!this.#stopping)
        this.#refusals.warn(`refusing a connection from ${host}: ${this.#connections.size} stand, ${ofHost} of them from there`)
      stream.destroy()
      return
    }
    this.#perHost.set(host, ofHost + 1)
    this.#connections.add(new ClientConnection(stream, listenerName, this.#environment))
  }

  #forget(connection: ClientConnection): void {
    if (!this.#connections.delete(connection)) return
    const ofHost = (this.#perHost.get(connection.remoteHost) ?? 1) - 1
    if (ofHost === 0) this.#perHost.delete(connection.remoteHost)
    else this.#perHost.set(connection.remoteHost, ofHost)
    if (this.#stopping && this.#connections.size === 0) this.#drained?.()
  }

  #armSweep(): void {
    const { idleMs } = this.#options.limits
    if (idleMs < 0) return
    const intervalMs = Math.max(SWEEP_INTERVAL_MS_MIN, idleMs / SWEEPS_PER_IDLE_TIME)
    this.#sweep = this.#options.clock.timer(intervalMs, () => {
      const oldestMs = this.#options.clock.monotonicMs() - idleMs
      for (const connection of this.#connections) if (connection.isIdle && connection.lastActivityMs < oldestMs) connection.destroy()
      this.#armSweep()
    })
  }
}
