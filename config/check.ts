/**
 * @module config/check — `npm run check`: format, lint, types, layers, dead code. Prints one line a step; a failed step's output in full.
 * Layers and house rules are a test (`test/tidy.test.ts`), run here too so that this one command predicts CI.
 */
import { spawn } from 'node:child_process'

const steps: readonly (readonly [name: string, command: readonly string[]])[] = [
  ['format', ['biome', 'format', '--config-path=config/biome-rules.json', '.']],
  ['lint', ['biome', 'lint', '--config-path=config/biome-rules.json', '--error-on-warnings', '.']],
  [
    'lint (types)',
    ['oxlint', '-c', 'config/oxlint.json', '--type-aware', '--deny-warnings', 'hub', 'sdk', 'connectors', 'examples', 'test', 'config'],
  ],
  ['types', ['tsc', '--noEmit', '-p', 'tsconfig.json']],
  ['layers', ['vitest', 'run', '--config', 'config/vitest.config.ts', '--project', 'unit', 'test/tidy.test.ts', '--reporter=dot']],
  ['dead code', ['knip', '--config', 'config/knip.json', '--no-progress']],
]

/** Runs one command from `node_modules/.bin`; resolves with its exit code and what it printed. */
function run(command: readonly string[]): Promise<{ exitCode: number; output: string }> {
  return new Promise((resolve) => {
    const child = spawn(command[0] ?? '', command.slice(1), { stdio: ['ignore', 'pipe', 'pipe'] })
    let output = ''
    child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()))
    child.stderr.on('data', (chunk: Buffer) => (output += chunk.toString()))
    child.on('error', (error) => resolve({ exitCode: 127, output: `${output}${error.message}\n` }))
    child.on('close', (exitCode) => resolve({ exitCode: exitCode ?? 1, output }))
  })
}

let failedCount = 0
for (const [name, command] of steps) {
  const startMs = performance.now()
  const { exitCode, output } = await run(command)
  const seconds = ((performance.now() - startMs) / 1000).toFixed(1)
  console.log(`${exitCode === 0 ? '✓' : '✗'} ${name} (${seconds} s)`)
  if (exitCode !== 0) {
    failedCount += 1
    console.log(output)
  }
}
process.exit(failedCount === 0 ? 0 : 1)
