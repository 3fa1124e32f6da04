import { describe, expect, it } from 'vitest'
import { memoryClock, nodeClock } from '../../hub/io/index.ts'
import { outcomeOf } from './child-process.ts'
import { clockContract } from './clock-contract.ts'

describe('the clock of Node', () => {
  clockContract(() => {
    const clock = nodeClock()
    return { clock, pass: (durationMs) => clock.sleep(durationMs) }
  })

  it('lets the process end under a bare timer, but not under a hold, until that is released', async () => {
    const script = (setUp: string): string => `
      import { nodeClock } from '${new URL('../../hub/io/index.ts', import.meta.url).pathname}'
      const clock = nodeClock()
      ${setUp}
      clock.timer(100, () => console.log('timer'))`
    expect(await outcomeOf(script(''))).toEqual({ exitCode: 0, lines: [] })
    expect(await outcomeOf(script('const hold = clock.hold(); clock.timer(300, () => hold.release())'))).toEqual({
      exitCode: 0,
      lines: ['timer'],
    })
  })
})

describe('the clock in memory', () => {
  clockContract(() => {
    const clock = memoryClock()
    return { clock, pass: (durationMs) => clock.advance(durationMs) }
  })

  it('stands still until it is moved', async () => {
    const clock = memoryClock(5)
    await new Promise((resolve) => setImmediate(resolve))
    expect([clock.nowMs(), clock.monotonicMs()]).toEqual([5, 0])
    await clock.advance(7.5)
    expect([clock.nowMs(), clock.monotonicMs()]).toEqual([12, 7.5])
  })

  it('shows each timer the time at which it was due, and runs what it wakes before time moves on', async () => {
    const clock = memoryClock(0)
    const trace: string[] = []
    const loop = async (): Promise<void> => {
      for (let round = 0; round < 3; round++) {
        await clock.sleep(10)
        trace.push(`woke at ${clock.nowMs()}`)
      }
    }
    void loop()
    clock.timer(15, () => clock.soon(() => trace.push(`soon at ${clock.nowMs()}`)))
    await clock.advance(100)
    expect(trace).toEqual(['woke at 10', 'soon at 15', 'woke at 20', 'woke at 30'])
    expect(clock.timerCount).toBe(0)
  })

  it('counts the holds that are not released', () => {
    const clock = memoryClock()
    const [one, other] = [clock.hold(), clock.hold()]
    one.release()
    one.release()
    expect([clock.holdCount, clock.timerCount]).toEqual([1, 0])
    other.release()
    expect(clock.holdCount).toBe(0)
  })

  it('jumps on the wall without moving timers', async () => {
    const clock = memoryClock(1000)
    let fired = false
    clock.timer(10, () => {
      fired = true
    })
    clock.setWallClock(50_000)
    expect([clock.nowMs(), clock.monotonicMs(), fired]).toEqual([50_000, 0, false])
    await clock.advance(10)
    expect([clock.nowMs(), fired]).toEqual([50_010, true])
  })
})
