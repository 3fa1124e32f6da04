/** @module test/bench/main — `npm run bench [-- NAME…]`: every figure of docs/performance.md, printed with the machine it was taken on. Hubs run what the build makes, as users have it. */
import { execFile } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { cpus, tmpdir, totalmem } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { benchBroker } from './broker.ts'
import { benchConnect } from './connect.ts'
import { benchLifecycle } from './lifecycle.ts'
import { loadTool } from './load.ts'
import { benchPostgres } from './postgres.ts'
import { benchS3 } from './s3.ts'

const benches: Readonly<Record<string, (tool: string) => Promise<void>>> = {
  lifecycle: benchLifecycle,
  broker: benchBroker,
  connect: benchConnect,
  postgres: benchPostgres,
  s3: benchS3,
}

const names = process.argv.length > 2 ? process.argv.slice(2) : Object.keys(benches)
const unknown = names.filter((name) => benches[name] === undefined)
if (unknown.length > 0) {
  console.error(`no bench named ${unknown.join(', ')}; there are ${Object.keys(benches).join(', ')}`)
  process.exit(2)
}
console.log(`${cpus().length} × ${cpus()[0]?.model.trim()}, ${(totalmem() / 2 ** 30).toFixed(0)} GiB, Node ${process.versions.node}`)
await promisify(execFile)('npm', ['run', 'build'])
const directory = await mkdtemp(join(tmpdir(), 'millrace-bench-tool-'))
try {
  const tool = await loadTool(directory)
  for (const name of names) {
    console.log(`== ${name}`)
    await benches[name]?.(tool)
  }
} finally {
  await rm(directory, { recursive: true, force: true })
}
