/**
 * @module connector-postgres/snapshot — every captured table as it is at one moment: COPY in a transaction that sees that moment.
 *
 * Rows are told one behind, across tables: only when the next one, or the end, has been seen is it known which markers a row carries.
 */
import { FatalError, RetriableError, type SourceOffset, type SourcePartition, type SourceRecordInput } from '@millrace/sdk'
import { readShapes, shapeOf } from './catalog/index.ts'
import type { Place, TableEvents } from './events/index.ts'
import type { Lsn, SnapshotMarker, Table } from './model.ts'
import { OWN_KEYS, type Position } from './position.ts'
import { tableText } from './publication-plan.ts'
import { copyRows, lsnOf, quoteIdentifier, quoteLiteral, type RowCursor, rowCursor, type Session, sqlStateOf } from './replication/index.ts'
import { snapshotMarker } from './snapshot-markers.ts'

/** The moment that a snapshot shows. */
export interface Moment {
  /** As the records tell it: where the log was. */
  readonly lsn: Lsn
  readonly txId: number
  /** Microseconds since 1970. */
  readonly timeUs: bigint
}

/** What a session must have, in the order that {@link beginSnapshot} asks for. */
const SETTINGS = 'UTF8 ISO, MDY postgres UTC hex 3'

/**
 * Opens the transaction; `snapshotName`: of the exported one, null: as of now.
 * @throws FatalError where the server is not in the state into which the session was brought: rows would be read in another form
 */
export async function beginSnapshot(session: Session, snapshotName: string | null): Promise<void> {
  const what = 'beginning the snapshot'
  await session.query('BEGIN TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY', [], what)
  // The first statement of the transaction takes the snapshot.
  await session.query(snapshotName === null ? 'SELECT 1' : `SET TRANSACTION SNAPSHOT ${quoteLiteral(snapshotName)}`, [], what)
  const names = ['client_encoding', 'DateStyle', 'IntervalStyle', 'TimeZone', 'bytea_output', 'extra_float_digits']
  const listed = names.map((name) => `current_setting('${name}')`).join(` || ' ' || `)
  const [now] = await session.query<{ settings: string }>(`SELECT ${listed} AS settings`, [], what)
  if (now?.settings === SETTINGS) return
  throw new FatalError(
    'session-settings',
    `${what}: the session’s settings did not hold: ${names.join(' ')} are ${now?.settings}, not ${SETTINGS}: values would be read wrongly`,
    'name the server itself, not a pooler in transaction mode, in database.hostname and database.port; set none of them by database.initial.statements',
  )
}

/** Place and time of an open snapshot. `lsn`: where a slot was made for it, else null. */
export async function momentOf(session: Session, other: Session, lsn: Lsn | null): Promise<Moment> {
  const what = 'reading the moment of the snapshot'
  const [now] = await session.query<{ us: string; lsn: string }>(
    `SELECT (extract(epoch FROM transaction_timestamp()) * 1000000)::bigint::text AS us,
       (CASE WHEN pg_is_in_recovery() THEN pg_last_wal_replay_lsn() ELSE pg_current_wal_lsn() END)::text AS lsn`,
    [],
    what,
  )
  // In a transaction of its own: one that has an id and lasts keeps other slots from being made.
  const [transaction] = await other.query<{ id: string }>(
    `SELECT (CASE WHEN pg_is_in_recovery() THEN txid_snapshot_xmax(txid_current_snapshot()) ELSE txid_current() END)::text AS id`,
    [],
    what,
  )
  return { lsn: lsn ?? lsnOf(now?.lsn ?? '0/0'), txId: Number(transaction?.id ?? 0), timeUs: BigInt(now?.us ?? 0) }
}

/** `snapshot.locking.mode=shared`: keeps tables from being altered until the end of the transaction. */
export async function lockTables(session: Session, tables: readonly Table[], timeoutMs: number): Promise<void> {
  if (tables.length === 0) return
  const what = 'locking the captured tables (snapshot.locking.mode=shared)'
  await session.query(`SET LOCAL lock_timeout = ${timeoutMs}`, [], what)
  await session.query(`LOCK TABLE ${tables.map(tableText).join(', ')} IN ACCESS SHARE MODE`, [], what)
}

/** A table that is read. */
export interface SnapshotTable {
  readonly events: TableEvents
  /** Its rows stand in partitions. */
  readonly isPartitioned: boolean
  /** SELECT of the user's that gives its rows; null: all of them. */
  readonly override: string | null
}

/** What a snapshot needs. */
export interface SnapshotJob {
  /** In the transaction. */
  readonly session: Session
  readonly tables: readonly SnapshotTable[]
  readonly moment: Moment
  readonly partition: SourcePartition
  /** Where the stream goes on, stored with every row. */
  readonly position: Position
  readonly batchCountMax: number
  readonly batchBytesMax: number
  /** Awaited when all rows were read, before the snapshot counts as finished; rejects where they may not have been all. */
  readonly check: () => Promise<void>
  readonly signal: AbortSignal
}

/** What is stored with rows: Debezium's keys and ours. */
export function snapshotOffset({ moment, position }: Pick<SnapshotJob, 'moment' | 'position'>, isLast: boolean): SourceOffset {
  return {
    last_snapshot_record: isLast,
    lsn: moment.lsn,
    txId: moment.txId,
    ts_usec: Number(moment.timeUs),
    snapshot: 'INITIAL',
    snapshot_completed: isLast,
    [OWN_KEYS.commitLsn]: position.commitLsn,
    [OWN_KEYS.ordinal]: position.ordinal,
  }
}

