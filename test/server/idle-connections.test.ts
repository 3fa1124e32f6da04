/** Many idle connections: 200 by default, 10,000 with MILLRACE_LONG, from another process. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { nodeNet } from '../../hub/io/index.ts'
import { Metadata } from '../../hub/wire/index.ts'
import { startHubProcess } from '../hub-process.ts'
import { RawClient } from './raw-client.ts'

const count = process.env['MILLRACE_LONG'] === undefined ? 200 : 10_000
/** What one idle connection may cost, kernel buffers left out; a few MB more are whatever the load woke up. */
const BYTES_PER_CONNECTION_MAX = 16 * 1024
const OTHER_BYTES_MAX = 60 * 1024 * 1024

async function residentBytes(pid: number): Promise<number> {
  const match = /VmRSS:\s+(\d+) kB/.exec(await readFile(`/proc/${pid}/status`, 'utf8'))
  return Number(match?.[1]) * 1024
}

it(`serves others while ${count} connections are idle, and they are cheap`, async () => {
  const directory = await mkdtemp(join(tmpdir(), 'millrace-test-'))
  const hub = await startHubProcess({ directory })
  try {
    const [host = '', port = ''] = hub.bootstrap.split(':')
    const before = await residentBytes(hub.pid)
    const script = new URL('./idle-connections-client.ts', import.meta.url).pathname
    const child = spawn('node', ['--conditions=millrace-source', script, host, port, String(count)], { stdio: ['pipe', 'pipe', 'inherit'] })
    const [line] = (await once(child.stdout, 'data')) as [Buffer]
    expect(String(line)).toBe('open\n')
    const grown = (await residentBytes(hub.pid)) - before
    expect(grown).toBeLessThan(count * BYTES_PER_CONNECTION_MAX + OTHER_BYTES_MAX)
    await using client = await RawClient.connect(nodeNet(), hub.bootstrap)
    expect((await client.call(Metadata, 12, { topics: [] })).brokers).toHaveLength(1)
    child.stdin.end()
    await once(child, 'close')
    // With its peers gone the hub stops at once.
    await client[Symbol.asyncDispose]()
    expect(await hub.end('SIGTERM')).toBe(0)
  } finally {
    await hub.end('SIGKILL')
    await rm(directory, { recursive: true, force: true })
  }
})
