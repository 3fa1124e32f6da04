/** @module test/examples/plugins-guide — every block of code in docs/plugins.md is type-checked, runs, and passes its own tests. */
import { execFile } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { isPlugin, type SourcePlugin } from '@millrace/sdk'
import { runSource, sourceAcceptance } from '@millrace/sdk/testing'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'

const run = promisify(execFile)
const root = new URL('../../', import.meta.url).pathname
const guide = readFileSync(join(root, 'docs/plugins.md'), 'utf8')

/** Blocks with a file's name behind their language. */
const blocks = [...guide.matchAll(/^```(ts|json) (\S+)\n([\s\S]*?)^```$/gm)].map(([, , name = '', text = '']) => ({ name, text }))

let folder: string

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'millrace-guide-'))
  // As for a reader who has installed the SDK beside the files.
  symlinkSync(join(root, 'node_modules'), join(folder, 'node_modules'))
  for (const { name, text } of blocks) writeFileSync(join(folder, name), text)
})

afterAll(() => rmSync(folder, { recursive: true, force: true }))

describe('docs/plugins.md', () => {
  it('has no TypeScript that is not checked here', () => {
    expect(guide.match(/^```ts/gm)).toHaveLength(blocks.filter(({ name }) => name.endsWith('.ts')).length)
    expect(blocks.map(({ name }) => name)).toEqual([
      'ticks.ts',
      'records.ts',
      'settings.ts',
      'tables.ts',
      'upsert.ts',
      'shout.ts',
      'upsert.test.ts',
      'package.json',
    ])
  })

  it('passes the type checker', async () => {
    const settings = JSON.parse(readFileSync(join(root, 'tsconfig.json'), 'utf8')) as { compilerOptions: object }
    const compilerOptions = { ...settings.compilerOptions, typeRoots: [join(root, 'node_modules/@types')] }
    writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify({ compilerOptions, include: ['*.ts'] }))
    const tsc = run(join(root, 'node_modules/.bin/tsc'), ['-p', folder], { timeout: 60_000 })
    await expect(tsc.catch((error: { stdout: string }) => error.stdout)).resolves.toMatchObject({ stdout: '' })
  })

  it('prints what it says', async () => {
    const printed = async (name: string): Promise<string> =>
      (await run(process.execPath, ['--conditions=millrace-source', join(folder, name)])).stdout
    expect(await printed('settings.ts')).toBe('500 [hidden]\n')
    expect(await printed('records.ts')).toMatch(/id: 7n,[\s\S]+\n\{"id":7,"note":null,"lines":\[\{"sku":"bolt","price":"12.50"\}\]\}\n$/)
  })

  it('exports plugins that the engine knows', async () => {
    const exported = await Promise.all(
      ['ticks.ts', 'tables.ts', 'upsert.ts', 'shout.ts'].map(
        async (name) => (await import(/* @vite-ignore */ join(folder, name))) as Record<string, unknown>,
      ),
    )
    const plugins = exported.flatMap((module) => Object.values(module)).filter(isPlugin)
    expect(Object.fromEntries(plugins.map((plugin) => [plugin.class, plugin.kind]))).toEqual({
      'com.example.HexConverter': 'converter',
      'com.example.IsQuiet': 'predicate',
      'com.example.Shout': 'transformation',
      'com.example.TablesSource': 'source',
      'com.example.TicksSource': 'source',
      'com.example.UpsertSink': 'sink',
    })
  })

  it('has a source of several tasks that keeps the contract', async () => {
    const { tables } = (await import(/* @vite-ignore */ join(folder, 'tables.ts'))) as { tables: SourcePlugin }
    const checks = sourceAcceptance(tables, { setup: () => ({ config: { topic: 't' }, recordCount: 5 }) })
    for (const { run: check } of checks) await check()
    const second = await runSource(tables, { config: { topic: 't' }, taskCountMax: 7, task: 1 })
    expect((await second.take(2)).map(({ value }) => value)).toEqual(['d', 'e'])
    await second.stop()
  })

  it('passes the tests that it shows', async () => {
    const { stdout } = await run(process.execPath, [
      '--conditions=millrace-source',
      '--test',
      '--test-reporter=tap',
      join(folder, 'upsert.test.ts'),
    ])
    expect(stdout).toMatch(/^# fail 0$/m)
    expect(Number(/^# pass (\d+)$/m.exec(stdout)?.[1])).toBeGreaterThan(20)
  })
})
