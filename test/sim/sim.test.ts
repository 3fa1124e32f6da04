/** The simulation: seeds in a row, and the proof that a seed is one play and no other. */
import { describe, expect, it } from 'vitest'
import { reportOf } from './report.ts'
import { simulate } from './simulate.ts'

const SEED_COUNT = process.env['MILLRACE_LONG'] === undefined ? 20 : 200
/** In groups, so that a failure names its seeds and the others are played all the same. */
const GROUP_SIZE = 10

describe('the hub in the hand of a seed', () => {
  it.each(Array.from({ length: SEED_COUNT / GROUP_SIZE }, (_, group) => [group * GROUP_SIZE + 1, (group + 1) * GROUP_SIZE]))(
    'seeds %i to %i show no anomaly and come to an end',
    async (from, to) => {
      const failed: string[] = []
      for (let seed = from; seed <= to; seed++) {
        const play = await simulate(seed)
        if (play.anomalies.length > 0 || play.problem !== undefined) failed.push(reportOf(play))
      }
      expect(failed.join('\n\n')).toBe('')
    },
  )

  it('plays a seed the same way twice, event by event', async () => {
    const seed = 1_000
    const [one, two] = [await simulate(seed), await simulate(seed)]
    const at = one.trace.findIndex((line, index) => line !== two.trace[index])
    expect(at < 0 ? [] : [one.trace.slice(at - 3, at + 1), two.trace.slice(at - 3, at + 1)]).toEqual([])
    expect(two.trace.length).toBe(one.trace.length)
    expect(two.history).toEqual(one.history)
    expect(one.history.length).toBeGreaterThan(500)
  })

  it('plays another seed in another way', async () => {
    const [one, two] = [await simulate(1), await simulate(2)]
    expect(one.trace.slice(0, 2_000)).not.toEqual(two.trace.slice(0, 2_000))
  })
})
