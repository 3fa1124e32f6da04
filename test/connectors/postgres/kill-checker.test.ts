/** The checker of test/e2e/postgres-kill judged by itself: it allows what at-least-once allows, and finds each thing that is wrong. */
import { describe, expect, it } from 'vitest'
import { compacted, faultsOfOthers, faultsOfSlot, type TableEvent, walk } from '../../e2e/postgres-checker.ts'
import type { Change } from '../../e2e/postgres-writer.ts'

/** `r 0 0`, `c 2 1`, `d 0`, `t 0` for a tombstone. */
function events(...texts: readonly string[]): readonly TableEvent[] {
  return texts.map((text, at) => {
    const [operation = '', id = '', version] = text.split(' ')
    return {
      id: Number(id),
      operation: operation === 't' ? null : (operation as 'r' | 'c' | 'u' | 'd'),
      after: version === undefined ? null : { id: Number(id), version: Number(version), body: 'b' },
      snapshot: operation === 'r' ? 'true' : 'false',
      timestampMs: 1_000 + at,
    }
  })
}

/** Changes of one writer; the first of them begin before the snapshot. */
const history: readonly Change[] = ['u 0 1', 'c 4 2', 'd 0', 'u 2 3', 'd 4'].map((text, at) => ({ text, begunMs: 998 + 2 * at }))
const rowCount = 4

describe('walk', () => {
  it.each([
    ['all of it', 0, ['r 0 0', 'r 2 0', 'u 0 1', 'c 4 2', 'd 0', 't 0', 'u 2 3', 'd 4', 't 4']],
    ['what the snapshot has not', 0, ['r 0 1', 'r 2 0', 'c 4 2', 'd 0', 'u 2 3', 'd 4']],
    ['a stretch told again', 1, ['r 0 0', 'u 0 1', 'c 4 2', 'd 0', 'c 4 2', 'd 0', 't 0', 'u 2 3', 'd 4']],
    ['one event told again', 1, ['r 0 0', 'u 0 1', 'c 4 2', 'd 0', 'd 0', 'u 2 3', 'd 4']],
    ['a snapshot begun anew, then everything since the first', 0, ['r 0 0', 'r 2 3', 'u 0 1', 'c 4 2', 'd 0', 'u 2 3', 'd 4']],
    ['other writers', 0, ['r 0 0', 'u 0 1', 'c 4 2', 'c 5 9', 'd 0', 'd 1', 'u 2 3', 'd 4']],
  ])('allows %s', (_, rewindCount, texts) => {
    expect(walk(events(...texts), history, 0)).toEqual({ rewindCount, faults: [] })
  })

  it.each([
    ['a change that is missing', ['r 0 0', 'u 0 1', 'c 4 2', 'u 2 3', 'd 4'], '1 changes are missing before it, "d 0" first'],
    ['one that is missing after a stretch told again', ['r 0 0', 'u 0 1', 'c 4 2', 'u 0 1', 'd 0', 'u 2 3', 'd 4'], '"c 4 2" first'],
    ['the end that is missing', ['r 0 0', 'u 0 1', 'c 4 2', 'd 0'], 'the last 2 changes are missing, "u 2 3" first'],
    ['a change that never was', ['r 0 0', 'u 0 1', 'c 4 2', 'd 0', 'u 2 7', 'u 2 3', 'd 4'], '"u 2 7", which was never committed'],
    // The snapshot begins at 1,000: the third change, at 1,002, cannot be in it.
    ['a beginning that the snapshot cannot have', ['r 0 0', 'u 2 3', 'd 4'], '"d 0" began after the snapshot'],
    ['no stream at all', ['r 0 0'], '"d 0" began after the snapshot and was not streamed'],
  ])('finds %s', (_, texts, fault) => {
    expect(walk(events(...texts), history, 0).faults.join('\n')).toContain(fault)
  })
})

describe('faultsOfOthers', () => {
  it('allows tombstones after their delete, told again too, and rows that were there', () => {
    expect(faultsOfOthers(events('r 0 0', 'r 4 2', 'r 2 3', 'd 4', 'c 9 9', 't 4', 'd 4', 't 4'), [history], rowCount)).toEqual([])
  })

  it.each([
    ['t 4', 'is a tombstone of 4 after undefined'],
    ['r 2 9', 'a row 2 with version 9, which never was'],
    ['r 8 0', 'a row 8 with version 0, which never was'],
  ])('finds %s', (text, fault) => {
    expect(faultsOfOthers(events(text), [history], rowCount).join('\n')).toContain(fault)
  })
})

describe('compacted', () => {
  it('keeps the last word on each key', () => {
    const rows = compacted(events('r 2 0', 'r 0 0', 'u 0 1', 'd 2', 't 2', 'c 4 2', 'd 4'))
    expect(rows).toEqual([{ id: 0, version: 1, body: 'b' }])
  })
})

describe('faultsOfSlot', () => {
  const stored = (timestampMs: number, offset: object, connector = 'a'): Parameters<typeof faultsOfSlot>[1][number] => ({
    topic: 'connect-offsets',
    partition: 0,
    offset: 0,
    timestampMs,
    timestampType: 'create',
    key: Buffer.from(JSON.stringify([connector, { server: 's' }])),
    value: Buffer.from(JSON.stringify(offset)),
    headers: [],
  })
  const records = [
    stored(100, { lsn: 50 }),
    stored(200, { lsn: 60, millrace_commit_lsn: 70 }),
    stored(150, { millrace_commit_lsn: 900 }, 'b'),
  ]
  const created = { atMs: 90, confirmedLsn: 40 }

  it('allows a slot that stands at what was stored, or before', () => {
    expect(faultsOfSlot([created, { atMs: 110, confirmedLsn: 50 }, { atMs: 210, confirmedLsn: 70 }], records, 'a')).toEqual([])
  })

  it.each([
    { atMs: 95, confirmedLsn: 41 },
    { atMs: 110, confirmedLsn: 51 },
    { atMs: 199, confirmedLsn: 70 },
    { atMs: 300, confirmedLsn: 71 },
  ])('finds %j', (sample) => {
    expect(faultsOfSlot([created, sample], records, 'a')).toHaveLength(1)
  })
})
