import { describe, expect, it } from 'vitest'
import { positionFaults } from './positions.ts'

const insert = (lsn: number, commitLsn: number, ordinal: number): Readonly<Record<string, unknown>> => {
  return { lsn, messageType: 'INSERT', millrace_commit_lsn: commitLsn, millrace_ordinal: ordinal }
}

describe('positionFaults', () => {
  it('allows positions that rise, records of one position, a snapshot between, and a heartbeat at the end of a transaction', () => {
    const heartbeat = { lsn: 20, messageType: 'COMMIT', millrace_commit_lsn: 20, millrace_ordinal: 0 }
    const offsets = [{ lsn: 5, snapshot: 'INITIAL' }, insert(10, 15, 1), insert(10, 15, 2), insert(11, 15, 2), heartbeat, insert(20, 30, 1)]
    expect(positionFaults(offsets)).toEqual([])
  })

  it.each([
    ['a position without our keys', [{ lsn: 10, messageType: 'INSERT' }], 'has no position of ours'],
    ['a change at its commit', [insert(15, 15, 1)], 'is not before its commit'],
    ['an ordinal that goes back', [insert(10, 15, 2), insert(11, 15, 1)], '15, 1 comes before 15, 2'],
    ['a commit that goes back', [insert(20, 25, 1), insert(10, 15, 1)], '15, 1 comes before 25, 1'],
  ])('finds %s', (_, offsets, fault) => {
    expect(positionFaults(offsets).join('\n')).toContain(fault)
  })
})
