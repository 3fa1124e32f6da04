import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { Latencies } from '../../hub/observe/index.ts'

describe('latencies', () => {
  it('tell quantiles within an eighth, whatever was recorded', () => {
    fc.assert(
      fc.property(
        fc.array(fc.double({ min: 0.001, max: 1_000_000, noNaN: true }), { minLength: 1, maxLength: 200 }),
        fc.double({ min: 0, max: 1, noNaN: true }),
        (durations, share) => {
          const latencies = new Latencies()
          for (const duration of durations) latencies.record(duration, 0)
          const sorted = durations.toSorted((one, other) => one - other)
          const exact = sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)] ?? 0
          const [told] = latencies.quantiles([share], 0)
          expect(told).toBeGreaterThanOrEqual(exact * 0.9999 - 0.0005)
          expect(told).toBeLessThanOrEqual(exact * 1.126 + 0.0005)
        },
      ),
    )
  })

  it('tell the last one to two minutes, and count all', () => {
    const latencies = new Latencies()
    latencies.record(100, 1_000)
    latencies.record(1, 70_000)
    expect(latencies.quantiles([0.5, 1], 70_000).map(Math.round)).toEqual([1, 106])
    expect(latencies.quantiles([1], 131_000).map(Math.round)).toEqual([1])
    expect(latencies.quantiles([0.5, 1], 500_000)).toEqual([Number.NaN, Number.NaN])
    expect([latencies.count, latencies.sumMs]).toEqual([2, 101])
  })

  it('take what is longer than their range for its end', () => {
    const latencies = new Latencies()
    latencies.record(1e12, 0)
    latencies.record(-1, 0)
    expect(latencies.quantiles([0.5, 1], 0)).toEqual([0, 2147483.647])
  })
})
