import { DataError, RetriableError } from '@millrace/sdk'
import { describe, expect, it } from 'vitest'
import { delayAfterMs, isRetriable, retryDelayMs } from '../../../hub/connect/tasks/retry.ts'
import { failureSettings } from '../../../hub/connect/tasks/settings.ts'
import type { Cursor } from '../../../hub/connect/tasks/step.ts'
import { createTolerance } from '../../../hub/connect/tasks/tolerance.ts'
import { memoryClock, seededRandom } from '../../../hub/io/index.ts'
import { rememberingLog, world } from './workshop.ts'

describe('the wait before another attempt', () => {
  it('doubles from 300 ms and is a random part of the cap beyond it', () => {
    expect([1, 2, 3, 4, 8].map((attempt) => retryDelayMs(attempt, 60_000, 0.5))).toEqual([300, 600, 1_200, 2_400, 38_400])
    expect([9, 10, 500].map((attempt) => retryDelayMs(attempt, 60_000, 0.5))).toEqual([30_000, 30_000, 30_000])
    expect(retryDelayMs(1, 100, 0.25)).toBe(25)
  })

  it('is what the error asks for, where it does', () => {
    expect(delayAfterMs(new RetriableError('x', { afterMs: 7 }), 5, 60_000, 0.5)).toBe(7)
    expect(delayAfterMs(new RetriableError('x'), 2, 60_000, 0.5)).toBe(600)
  })

  it('is for errors that say so', () => {
    expect([new RetriableError('x'), new DataError('x'), new Error('x'), null].map(isRetriable)).toEqual([true, false, false, false])
  })
})

describe('a step that fails', () => {
  const cursor: Cursor = { step: { stage: 'VALUE_CONVERTER', className: 'test.X', setting: 'value.converter' } }

  function judge(config: Record<string, string>, kept: string[] = []) {
    const clock = memoryClock()
    const ending = new AbortController()
    const tolerance = createTolerance<string>({
      settings: failureSettings(config),
      taskName: 'c-0',
      world: { ...world, clock, random: seededRandom(1) },
      log: rememberingLog(),
      ending: ending.signal,
      placeOf: (record) => record,
      describe: (record) => record,
      keep: ({ record, error }) => kept.push(`${record} ${(error as Error).message}`),
    })
    return { clock, ending, tolerance }
  }

  it('is tried again within errors.retry.timeout, and its outcome is taken', async () => {
    const { clock, tolerance } = judge({ 'errors.retry.timeout': '2000' })
    let attemptCount = 0
    const outcome = tolerance.recover('r', new RetriableError('later'), cursor, () => {
      if (++attemptCount < 3) throw new RetriableError('later')
      return 'done'
    })
    await clock.advance(2_100)
    expect(await outcome).toBe('done')
    expect(attemptCount).toBe(3)
  })

  it('is given up when the time is over: kept, and the end of the task or a record less', async () => {
    const kept: string[] = []
    const none = judge({ 'errors.retry.timeout': '1000' }, kept)
    let attemptCount = 0
    const attempt = (): never => {
      throw new RetriableError(`attempt ${++attemptCount}`)
    }
    const outcome = none.tolerance.recover('r', new RetriableError('first'), cursor, attempt).catch((error: unknown) => error)
    await none.clock.advance(1_100)
    // After 300, after 600 more, and when the second is over.
    expect(await outcome).toMatchObject({ message: 'Tolerance exceeded in error handler' })
    expect(kept).toEqual(['r attempt 3'])
    const all = judge({ 'errors.tolerance': 'all' }, kept)
    expect(await all.tolerance.recover('s', new DataError('bad'), cursor, attempt)).toBeNull()
    expect(kept.at(-1)).toBe('s bad')
  })

  it('is not tried again for an error that says nothing of it, nor without a time', async () => {
    const { tolerance } = judge({ 'errors.retry.timeout': '-1' })
    await expect(tolerance.recover('r', new TypeError('bug'), cursor, () => 1)).rejects.toThrow('Tolerance exceeded')
    const other = judge({})
    await expect(other.tolerance.recover('r', new RetriableError('later'), cursor, () => 1)).rejects.toThrow('Tolerance exceeded')
  })

  it('is left alone when the task must end', async () => {
    const kept: string[] = []
    const { tolerance, ending } = judge({ 'errors.retry.timeout': '-1', 'errors.tolerance': 'all' }, kept)
    const outcome = tolerance.recover('r', new RetriableError('later'), cursor, () => 1)
    ending.abort()
    await expect(outcome).rejects.toBe(ending.signal.reason)
    expect(kept).toEqual([])
  })
})
