/** Golden conversations of the classic group: `test/golden/group/*.txt` (see scenario.ts for the commands). */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { runScenario } from './scenario.ts'

const folder = new URL('../golden/group/', import.meta.url)
const names = readdirSync(folder).filter((name) => name.endsWith('.txt'))

describe('classic group', () => {
  it.each(names)('%s', (name) => {
    const file = new URL(name, folder)
    const written = readFileSync(file, 'utf8')
    const outcome = runScenario(written)
    if (process.env['UPDATE_GOLDEN'] !== undefined) writeFileSync(file, outcome)
    else expect(outcome).toBe(written)
  })

  it('has conversations', () => {
    expect(names.length).toBeGreaterThanOrEqual(10)
  })
})
