/** @module test/sim/hub-host — keeps a hub running in the simulated machine: starts it, kills it, starts it again. */
import { loadHubConfig } from '../../hub/config/index.ts'
import { createHub, type Hub } from '../../hub/hub.ts'
import { type MemoryLogger, memoryLogger } from '../../hub/observe/index.ts'
import { DATA_DIRECTORY } from './device.ts'
import { HUB_SETTINGS } from './hub-settings.ts'
import type { SimProcess, SimWorld } from './world.ts'

const PORT = 9092
export const BOOTSTRAP = `127.0.0.1:${PORT}`

type LoadedConfig = Awaited<ReturnType<typeof loadHubConfig>>

/** See the module. */
export class HubHost {
  readonly log: MemoryLogger = memoryLogger()
  readonly #world: SimWorld
  readonly #config: LoadedConfig
  #lifeCount = 0
  #process: SimProcess | undefined
  #hub: Hub | undefined
  #toldCount = 0
  /** Why the last start failed. */
  lastFailure: unknown

  constructor(world: SimWorld, config: LoadedConfig) {
    this.#world = world
    this.#config = config
  }

  static async configured(world: SimWorld): Promise<HubHost> {
    // Without a watch over the space that is left, more writes meet the end of it.
    const noWatch = { 'millrace.disk.free.bytes.min': '0', 'millrace.disk.free.bytes.resume': '0' }
    const seeded = world.scheduler.random.float() < 0.5 ? noWatch : {}
    const settings = { ...HUB_SETTINGS, ...seeded, 'log.dirs': DATA_DIRECTORY, listeners: `PLAINTEXT://${BOOTSTRAP}` }
    const config = await loadHubConfig({ overrides: Object.entries(settings).map(([key, value]) => `${key}=${value}`) })
    return new HubHost(world, config)
  }

  get process(): SimProcess | undefined {
    return this.#process
  }
  get isServing(): boolean {
    return this.#hub !== undefined
  }
  /** Whether a process of it runs, serving or not. */
  get isAlive(): boolean {
    return this.#process !== undefined
  }

  /** Starts a process; it serves when `isServing`. A start that fails ends the process. */
  start(): void {
    const process = this.#world.process(`hub.${++this.#lifeCount}`)
    this.#process = process
    createHub(this.#config, { clock: process.clock, random: process.random, disk: process.disk, net: process.net, logger: this.log }).then(
      (hub) => {
        if (this.#process === process) this.#hub = hub
      },
      (error: unknown) => {
        this.lastFailure = error
        this.#world.scheduler.tell(process.task.name, `start failed: ${(error as Error).message}`)
        this.kill()
      },
    )
  }

  /** kill −9. */
  kill(): void {
    this.#process?.kill()
    this.#process = undefined
    this.#hub = undefined
  }

  /** Ends it in order; kills it when it is not serving. */
  stop(): void {
    const [process, hub] = [this.#process, this.#hub]
    this.#hub = undefined
    if (process === undefined || hub === undefined) {
      this.kill()
      return
    }
    this.#world.scheduler.tell(process.task.name, 'told to end')
    const end = (): void => {
      if (this.#process === process) this.kill()
    }
    hub.close().then(end, end)
  }

  /** Writes into the trace what the hub has logged since the last call. */
  tellLog(): void {
    const { entries } = this.log
    for (; this.#toldCount < entries.length; this.#toldCount++) {
      const entry = entries[this.#toldCount]
      if (entry === undefined || entry.level === 'debug') continue
      const facts = JSON.stringify(entry.facts, (_, value: unknown) => (value instanceof Error ? `${value.name}: ${value.message}` : value))
      this.#world.scheduler.tell('hub log', `${entry.level}: ${entry.message} ${facts}`)
    }
  }
}
