/**
 * @module config/run-tests — runs vitest (both projects) and ends with the line `N passed, N failed, N skipped` that CI reads, after the list of what was
 * skipped. `--long` sets MILLRACE_LONG: full counts of kills, seeds and soaks, and the real services (design §2); there the client's tests run a second
 * time, against Apache Kafka. Further arguments go to vitest.
 */
import { spawn } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { service } from '../test/services.ts'

/** The part of vitest's JSON report that we read. */
interface Report {
  readonly testResults: readonly {
    readonly name: string
    readonly status: string
    readonly assertionResults: readonly { readonly status: string; readonly fullName: string }[]
  }[]
}

interface Counts {
  passed: number
  failed: number
  skipped: string[]
}

/** Runs vitest once; resolves with what its report counts. A run without a report is one failure. */
async function runVitest(vitestArguments: readonly string[], environment: Readonly<Record<string, string>>): Promise<Counts> {
  const directory = mkdtempSync(join(tmpdir(), 'millrace-tests-'))
  const reportPath = join(directory, 'report.json')
  const reporters = ['--reporter=default', '--reporter=json', `--outputFile.json=${reportPath}`]
  const child = spawn('vitest', ['run', '--config=config/vitest.config.ts', ...reporters, ...vitestArguments], {
    stdio: ['ignore', 'inherit', 'inherit'],
    env: { ...process.env, ...environment },
  })
  const exitCode = await new Promise<number>((resolve) => {
    child.on('error', () => resolve(127))
    child.on('close', (code) => resolve(code ?? 1))
  })
  const counts: Counts = { passed: 0, failed: 0, skipped: [] }
  try {
    const report = JSON.parse(readFileSync(reportPath, 'utf8')) as Report
    for (const { status, assertionResults } of report.testResults) {
      // A file that could not be loaded has no tests of its own: it counts as one failure.
      if (status === 'failed' && assertionResults.length === 0) counts.failed += 1
      for (const { status: outcome, fullName } of assertionResults) {
        if (outcome === 'passed') counts.passed += 1
        else if (outcome === 'failed') counts.failed += 1
        else counts.skipped.push(fullName)
      }
    }
  } catch (error) {
    console.error(`no test report: ${(error as Error).message}`)
  }
  // Errors outside of tests (an unhandled rejection) fail the run without failing a test.
  if (exitCode !== 0 && counts.failed === 0) counts.failed = 1
  rmSync(directory, { recursive: true, force: true })
  return counts
}

/** The client's tests against Apache Kafka 4.3.1; a service that cannot be had is one skipped test with its reason. */
async function runClientOnKafka(): Promise<Counts> {
  const kafka = await service('kafka')
  if (kafka.value === undefined) return { passed: 0, failed: 0, skipped: [`the client's tests against Apache Kafka (${kafka.reason})`] }
  try {
    const files = ['admin', 'consumer', 'group', 'producer', 'transactions'].map((name) => `test/client/${name}.test.ts`)
    return await runVitest(files, { MILLRACE_LONG: '1', TEST_KAFKA_URL: kafka.value.url })
  } finally {
    await kafka.value.stop()
  }
}

const given = process.argv.slice(2)
const long = given.includes('--long')
const vitestArguments = given.filter((argument) => argument !== '--long')
const runs = [await runVitest(vitestArguments, long ? { MILLRACE_LONG: '1' } : {})]
if (long && vitestArguments.length === 0) runs.push(await runClientOnKafka())
const skipped = runs.flatMap((run) => run.skipped)
for (const name of skipped) console.log(`skipped: ${name}`)
const sum = (count: (run: Counts) => number): number => runs.reduce((total, run) => total + count(run), 0)
const failed = sum((run) => run.failed)
console.log(`${sum((run) => run.passed)} passed, ${failed} failed, ${skipped.length} skipped`)
process.exit(failed === 0 ? 0 : 1)
