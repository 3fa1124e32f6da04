import type { SourceOffset } from '@millrace/sdk'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { Cursor, type Resume, startLsnOf, storedOf } from '../../../connectors/postgres/position.ts'
import { doneLsnOf } from '../../../connectors/postgres/position-acknowledgement.ts'
import { StreamPlace, sourcePartition } from '../../../connectors/postgres/position-place.ts'

const row = { lsn_proc: 50, lsn_events_processed: 1, messageType: 'INSERT', lsn: 50, txId: 7, ts_usec: 1_000 }

describe('a stored offset', () => {
  const cases: readonly { readonly name: string; readonly offset: SourceOffset; readonly isOpen?: boolean; readonly resume: Resume }[] = [
    {
      name: 'ours',
      offset: { ...row, millrace_commit_lsn: 60, millrace_ordinal: 3 },
      resume: { kind: 'position', commitLsn: 60, ordinal: 3 },
    },
    {
      name: 'ours, without records',
      offset: { millrace_commit_lsn: 60, millrace_ordinal: 0 },
      resume: { kind: 'position', commitLsn: 60, ordinal: 0 },
    },
    {
      name: 'ours, of an open snapshot',
      offset: {
        lsn: 9,
        snapshot: 'INITIAL',
        snapshot_completed: false,
        last_snapshot_record: false,
        millrace_commit_lsn: 9,
        millrace_ordinal: 0,
      },
      isOpen: true,
      resume: { kind: 'position', commitLsn: 9, ordinal: 0 },
    },
    {
      name: 'ours, of a finished snapshot',
      offset: {
        lsn: 9,
        snapshot: 'INITIAL',
        snapshot_completed: true,
        last_snapshot_record: true,
        millrace_commit_lsn: 9,
        millrace_ordinal: 0,
      },
      resume: { kind: 'position', commitLsn: 9, ordinal: 0 },
    },
    {
      name: 'Debezium’s, of a finished snapshot',
      offset: { lsn: 9, txId: 1, ts_usec: 1, snapshot: 'INITIAL', snapshot_completed: true, last_snapshot_record: true },
      resume: { kind: 'position', commitLsn: 9, ordinal: 0 },
    },
    {
      name: 'Debezium’s of before 3.0, of an open snapshot',
      offset: { lsn: 9, txId: 1, ts_usec: 1, snapshot: true, last_snapshot_record: false },
      isOpen: true,
      resume: { kind: 'position', commitLsn: 9, ordinal: 0 },
    },
    {
      name: 'Debezium’s, of the first transaction',
      offset: row,
      resume: { kind: 'debezium', startLsn: 0, txId: 7, changeLsn: 50, eventCount: 1 },
    },
    {
      name: 'Debezium’s, of a later transaction, the third row of one place',
      offset: { ...row, lsn_commit: 45, lsn_events_processed: 3 },
      resume: { kind: 'debezium', startLsn: 45, txId: 7, changeLsn: 50, eventCount: 3 },
    },
    {
      name: 'Debezium’s, of an update, of whose records the last may not have been sent',
      offset: { ...row, messageType: 'UPDATE' },
      resume: { kind: 'debezium', startLsn: 0, txId: 7, changeLsn: 50, eventCount: 0 },
    },
    {
      name: 'Debezium’s, of a delete, the third row of one place',
      offset: { ...row, messageType: 'DELETE', lsn_events_processed: 3 },
      resume: { kind: 'debezium', startLsn: 0, txId: 7, changeLsn: 50, eventCount: 2 },
    },
    {
      name: 'Debezium’s, of a heartbeat after a commit',
      offset: { lsn_proc: 70, messageType: 'COMMIT', lsn_commit: 70, lsn: 70, txId: 7, ts_usec: 1 },
      resume: { kind: 'position', commitLsn: 70, ordinal: 0 },
    },
    {
      name: 'Debezium’s, of a heartbeat after a begin',
      offset: { lsn_proc: 70, messageType: 'BEGIN', lsn_commit: 65, lsn: 70, txId: 8, ts_usec: 1 },
      resume: { kind: 'debezium', startLsn: 65, txId: 8, changeLsn: 0, eventCount: 0 },
    },
    {
      name: 'Debezium’s, of a message outside of transactions',
      offset: { lsn_proc: 70, messageType: 'MESSAGE', lsn_commit: 70, lsn: 70, ts_usec: 1 },
      resume: { kind: 'position', commitLsn: 70, ordinal: 0 },
    },
    {
      name: 'Debezium’s before any change',
      offset: { lsn: 30, txId: 3, ts_usec: 1 },
      resume: { kind: 'position', commitLsn: 30, ordinal: 0 },
    },
  ]

  it.each(cases)('$name', ({ offset, isOpen = false, resume }) => {
    const stored = storedOf(offset)
    expect(stored.resume).toEqual(resume)
    expect(stored.isSnapshotOpen).toBe(isOpen)
  })

  it.each([
    [{}, /no lsn/],
    [{ lsn: 'x' }, /its lsn is "x"/],
    [{ millrace_commit_lsn: -1 }, /millrace_commit_lsn/],
    [{ millrace_commit_lsn: 2 ** 60 }, /millrace_commit_lsn/],
  ] as const)('%j is refused', (offset, message) => {
    expect(() => storedOf(offset as SourceOffset)).toThrow(message)
  })

  it('says what the server may forget: not an open snapshot, nothing by Debezium’s rule', () => {
    expect(doneLsnOf({ ...row, millrace_commit_lsn: 60, millrace_ordinal: 3 })).toBe(60)
    expect(doneLsnOf({ lsn: 9, snapshot: 'INITIAL', snapshot_completed: false, millrace_commit_lsn: 9, millrace_ordinal: 0 })).toBeNull()
    expect(doneLsnOf(row)).toBeNull()
  })
})

