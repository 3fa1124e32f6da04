/** @module demo/site — everything that the demo starts and stops: PostgreSQL with the shop, the S3 server, the hub, the two connectors. */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createRestClient, type RestClient } from '../rest/index.ts'
import { SHOP_TOPICS, sinkConnector, sourceConnector, startConnector, viewOf } from './connectors.ts'
import { startGuard } from './guard.ts'
import { DemoError } from './packages.ts'
import { isPortFree } from './ports.ts'
import { type PostgresServer, startPostgres } from './postgres.ts'
import { type S3Server, startS3Server } from './s3-server.ts'
import { SHOP } from './shop.ts'
import { openShop, type Shop } from './shopkeeper.ts'
import { untilTopics } from './topics.ts'

/** What the demo needs of a hub. */
export interface DemoHub {
  readonly bootstrap: string
  readonly connect: { readonly addresses: readonly string[] } | undefined
  close(): Promise<void>
}

/** Starts a hub with these settings, in this process; its log goes to `output`. Given from outside, since a room does not know them all. */
export type StartHub = (settings: Readonly<Record<string, string>>, output: { write(text: string): unknown }) => Promise<DemoHub>

/** Hears of each thing that has come up or gone, with where it is and how long it took. */
export type SiteListener = (event: { readonly what: string; readonly where: string; readonly tookMs: number }) => void

export interface SiteOptions {
  readonly startHub: StartHub
  /** Take the usual ports (5432, 9092 …) where they are free, so that usual commands work. */
  readonly wantsUsualPorts: boolean
  /** The sink finishes an object after so long. */
  readonly rotateMs: number
  readonly signal: AbortSignal
  readonly onUp: SiteListener
}

/** All of it, running. */
export interface Site {
  readonly shop: Shop
  readonly hub: DemoHub
  readonly rest: RestClient
  readonly connectUrl: string
  readonly s3: S3Server
  readonly bucket: string
  readonly sinkName: string
}

const USUAL_PORTS = { postgres: 5432, s3: 4566, kafka: 9092, connect: 8083, http: 9644 } as const
const BUCKET = SHOP
/** What is kept of the hub's log. */
const LOG_LINES_MAX = 200

/** Things that are to be stopped, in the order in which they are; what did not start is not there. */
export class SiteParts {
  hub: DemoHub | undefined
  s3: S3Server | undefined
  postgres: PostgresServer | undefined
  removeDirectory: (() => Promise<void>) | undefined
  readonly #logLines: string[] = []
  #stopping: Promise<void> | undefined

  /** The end of the hub's log. */
  get log(): string {
    return this.#logLines.join('')
  }

