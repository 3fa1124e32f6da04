import { afterEach, describe, expect, it, vi } from 'vitest'
import { service } from './services.ts'

afterEach(() => {
  vi.unstubAllEnvs()
})

describe('service', () => {
  it('is where the environment says, by version too', async () => {
    vi.stubEnv('TEST_NOWHERE_URL', 'x://one')
    vi.stubEnv('TEST_NOWHERE_15_URL', 'x://two')
    expect((await service('nowhere')).value?.url).toBe('x://one')
    expect((await service('nowhere', { version: '15' })).value?.url).toBe('x://two')
    expect((await service('nowhere', { version: '16' })).reason).toContain('TEST_NOWHERE_16_URL is not set')
  })

  it('that is nowhere gives every place’s reason', async () => {
    expect(await service('nowhere')).toEqual({
      reason:
        'nowhere: TEST_NOWHERE_URL is not set; npm embeds none; there is no script that starts it; it is not installed; there is no container of it',
    })
  })
})
