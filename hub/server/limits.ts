/** @module server/limits — what a connection and all of them together may hold. */

/** How many connections may stand; may change while the server runs. */
export interface ConnectionLimits {
  /** `max.connections`. */
  readonly connectionsMax: number
  /** `max.connections.per.ip`. */
  readonly connectionsPerHostMax: number
  /** `max.connections.per.ip.overrides`: the same for single hosts, by address. */
  readonly connectionsPerHostOverrides: ReadonlyMap<string, number>
}

/** Limits of the server; those with a Kafka key take their value from it. */
export interface ServerLimits extends ConnectionLimits {
  /** `socket.request.max.bytes`: a larger frame closes its connection. */
  readonly requestBytesMax: number
  /** `queued.max.request.bytes`: bytes of requests held by all connections, beyond which none is read from. */
  readonly queuedRequestBytesMax: number
  /** Bytes of records in answers not yet sent, over all connections, beyond which a fetch gets one batch only. */
  readonly unsentRecordBytesMax: number
  /** Bytes of requests not yet answered, beyond which their connection is not read from. */
  readonly connectionBytesMax: number
  /** Requests not yet answered, beyond which their connection is not read from. */
  readonly connectionRequestsMax: number
  /** Requests of one connection that begin in one turn of the event loop: what is pipelined beyond waits until the others had theirs. */
  readonly connectionRequestsPerTurnMax: number
  /** `connections.max.idle.ms`: a connection on which nothing happened for so long is closed; −1 never. */
  readonly idleMs: number
  /** How long a stop waits for answers that are under way. */
  readonly drainMs: number
}

/** Used for what the configuration leaves open. */
export const defaultServerLimits: ServerLimits = {
  requestBytesMax: 104_857_600,
  queuedRequestBytesMax: 256 * 1024 * 1024,
  unsentRecordBytesMax: 256 * 1024 * 1024,
  connectionBytesMax: 32 * 1024 * 1024,
  connectionRequestsMax: 256,
  connectionRequestsPerTurnMax: 16,
  idleMs: 600_000,
  connectionsMax: 2_147_483_647,
  connectionsPerHostMax: 2_147_483_647,
  connectionsPerHostOverrides: new Map(),
  drainMs: 5_000,
}
