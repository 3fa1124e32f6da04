/** The `millrace` command as a process. */
import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { readdirSync } from 'node:fs'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { nodeNet } from '../../hub/io/index.ts'
import { CreateTopics, encodeBatch, Fetch, Produce, ZERO_UUID } from '../../hub/wire/index.ts'
import { startHubProcess } from '../hub-process.ts'
import { RawClient } from '../server/raw-client.ts'

const bin = new URL('../../hub/bin/millrace.js', import.meta.url).pathname
let directory: string
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'millrace-test-'))
})
afterAll(() => rm(directory, { recursive: true, force: true }))

/** Runs a command to its end. */
function run(...args: string[]): Promise<{ exitCode: number | null; stdout: string; stderr: string }> {
  return new Promise((resolve) => {
    const child = execFile('node', ['--conditions=millrace-source', bin, ...args], { cwd: directory }, (_error, stdout, stderr) => {
      resolve({ exitCode: child.exitCode, stdout, stderr })
    })
  })
}

/** A hub with one topic `t`, and a client on it. */
async function started(name: string) {
  const hub = await startHubProcess({ directory: join(directory, name) })
  const client = await RawClient.connect(nodeNet(), hub.bootstrap)
  const topics = [{ name: 't', numPartitions: 1, replicationFactor: 1, assignments: [], configs: [] }]
  await client.call(CreateTopics, 7, { topics, timeoutMs: 1000 })
  return { hub, client }
}

const records = (): Buffer => encodeBatch({ records: [{ key: null, value: Buffer.from('x'), timestampMs: 1_700_000_000_000 }] })

describe('millrace start', () => {
  it('prints one ready line, serves, and stops in order on SIGTERM', async () => {
    const { hub, client } = await started('orderly')
    expect(hub.readyLine).toMatch(/^millrace ready broker=127\.0\.0\.1:\d+ node=1 in \d+ ms$/)
    const topics = [{ topic: 't', topicId: ZERO_UUID, partitions: [{ partition: 0, fetchOffset: 0, partitionMaxBytes: 1000 }] }]
    const waiting = client.call(Fetch, 12, { maxWaitMs: 600_000, minBytes: 1, maxBytes: 1000, topics, forgottenTopicsData: [] })
    const exitCode = hub.end('SIGTERM')
    expect((await waiting).responses[0]?.partitions[0]?.errorCode).toBe(0)
    expect(await exitCode).toBe(0)
    expect(readdirSync(join(directory, 'orderly'))).toContain('.kafka_cleanshutdown')
    await client[Symbol.asyncDispose]()
  })

  it('gives libuv at least eight threads', async () => {
    const { hub, client } = await started('threads')
    const names = readdirSync(`/proc/${hub.pid}/task`).map((task) => execNameOf(hub.pid, task))
    expect((await Promise.all(names)).filter((name) => name.startsWith('libuv-worker')).length).toBeGreaterThanOrEqual(8)
    await client[Symbol.asyncDispose]()
    await hub.end('SIGTERM')
  })

  it('loses nothing that was acknowledged when it is killed', async () => {
    const { hub, client } = await started('killed')
    for (let at = 0; at < 50; at++) {
      const topicData = [{ name: 't', partitionData: [{ index: 0, records: records() }] }]
      const answer = await client.call(Produce, 12, { transactionalId: null, acks: -1, timeoutMs: 5000, topicData })
      expect(answer.responses[0]?.partitionResponses[0]).toMatchObject({ errorCode: 0, baseOffset: at })
    }
    await hub.end('SIGKILL')
    await client[Symbol.asyncDispose]()
    const again = await startHubProcess({ directory: join(directory, 'killed') })
    await using other = await RawClient.connect(nodeNet(), again.bootstrap)
    const topics = [{ topic: 't', topicId: ZERO_UUID, partitions: [{ partition: 0, fetchOffset: 0, partitionMaxBytes: 1000 }] }]
    const answer = await other.call(Fetch, 12, { maxWaitMs: 0, minBytes: 0, maxBytes: 1000, topics, forgottenTopicsData: [] })
    expect(answer.responses[0]?.partitions[0]).toMatchObject({ errorCode: 0, highWatermark: 50 })
    await other[Symbol.asyncDispose]()
    expect(await again.end('SIGINT')).toBe(0)
  })

  it('ends with one line and exit code 2 for a wrong configuration', async () => {
    await writeFile(join(directory, 'wrong.properties'), 'num.partitions=many\n')
    const { exitCode, stdout, stderr } = await run('start', 'wrong.properties')
    expect(exitCode).toBe(2)
    expect(stdout).toBe('')
    expect(stderr).toMatch(/^millrace: wrong\.properties: .*num\.partitions.*\n$/)
  })

  it('ends with one line and exit code 1 when the port is in use', async () => {
    const { hub, client } = await started('port')
    const { exitCode, stderr } = await run(
      'start',
      '--override',
      `listeners=PLAINTEXT://${hub.bootstrap}`,
      '--override=log.dirs=memory:',
      '--override=millrace.http.listeners=',
    )
    expect(exitCode).toBe(1)
    expect(stderr).toMatch(/^millrace: port \d+ is in use .*listeners.*\n$/)
    await client[Symbol.asyncDispose]()
    await hub.end('SIGTERM')
  })

  it.each([
    [['start', '--nonsense'], /unknown option --nonsense/],
    [['start', '--override'], /--override needs key=value/],
    [['start', 'a.yaml', 'b.yaml'], /one configuration file/],
    [['start', 'missing.yaml'], /missing\.yaml: there is no such file/],
    [['nonsense'], /no command nonsense/],
    [[], /Usage/],
  ])('%j is wrong usage: exit code 2', async (args: string[], message) => {
    const { exitCode, stderr } = await run(...args)
    expect(exitCode).toBe(2)
    expect(stderr).toMatch(message)
  })

  it('says its version and how it is used', async () => {
    expect(await run('--version')).toMatchObject({ exitCode: 0, stdout: expect.stringMatching(/^\d+\.\d+\.\d+\n$/) as string })
    expect(await run('--help')).toMatchObject({ exitCode: 0, stdout: expect.stringContaining('start') as string })
    expect(await run('start', '--help')).toMatchObject({ exitCode: 0, stdout: expect.stringContaining('--override') as string })
  })
})

describe('an old Node', () => {
  it('is told so in one line, exit code 2', async () => {
    // The version is all that the check reads.
    const program = `Object.defineProperty(process.versions, 'node', { value: '22.1.0' }); await import(${JSON.stringify(bin)})`
    const child = spawn('node', ['--conditions=millrace-source', '--input-type=module', '-e', program], {
      stdio: ['ignore', 'ignore', 'pipe'],
    })
    let stderr = ''
    child.stderr.on('data', (chunk: Buffer) => (stderr += chunk.toString()))
    const [exitCode] = (await once(child, 'close')) as [number]
    expect(exitCode).toBe(2)
    expect(stderr).toMatch(/^millrace needs Node 24 or newer; this is \S+\n$/)
  })
})

async function execNameOf(pid: number, task: string): Promise<string> {
  const { readFile } = await import('node:fs/promises')
  return (await readFile(`/proc/${pid}/task/${task}/comm`, 'utf8')).trim()
}
