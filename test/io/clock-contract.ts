/** What every Clock does. `pass` lets time go on: it waits on the real clock, and turns the crank of the one in memory. */
import { expect, it } from 'vitest'
import type { Clock } from '../../hub/io/index.ts'

export function clockContract(make: () => { clock: Clock; pass: (durationMs: number) => Promise<void> }): void {
  it('tells whole wall-clock milliseconds and a monotonic time that grows', async () => {
    const { clock, pass } = make()
    expect(Number.isInteger(clock.nowMs())).toBe(true)
    const before = clock.monotonicMs()
    await pass(5)
    expect(clock.monotonicMs()).toBeGreaterThanOrEqual(before + 4)
  })

  it('fires timers once, in the order of their delays', async () => {
    const { clock, pass } = make()
    const fired: string[] = []
    clock.timer(30, () => fired.push('late'))
    clock.timer(10, () => fired.push('early'))
    clock.timer(-5, () => fired.push('past'))
    await pass(60)
    expect(fired).toEqual(['past', 'early', 'late'])
  })

  it('never calls back inside the call that sets a timer', async () => {
    const { clock, pass } = make()
    let fired = false
    clock.timer(0, () => {
      fired = true
    })
    expect(fired).toBe(false)
    await pass(5)
    expect(fired).toBe(true)
  })

  it('cancels, also twice and after the fact', async () => {
    const { clock, pass } = make()
    const fired: string[] = []
    const cancelled = clock.timer(1, () => fired.push('cancelled'))
    const kept = clock.timer(1, () => fired.push('kept'))
    cancelled.cancel()
    cancelled.cancel()
    await pass(20)
    kept.cancel()
    expect(fired).toEqual(['kept'])
  })

  it('does not fire a timer that lies further off than setTimeout can count', async () => {
    const { clock, pass } = make()
    let fired = false
    const timer = clock.timer(2 ** 31 + 5, () => {
      fired = true
    })
    await pass(10)
    expect(fired).toBe(false)
    timer.cancel()
  })

  it('sleeps, and wakes with the reason when the signal aborts', async () => {
    const { clock, pass } = make()
    const short = clock.sleep(1)
    const controller = new AbortController()
    const long = clock.sleep(60_000, controller.signal)
    const refused = expect(long).rejects.toThrow('enough')
    await pass(20)
    await short
    controller.abort(new Error('enough'))
    await refused
    await expect(clock.sleep(1, controller.signal)).rejects.toThrow('enough')
  })

  it('holds the process without setting a timer, and releases, also twice', async () => {
    const { clock, pass } = make()
    const [one, other] = [clock.hold(), clock.hold()]
    await pass(5)
    one.release()
    one.release()
    other.release()
    await pass(5)
  })

  it('calls back soon, after the microtasks of this turn', async () => {
    const { clock } = make()
    const order: string[] = []
    await new Promise<void>((resolve) => {
      clock.soon(() => {
        order.push('soon')
        resolve()
      })
      queueMicrotask(() => order.push('microtask'))
    })
    expect(order).toEqual(['microtask', 'soon'])
  })
}
