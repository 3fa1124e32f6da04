/** @module test/examples — every example runs and prints what it says. */
import { execFile } from 'node:child_process'
import { readdirSync } from 'node:fs'
import { promisify } from 'node:util'
import { describe, expect, it } from 'vitest'

const run = promisify(execFile)
const folder = new URL('../../examples/', import.meta.url).pathname

/** What each example prints. */
const expected: Readonly<Record<string, string>> = {
  'embedded.ts': [
    'sent to Ada: partition 0, offset 0',
    'sent to Grace: partition 0, offset 1',
    'sent to Barbara: partition 0, offset 2',
    'read Ada: hello Ada',
    'read Grace: hello Grace',
    'read Barbara: hello Barbara',
    '',
  ].join('\n'),
}

describe('examples', () => {
  it('are all known here', () => {
    expect(readdirSync(folder).filter((name) => name.endsWith('.ts'))).toEqual(Object.keys(expected))
  })

  for (const [name, output] of Object.entries(expected)) {
    it(`${name} runs`, async () => {
      const { stdout } = await run('node', ['--conditions=millrace-source', `${folder}${name}`], { timeout: 60_000 })
      expect(stdout).toBe(output)
    })
  }
})
