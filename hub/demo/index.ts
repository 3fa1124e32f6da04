/**
 * @module demo — `millrace demo`: the main job on servers of its own, in front of the user's eyes, and gone without a trace (design §2).
 *
 * ```
 *   shop in PostgreSQL ──capture──▶ three Kafka topics ──archive──▶ objects in S3
 *      │ changes go on                      │ the demo's own consumer          │ listed and read
 *      └────────────────────────────────────┴───────── screen, or a summary ───┘
 * ```
 */
import { constants } from 'node:os'
import { runLive } from './live.ts'
import { runOnce } from './once.ts'
import { DEMO_USAGE, type DemoOptions, demoOptions, DemoUsageError } from './options.ts'
import { DemoError } from './packages.ts'
import { bytes, count, milliseconds, type Addresses } from './screen.ts'
import { type Site, SiteParts, startSite, type StartHub } from './site.ts'
import type { Output } from './terminal.ts'

export type { DemoHub, StartHub } from './site.ts'

/** What the demo needs from outside. */
export interface DemoWorld {
  readonly startHub: StartHub
  readonly stdout: Output
  readonly stderr: { write(text: string): unknown }
}

/** The sink's time for an object: seen soon, and not too many of them. */
const ROTATE_MS = { live: 2_000, once: 1_000 } as const

/** Runs `millrace demo`; resolves with the exit code: 0 when all went well (Ctrl-C included), 1 when not, 2 for wrong usage. */
export async function runDemo(args: readonly string[], world: DemoWorld): Promise<number> {
  let options: DemoOptions
  try {
    options = demoOptions(args)
  } catch (error) {
    if (!(error instanceof DemoUsageError)) throw error
    world.stderr.write(`millrace demo: ${error.message}\n${DEMO_USAGE}`)
    return 2
  }
  if (options.isHelp) {
    world.stdout.write(DEMO_USAGE)
    return 0
  }
  if (process.platform === 'win32') {
    world.stderr.write('millrace demo: it does not run on Windows; run it in WSL (https://learn.microsoft.com/windows/wsl)\n')
    return 1
  }
  const stopping = new AbortController()
  using _signals = listenForSignals(stopping, world)
  const parts = new SiteParts()
  let exitCode: number
  try {
    exitCode = await run(options, world, parts, stopping.signal)
  } catch (error) {
    exitCode = explain(error, options, world, parts, stopping.signal)
  }
  try {
    await stop(parts, world)
  } catch (error) {
    world.stderr.write(`millrace demo: could not stop everything: ${(error as Error).message}\n`)
    exitCode = 1
  }
  return exitCode
}

async function run(options: DemoOptions, world: DemoWorld, parts: SiteParts, signal: AbortSignal): Promise<number> {
  const { stdout } = world
  const progress = openProgress(stdout)
  stdout.write('millrace demo: PostgreSQL, S3 and a hub on loopback, in temporary folders\n')
  progress.show('starting')
  const site = await startSite(parts, {
    startHub: world.startHub,
    wantsUsualPorts: !options.isOnce,
    rotateMs: options.isOnce ? ROTATE_MS.once : ROTATE_MS.live,
    signal,
    onUp: ({ what, where, tookMs }) => {
      progress.line(`  ${what.padEnd(12)} ${where}`.padEnd(66) + milliseconds(tookMs).padStart(8))
      progress.show('starting')
    },
  })
  progress.show('')
  if (options.isOnce) return once(site, options, world, progress, signal)
  const hasScreen = stdout.isTTY === true && process.env['TERM'] !== 'dumb'
  const hasColor = (process.env['NO_COLOR'] ?? '') === ''
  const { changesPerSecond } = options
  const tally = await runLive({ site, addresses: addressesOf(site), changesPerSecond, output: stdout, hasScreen, hasColor, signal })
  stdout.write(
    `${count(tally.changeCount)} rows changed, ${count(tally.recordCount)} records, ${count(tally.objectRecordCount)} of them in ${count(tally.objectCount)} objects (${bytes(tally.objectByteCount)})\n`,
  )
  return 0
}

