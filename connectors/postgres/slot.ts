/**
 * @module connector-postgres/slot — the replication slot: what the server tells of it, and the stream from it.
 */
import { FatalError, type PluginLog, RetriableError } from '@millrace/sdk'
import type { Lsn } from './model.ts'
import {
  lsnOf,
  openStream,
  type ReplicationStream,
  type ServerAddress,
  type Session,
  type StreamRequest,
  sqlStateOf,
} from './replication/index.ts'
import type { SlotState } from './snapshot-plan.ts'

/** What decides about the slot, and the server's own state. */
export interface ServerState {
  readonly currentLsn: Lsn
  /** A standby: nothing can be written. */
  readonly isReadOnly: boolean
  readonly slot: SlotState | null
}

/**
 * Looks a slot up.
 * @throws FatalError for a slot that is no logical one of pgoutput, or of another database
 */
export async function readServerState(session: Session, slotName: string): Promise<ServerState> {
  const what = `reading replication slot "${slotName}"`
  const [server] = await session.query<{ readonly: boolean; lsn: string; database: string }>(
    `SELECT pg_is_in_recovery() AS readonly, current_database()::text AS database,
       (CASE WHEN pg_is_in_recovery() THEN pg_last_wal_replay_lsn() ELSE pg_current_wal_lsn() END)::text AS lsn`,
    [],
    what,
  )
  const [slot] = await session.query<SlotRow>(
    `SELECT plugin::text AS plugin, slot_type::text AS type, database::text AS database, active_pid AS pid,
       confirmed_flush_lsn::text AS confirmed, ${session.serverVersion >= 130_000 ? 'wal_status' : 'NULL'} AS wal
     FROM pg_catalog.pg_replication_slots WHERE slot_name = $1`,
    [slotName],
    what,
  )
  if (server === undefined) throw new FatalError('unexpected', `${what}: the server gave no answer`, '')
  const state = { currentLsn: lsnOf(server.lsn), isReadOnly: server.readonly }
  return { ...state, slot: slot === undefined ? null : slotOf(slotName, slot, server.database) }
}

interface SlotRow extends Readonly<Record<string, unknown>> {
  readonly plugin: string | null
  readonly type: string
  readonly database: string | null
  readonly pid: number | null
  readonly confirmed: string | null
  readonly wal: string | null
}

function slotOf(name: string, row: SlotRow, database: string): SlotState {
  const { plugin, type } = row
  const remedy = 'choose another slot.name, or drop that slot if nobody needs it'
  if (type !== 'logical') throw new FatalError('slot-of-another', `replication slot "${name}" is a ${type} one`, remedy)
  if (plugin !== 'pgoutput') throw new FatalError('slot-of-another', `replication slot "${name}" is of the plugin ${plugin}`, remedy)
  if (row.database !== database) {
    throw new FatalError('slot-of-another', `replication slot "${name}" is of the database "${row.database}"`, remedy)
  }
  const activePid = row.pid === null ? null : Number(row.pid)
  // Until the transactions that are under way have ended.
  if (row.confirmed === null) throw new RetriableError(`replication slot "${name}" is being made by the server process ${activePid}`)
  return { name, confirmedLsn: lsnOf(row.confirmed), isLost: row.wal === 'lost', activePid }
}

const dropLimits = {
  /** How often a slot is tried to be dropped whose reader has just gone; 20. */
  attemptCountMax: 20,
  /** Milliseconds between; 50. */
  delayMs: 50,
} as const

/** Drops a slot that is there; the server may take a moment to notice that its reader is gone. */
export async function dropSlot(session: Session, slotName: string): Promise<void> {
  for (let attempt = 1; ; attempt++) {
    try {
      await session.query('SELECT pg_drop_replication_slot($1)', [slotName], `dropping replication slot "${slotName}"`)
      return
    } catch (error) {
      if (sqlStateOf(error) !== '55006' || attempt >= dropLimits.attemptCountMax) throw error
      await new Promise((resolve) => setTimeout(resolve, dropLimits.delayMs))
    }
  }
}

/** How long a slot is waited for that somebody else reads. */
export interface SlotPatience {
  /** `slot.max.retries`. */
  readonly retryCountMax: number
  /** `slot.retry.delay.ms`. */
  readonly retryDelayMs: number
  readonly sleep: (ms: number) => Promise<void>
  readonly log: PluginLog
  /** Who reads from it, for the message. */
  readonly activePid: () => Promise<number | null>
}

/** Opens the stream; a slot that is in use is tried again for a while, since a server may not yet have noticed that its reader is gone. */
export async function openPatiently(address: ServerAddress, request: StreamRequest, patience: SlotPatience): Promise<ReplicationStream> {
  for (let attempt = 0; ; attempt++) {
    try {
      return await openStream(address, request)
    } catch (error) {
      if (sqlStateOf(error) !== '55006') throw error
      const pid = await patience.activePid().catch(() => null)
      if (request.signal.aborted) throw new RetriableError(inUse(request.slotName, pid), { cause: error })
      await waitForSlot(inUse(request.slotName, pid), attempt, patience, error)
    }
  }
}

function inUse(slotName: string, pid: number | null): string {
  return `replication slot "${slotName}" is in use${pid === null ? '' : ` by the server process ${pid}`}`
}

async function waitForSlot(message: string, attempt: number, patience: Omit<SlotPatience, 'activePid'>, cause?: unknown): Promise<void> {
  if (attempt >= patience.retryCountMax) {
    const remedy = 'give this connector a slot.name of its own, or stop the other reader and restart the task'
    throw new FatalError('slot-in-use', `${message}, after ${attempt + 1} attempts`, remedy, { cause })
  }
  patience.log.warn(`${message}; it is tried again in ${patience.retryDelayMs} ms`, { attempt: attempt + 1 })
  await patience.sleep(patience.retryDelayMs)
}

/**
 * The server's state with a slot that nobody reads from, for a snapshot that is to be followed by its stream: what cannot be streamed need
 * not be read. A slot in use is waited for as {@link openPatiently} does.
 */
export async function readServerAtRest(
  session: Session,
  slotName: string,
  isWaiting: (server: ServerState) => boolean,
  patience: Omit<SlotPatience, 'activePid'>,
  signal: AbortSignal,
): Promise<ServerState> {
  for (let attempt = 0; ; attempt++) {
    const server = await readServerState(session, slotName)
    const pid = server.slot?.activePid ?? null
    if (pid === null || !isWaiting(server) || signal.aborted) return server
    await waitForSlot(inUse(slotName, pid), attempt, patience)
  }
}
