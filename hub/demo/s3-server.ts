/**
 * @module demo/s3-server — an S3 server in a process of its own, on loopback, with its objects in memory: npm's fauxqs. It takes any credentials.
 *
 * ```ts
 * await using s3 = await startS3Server({ buckets: ['demo'] })
 * new S3Client({ endpoint: s3.endpoint, region: s3.region, credentials: s3.credentials, forcePathStyle: true })
 * ```
 */
import { fork } from 'node:child_process'
import { extname } from 'node:path'
import { DemoError, findPackage } from './packages.ts'

export interface S3ServerOptions {
  /** Port on 127.0.0.1; 0 (default): a free one. */
  readonly port?: number
  /** Buckets that are there from the start. */
  readonly buckets?: readonly string[]
  /** Gives the start up; it rejects with the signal's reason. */
  readonly signal?: AbortSignal
}

/** A running S3 server. */
export interface S3Server extends AsyncDisposable {
  /** `http://127.0.0.1:port`; buckets in path style. */
  readonly endpoint: string
  readonly port: number
  readonly region: string
  /** Any are taken; these are made for the purpose of being shown. */
  readonly credentials: { readonly accessKeyId: string; readonly secretAccessKey: string }
  readonly pid: number
  /** Ends it with all its objects; resolves when it is gone. */
  stop(): Promise<void>
  /** `kill -9`; resolves when it is gone, with all its objects. */
  kill(): Promise<void>
}

/** What the process says first. */
type Greeting =
  | { readonly port: number; readonly failure?: undefined }
  | { readonly failure: { readonly name: string; readonly message: string; readonly code?: string } }

/** Until the process serves; loading its packages takes most of it. */
const READY_MS_MAX = 60_000

/** Starts a server; resolves when it serves and its buckets are there. Throws {@link DemoError} with cause and remedy, or the signal's reason. */
export async function startS3Server(options: S3ServerOptions = {}): Promise<S3Server> {
  const { port = 0, buckets = [], signal } = options
  signal?.throwIfAborted()
  if (findPackage('fauxqs') === undefined)
    throw new DemoError('the package fauxqs, an S3 server, is not installed; install it: npm i -D fauxqs')
  const entry = new URL(`./s3-process${extname(import.meta.url)}`, import.meta.url)
  const child = fork(entry, [JSON.stringify({ port, buckets })], {
    stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
    // A group of its own, so that Ctrl-C in the terminal reaches us alone.
    detached: true,
  })
  let lastWords = ''
  child.stderr?.setEncoding('utf8')
  child.stderr?.on('data', (chunk: string) => {
    lastWords = (lastWords + chunk).slice(-4_000)
  })
  const gone = new Promise<void>((resolve) => {
    child.once('exit', () => resolve())
    child.once('error', () => resolve())
  })
  const kill = async (): Promise<void> => {
    child.kill('SIGKILL')
    await gone
  }
  const stop = async (): Promise<void> => {
    // It ends when the channel closes.
    if (child.connected) child.disconnect()
    const force = setTimeout(() => child.kill('SIGKILL'), 2_000)
    await gone
    clearTimeout(force)
  }
  const ended = gone.then(() => {
    throw new DemoError(`the S3 server did not start: ${lastWords.trim().split('\n').at(-1) || `it ended with ${child.exitCode}`}`)
  })
  try {
    const bound = await greeting(child, ended, signal)
    return {
      endpoint: `http://127.0.0.1:${bound}`,
      port: bound,
      region: 'us-east-1',
      credentials: { accessKeyId: 'demo', secretAccessKey: 'demo-secret' },
      pid: child.pid ?? 0,
      stop,
      kill,
      [Symbol.asyncDispose]: stop,
    }
  } catch (error) {
    await kill()
    throw error
  }
}

/** The port that the process says, or the error that it, its end, the clock or the signal gives. */
async function greeting(child: ReturnType<typeof fork>, ended: Promise<never>, signal: AbortSignal | undefined): Promise<number> {
  const { promise, resolve, reject } = Promise.withResolvers<Greeting>()
  const timer = setTimeout(() => reject(new DemoError(`the S3 server was not ready within ${READY_MS_MAX / 1000} s`)), READY_MS_MAX)
  const abort = (): void => reject(signal?.reason as Error)
  signal?.addEventListener('abort', abort)
  child.once('message', (message) => resolve(message as Greeting))
  try {
    const said = await Promise.race([promise, ended])
    if (said.failure === undefined) return said.port
    const { name, message, code } = said.failure
    if (code === 'EADDRINUSE')
      throw new DemoError(`port ${message.split(':').at(-1)} is in use; stop who uses it, or choose another port for S3`)
    throw new DemoError(name === 'DemoError' ? message : `the S3 server did not start: ${message}`)
  } finally {
    clearTimeout(timer)
    signal?.removeEventListener('abort', abort)
  }
}
