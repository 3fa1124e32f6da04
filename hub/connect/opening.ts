/**
 * @module connect/opening — what a worker needs before it can work: its three stores, read to their ends, and the list of plugins. Goes on
 * trying: a broker that is away comes back, a topic that is refused can be set right while the worker runs.
 */
import { resolve } from 'node:path'
import type { ConnectConfig } from '../config/index.ts'
import type { Disk, World } from '../io/index.ts'
import type { Logger } from '../observe/index.ts'
import type { Catalog } from './plugins/types.ts'
import { openConfigStore } from './stores/config-store.ts'
import { openOffsetStore } from './stores/offset-store.ts'
import { openStatusStore } from './stores/status-store.ts'
import type { ConfigStore, OffsetStore, StatusStore } from './stores/types.ts'
import type { TaskSettings } from './tasks/types.ts'

/** Between attempts to open what was refused. */
const RETRY_MS = 5_000

/** The stores of a worker. */
export interface Stores {
  readonly config: ConfigStore
  readonly offset: OffsetStore
  readonly status: StatusStore
}

export interface OpeningOptions {
  readonly config: ConnectConfig
  readonly world: World
  readonly logger: Logger
  /** Looks for plugins. */
  readonly plugins: () => Promise<Catalog>
  readonly signal: AbortSignal
}

/** The opening of a worker. */
export class Opening {
  readonly #options: OpeningOptions
  #trouble: string | undefined

  constructor(options: OpeningOptions) {
    this.#options = options
  }

  /** Why it does not open; undefined while nothing is known. */
  get trouble(): string | undefined {
    return this.#trouble
  }

  /** Resolves when all is open; rejects only when the signal aborts. */
  async run(): Promise<Stores> {
    const { world, logger, plugins, signal } = this.#options
    const options = { config: this.#options.config, world, logger, signal }
    // Side by side: none needs another.
    const [catalog, ...opened] = await Promise.allSettled([
      this.#untilItWorks('plugins', plugins),
      this.#untilItWorks('the config topic', () => openConfigStore(options)),
      this.#untilItWorks('the offset topic', () => openOffsetStore(options)),
      this.#untilItWorks('the status topic', () => openStatusStore(options)),
    ])
    const [config, offset, status] = opened
    if (catalog.status === 'rejected' || config.status === 'rejected' || offset.status === 'rejected' || status.status === 'rejected') {
      await Promise.allSettled(opened.flatMap((store) => (store.status === 'fulfilled' ? [store.value.close()] : [])))
      signal.throwIfAborted()
      throw new Error('the stores could not be opened')
    }
    for (const { path, message } of catalog.value.problems) logger.warn('a plugin cannot be used', { path, cause: message })
    return { config: config.value, offset: offset.value, status: status.value }
  }

  async #untilItWorks<T>(what: string, attempt: () => Promise<T>): Promise<T> {
    const { logger, world, signal } = this.#options
    for (;;) {
      try {
        return await attempt()
      } catch (error) {
        signal.throwIfAborted()
        const trouble = `${what}: ${error instanceof Error ? error.message : String(error)}`
        if (trouble !== this.#trouble) logger.error('the Connect worker cannot start and tries again', { cause: trouble })
        this.#trouble = trouble
        await world.clock.sleep(RETRY_MS, signal)
      }
    }
  }
}

/** Closes all of them, whatever becomes of one. */
export async function closeStores({ config, offset, status }: Stores): Promise<void> {
  await Promise.allSettled([config.close(), offset.close(), status.close()])
}

/** The folders of plugins; without the default one when it is not there: nobody asked for it. */
export async function pluginFolders(config: ConnectConfig, disk: Disk): Promise<readonly string[]> {
  if (config.isPluginPathSet) return config.pluginPaths
  const facts = await Promise.all(config.pluginPaths.map((path) => disk.facts(resolve(path)).catch(() => undefined)))
  return config.pluginPaths.filter((_path, index) => facts[index] !== undefined)
}

/** What a worker's settings mean for its tasks. */
export function taskSettings({ worker, text }: ConnectConfig): TaskSettings {
  return {
    groupId: worker['group.id'],
    offsetStorageTopic: worker['offset.storage.topic'],
    offsetFlushIntervalMs: worker['offset.flush.interval.ms'],
    offsetFlushTimeoutMs: worker['offset.flush.timeout.ms'],
    topicCreationEnable: worker['topic.creation.enable'],
    workerConfig: text,
  }
}

/**
 * A start of the worker is a generation of a group of one: higher than what any status tells, so that the statuses of a worker that had
 * another address yield (a status gives way to its own worker or to a higher generation only).
 */
export function nextGeneration({ config, status }: Stores): number {
  let highest = 0
  for (const name of config.connectors.keys()) {
    highest = Math.max(highest, status.connector(name)?.generation ?? 0)
    for (const task of status.tasks(name)) highest = Math.max(highest, task.status.generation)
  }
  return highest + 1
}
