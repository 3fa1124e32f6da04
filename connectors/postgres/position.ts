/**
 * @module connector-postgres/position — from a stored offset to the first message that is delivered after a restart. Pure.
 *
 * A position is the place of a transaction's commit record and the number of its messages that are done:
 *
 * ```
 *   stored (C2, 3)      C1 ▓▓▓▓      C2 ▓▓▓░░      C3 ░░░        ▓ not delivered again, ░ delivered
 * ```
 * Commit records are ordered as transactions are sent, and no two share a place; the places of single changes are neither (all rows of a
 * COPY have one), so no decision is ever made by them. The server sends a transaction again as long as it was told no more than C2.
 *
 * Offsets that Debezium stored have the place of the last change instead: see {@link Resume}.
 */
import { FatalError, type SourceOffset } from '@millrace/sdk'
import type { Lsn } from './model.ts'

/** Keys that this connector adds to Debezium's. */
export const OWN_KEYS = {
  /** Place of the commit record of the transaction, or a place up to which every transaction is done. */
  commitLsn: 'millrace_commit_lsn',
  /** Messages of that transaction that are done. */
  ordinal: 'millrace_ordinal',
  /** `source.sequence` of the next event begins with it, where Debezium's lsn_commit is older. */
  lastCommitLsn: 'millrace_last_commit_lsn',
} as const

/** Every transaction with a commit record before `commitLsn` is done, and `ordinal` messages of the one whose record stands there. */
export interface Position {
  readonly kind: 'position'
  readonly commitLsn: Lsn
  readonly ordinal: number
}

/**
 * Debezium's rule: the transaction `txId` is done up to and including the `eventCount`-th change at `changeLsn`; within a transaction
 * changes come in the order of their places. All that was sent before it is done. It is sent again, since Debezium tells the server at most
 * `changeLsn`. `startLsn`: 0 where only the slot knows.
 */
export interface DebeziumResume {
  readonly kind: 'debezium'
  readonly startLsn: Lsn
  readonly txId: number
  readonly changeLsn: Lsn
  readonly eventCount: number
}

/** Where to go on. */
export type Resume = Position | DebeziumResume

/** What stands in the offsets topic. */
export interface Stored {
  readonly offset: SourceOffset
  /** It belongs to a snapshot that was not finished. */
  readonly isSnapshotOpen: boolean
  readonly resume: Resume
  /** End of the last transaction before, for `source.sequence`; null: not known. */
  readonly lastCommitLsn: Lsn | null
}

/**
 * Reads a stored offset, ours or Debezium's.
 * @throws FatalError for one that cannot be understood
 */
export function storedOf(offset: SourceOffset): Stored {
  const isSnapshot = offset['snapshot'] !== undefined && offset['snapshot'] !== null && offset['snapshot'] !== false
  const isSnapshotOpen = isSnapshot && offset['snapshot_completed'] !== true && offset['last_snapshot_record'] !== true
  const lastCommitLsn = numberOf(offset, OWN_KEYS.lastCommitLsn) ?? numberOf(offset, 'lsn_commit')
  const commitLsn = numberOf(offset, OWN_KEYS.commitLsn)
  if (commitLsn === null) return { offset, isSnapshotOpen, resume: debeziumResume(offset, isSnapshot), lastCommitLsn }
  const ordinal = numberOf(offset, OWN_KEYS.ordinal) ?? 0
  return { offset, isSnapshotOpen, resume: { kind: 'position', commitLsn, ordinal }, lastCommitLsn }
}

