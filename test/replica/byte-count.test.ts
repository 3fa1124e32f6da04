import { describe, expect, it } from 'vitest'
import { ByteCount } from '../../hub/replica/byte-count.ts'

describe('bytes below an offset', () => {
  it('are those of the whole appends below', () => {
    const count = new ByteCount()
    count.add(10, 12, 100)
    count.add(12, 13, 30)
    expect([count.below(10), count.below(12), count.below(12), count.below(13), count.below(20)]).toEqual([0, 100, 100, 130, 130])
  })

  it('leave out what was taken back, also when the next append takes more', () => {
    const count = new ByteCount()
    count.add(0, 1, 5)
    count.add(1, 3, 1000)
    count.add(3, 4, 1000)
    count.add(1, 6, 7)
    expect([count.below(1), count.below(6)]).toEqual([5, 12])
  })

  it('do not count a retry that was recognised', () => {
    const count = new ByteCount()
    count.add(0, 1, 5)
    count.add(1, 1, 0)
    expect(count.below(1)).toBe(5)
  })

  it('are counted for two marks, of which one lags behind', () => {
    const count = new ByteCount()
    for (let offset = 0; offset < 10; offset++) count.add(offset, offset + 1, 10)
    expect([count.below(6), count.belowStable(2), count.below(10), count.belowStable(2), count.belowStable(9)]).toEqual([
      60, 20, 100, 20, 90,
    ])
    count.add(10, 11, 5)
    // A full device takes the last one back.
    count.add(10, 12, 7)
    expect([count.below(12), count.belowStable(12)]).toEqual([107, 107])
  })
})
