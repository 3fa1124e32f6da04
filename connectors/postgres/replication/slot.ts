/** @module connector-postgres/replication/slot — a logical slot and the snapshot of exactly the moment from which it streams. */
import type { Lsn } from '../model.ts'
import type { ServerAddress } from './address.ts'
import { lsnOf } from './lsn.ts'
import { quoteIdentifier } from './quote.ts'
import { openSession } from './session.ts'

export interface SlotRequest {
  readonly name: string
  /** Whether standbys keep it too (PostgreSQL 17 and later; ignored before). */
  readonly isFailover: boolean
}

/** A slot that was just made. */
export interface CreatedSlot {
  /** All transactions whose commit is seen by the snapshot end before; all others are streamed. */
  readonly consistentPoint: Lsn
  /** For `SET TRANSACTION SNAPSHOT`, until {@link release}; a transaction that has taken it keeps it. */
  readonly snapshotName: string
  /** Ends the connection that exports the snapshot; idempotent. The slot stays. */
  release(): Promise<void>
}

/**
 * Makes a slot of `pgoutput` on a connection of its own. Waits for the transactions that are under way, at most queryTimeoutMs. Rejects with
 * an error of the sdk: FatalError where the user may not replicate, `wal_level` is not logical, no slot is left, or the name is taken.
 */
export async function createSlot(address: ServerAddress, { name, isFailover }: SlotRequest, signal: AbortSignal): Promise<CreatedSlot> {
  const session = await openSession(address, signal, true)
  try {
    const options =
      session.serverVersion < 150_000
        ? 'EXPORT_SNAPSHOT'
        : `(SNAPSHOT 'export'${isFailover && session.serverVersion >= 170_000 ? ', FAILOVER true' : ''})`
    const command = `CREATE_REPLICATION_SLOT ${quoteIdentifier(name)} LOGICAL pgoutput ${options}`
    const [slot] = await session.query<{ consistent_point: string; snapshot_name: string }>(command, [], `creating slot "${name}"`)
    if (slot === undefined) throw new Error('CREATE_REPLICATION_SLOT gave no row')
    return {
      consistentPoint: lsnOf(slot.consistent_point),
      snapshotName: slot.snapshot_name,
      release: () => session.close(),
    }
  } catch (error) {
    await session.close()
    throw error
  }
}
