/**
 * @module connect/herder — the Connect worker: takes requests, keeps the three stores, and a runner for each connector.
 *
 * ```
 *   request ─▶ check (inspector) ─▶ config topic ─▶ read back ─▶ runner of the connector: decide, perform, show (connector-runner.ts)
 * ```
 * A write is answered once it stands in the config topic; the work that follows is the runner's. The stores are opened in the background:
 * `createConnect` resolves at once, requests wait for the opening, within their time.
 */
import type { ConnectConfig } from '../config/index.ts'
import type { World } from '../io/index.ts'
import type { Logger, LogLevel } from '../observe/index.ts'
import type { Connect, NewConnector } from './connect.ts'
import { Checks } from './checks.ts'
import { createHosts, type Hosts } from './hosts.ts'
import { sinkGroupId, sinkOffsets, sourceOffsets } from './offsets-view.ts'
import { nextGeneration, Opening, closeStores, pluginFolders, type Stores, taskSettings } from './opening.ts'
import { standsForPasswords } from './passwords.ts'
import type { Inspector } from './plugins/types.ts'
import { named, refusals, withName } from './requests.ts'
import type { RunnerWorld } from './runner-world.ts'
import { Runners } from './runners.ts'
import type { ConnectorState } from './stores/types.ts'
import {
  type ConfigText,
  type ConnectorInfo,
  type ConnectorStateInfo,
  type ConnectorType,
  ConnectRequestError,
  type TargetState,
} from './types.ts'
import { inTime } from './time-limit.ts'
import { connectorInfo, connectorStateInfo, pluginOf, restartingInfo, stateInfo, taskInfos } from './views.ts'
import type { HostFactory } from './worker-types.ts'

/** The release of Kafka Connect whose REST API is served. */
const CONNECT_VERSION = '4.3.1'

/** Limits of a worker, in milliseconds. */
export const CONNECT_LIMITS = {
  /** A request waits so long for the worker to start, for a write to stand, for a restart to be done. Upstream's figure. */
  requestMsMax: 90_000,
  /** For statuses and stores at the end, beyond the grace of the tasks. */
  closeMsMax: 5_000,
} as const

export interface ConnectOptions {
  readonly config: ConnectConfig
  readonly world: World
  readonly logger: Logger
  /** `host:port` of the advertised REST address. */
  readonly workerId: string
  /** Default `''`. */
  readonly kafkaClusterId?: string
  /** Default: by `millrace.tasks.isolation`. */
  readonly hosts?: HostFactory
  /** Default: in a thread of its own, with isolation `inline` on this one. */
  readonly inspector?: Inspector
  /** From which level on plugins' log lines cross to the main thread. Default `info`. */
  readonly logLevel?: LogLevel
  /** Variables for `${env:…}`. Default: those of the process. */
  readonly environment?: Readonly<Record<string, string | undefined>>
  /** Default {@link CONNECT_LIMITS}. */
  readonly requestMsMax?: number
}

/** What a started worker has. */
interface Started {
  readonly stores: Stores
  readonly runners: Runners
}

/** Starts a worker. */
export async function createConnect(options: ConnectOptions): Promise<Connect> {
  return new Herder(options, await pluginFolders(options.config, options.world.disk))
}

class Herder implements Connect {
  readonly version = CONNECT_VERSION
  readonly kafkaClusterId: string
  readonly workerId: string
  readonly #options: ConnectOptions
  readonly #hosts: Hosts | undefined
  readonly #checks: Checks
  /** The last write of each connector: checks and writes of one name happen one after another. */
  readonly #writes = new Map<string, Promise<unknown>>()
  readonly #closing = new AbortController()
  readonly #starting: Promise<Started>
  #started: Started | undefined
  readonly #opening: Opening

  constructor(options: ConnectOptions, pluginPaths: readonly string[]) {
    const { config, world, logger } = options
    this.#options = options
    this.kafkaClusterId = options.kafkaClusterId ?? ''
    this.workerId = options.workerId
    this.#hosts = options.hosts === undefined ? createHosts({ isolation: config.isolation, world, logger }) : undefined
    const { inspector, environment = process.env } = options
    this.#checks = new Checks({ config, world, logger, pluginPaths, inspector, environment })
    this.#opening = new Opening({ config, world, logger, plugins: () => this.#checks.catalog(), signal: this.#closing.signal })
    this.#starting = this.#start()
    // Whoever asks hears of it; `close` ends the waiting.
    this.#starting.catch(() => {})
  }

