/**
 * @module connector-postgres/replication/errors — what the engine does after an error of the server or of the way to it.
 *
 * | cause | next |
 * |---|---|
 * | connection refused, lost, timed out; server starting, stopping, full; slot in use; locks, deadlocks, cancelled statements | retry |
 * | wrong password, no such database, no privilege, `wal_level`, no slot left, slot or publication missing, log removed, TLS | fail |
 * | any other SQLSTATE, and what is no error of this kind at all | fail |
 */
import { type EngineError, FatalError, isEngineError, RetriableError } from '@millrace/sdk'

/** An error that the server reported, by its SQLSTATE (PostgreSQL documentation, appendix A). */
export class ServerError extends Error {
  override readonly name = 'ServerError'
  /** Five letters: class and condition. */
  readonly code: string
  /** What the server adds to its message; null: nothing. */
  readonly detail: string | null
  /** The server's own advice; null: none. */
  readonly hint: string | null

  constructor(code: string, message: string, detail: string | null, hint: string | null) {
    super(message)
    this.code = code
    this.detail = detail
    this.hint = hint
  }
}

/** The way to the server failed: `code` is Node's (`ECONNREFUSED`), or null. */
export class ConnectionError extends Error {
  override readonly name = 'ConnectionError'
  readonly code: string | null

  constructor(message: string, code: string | null = null, options: ErrorOptions = {}) {
    super(message, options)
    this.code = code
  }
}

interface Advice {
  /** Code of the FatalError; absent: it is retried. */
  readonly code?: string
  readonly remedy: string
}

/** A row per SQLSTATE, the first whose `message` fits. */
interface Rule extends Advice {
  readonly state: RegExp
  readonly message?: RegExp
}

const retry = (state: RegExp, remedy: string, message?: RegExp): Rule => ({ state, remedy, ...(message === undefined ? {} : { message }) })
const fail = (state: RegExp, code: string, remedy: string, message?: RegExp): Rule => ({ ...retry(state, remedy, message), code })

const rules: readonly Rule[] = [
  fail(/^28P01$/, 'wrong-password', 'check database.user and database.password'),
  fail(
    /^28000$/,
    'replication-not-allowed',
    'let the user replicate: ALTER ROLE … REPLICATION, on RDS GRANT rds_replication, and a line for it in pg_hba.conf',
    /replication/,
  ),
  fail(/^28/, 'login-refused', 'check database.user and database.sslmode, and the lines of pg_hba.conf'),
  fail(/^3D000$/, 'no-such-database', 'check database.dbname'),
  fail(
    /^42501$/,
    'replication-not-allowed',
    'let the user replicate: ALTER ROLE … REPLICATION, on RDS GRANT rds_replication',
    /replication|WAL sender/,
  ),
  fail(
    /^42501$/,
    'rows-hidden',
    'a policy would hide rows from database.user: let it see all of them (ALTER ROLE … BYPASSRLS), or leave the table out',
    /row-level security/,
  ),
  fail(/^42501$/, 'no-privilege', 'grant the privilege to database.user'),
  fail(/^55000$/, 'wal-level', 'set wal_level = logical in the server’s configuration and restart it', /wal_level/),
  fail(
    /^55000$/,
    'slot-elsewhere',
    'give the connector a slot.name of its own, or check database.dbname',
    /not created in this database|physical/,
  ),
  fail(
    /^55000$/,
    'publication-missing',
    'create it, and for what was missed drop the slot and set snapshot.mode = when_needed',
    /publication/,
  ),
  fail(
    /^55000$/,
    'slot-lost',
    'drop the slot and take a new snapshot (snapshot.mode = when_needed does); a larger max_slot_wal_keep_size prevents it',
    /slot|can no longer/,
  ),
  fail(
    /^53400$/,
    'no-slot-left',
    'drop a replication slot that is not used (pg_replication_slots), or raise max_replication_slots and restart the server',
    /replication slots/,
  ),
  retry(/^53300$/, 'it is tried again; if it stays so, raise max_wal_senders', /wal_senders|standby/),
  retry(
    /^55006$/,
    'it is tried again; if it stays so, another client reads from the slot: give this connector a slot.name of its own',
    /slot/,
  ),
  fail(/^42710$/, 'already-there', 'choose another name, or drop the one that is there'),
  fail(/^42704$/, 'slot-missing', 'check slot.name, or set snapshot.mode = when_needed for a new snapshot', /replication slot/),
  fail(/^42704$/, 'publication-missing', 'create the publication, or set publication.autocreate.mode', /publication/),
  fail(/^58P01$/, 'log-removed', 'drop the slot and take a new snapshot (snapshot.mode = when_needed does)', /WAL|segment/i),
  fail(
    /^22023$/,
    'slot-elsewhere',
    'the slot is of another plugin than pgoutput: give the connector a slot.name of its own',
    /^option ".*" = ".*" is unknown/,
  ),
  fail(
    /^08P01$/,
    'pooler',
    'the connection pooler between does not pass replication on: name the server itself in database.hostname and database.port',
    /startup parameter/,
  ),
  fail(/^0A000$/, 'not-supported', ''),
  // Connection (08), resources (53), what an operator or the server itself ended (57), locks (40, 55P03), an idle transaction ended (25P03).
  retry(/^(08|53|57|40)|^55006$|^55P03$|^25P0[34]$/, 'it is tried again'),
]

