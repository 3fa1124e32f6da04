/**
 * @module test/e2e/demo — `millrace demo` as a user runs it: every change arrives, and nothing is left behind however it ends. Each run has a
 * temporary folder of its own for all that it makes.
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmod, mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, describe, expect, it } from 'vitest'
import { runDemo, type StartHub } from '../../hub/demo/index.ts'
import { freePort } from '../../hub/demo/ports.ts'
import type { Output } from '../../hub/demo/terminal.ts'
import { startHub as startTestHub } from '../../hub/testing.ts'
import { eventually } from '../connect/worker.ts'

const root = new URL('../..', import.meta.url).pathname
const folders: string[] = []

afterEach(async () => {
  for (const folder of folders.splice(0)) await rm(folder, { recursive: true, force: true })
})

async function temporaryFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'millrace-test-demo-'))
  // As root, PostgreSQL runs as another user, who must get in.
  await chmod(folder, 0o777)
  folders.push(folder)
  return folder
}

interface Run {
  readonly child: ChildProcess
  readonly folder: string
  stdout(): string
  stderr(): string
  end(): Promise<number | null>
}

async function start(...args: readonly string[]): Promise<Run> {
  const folder = await temporaryFolder()
  const child = spawn('node', ['--conditions=millrace-source', join(root, 'hub/bin/millrace.js'), 'demo', ...args], {
    cwd: root,
    // Node keeps compiled code for all its programs; that is not ours to remove.
    env: { ...process.env, TMPDIR: folder, NODE_COMPILE_CACHE: join(tmpdir(), 'node-compile-cache') },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let out = ''
  let err = ''
  child.stdout.on('data', (chunk: Buffer) => (out += chunk.toString()))
  child.stderr.on('data', (chunk: Buffer) => (err += chunk.toString()))
  const ended = once(child, 'close').then(([exitCode]) => exitCode as number | null)
  return { child, folder, stdout: () => out, stderr: () => err, end: () => ended }
}

/** Ports that the run has said it listens on, by what listens. */
function portsOf(output: string): number[] {
  return [...output.matchAll(/127\.0\.0\.1:(\d+)/g)].map(([, port]) => Number(port))
}

/** Its folders are gone, and nobody listens where its servers did. */
async function expectNothingLeft(run: Run): Promise<void> {
  await eventually(
    () => readdir(run.folder),
    (entries) => entries.length === 0,
    60_000,
  )
  const ports = portsOf(run.stdout())
  expect(ports.length).toBeGreaterThan(0)
  for (const port of new Set(ports)) await expect(fetch(`http://127.0.0.1:${port}`), String(port)).rejects.toThrow('fetch failed')
}

/** Until the endless way has shown changes and objects. */
function untilFlowing(run: Run): Promise<unknown> {
  return eventually(
    () => ({ out: run.stdout(), err: run.stderr(), exitCode: run.child.exitCode }),
    ({ out, exitCode }) => exitCode !== null || (/ after commit/.test(out) && /■ topics\/shop\.public/.test(out)),
    60_000,
  )
}

describe('millrace demo --once', () => {
  it('makes its changes, finds each of them in topics and objects, and leaves nothing', async () => {
    const changeCount = process.env['MILLRACE_LONG'] === undefined ? 120 : 20_000
    const run = await start('--once', '--changes', String(changeCount))
    expect(await run.end(), run.stderr()).toBe(0)
    const text = run.stdout()
    expect(text).toContain(`✓ each of the ${changeCount} changes and each of the 42 first rows is one record of its topic\n`)
    expect(text).toContain('✓ each topic, compacted by key, equals its table (rows: customers ')
    expect(text).toContain('✓ each record stands in the objects exactly once\n')
    expect(text).toContain('stopped, and nothing is left: hub, S3 server, PostgreSQL, folders\n')
    expect(run.stderr()).toBe('')
    await expectNothingLeft(run)
  })
})