  async #start(): Promise<Started> {
    const stores = await this.#opening.run()
    if (this.#closing.signal.aborted) {
      await closeStores(stores)
      throw refusals.closed()
    }
    const started = { stores, runners: new Runners(this.#runnerWorld(stores)) }
    this.#started = started
    if (stores.config.connectors.size > 0) this.#hosts?.warmUp()
    return started
  }

  #runnerWorld(stores: Stores): RunnerWorld {
    const { config, world, logger, workerId, hosts } = this.#options
    const startHost = hosts ?? this.#hosts?.start
    if (startHost === undefined) throw new Error('a worker needs hosts')
    return {
      clock: world.clock,
      logger,
      logLevel: this.#options.logLevel ?? 'info',
      startHost,
      stores,
      provide: this.#checks.provide,
      settings: taskSettings(config),
      plugins: () => this.#checks.known,
      graceMs: config.worker['task.shutdown.graceful.timeout.ms'],
      tracksTopics: config.worker['topic.tracking.enable'],
      workerId,
      generation: nextGeneration(stores),
      secretsOf: (...configs) => this.#checks.passwords.valuesOf(...configs),
      versionOf: (text) => pluginOf(this.#checks.known, text)?.version ?? null,
    }
  }

  async started(): Promise<void> {
    await this.#ready()
  }

  /** The started worker, waited for as long as a request may. */
  #ready(): Promise<Started> {
    if (this.#closing.signal.aborted) return Promise.reject(refusals.closed())
    if (this.#started !== undefined) return Promise.resolve(this.#started)
    return this.#inTime(this.#starting, () => refusals.starting(this.#opening.trouble ?? 'it has not read its topics yet'))
  }

  #now(): Started {
    if (this.#started === undefined) throw refusals.starting(this.#opening.trouble ?? 'it has not read its topics yet')
    return this.#started
  }

  connectorNames(): readonly string[] {
    return [...this.#now().stores.config.connectors.keys()]
  }

  connector(name: string): ConnectorInfo | undefined {
    const state = this.#now().stores.config.connectors.get(name)
    return state === undefined ? undefined : this.#info(state)
  }

  #info(state: Pick<ConnectorState, 'name' | 'config' | 'taskConfigs'>): ConnectorInfo {
    return connectorInfo(state, this.#typeOf(state.config), this.#checks.passwords)
  }

  #typeOf(config: ConfigText | undefined): ConnectorType {
    const kind = config === undefined ? undefined : pluginOf(this.#checks.known, config)?.kind
    return kind === 'source' || kind === 'sink' ? kind : 'unknown'
  }

  status(name: string): ConnectorStateInfo | undefined {
    const { stores } = this.#now()
    if (this.#isRemnant(name)) return undefined
    return connectorStateInfo(name, stores.status, this.#typeOf(stores.config.connectors.get(name)?.config))
  }

  /** Left by a worker that died while it took the connector down; a connector that is being taken down right now has its runner. */
  #isRemnant(name: string): boolean {
    return !this.#now().stores.config.connectors.has(name) && !this.#now().runners.has(name)
  }

  taskStatus(id: { readonly connector: string; readonly task: number }): ReturnType<Connect['taskStatus']> {
    const status = this.#isRemnant(id.connector) ? undefined : this.#now().stores.status.task(id)
    return status === undefined ? undefined : { id: id.task, ...stateInfo(status) }
  }

  tasks(name: string): ReturnType<Connect['tasks']> {
    const state = this.#now().stores.config.connectors.get(name)
    return state === undefined ? undefined : taskInfos(state, this.#checks.passwords)
  }

  topics(name: string): readonly string[] {
    if (!this.#options.config.worker['topic.tracking.enable']) throw refusals.trackingOff()
    return this.#now().stores.status.topics(name)
  }

  resetTopics(name: string): void {
    const { worker } = this.#options.config
    if (!worker['topic.tracking.enable']) throw refusals.trackingOff()
    if (!worker['topic.tracking.allow.reset']) throw refusals.resetOff()
    this.#now().stores.status.resetTopics(name)
  }

  async offsets(name: string): Promise<ReturnType<Connect['offsets']> extends Promise<infer T> ? T : never> {
    const { stores } = await this.#ready()
    const state = stores.config.connectors.get(name)
    if (state === undefined) throw refusals.notFound(name)
    if (this.#typeOf(state.config) !== 'sink') return this.#inTime(sourceOffsets(name, stores.offset), lateAnswer)
    const { config } = await this.#checks.provide(state.config)
    const { world, config: own } = this.#options
    return this.#inTime(sinkOffsets(sinkGroupId(name, config), own.text, world, this.#closing.signal), lateAnswer)
  }

  health(): ReturnType<Connect['health']> {
    if (this.#closing.signal.aborted) return { status: 'unhealthy', message: 'The worker is shutting down.' }
    if (this.#started !== undefined) {
      return { status: 'healthy', message: 'Worker has completed startup and is ready to handle requests.' }
    }
    if (this.#opening.trouble !== undefined) return { status: 'unhealthy', message: `Worker cannot start: ${this.#opening.trouble}` }
    return { status: 'starting', message: 'Worker is still starting up.' }
  }

  plugins(): ReturnType<Connect['plugins']> {
    return this.#checks.plugins()
  }

  pluginProblems(): ReturnType<Connect['pluginProblems']> {
    return this.#checks.problems()
  }

  pluginConfig(pluginName: string): ReturnType<Connect['pluginConfig']> {
    return this.#checks.describe(pluginName)
  }

  async validate(config: ConfigText): ReturnType<Connect['validate']> {
    if (!standsForPasswords(config)) return this.#checks.validate(config)
    const { stores } = await this.#ready()
    const stored = stores.config.connectors.get(config['name'] ?? '')?.config
    return this.#checks.validate(await this.#checks.restored(config, stored))
  }

  #demandValid(config: ConfigText): Promise<void> {
    // While the configuration is checked and stored, a thread gets ready.
    this.#hosts?.warmUp()
    return this.#checks.demandValid(config)
  }

  async create(request: NewConnector): Promise<ConnectorInfo> {
    const { name, config } = named(request.name, request.config)
    await this.#demandValid(await this.#checks.restored(config, undefined))
    return this.#write(name, async ({ stores }) => {
      if (stores.config.connectors.has(name)) throw refusals.exists(name)
      const initialState = request.initialState ?? null
      await stores.config.putConnector(name, config, initialState)
      return this.#stored(stores, name, config)
    })
  }

  async putConfig(name: string, config: ConfigText): Promise<{ readonly isNew: boolean; readonly info: ConnectorInfo }> {
    const asked = withName(name, config).config
    // What stands for a stored password is known in its turn only.
    const isWhole = !standsForPasswords(asked)
    if (isWhole) await this.#demandValid(asked)
    return this.#write(name, async ({ stores }) => {
      const state = stores.config.connectors.get(name)
      const complete = isWhole ? asked : await this.#checks.restored(asked, state?.config)
      if (!isWhole) await this.#demandValid(complete)
      await stores.config.putConnector(name, complete, null)
      return { isNew: state === undefined, info: this.#stored(stores, name, complete) }
    })
  }

  async patchConfig(name: string, patch: Readonly<Record<string, string | null>>): Promise<ConnectorInfo> {
    return this.#write(name, async ({ stores }) => {
      const state = stores.config.connectors.get(name)
      if (state === undefined) throw refusals.notFound(name)
      const config = await this.#checks.patched(state.config, patch)
      await this.#checks.demandValid(config)
      await stores.config.putConnector(name, config, null)
      return this.#stored(stores, name, config)
    })
  }

  /** The connector as read back; what was written, should it be gone again. */
  #stored(stores: Stores, name: string, config: ConfigText): ConnectorInfo {
    const state = stores.config.connectors.get(name)
    return this.#info({ taskConfigs: [], ...state, name, config })
  }

  delete(name: string): Promise<void> {
    return this.#write(name, async ({ stores }) => {
      if (!stores.config.connectors.has(name)) throw refusals.notFound(name)
      await stores.config.removeConnector(name)
    })
  }

