/**
 * @module connector-postgres/replication — the connector's wire to the server: ordinary sessions, the slot's creation, COPY out, and the
 * replication stream. `pg` dials, authenticates and answers queries; what flows in bulk is cut from the socket here, with its own
 * back-pressure, and what was received, what was kept and what is acknowledged are three things.
 *
 * ```
 *   connect ──▶ Session.query            catalog, publication, slot look-ups
 *           ──▶ copyRows                 a table under a snapshot
 *   createSlot ──▶ snapshot name         lives until release()
 *   openStream ──▶ next(), acknowledge() XLogData and keepalives
 * ```
 * All errors that leave this room are of the sdk: RetriableError where the same call may succeed later, FatalError where somebody must act.
 */
export type { ServerAddress, SslMode, SslSettings } from './address.ts'
export { type CopyRows, copyRows, type RowCursor, rowCursor } from './copy-rows.ts'
export { ServerError, toEngineError } from './errors.ts'
export { lsnOf, lsnText } from './lsn.ts'
export { connect, type Row, type Session, sqlStateOf } from './session.ts'
export { type CreatedSlot, createSlot, type SlotRequest } from './slot.ts'
export { openStream, type ReplicationStream, type StreamItem, type StreamRequest } from './stream.ts'
export { quoteIdentifier, quoteLiteral } from './quote.ts'
