import type { PluginLog } from '@millrace/sdk'
import { expect, it } from 'vitest'
import { RetryNotices } from '../../../hub/connect/tasks/retry-notices.ts'
import { memoryClock } from '../../../hub/io/index.ts'

it('tells of the first attempt of a row and then of one in ten seconds', async () => {
  const clock = memoryClock()
  const told: string[] = []
  const nothing = (): void => {}
  const log: PluginLog = { debug: nothing, info: nothing, warn: (message) => void told.push(message), error: nothing }
  const notices = new RetryNotices({ clock }, log)
  for (let attemptCount = 1; attemptCount <= 300; attemptCount++) {
    notices.tell(`attempt ${attemptCount}`, attemptCount)
    await clock.advance(50)
  }
  expect(told).toEqual(['attempt 1', 'attempt 201'])
  notices.tell('another row', 1)
  expect(told.at(-1)).toBe('another row')
})
