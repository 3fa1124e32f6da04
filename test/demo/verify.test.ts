/** @module test/demo/verify — the demo's check finds what is missing, doubled, or other than it should be. */
import { describe, expect, it } from 'vitest'
import { type TableEvidence, verify } from '../../hub/demo/verify.ts'
import { event } from './views.ts'

const placed = '2026-11-25T03:22:21.120300Z'
const key = (id: number): string => JSON.stringify({ id })
const first = event('r', 'orders', null, { id: 1, status: 'placed', placed: '2026-11-25T03:22:21.1203Z' }, 1)
const second = event('c', 'orders', null, { id: 2, status: 'placed', placed }, 2)
const third = event('u', 'orders', null, { id: 1, status: 'paid', placed: '2026-11-25T03:22:21.1203Z' }, 3)
const fourth = event('d', 'orders', { id: 2 }, null, 4)

const records: TableEvidence['records'] = [
  { key: key(1), event: first },
  { key: key(2), event: second },
  { key: key(1), event: third },
  { key: key(2), event: fourth },
  { key: key(2), event: null },
]
const evidence: TableEvidence = {
  table: 'orders',
  committed: { inserted: 1, updated: 1, deleted: 1 },
  firstRowCount: 1,
  rows: [{ id: '1', status: 'paid', placed }],
  records,
}
const objects = [third, first, fourth, second].map(({ identity }) => identity)

function problems(tables: readonly TableEvidence[], identities: readonly string[]): (string | undefined)[] {
  return verify(tables, identities).map(({ problem }) => problem)
}

describe('verify', () => {
  it('finds nothing where everything arrived once', () => {
    expect(problems([evidence], objects)).toEqual([undefined, undefined, undefined])
  })

  it('finds a change that no record tells of', () => {
    const [counts] = problems([{ ...evidence, committed: { inserted: 2, updated: 1, deleted: 1 } }], objects)
    expect(counts).toBe('orders: 2 inserts in PostgreSQL, 1 in the topic')
  })

  it.each([
    ['lacks a row', { rows: [...evidence.rows, { id: '3', status: 'paid', placed }] }, 'orders: the row {"id":3} is not in the topic'],
    ['holds another row', { rows: [] }, 'orders: the topic holds a row {"id":1} that the table does not'],
    [
      'holds an old row',
      { rows: [{ id: '1', status: 'shipped', placed }] },
      /^orders: the row \{"id":1\} is .*shipped.* in PostgreSQL and .*paid/,
    ],
    ['holds another time', { rows: [{ id: '1', status: 'paid', placed: '2026-11-25T03:22:21.1204Z' }] }, /^orders: the row \{"id":1\} is /],
    ['holds a deleted row', { records: records.slice(0, 3) }, 'orders: the topic holds a row {"id":2} that the table does not'],
  ])('finds that the topic %s', (_, change, problem) => {
    expect(problems([{ ...evidence, ...change }], objects)[1]).toMatch(problem)
  })

  it('finds records that are in no object, in two, or from nowhere', () => {
    expect(problems([evidence], objects.slice(1))[2]).toMatch(/^1 records are in no object, the first of them .*"lsn":3/)
    expect(problems([evidence], [...objects, first.identity])[2]).toMatch(/^the objects hold a record twice: .*"lsn":1/)
    expect(problems([evidence], [...objects, 'line'])[2]).toBe('an object holds what no topic does: line')
    expect(problems([{ ...evidence, records: [...records, { key: key(1), event: first }] }], objects)[2]).toMatch(
      /^the topic holds an event twice/,
    )
  })
})
