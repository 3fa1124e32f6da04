/** @module client/links — connections to brokers, made on demand, kept while used, dialled again with growing waits. */
import type { Timer } from '../io/index.ts'
import { backoffMs } from './backoff.ts'
import { BrokerConnection } from './connection.ts'
import { abortable } from './deadline.ts'
import { ClientError } from './errors.ts'
import type { Address, ResolvedClientOptions } from './options.ts'

/**
 * What a connection is for. A broker works through a connection in order, and a long fetch or a join that waits for others
 * would hold up a heartbeat behind it, so each kind has its own.
 */
export type Lane = 'control' | 'data' | 'group'

interface Link {
  address: Address
  connection: BrokerConnection | null
  dialling: Promise<BrokerConnection> | null
  failureCount: number
  /** Not dialled before this time. */
  notBeforeMs: number
  /** No longer in use: a connection that is still being made for it is closed at once. */
  dropped: boolean
}

/** How often idle connections are looked for, as a share of the idle time allowed. */
const SWEEPS_PER_IDLE_TIME = 4

/** All connections of one client. */
export class Links {
  readonly #options: ResolvedClientOptions
  readonly #links = new Map<string, Link>()
  readonly #closing = new AbortController()
  #sweep: Timer | null = null

  constructor(options: ResolvedClientOptions) {
    this.#options = options
  }

  /** The standing connection under this name, or a new one. Rejects with a ClientError or the signal's reason. */
  connect(name: string, lane: Lane, address: Address, signal?: AbortSignal): Promise<BrokerConnection> {
    if (this.#closing.signal.aborted) return Promise.reject(this.#closing.signal.reason)
    const link = this.#link(`${name}/${lane}`, address)
    if (link.connection !== null && !link.connection.isClosed) return Promise.resolve(link.connection)
    link.dialling ??= this.#dial(link).finally(() => {
      link.dialling = null
    })
    return abortable(link.dialling, signal)
  }

  /** Whether the broker under this name failed lately and waits to be dialled again. */
  isWaiting(name: string, lane: Lane): boolean {
    const link = this.#links.get(`${name}/${lane}`)
    return link !== undefined && link.notBeforeMs > this.#options.world.clock.monotonicMs()
  }

  /** Closes all; whoever waits gets a ClientError of kind `closed`. */
  close(): void {
    const reason = new ClientError('closed', 'the client was closed')
    this.#closing.abort(reason)
    this.#sweep?.cancel()
    for (const link of this.#links.values()) drop(link, reason)
    this.#links.clear()
  }

  #link(key: string, address: Address): Link {
    const known = this.#links.get(key)
    if (known !== undefined && known.address.host === address.host && known.address.port === address.port) return known
    // The broker moved to another address: what hangs on the old one ends by itself.
    if (known !== undefined) drop(known, new Error('the broker has a new address'))
    const link: Link = {
      address,
      connection: null,
      dialling: null,
      failureCount: 0,
      notBeforeMs: 0,
      dropped: false,
    }
    this.#links.set(key, link)
    return link
  }

  async #dial(link: Link): Promise<BrokerConnection> {
    const { clock, random } = this.#options.world
    const waitMs = link.notBeforeMs - clock.monotonicMs()
    if (waitMs > 0) await clock.sleep(waitMs, this.#closing.signal)
    try {
      const connection = await BrokerConnection.open(link.address, this.#options, this.#closing.signal)
      if (link.dropped) {
        connection.close(new Error('nobody uses it any more'))
        this.#closing.signal.throwIfAborted()
        throw new ClientError('disconnected', `broker ${link.address.host}:${link.address.port} has a new address`)
      }
      link.connection = connection
      link.failureCount = 0
      this.#armSweep()
      return connection
    } catch (error) {
      const { reconnectBackoffMs, reconnectBackoffMsMax } = this.#options
      link.notBeforeMs = clock.monotonicMs() + backoffMs(link.failureCount++, reconnectBackoffMs, reconnectBackoffMsMax, random)
      throw error
    }
  }

  #armSweep(): void {
    if (this.#sweep !== null) return
    const { clock } = this.#options.world
    this.#sweep = clock.timer(this.#options.connectionIdleMsMax / SWEEPS_PER_IDLE_TIME, () => {
      this.#sweep = null
      const nowMs = clock.monotonicMs()
      let standing = false
      for (const link of this.#links.values()) {
        if (link.connection === null) continue
        if (link.connection.isClosed) link.connection = null
        else if (link.connection.idleMs(nowMs) >= this.#options.connectionIdleMsMax) {
          link.connection.close(new Error('idle'))
          link.connection = null
        } else standing = true
      }
      if (standing && !this.#closing.signal.aborted) this.#armSweep()
    })
  }
}

function drop(link: Link, reason: Error): void {
  link.dropped = true
  link.connection?.close(reason)
}
