/**
 * @module test/bench/load — the neutral load generator (Go, on franz-go) that measures any broker from outside: `TEST_LOAD` names a built one, else it is
 * built from the `bench/load` folder beside the repository.
 */
import { execFile } from 'node:child_process'
import { cpSync, existsSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'

const run = promisify(execFile)

/** Figures by name, each with its unit. */
export type Figures = ReadonlyMap<string, { readonly value: number; readonly unit: string }>

/** Path of the load tool, built into `directory` when needed. Rejects with what is missing. */
export async function loadTool(directory: string): Promise<string> {
  const given = process.env['TEST_LOAD']
  if (given !== undefined) return given
  const source = new URL('../../../shared/bench/load', import.meta.url).pathname
  if (!existsSync(source)) throw new Error('no load generator: set TEST_LOAD to a built one')
  const build = join(directory, 'load')
  cpSync(source, build, { recursive: true })
  const binary = join(directory, 'load-tool')
  await run('go', ['build', '-o', binary, '.'], { cwd: build, timeout: 300_000 })
  return binary
}

/** Runs one load; resolves with its figures. Rejects with its last line when it fails. */
export async function load(tool: string, verb: string, flags: Readonly<Record<string, string | number | true>>): Promise<Figures> {
  const argumentsList = Object.entries(flags).flatMap(([name, value]) => (value === true ? [`-${name}`] : [`-${name}`, String(value)]))
  const { stdout } = await run(tool, [verb, ...argumentsList], { timeout: 150_000, maxBuffer: 1 << 26 })
  return figuresIn(stdout)
}

/** The figures that a load has printed, one a line. */
export function figuresIn(stdout: string): Figures {
  const figures = new Map<string, { value: number; unit: string }>()
  for (const line of stdout.split('\n')) {
    const [name, value, unit] = line.trim().split(' ')
    if (name !== undefined && value !== undefined && Number.isFinite(Number(value)))
      figures.set(name, { value: Number(value), unit: unit ?? '' })
  }
  return figures
}
