/** @module test/hub-process — a hub as users run it: a process of its own, started through the bin, killed as rudely as a test wants. */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'

const root = new URL('..', import.meta.url).pathname

export interface HubProcess {
  /** `host:port` of the broker. */
  readonly bootstrap: string
  /** Base address of the Connect worker's REST API; undefined without one. */
  readonly connectUrl: string | undefined
  readonly pid: number
  readonly readyLine: string
  /** Everything on stderr so far. */
  stderr(): string
  /** Sends the signal and resolves with the exit code (null when a signal ended it). */
  end(signal: NodeJS.Signals): Promise<number | null>
}

/**
 * Starts a hub on `directory` with a port of the system's choice unless `port` is given; resolves at its ready line. It is a broker alone unless
 * `connect` asks for the worker too, on a port of the system's choice.
 * Rejects with what it said when it ends before.
 */
export async function startHubProcess(options: {
  readonly directory: string
  readonly port?: number
  readonly connect?: boolean
  /** Runs what `npm run build` made, as users have it, instead of the sources. */
  readonly built?: boolean
  readonly overrides?: Readonly<Record<string, string>>
  readonly nodeArguments?: readonly string[]
}): Promise<HubProcess> {
  const settings: Record<string, string> = {
    'log.dirs': options.directory,
    listeners: `PLAINTEXT://127.0.0.1:${options.port ?? 0}`,
    'millrace.http.listeners': '',
    ...(options.connect === true ? { 'connect.listeners': 'http://127.0.0.1:0' } : { 'process.roles': 'broker,controller' }),
    ...options.overrides,
  }
  const child: ChildProcess = spawn(
    'node',
    [
      ...(options.built === true ? [] : ['--conditions=millrace-source']),
      ...(options.nodeArguments ?? []),
      `${root}hub/bin/millrace.js`,
      'start',
      ...Object.entries(settings).flatMap(([key, value]) => ['--override', `${key}=${value}`]),
    ],
    { stdio: ['ignore', 'pipe', 'pipe'], cwd: root },
  )
  let stderrText = ''
  child.stderr?.on('data', (chunk: Buffer) => {
    stderrText = (stderrText + chunk.toString()).slice(-200_000)
  })
  const exited = once(child, 'exit').then(([exitCode]) => exitCode as number | null)
  const readyLine = await new Promise<string>((resolve, reject) => {
    if (child.stdout === null) throw new Error('no stdout')
    createInterface({ input: child.stdout }).on('line', (line) => {
      if (line.startsWith('millrace ready')) resolve(line)
    })
    exited.then((exitCode) => reject(new Error(`the hub ended with ${exitCode} before it was ready: ${stderrText}`)), reject)
  })
  const bootstrap = /broker=(\S+)/.exec(readyLine)?.[1]
  if (bootstrap === undefined || child.pid === undefined) throw new Error(`no broker in the ready line: ${readyLine}`)
  return {
    bootstrap,
    connectUrl: /connect=(\S+)/.exec(readyLine)?.[1],
    pid: child.pid,
    readyLine,
    stderr: () => stderrText,
    end: async (signal) => {
      if (child.exitCode === null && child.signalCode === null) child.kill(signal)
      return exited
    },
  }
}