async function once(site: Site, options: DemoOptions, { stdout }: DemoWorld, progress: Progress, signal: AbortSignal): Promise<number> {
  const { lines, checks } = await runOnce({ site, changeCount: options.changeCount, signal, onProgress: (text) => progress.show(text) })
  progress.show('')
  for (const line of lines) stdout.write(`${line}\n`)
  for (const { text, problem } of checks) stdout.write(problem === undefined ? `✓ ${text}\n` : `✗ not so: ${text}\n  ${problem}\n`)
  return checks.every(({ problem }) => problem === undefined) ? 0 : 1
}

function addressesOf({ shop, hub, connectUrl, s3, bucket }: Site): Addresses {
  return {
    postgres: shop.url,
    kafka: hub.bootstrap,
    connect: connectUrl,
    s3: s3.endpoint,
    bucket,
    // In the repository, sources run by npm's script; elsewhere the package is installed.
    command: import.meta.url.endsWith('.ts') ? 'npm run -s millrace --' : 'npx millrace',
  }
}

/** The first signal ends it in order; a second one at once, and the guards clean up what is left. */
function listenForSignals(stopping: AbortController, { stdout, stderr }: DemoWorld): Disposable {
  const names = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const
  const onSignal = (name: NodeJS.Signals): void => {
    if (stopping.signal.aborted) process.exit(128 + constants.signals[name])
    stopping.abort(new DemoError(`stopped by ${name}`))
  }
  // A reader that went away (| head) ends it too.
  const onOutputError = (error: NodeJS.ErrnoException): void => {
    if (!stopping.signal.aborted) stopping.abort(new DemoError(`nobody reads the output any more (${error.code})`))
  }
  const onUncaught = (error: unknown): void => {
    // Said last, when the terminal has been given back.
    process.once('exit', () =>
      stderr.write(`millrace demo: an error that nobody caught: ${error instanceof Error ? error.stack : String(error)}\n`),
    )
    process.exit(1)
  }
  for (const name of names) process.on(name, onSignal)
  // It stays: what is still on its way to a closed pipe may fail later.
  stdout.on?.('error', onOutputError)
  process.on('uncaughtException', onUncaught)
  process.on('unhandledRejection', onUncaught)
  return {
    [Symbol.dispose]: () => {
      for (const name of names) process.removeListener(name, onSignal)
      process.removeListener('uncaughtException', onUncaught)
      process.removeListener('unhandledRejection', onUncaught)
    },
  }
}

async function stop(parts: SiteParts, { stdout }: DemoWorld): Promise<void> {
  const progress = openProgress(stdout)
  progress.show('stopping; Ctrl-C again to stop at once')
  const gone: string[] = []
  try {
    await parts.stop((what) => gone.push(what))
  } finally {
    progress.show('')
  }
  if (gone.length > 0) progress.line(`stopped, and nothing is left: ${gone.join(', ')}`)
}

/** What ended it, as one line; ended by a signal it is no failure unless something was to be checked. */
function explain(thrown: unknown, options: DemoOptions, { stderr, stdout }: DemoWorld, parts: SiteParts, signal: AbortSignal): number {
  openProgress(stdout).show('')
  if (signal.aborted && !options.isOnce) return 0
  const error: unknown = signal.aborted ? signal.reason : thrown
  const isKnown =
    error instanceof DemoError ||
    (error instanceof Error && ['StartError', 'ConfigError', 'RestError', 'RestUnreachableError'].includes(error.name))
  const text = isKnown || !(error instanceof Error) ? (error as Error).message : `${error.name}: ${error.message}`
  stderr.write(`millrace demo: ${text}${options.isVerbose ? '' : ' (--verbose says more)'}\n`)
  if (options.isVerbose) stderr.write(`${(error as Error).stack ?? ''}\n${parts.log}`)
  return 1
}

/** One line that comes and goes on a terminal; elsewhere only what stays is written. */
interface Progress {
  show(text: string): void
  line(text: string): void
}

function openProgress(output: Output): Progress {
  const isTerminal = output.isTTY === true
  const show = (text: string): void => {
    if (isTerminal) output.write(`\r\x1b[K${text === '' ? '' : `… ${text}`}`)
  }
  return {
    show,
    line: (text) => {
      show('')
      output.write(`${text}\n`)
    },
  }
}
