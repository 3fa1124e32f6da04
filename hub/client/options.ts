/** @module client/options — what every client can be told, with the defaults. */
import { nodeClock, nodeNet, nodeRandom } from '../io/index.ts'
import { ClientError } from './errors.ts'
import type { ClientWorld } from './types.ts'

/** Options of all clients; the Kafka key of each stands beside it. */
export interface ClientOptions {
  /** bootstrap.servers: `host:port`, several by commas or as a list. Tried in random order. */
  readonly bootstrapServers: string | readonly string[]
  /** client.id: shown in broker logs, metrics and quotas. */
  readonly clientId?: string
  /** request.timeout.ms: a request without an answer for so long costs its connection. */
  readonly requestTimeoutMs?: number
  /** retry.backoff.ms: first wait before something is asked again; doubles. */
  readonly retryBackoffMs?: number
  /** retry.backoff.max.ms */
  readonly retryBackoffMsMax?: number
  /** reconnect.backoff.ms: first wait before a broker is dialled again; doubles. */
  readonly reconnectBackoffMs?: number
  /** reconnect.backoff.max.ms */
  readonly reconnectBackoffMsMax?: number
  /** socket.connection.setup.timeout.ms */
  readonly connectionSetupTimeoutMs?: number
  /** connections.max.idle.ms: a connection without traffic for so long is closed. */
  readonly connectionIdleMsMax?: number
  /** metadata.max.age.ms */
  readonly metadataAgeMsMax?: number
  /** metadata.recovery.rebootstrap.trigger.ms: without metadata for so long, start again from the bootstrap list (KIP-899, KIP-1102). */
  readonly rebootstrapTriggerMs?: number
  /** default.api.timeout.ms: how long a call may take, retries included, when its signal does not end it before. */
  readonly apiTimeoutMs?: number
  /** Largest answer that is read, in bytes. */
  readonly responseBytesMax?: number
  /** max.in.flight.requests.per.connection: requests on one connection that wait for an answer. */
  readonly inFlightRequestsMax?: number
  /** Time, chance and sockets; defaults to this machine's. */
  readonly world?: ClientWorld
}

/** Defaults of {@link ClientOptions}: Kafka's own where Kafka has the key. */
export const CLIENT_DEFAULTS = {
  clientId: 'millrace',
  requestTimeoutMs: 30_000,
  retryBackoffMs: 100,
  retryBackoffMsMax: 1_000,
  reconnectBackoffMs: 50,
  reconnectBackoffMsMax: 1_000,
  connectionSetupTimeoutMs: 10_000,
  connectionIdleMsMax: 540_000,
  metadataAgeMsMax: 300_000,
  rebootstrapTriggerMs: 300_000,
  apiTimeoutMs: 60_000,
  responseBytesMax: 256 * 1024 * 1024,
  inFlightRequestsMax: 5,
} as const

/** A broker's address. */
export interface Address {
  readonly host: string
  readonly port: number
}

/** Options with nothing left out. */
export interface ResolvedClientOptions extends Required<Omit<ClientOptions, 'bootstrapServers'>> {
  readonly bootstrapServers: readonly Address[]
}

/** Fills in the defaults. Throws a ClientError of kind `config` for an address or number that can't be. */
export function resolveClientOptions(options: ClientOptions): ResolvedClientOptions {
  const resolved = {
    ...CLIENT_DEFAULTS,
    world: options.world ?? {
      clock: nodeClock(),
      random: nodeRandom(),
      net: nodeNet(),
    },
    ...defined(options),
    bootstrapServers: parseAddresses(options.bootstrapServers),
  }
  checkNumbers(resolved)
  return resolved
}

/** The options that are set: one that is present and undefined counts as left out. */
export function defined<T extends object>(options: T): { [K in keyof T]: Exclude<T[K], undefined> } {
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined)) as {
    [K in keyof T]: Exclude<T[K], undefined>
  }
}

/** Refuses numbers below 0 and those that are none. */
export function checkNumbers(options: object): void {
  for (const [name, value] of Object.entries(options)) {
    if (typeof value === 'number' && !(value >= 0)) {
      throw new ClientError('config', `option ${name} must be a number of 0 or more, not ${value}`)
    }
  }
}

/** Reads `host:port,host:port`; IPv6 hosts stand in brackets; a protocol prefix such as `PLAINTEXT://` is allowed. */
export function parseAddresses(servers: string | readonly string[]): readonly Address[] {
  const texts = (typeof servers === 'string' ? servers.split(',') : servers).map((text) => text.trim()).filter(Boolean)
  if (texts.length === 0) throw new ClientError('config', 'bootstrap.servers names no broker; give host:port')
  return texts.map((text) => {
    const match = /^(?:[A-Za-z0-9_]+:\/\/)?(\[[0-9a-fA-F:.%]+\]|[^:/\s[\]]+):(\d{1,5})$/.exec(text)
    const port = Number(match?.[2])
    if (match?.[1] === undefined || port < 1 || port > 65_535) {
      throw new ClientError('config', `bootstrap.servers: "${text}" is not host:port`)
    }
    return { host: match[1].replace(/^\[|\]$/g, ''), port }
  })
}
