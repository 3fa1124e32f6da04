import { describe, expect, it } from 'vitest'
import { expiredSnapshots } from '../../hub/raft/retention.ts'

const snapshots = [10, 20, 30].map((endOffset) => ({ endOffset, epoch: 1, sizeBytes: 100, takenMs: endOffset }))
const endOffsets = (limits: { retentionBytes: number; retentionMs: number }, logBytes = 100, nowMs = 40): number[] =>
  expiredSnapshots(snapshots, logBytes, nowMs, limits).map((snapshot) => snapshot.endOffset)

describe('retention of snapshots', () => {
  it('keeps everything within the limits, and without limits', () => {
    expect(endOffsets({ retentionBytes: 400, retentionMs: 30 })).toEqual([])
    expect(endOffsets({ retentionBytes: -1, retentionMs: -1 }, 1e12, 1e12)).toEqual([])
  })

  it('removes the oldest until the size fits', () => {
    expect(endOffsets({ retentionBytes: 399, retentionMs: -1 })).toEqual([10])
    expect(endOffsets({ retentionBytes: 299, retentionMs: -1 })).toEqual([10, 20])
  })

  it('removes those that are too old', () => {
    expect(endOffsets({ retentionBytes: -1, retentionMs: 19 })).toEqual([10, 20])
    expect(endOffsets({ retentionBytes: -1, retentionMs: 20 })).toEqual([10])
  })

  it('never removes the newest, however large or old', () => {
    expect(endOffsets({ retentionBytes: 0, retentionMs: 0 }, 1e9, 1e9)).toEqual([10, 20])
    expect(expiredSnapshots([], 5, 5, { retentionBytes: 0, retentionMs: 0 })).toEqual([])
  })
})
