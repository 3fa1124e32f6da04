/**
 * @module connector-postgres/snapshot-plan — what a start does: with the tables, with the slot, and from where it streams. Pure.
 *
 * | stored | slot | initial | when_needed | always | no_data | initial_only |
 * |---|---|---|---|---|---|---|
 * | nothing | none | create, snapshot | = | = | create | snapshot |
 * | nothing | there | snapshot, stream from the slot | = | = | stream from the slot | snapshot |
 * | open snapshot | there | snapshot, stream from the slot | = | = | stream from the slot | snapshot |
 * | open snapshot | there, beyond it | refuse | snapshot, stream from the slot | = | refuse | snapshot |
 * | open snapshot | gone | refuse | create, snapshot | create, snapshot | refuse | snapshot |
 * | position | there, at or before it | resume | resume | snapshot, resume | resume | rest |
 * | position | there, beyond it | refuse | snapshot, stream from the slot | = | refuse | rest |
 * | position | gone | refuse | create, snapshot | create, snapshot | refuse | rest |
 *
 * A slot is never dropped once a record may have been emitted: what a second snapshot does not see any more (a row that was read by the
 * first one and then deleted) comes from the old slot, which is why nothing of its stream is left out. Only a slot whose log the server has
 * thrown away (`wal_status = lost`) is replaced, in the modes that may snapshot anew.
 */
import type { Lsn } from './model.ts'
import { type Resume, type Stored, startLsnOf } from './position.ts'
import { lsnText } from './replication/index.ts'

/** `snapshot.mode`. */
export type SnapshotMode = 'initial' | 'always' | 'initial_only' | 'no_data' | 'when_needed'

/** A replication slot as pg_replication_slots tells of it. */
export interface SlotState {
  readonly name: string
  /** Every transaction with a commit record before it was acknowledged. */
  readonly confirmedLsn: Lsn
  /** The server has thrown away log that the slot needs: nothing can be read from it, ever. */
  readonly isLost: boolean
  /** Process that reads from it; null: nobody does. */
  readonly activePid: number | null
}

/** What a start finds. */
export interface Situation {
  readonly mode: SnapshotMode
  readonly slotName: string
  readonly stored: Stored | null
  readonly slot: SlotState | null
  /** End of the server's log. */
  readonly currentLsn: Lsn
}

/** What it does. */
export type Start =
  /** Nothing, now and later. */
  | { readonly action: 'rest' }
  | { readonly action: 'refuse'; readonly code: string; readonly message: string; readonly remedy: string }
  | {
      readonly action: 'run'
      /** `replace`: drop the lost one first. `none`: no slot is needed. */
      readonly slot: 'create' | 'replace' | 'keep' | 'none'
      readonly isSnapshot: boolean
      /** `slot`: where the slot stands, nothing left out. null: no stream. */
      readonly stream: Resume | 'slot' | null
    }

const anew = 'set snapshot.mode = when_needed for a new snapshot'

/** Decides; see the module's table. */
export function planStart(situation: Situation): Start {
  const { mode, stored, slot } = situation
  const isOpen = stored?.isSnapshotOpen === true
  if (mode === 'initial_only') {
    const isDone = stored !== null && !isOpen
    return isDone ? { action: 'rest' } : { action: 'run', slot: 'none', isSnapshot: true, stream: null }
  }
  const trouble = troubleOf(situation)
  if (trouble !== null) {
    if (mode === 'initial' || mode === 'no_data') return trouble
    const slotUse = slot === null ? 'create' : slot.isLost ? 'replace' : 'keep'
    return { action: 'run', slot: slotUse, isSnapshot: true, stream: 'slot' }
  }
  const isSnapshot = mode === 'always' || (mode !== 'no_data' && (stored === null || isOpen))
  const stream = stored === null || isOpen ? 'slot' : streamAfter(stored.resume, isSnapshot)
  return { action: 'run', slot: slot === null ? 'create' : 'keep', isSnapshot, stream }
}

/** A snapshot's records carry a position to stream from, which Debezium's rule is none of: the slot's is before it. */
function streamAfter(resume: Resume, isSnapshot: boolean): Resume | 'slot' {
  return isSnapshot && resume.kind === 'debezium' ? 'slot' : resume
}

/** Why what is stored cannot be gone on from; null: it can. */
function troubleOf({ stored, slot, slotName, currentLsn }: Situation): Extract<Start, { action: 'refuse' }> | null {
  const refuse = (code: string, message: string, remedy: string) => ({ action: 'refuse' as const, code, message, remedy })
  if (slot?.isLost === true) {
    const message = `replication slot "${slotName}" is lost: the server has removed log that was not read yet (max_slot_wal_keep_size)`
    return refuse('slot-lost', message, `drop the slot (SELECT pg_drop_replication_slot('${slotName}')), and ${anew}`)
  }
  if (stored === null) return null
  if (slot === null) {
    const place = stored.isSnapshotOpen ? 'a snapshot that was not finished' : `position ${placeText(stored.resume)}`
    const message = `replication slot "${slotName}" is gone, so that the changes since ${place} are no longer available on the server`
    return refuse('slot-missing', message, anew)
  }
  const { resume } = stored
  const doneLsn = resume.kind === 'position' ? resume.commitLsn : resume.changeLsn
  if (slot.confirmedLsn > doneLsn && (resume.kind === 'position' || doneLsn > 0)) {
    const message = `replication slot "${slotName}" stands at ${lsnText(slot.confirmedLsn)}, beyond the stored position ${placeText(resume)}: somebody else has read from it, and the changes between are no longer available on the server`
    return refuse('slot-ahead', message, `give each connector a slot.name of its own, and ${anew}`)
  }
  if (startLsnOf(resume) <= currentLsn) return null
  const message = `the stored position ${placeText(resume)} is beyond the end of the server’s log, ${lsnText(currentLsn)}: this is another server, or an older state of it`
  return refuse('position-beyond-server', message, `check database.hostname, or ${anew}`)
}

function placeText(resume: Resume): string {
  return lsnText(resume.kind === 'position' ? resume.commitLsn : resume.changeLsn)
}