describe('millrace demo', () => {
  it('shows changes, records and objects as lines in a pipe, until Ctrl-C', async () => {
    const run = await start('--rate', '40')
    await untilFlowing(run)
    run.child.kill('SIGINT')
    expect(await run.end(), run.stderr()).toBe(0)
    expect(run.stdout()).toMatch(/^table {3}psql postgresql:\/\/shop:\w+@127\.0\.0\.1:\d+\/shop /m)
    expect(run.stdout()).toMatch(/^\d\d:\d\d:\d\d = customers 1: .* ▸ shop\.public\.customers #0, snapshot$/m)
    expect(run.stdout()).toMatch(/^\d\d:\d\d:\d\d ~ \w+ \d+: .* → .* ▸ shop\.public\.\w+ #\d+, .* after commit$/m)
    expect(run.stdout()).toMatch(/^[\d,]+ rows changed, [\d,]+ records, [\d,]+ of them in \d+ objects/m)
    expect(run.stdout()).not.toContain('\x1b')
    await expectNothingLeft(run)
  })

  it.each(['a second Ctrl-C', 'kill -9'])('leaves nothing after %s', async (way) => {
    const run = await start('--rate', '40')
    await untilFlowing(run)
    if (way === 'kill -9') run.child.kill('SIGKILL')
    else {
      run.child.kill('SIGINT')
      run.child.kill('SIGINT')
    }
    await run.end()
    await expectNothingLeft(run)
  })

  it('leaves nothing when it is stopped while it starts', async () => {
    const run = await start()
    await once(run.child.stdout ?? run.child, 'data')
    run.child.kill('SIGTERM')
    expect(await run.end(), run.stderr()).toBe(0)
    expect(await readdir(run.folder)).toEqual([])
  })
})

describe('runDemo', () => {
  /** A terminal that keeps what is written to it. */
  function terminal(): { readonly text: () => string; readonly output: Output } {
    let written = ''
    return { text: () => written, output: { isTTY: true, columns: 80, rows: 24, write: (text) => void (written += text) } }
  }

  async function withTemporaryFolder<T>(work: (folder: string) => Promise<T>): Promise<T> {
    const before = process.env['TMPDIR']
    const folder = await temporaryFolder()
    process.env['TMPDIR'] = folder
    try {
      return await work(folder)
    } finally {
      if (before === undefined) delete process.env['TMPDIR']
      else process.env['TMPDIR'] = before
    }
  }

  const startHub: StartHub = (settings) => startTestHub({ directory: settings['log.dirs'] ?? '', connect: true, overrides: settings })

  it('takes a terminal over while it shows, and gives it back', async () => {
    await withTemporaryFolder(async (folder) => {
      const { text, output } = terminal()
      const ended = runDemo(['--rate', '40'], { startHub, stdout: output, stderr: output })
      await eventually(text, (shown) => /in [1-9]\d* objects?, /.test(shown) && shown.includes('+00000'), 60_000)
      // As Ctrl-C does: the demo listens for it.
      process.kill(process.pid, 'SIGINT')
      expect(await ended).toBe(0)
      const [before = '', shown = ''] = text().split('\x1b[?1049h')
      expect(before).toContain('capture      PostgreSQL → Kafka, RUNNING')
      expect(shown).toContain('MILLRACE DEMO')
      const [, after] = shown.split('\x1b[?1049l')
      expect(after).toMatch(/rows changed, .*stopped, and nothing is left/s)
      expect(await readdir(folder)).toEqual([])
    })
  })

  it('says in one line what kept it from starting, and takes back what had started', async () => {
    await withTemporaryFolder(async (folder) => {
      const { text, output } = terminal()
      const refuse: StartHub = () =>
        Promise.reject(Object.assign(new Error('log directory is locked; stop who uses it'), { name: 'StartError' }))
      expect(await runDemo(['--once'], { startHub: refuse, stdout: { write: () => {} }, stderr: output })).toBe(1)
      expect(text()).toBe('millrace demo: log directory is locked; stop who uses it (--verbose says more)\n')
      expect(await readdir(folder)).toEqual([])
    })
  })

  it('takes back everything when it cannot go on half-way', async () => {
    await withTemporaryFolder(async (folder) => {
      const { text, output } = terminal()
      let closedCount = 0
      const nobody = `127.0.0.1:${await freePort()}`
      const startMute: StartHub = () =>
        Promise.resolve({
          bootstrap: nobody,
          connect: { addresses: [`http://${nobody}`] },
          close: () => Promise.resolve(void closedCount++),
        })
      expect(await runDemo(['--once'], { startHub: startMute, stdout: { write: () => {} }, stderr: output })).toBe(1)
      expect(text()).toBe('millrace demo: connector capture could not be posted: connection refused (--verbose says more)\n')
      expect(closedCount).toBe(1)
      expect(await readdir(folder)).toEqual([])
    })
  })

  it('explains its options, and refuses others', async () => {
    const { text, output } = terminal()
    expect(await runDemo(['--twice'], { startHub, stdout: output, stderr: output })).toBe(2)
    expect(text()).toMatch(/^millrace demo: unknown option --twice\nUsage: millrace demo /)
    expect(await runDemo(['--help'], { startHub, stdout: output, stderr: output })).toBe(0)
  })
})