  writeLog(text: string): void {
    this.#logLines.push(text)
    if (this.#logLines.length > LOG_LINES_MAX) this.#logLines.shift()
  }

  /** First who reads, then who is read. Each is stopped even if one before it could not be; the first failure is thrown at the end. */
  stop(onDown: (what: string) => void = () => {}): Promise<void> {
    return (this.#stopping ??= this.#stop(onDown))
  }

  async #stop(onDown: (what: string) => void): Promise<void> {
    const { hub, s3, postgres, removeDirectory } = this
    const failures: unknown[] = []
    const step = async (what: string, stop: () => Promise<unknown> | undefined): Promise<void> => {
      try {
        const stopping = stop()
        if (stopping === undefined) return
        await stopping
        onDown(what)
      } catch (error) {
        failures.push(error)
      }
    }
    await step('hub', () => hub?.close())
    await step('S3 server', () => s3?.stop())
    await step('PostgreSQL', () => postgres?.stop())
    await step('folders', () => removeDirectory?.())
    if (failures.length > 0) throw failures[0]
  }
}

/** Starts everything; resolves when both connectors run. What came up is in `parts` in any case, for the caller to stop. */
export async function startSite(parts: SiteParts, options: SiteOptions): Promise<Site> {
  const { onUp, signal } = options
  // Servers come up side by side; when one cannot, the others are given up.
  const givingUp = new AbortController()
  const eitherSignal = AbortSignal.any([signal, givingUp.signal])
  const starts = [startDatabase, startBucket, startHubOn].map((start) =>
    start(parts, { ...options, signal: eitherSignal }).catch((error: unknown) => {
      givingUp.abort(error)
      throw error
    }),
  )
  await Promise.allSettled(starts)
  eitherSignal.throwIfAborted()
  const { postgres, s3, hub } = parts
  if (postgres === undefined || s3 === undefined || hub === undefined) throw new Error('a server neither started nor failed')
  const connectUrl = hub.connect?.addresses[0]
  if (connectUrl === undefined) throw new Error('the hub has no Connect worker')
  const rest = createRestClient(connectUrl)
  let sinceMs = performance.now()
  const lap = (what: string, where: string): void => {
    onUp({ what, where, tookMs: performance.now() - sinceMs })
    sinceMs = performance.now()
  }
  const shop = await openShop(postgres)
  lap('shop', `3 tables with ${[...shop.firstRowCounts.values()].reduce((sum, count) => sum + count, 0)} rows`)
  const source = sourceConnector({ host: postgres.host, port: postgres.port, password: shop.password })
  await startConnector(rest, source, signal)
  await untilTopics(hub.bootstrap, SHOP_TOPICS, signal, async () => {
    const { problem } = viewOf(await rest.status(source.name, signal))
    if (problem !== undefined) throw new DemoError(`connector ${source.name} failed: ${problem}`)
  })
  lap(source.name, 'PostgreSQL → Kafka, RUNNING')
  const sink = sinkConnector(s3, BUCKET, options.rotateMs)
  await startConnector(rest, sink, signal)
  lap(sink.name, 'Kafka → S3, RUNNING')
  return { shop, hub, rest, connectUrl, s3, bucket: BUCKET, sinkName: sink.name }
}

async function startDatabase(parts: SiteParts, { wantsUsualPorts, signal, onUp }: SiteOptions): Promise<void> {
  const startMs = performance.now()
  parts.postgres = await onUsualPort(wantsUsualPorts, USUAL_PORTS.postgres, (port) => startPostgres({ port, signal }))
  const { host, port } = parts.postgres
  onUp({ what: 'PostgreSQL', where: `${host}:${port}`, tookMs: performance.now() - startMs })
}

async function startBucket(parts: SiteParts, { wantsUsualPorts, signal, onUp }: SiteOptions): Promise<void> {
  const startMs = performance.now()
  parts.s3 = await onUsualPort(wantsUsualPorts, USUAL_PORTS.s3, (port) => startS3Server({ port, buckets: [BUCKET], signal }))
  onUp({ what: 'S3 server', where: parts.s3.endpoint, tookMs: performance.now() - startMs })
}

async function startHubOn(parts: SiteParts, { wantsUsualPorts, startHub, signal, onUp }: SiteOptions): Promise<void> {
  const startMs = performance.now()
  const directory = await mkdtemp(join(tmpdir(), 'millrace-demo-'))
  const releaseGuard = startGuard({ pidFiles: [], directories: [directory] })
  parts.removeDirectory = async () => {
    await rm(directory, { recursive: true, force: true })
    await releaseGuard()
  }
  const log = { write: (text: string) => parts.writeLog(text) }
  const hubOn = async (isUsual: boolean): Promise<DemoHub> => {
    const portOf = async (port: number): Promise<number> => (isUsual && (await isPortFree(port)) ? port : 0)
    return startHub(
      {
        'log.dirs': directory,
        listeners: `PLAINTEXT://127.0.0.1:${await portOf(USUAL_PORTS.kafka)}`,
        'connect.listeners': `http://127.0.0.1:${await portOf(USUAL_PORTS.connect)}`,
        'millrace.http.listeners': `http://127.0.0.1:${await portOf(USUAL_PORTS.http)}`,
        'connect.offset.flush.interval.ms': '1000',
        'connect.plugin.path': '',
        'group.initial.rebalance.delay.ms': '0',
      },
      log,
    )
  }
  signal.throwIfAborted()
  // Somebody may take a port between the look and the start: then on ports that the system chooses.
  parts.hub = await hubOn(wantsUsualPorts).catch((error: Error) => {
    if (wantsUsualPorts && / is in use/.test(error.message)) return hubOn(false)
    throw error
  })
  const { bootstrap, connect } = parts.hub
  onUp({ what: 'hub', where: `Kafka ${bootstrap}, Connect ${connect?.addresses[0] ?? 'none'}`, tookMs: performance.now() - startMs })
}

/** Starts on the usual port where that is wanted and free, else on one that the system chooses. */
async function onUsualPort<T>(isWanted: boolean, port: number, start: (port: number) => Promise<T>): Promise<T> {
  if (!isWanted || !(await isPortFree(port))) return start(0)
  return start(port).catch((error: Error) => {
    if (/ is in use/.test(error.message)) return start(0)
    throw error
  })
}