  pause(name: string): Promise<void> {
    return this.#putTargetState(name, 'PAUSED')
  }

  resume(name: string): Promise<void> {
    return this.#putTargetState(name, 'STARTED')
  }

  stop(name: string): Promise<void> {
    return this.#putTargetState(name, 'STOPPED')
  }

  #putTargetState(name: string, state: TargetState): Promise<void> {
    return this.#write(name, async ({ stores }) => {
      if (!stores.config.connectors.has(name)) throw refusals.unknown(name)
      // The empty list first: who reads STOPPED must not find tasks.
      if (state === 'STOPPED') await stores.config.putTasks(name, [])
      await stores.config.putTargetState(name, state)
    })
  }

  async restartConnector(name: string): Promise<void> {
    const runner = (await this.#ready()).runners.toRestart(name)
    runner.wish({ restartsConnector: true })
    await this.#inTime(runner.settled(), lateAnswer)
  }

  async restart(name: string, what: { readonly includeTasks: boolean; readonly onlyFailed: boolean }): Promise<ConnectorStateInfo> {
    const started = await this.#ready()
    started.runners.toRestart(name)
    const info = this.status(name)
    if (info === undefined) throw new ConnectRequestError(404, `Status for connector ${name} not found`)
    await this.#write(name, ({ stores }) => stores.config.putRestart(name, what))
    return restartingInfo(info, what)
  }

  async restartTask({ connector, task }: { readonly connector: string; readonly task: number }): Promise<void> {
    const started = await this.#ready()
    const runner = started.runners.toRestart(connector)
    if (task < 0 || task >= (started.stores.config.connectors.get(connector)?.taskConfigs.length ?? 0)) {
      throw refusals.unknownTask(connector, task)
    }
    runner.wish({ restartsTasks: new Set([task]) })
    await this.#inTime(runner.settled(), lateAnswer)
  }

  /** One write of a connector at a time, each within the time of a request. */
  async #write<T>(name: string, write: (started: Started) => Promise<T>): Promise<T> {
    const started = await this.#ready()
    const before = this.#writes.get(name)
    const writing = (async (): Promise<T> => {
      await before?.catch(() => {})
      return write(started)
    })()
    this.#writes.set(name, writing)
    const forget = (): void => {
      if (this.#writes.get(name) === writing) this.#writes.delete(name)
    }
    writing.then(forget, forget)
    try {
      return await this.#inTime(writing, lateWrite)
    } catch (error) {
      if (error instanceof ConnectRequestError) throw error
      throw refusals.late(`The write may still come to stand: ${error instanceof Error ? error.message : String(error)}`, error)
    }
  }

  #inTime<T>(promise: Promise<T>, late: () => Error): Promise<T> {
    const { world, requestMsMax: limitMs = CONNECT_LIMITS.requestMsMax } = this.#options
    return inTime(promise, { clock: world.clock, limitMs, signal: this.#closing.signal, late })
  }

  async close(): Promise<void> {
    if (this.#closing.signal.aborted) return
    this.#closing.abort(refusals.closed())
    const { clock } = this.#options.world
    await this.#started?.runners.close()
    await this.#hosts?.close()
    await this.#checks.close()
    const late = Promise.withResolvers<void>()
    const timer = clock.timer(CONNECT_LIMITS.closeMsMax, late.resolve)
    const end = async (): Promise<void> => {
      const started = await this.#starting.catch(() => undefined)
      if (started === undefined) return
      await started.stores.status.flush().catch(() => {})
      await closeStores(started.stores)
    }
    await Promise.race([end(), late.promise])
    timer.cancel()
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }
}

const lateAnswer = (): Error => refusals.late('The worker did not come to an end with it', undefined)
const lateWrite = (): Error => refusals.late('The write may still come to stand', undefined)