function debeziumResume(offset: SourceOffset, isSnapshot: boolean): Resume {
  const lsn = numberOf(offset, 'lsn_proc') ?? numberOf(offset, 'lsn')
  if (lsn === null) throw invalid('it has no lsn')
  const messageType = offset['messageType'] ?? null
  const commitLsn = numberOf(offset, 'lsn_commit')
  const txId = numberOf(offset, 'txId')
  // After a snapshot, a commit or a message outside of transactions all that was committed before this place is done.
  const isBetween = messageType === 'COMMIT' || (messageType === 'MESSAGE' && commitLsn === lsn)
  if (isSnapshot || isBetween || messageType === null || txId === null) return { kind: 'position', commitLsn: lsn, ordinal: 0 }
  const startLsn = commitLsn === null || commitLsn > lsn ? 0 : commitLsn
  if (messageType === 'BEGIN') return { kind: 'debezium', startLsn, txId, changeLsn: 0, eventCount: 0 }
  const eventCount = Math.max(1, numberOf(offset, 'lsn_events_processed') ?? 1)
  // A delete and its tombstone, or what a changed key is told by, have one offset: whether the last of them was sent is not known.
  const isWhole = messageType !== 'UPDATE' && messageType !== 'DELETE'
  return { kind: 'debezium', startLsn, txId, changeLsn: lsn, eventCount: isWhole ? eventCount : eventCount - 1 }
}

function numberOf(offset: SourceOffset, key: string): number | null {
  const value = offset[key] ?? null
  if (value === null) return null
  if (typeof value === 'number' && Number.isSafeInteger(value) && value >= 0) return value
  throw invalid(`its ${key} is ${JSON.stringify(String(value))}`)
}

function invalid(why: string): FatalError {
  return new FatalError(
    'offset-invalid',
    `the stored offset cannot be understood: ${why}`,
    'create the connector under another name, for a new snapshot',
  )
}

/** Where the stream is asked to begin; 0: where the slot stands. The server never begins before what it was told to be done. */
export function startLsnOf(resume: Resume): Lsn {
  return resume.kind === 'position' ? resume.commitLsn : resume.startLsn
}

/** Counts messages and tells which of them are done. One stream, all messages, in order. */
export class Cursor {
  readonly #resume: Resume
  #commitLsn: Lsn = 0
  #ordinal = 0
  /** Messages of the running transaction that are passed over; Infinity: all. */
  #skipCount = 0
  #isDebeziumTransaction = false
  #isSearching: boolean
  #isOpen = false
  #eventCount = 0

  constructor(resume: Resume) {
    this.#resume = resume
    this.#isSearching = resume.kind === 'debezium'
  }

  /** Whether the transaction that Debezium stored has not come yet: no position of ours says what is done until then. */
  get isSearching(): boolean {
    return this.#isSearching
  }

  /** Whether a transaction is being received. */
  get isOpen(): boolean {
    return this.#isOpen
  }

  /** Whether messages of the running transaction may still be passed over that are done already. */
  get isPassing(): boolean {
    return this.#isOpen && (this.#isDebeziumTransaction || this.#ordinal < this.#skipCount)
  }

  /** Of the running or last transaction. */
  get commitLsn(): Lsn {
    return this.#commitLsn
  }

  /** Of the last message in its transaction, from 1; 0: none came yet. */
  get ordinal(): number {
    return this.#ordinal
  }

  begin(commitLsn: Lsn, txId: number): void {
    this.#commitLsn = commitLsn
    this.#ordinal = 0
    this.#eventCount = 0
    this.#isOpen = true
    const resume = this.#resume
    this.#isDebeziumTransaction = resume.kind === 'debezium' && resume.txId === txId
    if (this.#isDebeziumTransaction) this.#isSearching = false
    this.#skipCount = 0
    if (resume.kind !== 'position' || commitLsn > resume.commitLsn) return
    this.#skipCount = commitLsn < resume.commitLsn ? Number.POSITIVE_INFINITY : resume.ordinal
  }

  /**
   * Takes the next message with changes; true: it is delivered. `eventCount`: how many events Debezium counts for it, which is more than
   * one for a TRUNCATE of several tables.
   */
  change(lsn: Lsn, eventCount = 1): boolean {
    this.#ordinal++
    if (this.#isDebeziumTransaction) return !this.#isDoneByDebezium(lsn, eventCount)
    return this.#ordinal > this.#skipCount
  }

  #isDoneByDebezium(lsn: Lsn, eventCount: number): boolean {
    const resume = this.#resume as DebeziumResume
    if (lsn !== resume.changeLsn) return lsn < resume.changeLsn
    this.#eventCount += eventCount
    return this.#eventCount <= resume.eventCount
  }

  commit(): void {
    this.#isOpen = false
  }
}