/** Codes of Node's TLS that say that the certificates do not fit, now and later. */
const tlsCodes = /^(ERR_TLS_|ERR_SSL_|ERR_OSSL_|CERT_|DEPTH_ZERO|SELF_SIGNED|UNABLE_TO_|HOSTNAME_MISMATCH|INVALID_CA|PATH_LENGTH)/

/**
 * What the engine is told: `what` is the work that failed and its object, as `streaming from slot "a" of db.example:5432/shop`. The
 * message is `what: cause; remedy` in one line. An error of the sdk is given back as it is.
 */
export function toEngineError(error: unknown, what: string): EngineError {
  if (isEngineError(error)) return error
  const cause = { cause: error }
  if (error instanceof ServerError) return ofServer(error, what)
  if (error instanceof ConnectionError) {
    const { code, message } = error
    if (code !== null && tlsCodes.test(code)) {
      return new FatalError('tls', `${what}: ${message}`, 'check database.sslmode, database.sslrootcert, sslcert and sslkey', cause)
    }
    if (code === 'ENOTFOUND') return new RetriableError(`${what}: ${message}; check database.hostname; it is tried again`, cause)
    return new RetriableError(`${what}: ${message}; it is tried again`, cause)
  }
  return new FatalError('unexpected', `${what}: ${error instanceof Error ? error.message : String(error)}`, '', cause)
}

function ofServer(error: ServerError, what: string): EngineError {
  const { code, message, detail } = error
  const told = `${what}: ${oneLine(message)}${detail === null ? '' : ` (${oneLine(detail)})`}`
  const rule = rules.find(({ state, message: pattern }) => state.test(code) && (pattern === undefined || pattern.test(message)))
  if (rule === undefined) return new FatalError(code, `${told} [SQLSTATE ${code}]`, error.hint ?? '', { cause: error })
  if (rule.code === undefined) return new RetriableError(`${told}; ${rule.remedy}`, { cause: error })
  return new FatalError(rule.code, told, rule.remedy || (error.hint ?? ''), { cause: error })
}

function oneLine(text: string): string {
  return text.replaceAll(/\s*\n\s*/g, ' ')
}

/** Tells `pg`'s errors apart: one with a SQLSTATE and a severity is the server's, all others are the connection's. */
export function toOwnError(error: unknown): ServerError | ConnectionError {
  if (error instanceof ServerError || error instanceof ConnectionError) return error
  const { code, severity, message, detail, hint } = error as Partial<Record<'code' | 'severity' | 'message' | 'detail' | 'hint', string>>
  if (typeof code === 'string' && /^[0-9A-Z]{5}$/.test(code) && severity !== undefined) {
    return new ServerError(code, message ?? 'no message', detail ?? null, hint ?? null)
  }
  return new ConnectionError(causeOf(error), typeof code === 'string' ? code : null, { cause: error })
}

/** Node gives no message where several addresses of one host were tried. */
function causeOf(error: unknown): string {
  if (error instanceof AggregateError && error.message === '') return error.errors.map((each) => causeOf(each)).join(', ')
  return error instanceof Error ? oneLine(error.message) : String(error)
}
