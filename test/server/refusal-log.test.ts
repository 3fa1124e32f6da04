import { expect, it } from 'vitest'
import { memoryClock } from '../../hub/io/index.ts'
import { memoryLogger } from '../../hub/observe/index.ts'
import { REFUSAL_LOG_LIMITS, RefusalLog } from '../../hub/server/refusal-log.ts'

it('writes some lines of a flood, and tells how many it held back', async () => {
  const clock = memoryClock()
  const logger = memoryLogger()
  const refusals = new RefusalLog(logger, clock)
  for (let index = 0; index < 1000; index++) refusals.warn(`closing ${index}`)
  const told = (): string[] => logger.entries.map(({ message }) => message)
  expect(told()).toHaveLength(REFUSAL_LOG_LIMITS.linesMax)
  await clock.advance(REFUSAL_LOG_LIMITS.windowMs)
  expect(told().at(-1)).toBe(`${1000 - REFUSAL_LOG_LIMITS.linesMax} more connections were closed for such reasons`)
  refusals.warn('closing one')
  expect(told().at(-1)).toBe('closing one')
  expect(told()).toHaveLength(REFUSAL_LOG_LIMITS.linesMax + 2)
})
