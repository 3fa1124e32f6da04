/** @module connect/checks — what is asked of plugins before a connector is stored, and for lists and forms. */
import type { ConnectConfig } from '../config/index.ts'
import type { World } from '../io/index.ts'
import type { Logger } from '../observe/index.ts'
import { createThreadInspector } from './inspector.ts'
import { Passwords, standsForPasswords } from './passwords.ts'
import type { Catalog, Inspector, PluginDescription, PluginProblem } from './plugins/types.ts'
import { createProvide, type Provide, providerNames } from './provided.ts'
import { patched } from './requests.ts'
import { type ConfigInfos, type ConfigKeyInfo, type ConfigText, ConnectRequestError, type PluginInfo } from './types.ts'
import { createInspection } from './validation/inspection.ts'
import { invalidConfigMessage } from './validation/refusal.ts'

/** What the checks of a worker are made of. */
export interface ChecksOptions {
  readonly config: ConnectConfig
  readonly world: World
  readonly logger: Logger
  readonly pluginPaths: readonly string[]
  /** Default: in a thread of its own, with isolation `inline` on this one. */
  readonly inspector?: Inspector | undefined
  /** Variables for `${env:…}`. */
  readonly environment: Readonly<Record<string, string | undefined>>
}

/** Questions to the inspection, values of config providers put in before. */
export class Checks {
  readonly provide: Provide
  readonly passwords: Passwords
  readonly #inspector: Inspector
  #known: readonly PluginDescription[] = []

  constructor({ config, world, logger, pluginPaths, inspector, environment }: ChecksOptions) {
    // What has a default of Kafka's own does not stand in the text.
    const workerDefaults = { 'header.converter': config.worker['header.converter'], ...config.text }
    const inspection = { pluginPaths, workerDefaults }
    this.#inspector =
      inspector ??
      (config.isolation === 'inline'
        ? createInspection({ ...inspection, disk: world.disk, clock: world.clock })
        : createThreadInspector(inspection, world.clock, logger))
    this.provide = createProvide(config.text, world.disk, environment)
    this.passwords = new Passwords({ plugins: () => this.#known, workerDefaults, providers: providerNames(config.text) })
  }

  /** The plugins as last seen: the inspection may have looked for them again since (inspector.ts). */
  get known(): readonly PluginDescription[] {
    return this.#known
  }

  async catalog(): Promise<Catalog> {
    const catalog = await this.#inspector.catalog()
    this.#known = catalog.plugins
    return catalog
  }

  /** Sorted by class. */
  async plugins(): Promise<readonly PluginInfo[]> {
    const { plugins } = await this.catalog()
    const infos = plugins.map(({ class: className, kind, version }) => ({ class: className, type: kind, version }))
    return infos.sort((one, other) => compare(one.class, other.class) || compare(one.type, other.type))
  }

  async problems(): Promise<readonly PluginProblem[]> {
    return (await this.catalog()).problems
  }

  describe(pluginName: string): Promise<readonly ConfigKeyInfo[]> {
    return this.#inspector.describe(pluginName)
  }

  /** Stored passwords in place of `[hidden]` (passwords.ts). @throws ConnectRequestError 400 where none is stored */
  async restored(config: ConfigText, stored: ConfigText | undefined): Promise<ConfigText> {
    // Only who writes it needs the definitions as they are now.
    if (standsForPasswords(config)) await this.catalog()
    return this.passwords.restored(config, stored)
  }

  /**
   * A stored configuration with some keys changed, as if it had been read, changed and written: what was a password may not become
   * readable by another plugin's name.
   */
  async patched(stored: ConfigText, patch: Readonly<Record<string, string | null>>): Promise<ConfigText> {
    await this.catalog()
    return this.passwords.restored(patched(this.passwords.shown(stored), patch), stored)
  }

  async validate(config: ConfigText): Promise<ConfigInfos> {
    const provided = await this.provide(config).catch((error: unknown) => {
      throw new ConnectRequestError(400, `A config provider failed: ${error instanceof Error ? error.message : String(error)}`)
    })
    const secrets = [...provided.secrets, ...this.passwords.valuesOf(provided.config)]
    return this.#inspector.validate({ config: provided.config, written: config, secrets })
  }

  /** @throws ConnectRequestError 400 with a line for each error */
  async demandValid(config: ConfigText): Promise<void> {
    const infos = await this.validate(config)
    if (infos.error_count > 0) throw new ConnectRequestError(400, invalidConfigMessage(infos))
    // Threads find by this what was just found valid.
    await this.catalog()
  }

  close(): Promise<void> {
    return this.#inspector.close()
  }
}

function compare(one: string, other: string): number {
  return one === other ? 0 : one < other ? -1 : 1
}
