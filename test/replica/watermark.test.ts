import { describe, expect, it } from 'vitest'
import { memoryClock } from '../../hub/io/index.ts'
import { RisingMark, waitForRise } from '../../hub/replica/index.ts'

describe('waiting for marks', () => {
  it('answers at once when a mark is already above what was seen', async () => {
    const mark = new RisingMark(5)
    expect(await waitForRise([{ mark, value: 4 }], memoryClock(), 1000)).toBe('risen')
  })

  it('answers at once without time to wait', async () => {
    expect(await waitForRise([{ mark: new RisingMark(5), value: 5 }], memoryClock(), 0)).toBe('deadline')
  })

  it('wakes at the rise of any of its marks, and never falls', async () => {
    const one = new RisingMark(0)
    const other = new RisingMark(7)
    const waiting = waitForRise(
      [
        { mark: one, value: 0 },
        { mark: other, value: 7 },
      ],
      memoryClock(),
      1000,
    )
    other.raise(3)
    expect(other.value).toBe(7)
    other.raise(8)
    expect(await waiting).toBe('risen')
  })

  it('ends at the deadline, not before', async () => {
    const clock = memoryClock()
    let outcome: string | undefined
    void waitForRise([{ mark: new RisingMark(0), value: 0 }], clock, 500).then((ended) => {
      outcome = ended
    })
    await clock.advance(499)
    expect(outcome).toBeUndefined()
    await clock.advance(1)
    expect(outcome).toBe('deadline')
  })

  it('leaves no timer behind', async () => {
    const clock = memoryClock()
    const mark = new RisingMark(0)
    const waiting = waitForRise([{ mark, value: 0 }], clock, 500)
    mark.raise(1)
    await waiting
    expect(clock.timerCount).toBe(0)
  })

  it('wakes without a rise when what the mark belongs to goes away', async () => {
    const mark = new RisingMark(0)
    const waiting = waitForRise([{ mark, value: 0 }], memoryClock(), 1000)
    mark.end()
    expect(await waiting).toBe('risen')
  })

  it('does not wait for what has ended already', async () => {
    const mark = new RisingMark(0)
    mark.end()
    expect(await waitForRise([{ mark, value: 0 }], memoryClock(), 1000)).toBe('risen')
  })

  it('sleeps on until the marks together have brought the bytes that are missing', async () => {
    const [one, other] = [new RisingMark(0), new RisingMark(0)]
    const clock = memoryClock()
    let ended: string | undefined
    const seen = [one, other].map((mark) => ({ mark, value: 0, gainedBytes: () => mark.value * 10 }))
    void waitForRise(seen, clock, 1000, 50).then((outcome) => {
      ended = outcome
    })
    one.raise(1)
    one.raise(2)
    other.raise(2)
    await clock.advance(10)
    expect(ended).toBeUndefined()
    other.raise(3)
    await clock.advance(0)
    expect(ended).toBe('risen')
    expect(clock.timerCount).toBe(0)
  })

  it('ends at once, whatever is missing, when a mark rises that brings no bytes', async () => {
    const stopping = new RisingMark(0)
    const data = new RisingMark(0)
    const waiting = waitForRise(
      [
        { mark: data, value: 0, gainedBytes: () => 0 },
        { mark: stopping, value: 0 },
      ],
      memoryClock(),
      1000,
      50,
    )
    stopping.raise(1)
    expect(await waiting).toBe('risen')
  })
})
