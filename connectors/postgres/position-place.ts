/**
 * @module connector-postgres/position-place — where the stream stands, as events tell it and as it is stored: Debezium's keys as Debezium
 * would have them (`PostgresOffsetContext`), and ours. Pure; one object that moves with the stream, so that a change costs no more than
 * the offset that is stored with it.
 */
import type { OffsetValue, SourceOffset, SourcePartition } from '@millrace/sdk'
import type { Place } from './events/index.ts'
import type { Lsn } from './model.ts'
import { type Cursor, OWN_KEYS, type Stored } from './position.ts'

/** `messageType` of a stored offset. */
export type ChangeType = 'INSERT' | 'UPDATE' | 'DELETE' | 'TRUNCATE'

/** The partition of the offsets topic that a server has. */
export function sourcePartition(topicPrefix: string): SourcePartition {
  return { server: topicPrefix }
}

/** See the module. As a {@link Place} it is that of the latest change. */
export class StreamPlace implements Place {
  readonly sourcePartition: SourcePartition
  readonly snapshot = 'false'
  lsn: Lsn = 0
  lastCommitLsn: Lsn | null
  txId: number | null = null
  timeUs = 0n
  origin: { readonly name: string; readonly lsn: Lsn } | null = null
  readonly #cursor: Cursor
  /** Debezium's `lsn_proc`: the last message that was the last one of its place. */
  #processedLsn: Lsn | null = null
  #messageType: ChangeType | 'COMMIT' | null = null
  /** Changes at `#eventLsn` so far. */
  #eventCount = 0
  #eventLsn: Lsn | null = null
  /** Whether the event is the last one of its message. */
  #isWhole = true
  /** What was stored last. */
  #last: SourceOffset

  constructor(cursor: Cursor, partition: SourcePartition, stored: Stored | null) {
    this.#cursor = cursor
    this.sourcePartition = partition
    this.lastCommitLsn = stored?.lastCommitLsn ?? null
    this.#last = stored?.offset ?? {}
    const { lsn, txId, ts_usec: timeUs } = this.#last
    if (typeof lsn === 'number') this.lsn = lsn
    if (typeof txId === 'number') this.txId = txId
    if (typeof timeUs === 'number') this.timeUs = BigInt(timeUs)
  }

  begin(lsn: Lsn, txId: number, timeUs: bigint): void {
    this.lsn = lsn
    this.txId = txId
    this.timeUs = timeUs
    this.origin = null
  }

  /** The next event of a captured table. `isLast`: no further event of the same message follows. */
  change(lsn: Lsn, messageType: ChangeType, isLast = true): void {
    this.#eventCount = this.#eventLsn === lsn ? this.#eventCount + 1 : 1
    this.#eventLsn = lsn
    this.lsn = lsn
    this.#messageType = messageType
    if (isLast) this.#processedLsn = lsn
    this.#isWhole = isLast
  }

  commit(lsn: Lsn): void {
    this.lsn = lsn
    this.lastCommitLsn = lsn
    this.#processedLsn = lsn
    this.#messageType = 'COMMIT'
    this.#eventCount = 0
    this.#eventLsn = null
  }

  /** Stored with the last record of the change. */
  get offset(): SourceOffset {
    return this.#remember(this.#isWhole ? this.#cursor.ordinal : this.#cursor.ordinal - 1)
  }

  /** Stored with the records before it. */
  get offsetBefore(): SourceOffset {
    return this.#remember(this.#cursor.ordinal - 1)
  }

  /** Stored with a heartbeat: it has a position of its own only between transactions. */
  heartbeatOffset(doneLsn: Lsn): SourceOffset {
    return this.#cursor.isOpen ? this.#remember(this.#cursor.ordinal) : this.#keep(doneLsn, 0)
  }

  /** Stored without a record: every transaction with a commit record before `doneLsn` is done. Debezium's keys stay what they were. */
  idleOffset(doneLsn: Lsn): SourceOffset {
    const last = debeziumKeys(this.#last)
    const isOlder = this.lastCommitLsn !== null && last['lsn_commit'] !== this.lastCommitLsn
    return {
      ...last,
      ...(isOlder ? { [OWN_KEYS.lastCommitLsn]: this.lastCommitLsn } : {}),
      [OWN_KEYS.commitLsn]: doneLsn,
      [OWN_KEYS.ordinal]: 0,
    }
  }

  #remember(ordinal: number): SourceOffset {
    return this.#keep(this.#cursor.commitLsn, ordinal)
  }

  #keep(commitLsn: Lsn, ordinal: number): SourceOffset {
    // One for each change: keys are set one by one, which costs a tenth of spreading objects.
    const offset: Record<string, OffsetValue> = {}
    if (this.#processedLsn !== null) offset['lsn_proc'] = this.#processedLsn
    if (this.#eventCount > 0) offset['lsn_events_processed'] = this.#eventCount
    if (this.#messageType !== null) offset['messageType'] = this.#messageType
    if (this.lastCommitLsn !== null) offset['lsn_commit'] = this.lastCommitLsn
    offset['lsn'] = this.lsn
    offset['txId'] = this.txId
    offset['ts_usec'] = Number(this.timeUs)
    offset[OWN_KEYS.commitLsn] = commitLsn
    offset[OWN_KEYS.ordinal] = ordinal
    this.#last = offset
    return offset
  }
}

/** An offset without this connector's keys. */
function debeziumKeys(offset: SourceOffset): SourceOffset {
  const own: readonly string[] = Object.values(OWN_KEYS)
  return Object.fromEntries(Object.entries(offset).filter(([key]) => !own.includes(key)))
}