/** A transaction of the log: where its commit record stands, and where each of its changes. */
interface Transaction {
  readonly commitLsn: number
  readonly txId: number
  readonly changes: readonly number[]
}

/** What is delivered of a stream: transaction and ordinal. */
function delivered(resume: Resume, transactions: readonly Transaction[]): string[] {
  const cursor = new Cursor(resume)
  const told: string[] = []
  for (const { commitLsn, txId, changes } of transactions) {
    cursor.begin(commitLsn, txId)
    changes.forEach((lsn, index) => {
      if (cursor.change(lsn)) told.push(`${txId}.${index + 1}`)
    })
    cursor.commit()
  }
  return told
}

describe('a cursor', () => {
  const log: readonly Transaction[] = [
    { commitLsn: 40, txId: 5, changes: [10, 20] },
    { commitLsn: 60, txId: 7, changes: [15, 50, 50, 50, 55] },
    // The first change stands where the commit before ended, and where a change of an earlier transaction may have stood.
    { commitLsn: 90, txId: 8, changes: [62, 62] },
  ]
  const all = ['5.1', '5.2', '7.1', '7.2', '7.3', '7.4', '7.5', '8.1', '8.2']
  const cases: readonly (readonly [Resume, readonly string[]])[] = [
    [{ kind: 'position', commitLsn: 0, ordinal: 0 }, all],
    [{ kind: 'position', commitLsn: 40, ordinal: 1 }, all.slice(1)],
    [{ kind: 'position', commitLsn: 40, ordinal: 2 }, all.slice(2)],
    [{ kind: 'position', commitLsn: 60, ordinal: 0 }, all.slice(2)],
    [{ kind: 'position', commitLsn: 60, ordinal: 3 }, all.slice(5)],
    [{ kind: 'position', commitLsn: 62, ordinal: 0 }, all.slice(7)],
    [{ kind: 'position', commitLsn: 100, ordinal: 0 }, []],
    [{ kind: 'debezium', startLsn: 42, txId: 7, changeLsn: 50, eventCount: 2 }, ['5.1', '5.2', ...all.slice(5)]],
    [{ kind: 'debezium', startLsn: 42, txId: 7, changeLsn: 55, eventCount: 1 }, ['5.1', '5.2', ...all.slice(7)]],
    [{ kind: 'debezium', startLsn: 42, txId: 7, changeLsn: 0, eventCount: 0 }, all],
    [{ kind: 'debezium', startLsn: 42, txId: 9, changeLsn: 50, eventCount: 1 }, all],
  ]

  it.each(cases)('%j delivers %j', (resume, expected) => {
    expect(delivered(resume, log)).toEqual(expected)
  })

  it('looks for the transaction that Debezium stored until it comes', () => {
    const cursor = new Cursor({ kind: 'debezium', startLsn: 0, txId: 7, changeLsn: 50, eventCount: 2 })
    expect(cursor.isSearching).toBe(true)
    cursor.begin(40, 6)
    expect(cursor.isSearching).toBe(true)
    cursor.begin(60, 7)
    expect(cursor.isSearching).toBe(false)
    expect(new Cursor({ kind: 'position', commitLsn: 40, ordinal: 1 }).isSearching).toBe(false)
  })

  it('counts a TRUNCATE of several tables as Debezium does', () => {
    const cursor = new Cursor({ kind: 'debezium', startLsn: 0, txId: 7, changeLsn: 50, eventCount: 2 })
    cursor.begin(60, 7)
    expect(cursor.change(50, 2)).toBe(false)
    expect(cursor.change(50, 1)).toBe(true)
  })

  it('goes on exactly behind each stored position, wherever that is', () => {
    const transactions = fc
      .array(fc.array(fc.integer({ min: 1, max: 5 }), { minLength: 1, maxLength: 5 }), { minLength: 1, maxLength: 6 })
      .map((list) => list.map((changes, index) => ({ commitLsn: 10 * (index + 1), txId: index + 1, changes })))
    fc.assert(
      fc.property(transactions, fc.nat(), (list, cut) => {
        const whole = delivered({ kind: 'position', commitLsn: 0, ordinal: 0 }, list)
        const doneCount = cut % (whole.length + 1)
        const last = whole[doneCount - 1]
        const [txId = 0, ordinal = 0] = last === undefined ? [] : last.split('.').map(Number)
        const resume: Resume = { kind: 'position', commitLsn: 10 * txId, ordinal }
        const sent = list.filter(({ commitLsn }) => commitLsn >= startLsnOf(resume))
        expect(delivered(resume, sent)).toEqual(whole.slice(doneCount))
      }),
    )
  })
})