/** Yields batches of read events. The last record, if there is any, has the offset of a finished snapshot. */
export async function* readTablesWhole(job: SnapshotJob): AsyncGenerator<readonly SourceRecordInput[], number> {
  const rows = new HeldRows(job)
  let rowCount = 0
  for (const snapshotTable of job.tables) {
    const { events } = snapshotTable
    const { table } = events
    const cursors = [rowCursor(table.columns.length), rowCursor(table.columns.length)] as const
    let isFirstOfTable = true
    for await (const chunk of tableRows(job, snapshotTable)) {
      for (let cursor = cursors[rowCount % 2] as RowCursor; chunk.next(cursor) !== null; cursor = cursors[rowCount % 2] as RowCursor) {
        rows.hold(events, cursor, isFirstOfTable)
        isFirstOfTable = false
        rowCount++
        if (rows.isFull) yield rows.take()
      }
      rows.byteCount += chunk.byteCount
    }
  }
  await job.check()
  rows.end()
  if (rows.isAny) yield rows.take()
  return rowCount
}

/**
 * Rejects where a table is not what it was at the moment of the snapshot. PostgreSQL shows a table that an ALTER has rewritten as empty to
 * who began before ("Caveats" of its chapter on concurrency), and the stream never tells of those rows. To be asked after all tables were
 * read, since nobody alters them from then on until the transaction ends.
 */
export async function refuseAltered(session: Session, tables: readonly SnapshotTable[]): Promise<void> {
  const shapes = await readShapes(
    session,
    tables.map(({ events }) => events.table.oid),
  )
  for (const { events } of tables) {
    const { oid, schema, name } = events.table
    if (shapes.get(oid) === shapeOf(events.table)) continue
    throw new RetriableError(
      `table ${schema}.${name} was altered during the snapshot, and may have been read as empty; the snapshot starts over`,
    )
  }
}

async function* tableRows({ session, signal }: SnapshotJob, snapshotTable: SnapshotTable): ReturnType<typeof copyRows> {
  const { override } = snapshotTable
  const { table } = snapshotTable.events
  const name = `${table.schema}.${table.name}`
  try {
    yield* copyRows(session, selectText(snapshotTable), table.columns.length, signal, `reading table ${name}`)
  } catch (error) {
    const state = sqlStateOf(error)
    if (override !== null && state?.startsWith('42') === true) {
      const remedy = `correct snapshot.select.statement.overrides.${name}: it must give every captured column under its name`
      throw new FatalError('override-wrong', `${(error as Error).message.split('; ', 1)[0]}`, remedy, { cause: error })
    }
    // No such table or column: it was dropped or altered meanwhile, and is another one, or none, the next time.
    if (state !== '42P01' && state !== '42703') throw error
    throw new RetriableError(`table ${name} was dropped or altered during the snapshot; the snapshot starts over`, { cause: error })
  }
}

/**
 * Columns by name: their order is the one that events know. Without the rows of tables that inherit from it: those come under their own
 * name, here and in the stream, and would never change under this one.
 */
function selectText({ events: { table }, override, isPartitioned }: SnapshotTable): string {
  const columns = table.columns.map(({ name }) => quoteIdentifier(name)).join(', ')
  if (override === null) return `SELECT ${columns} FROM ${isPartitioned ? '' : 'ONLY '}${tableText(table)}`
  return `SELECT ${columns} FROM (${override.trim().replace(/;\s*$/, '')}) AS overridden`
}

/** Records of rows, one row behind. */
class HeldRows {
  /** Bytes of rows since the last batch. */
  byteCount = 0
  readonly #job: SnapshotJob
  readonly #openOffset: SourceOffset
  readonly #doneOffset: SourceOffset
  #held: { readonly events: TableEvents; readonly row: RowCursor; readonly isFirstOfTable: boolean; readonly isFirst: boolean } | null =
    null
  #batch: SourceRecordInput[] = []

  constructor(job: SnapshotJob) {
    this.#job = job
    this.#openOffset = snapshotOffset(job, false)
    this.#doneOffset = snapshotOffset(job, true)
  }

  get isFull(): boolean {
    return this.#batch.length >= this.#job.batchCountMax || this.byteCount >= this.#job.batchBytesMax
  }

  get isAny(): boolean {
    return this.#batch.length > 0
  }

  hold(events: TableEvents, row: RowCursor, isFirstOfTable: boolean): void {
    const isFirst = this.#held === null
    this.#tell(isFirstOfTable, false)
    this.#held = { events, row, isFirstOfTable, isFirst }
  }

  end(): void {
    this.#tell(true, true)
  }

  take(): readonly SourceRecordInput[] {
    const batch = this.#batch
    this.#batch = []
    this.byteCount = 0
    return batch
  }

  #tell(isLastOfTable: boolean, isLast: boolean): void {
    const held = this.#held
    if (held === null) return
    const { events, row, isFirst, isFirstOfTable } = held
    const marker = snapshotMarker({ isFirst, isFirstOfTable, isLastOfTable, isLast })
    for (const record of events.read(row, this.#place(marker, isLast))) this.#batch.push(record)
  }

  #place(snapshot: SnapshotMarker, isLast: boolean): Place {
    const { moment, partition } = this.#job
    const offset = isLast ? this.#doneOffset : this.#openOffset
    return { ...moment, lastCommitLsn: null, snapshot, sourcePartition: partition, offset, offsetBefore: this.#openOffset }
  }
}
