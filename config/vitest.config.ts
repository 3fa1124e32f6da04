/** @module config/vitest — two projects: unit tests in parallel, end-to-end tests one after another (design §2). */
import { defineConfig } from 'vitest/config'

const root = new URL('..', import.meta.url).pathname
const long = process.env['MILLRACE_LONG'] !== undefined
/** Our packages resolve to their TypeScript sources in forks, in their workers, and in what they spawn. */
const execArgv = ['--conditions=millrace-source']
const shared = {
  root,
  execArgv,
  pool: 'forks' as const,
  testTimeout: long ? 600_000 : 60_000,
  hookTimeout: 120_000,
}
const endToEnd = ['test/e2e/**/*.test.ts', 'test/interop/**/*.test.ts', 'test/sim/**/*.test.ts']

export default defineConfig({
  root,
  resolve: { conditions: ['millrace-source', 'node', 'default'] },
  ssr: { resolve: { conditions: ['millrace-source', 'node', 'default'] } },
  test: {
    maxWorkers: 2,
    projects: [
      { extends: true, test: { ...shared, name: 'unit', include: ['test/**/*.test.ts'], exclude: [...endToEnd, '**/node_modules/**'] } },
      { extends: true, test: { ...shared, name: 'e2e', include: endToEnd, fileParallelism: false } },
    ],
  },
})
