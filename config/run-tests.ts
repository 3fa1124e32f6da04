/**
 * @module config/run-tests — runs vitest (both projects) and ends with the line `N passed, N failed, N skipped` that CI reads.
 * `--long` sets MILLRACE_LONG: full counts of kills, seeds and soaks, and the real services (design §2). Further arguments go to vitest.
 */
import { spawn } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** The part of vitest's JSON report that we read. */
interface Report {
  readonly numPassedTests: number
  readonly numFailedTests: number
  readonly numPendingTests: number
  readonly numTodoTests: number
  readonly success: boolean
  readonly testResults: readonly { readonly name: string; readonly status: string; readonly assertionResults: readonly unknown[] }[]
}

const arguments_ = process.argv.slice(2)
const long = arguments_.includes('--long')
const directory = mkdtempSync(join(tmpdir(), 'millrace-tests-'))
const reportPath = join(directory, 'report.json')
const child = spawn(
  'vitest',
  [
    'run',
    '--config=config/vitest.config.ts',
    '--reporter=default',
    '--reporter=json',
    `--outputFile.json=${reportPath}`,
    ...arguments_.filter((argument) => argument !== '--long'),
  ],
  { stdio: ['ignore', 'inherit', 'inherit'], env: { ...process.env, ...(long ? { MILLRACE_LONG: '1' } : {}) } },
)
child.on('close', (exitCode) => {
  let line = '0 passed, 1 failed, 0 skipped'
  let failed = exitCode !== 0
  try {
    const report = JSON.parse(readFileSync(reportPath, 'utf8')) as Report
    // A file that could not be loaded has no tests of its own: it counts as one failure.
    const brokenFiles = report.testResults.filter((file) => file.status === 'failed' && file.assertionResults.length === 0).length
    const failedCount = Math.max(report.numFailedTests + brokenFiles, failed ? 1 : 0)
    line = `${report.numPassedTests} passed, ${failedCount} failed, ${report.numPendingTests + report.numTodoTests} skipped`
    failed = failed || failedCount > 0
  } catch (error) {
    failed = true
    console.error(`no test report: ${(error as Error).message}`)
  }
  rmSync(directory, { recursive: true, force: true })
  console.log(line)
  process.exit(failed ? 1 : 0)
})
