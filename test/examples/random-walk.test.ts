/** @module test/examples/random-walk — the plugin in examples/plugins: thirty lines, and the contract. */
import { readFileSync } from 'node:fs'
import { sourceAcceptance } from '@millrace/sdk/testing'
import { describe, expect, it } from 'vitest'
import { randomWalk } from '../../examples/plugins/random-walk.ts'

describe('random-walk.ts', () => {
  it('is thirty lines', () => {
    const text = readFileSync(new URL('../../examples/plugins/random-walk.ts', import.meta.url), 'utf8')
    expect(text.trimEnd().split('\n').length).toBeLessThanOrEqual(31)
  })

  const setup = () => ({ config: { topic: 'prices', 'interval.ms': '1', steps: '6' }, recordCount: 6 })
  for (const { name, run } of sourceAcceptance(randomWalk, { setup, batchCountMax: 1, quietMs: 20 })) it(name, run)
})