describe('the place of the stream', () => {
  const begin = (stored: SourceOffset | null = null) => {
    const cursor = new Cursor({ kind: 'position', commitLsn: 0, ordinal: 0 })
    const place = new StreamPlace(cursor, sourcePartition('dbz'), stored === null ? null : storedOf(stored))
    return { cursor, place }
  }

  it('stores what Debezium stores, and ours', () => {
    const { cursor, place } = begin()
    cursor.begin(60, 7)
    place.begin(48, 7, 1_000n)
    cursor.change(50)
    place.change(50, 'INSERT')
    expect(place.offset).toEqual({ ...row, millrace_commit_lsn: 60, millrace_ordinal: 1 })
    cursor.change(50)
    place.change(50, 'UPDATE')
    expect(place.offsetBefore).toEqual({
      ...row,
      messageType: 'UPDATE',
      lsn_events_processed: 2,
      millrace_commit_lsn: 60,
      millrace_ordinal: 1,
    })
    expect(place.offset).toMatchObject({ lsn_events_processed: 2, millrace_ordinal: 2 })
    cursor.commit()
    place.commit(64)
    cursor.begin(80, 8)
    place.begin(64, 8, 2_000n)
    cursor.change(64)
    place.change(64, 'DELETE')
    expect(place.offset).toEqual({
      lsn_proc: 64,
      lsn_events_processed: 1,
      messageType: 'DELETE',
      lsn_commit: 64,
      lsn: 64,
      txId: 8,
      ts_usec: 2_000,
      millrace_commit_lsn: 80,
      millrace_ordinal: 1,
    })
  })

  it('keeps the position before a TRUNCATE until its last table, and Debezium’s lsn_proc with it', () => {
    const { cursor, place } = begin()
    place.commit(48)
    cursor.begin(60, 7)
    place.begin(50, 7, 1_000n)
    cursor.change(50, 2)
    place.change(50, 'TRUNCATE', false)
    expect(place.offset).toMatchObject({ lsn_proc: 48, lsn: 50, lsn_events_processed: 1, millrace_ordinal: 0 })
    place.change(50, 'TRUNCATE')
    expect(place.offset).toMatchObject({ lsn_proc: 50, lsn: 50, lsn_events_processed: 2, millrace_ordinal: 1 })
  })

  it('moves without a record and leaves Debezium’s keys as they were stored', () => {
    const { place } = begin({ ...row, lsn_commit: 45, millrace_commit_lsn: 60, millrace_ordinal: 1 })
    expect(place.idleOffset(99)).toEqual({ ...row, lsn_commit: 45, millrace_commit_lsn: 99, millrace_ordinal: 0 })
    place.commit(64)
    const idle = place.idleOffset(99)
    expect(idle).toMatchObject({ lsn_commit: 45, millrace_last_commit_lsn: 64, millrace_commit_lsn: 99 })
    // The next run tells the same `source.sequence` as this one would have.
    expect(begin(idle).place.lastCommitLsn).toBe(64)
  })

  it('tells in a heartbeat what Debezium tells', () => {
    const { cursor, place } = begin({ lsn: 30, txId: 3, ts_usec: 1 })
    expect(place.heartbeatOffset(30)).toEqual({ lsn: 30, txId: 3, ts_usec: 1, millrace_commit_lsn: 30, millrace_ordinal: 0 })
    cursor.begin(60, 7)
    place.begin(48, 7, 1_000n)
    cursor.change(50)
    place.change(50, 'INSERT')
    cursor.commit()
    place.commit(64)
    expect(place.heartbeatOffset(64)).toEqual({
      lsn_proc: 64,
      messageType: 'COMMIT',
      lsn_commit: 64,
      lsn: 64,
      txId: 7,
      ts_usec: 1_000,
      millrace_commit_lsn: 64,
      millrace_ordinal: 0,
    })
  })
})
