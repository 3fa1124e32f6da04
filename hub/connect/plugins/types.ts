/**
 * @module connect/plugins/types — plugins as the worker knows them: where each one lies, and how they are found and asked.
 *
 * Plugin code runs in threads only: the main thread sees these descriptions. An inspection thread imports every plugin once, to list,
 * describe and validate; a connector's thread imports what its configuration names.
 */
import type { PluginKind } from '@millrace/sdk'
import type { ConfigInfos, ConfigKeyInfo, ConfigText } from '../types.ts'

/** A plugin: enough to list it, to resolve names to it and to import it. Plain data, passed between threads. */
export interface PluginDescription {
  readonly class: string
  readonly kind: PluginKind
  readonly version: string
  readonly aliases: readonly string[]
  /** `task.class` of its tasks; null for plugins that are no connectors. */
  readonly taskClass: string | null
  /** The types of its keys, PASSWORD among them: by these the main thread knows what it must not show. */
  readonly configTypes: Readonly<Record<string, string>>
  /** file: address of the module that exports it. */
  readonly moduleUrl: string
  readonly exportName: string
}

/** Something in plugin.path or among the dependencies that cannot be used; the worker goes on without it. */
export interface PluginProblem {
  /** Path of the package, folder or file. */
  readonly path: string
  /** Cause and remedy in one line. */
  readonly message: string
}

/** All plugins of a worker. */
export interface Catalog {
  readonly plugins: readonly PluginDescription[]
  readonly problems: readonly PluginProblem[]
}

/** Imports plugins by the names that configurations give; a name that is none rejects with a sentence for the user. */
export interface PluginLoader {
  load<P>(name: string, kind: PluginKind): Promise<P>
}

/** What the inspection thread can be asked. All may reject with a ConnectRequestError. */
export interface Inspector {
  /** Scans and imports; the same answer again until the thread is started anew. */
  catalog(): Promise<Catalog>
  /** `GET /connector-plugins/{p}/config` */
  describe(pluginName: string): Promise<readonly ConfigKeyInfo[]>
  /**
   * `PUT /connector-plugins/{p}/config/validate` and the check before a create or a change. `config` has its provider values resolved,
   * `written` is what the user wrote: echoed where they differ.
   */
  validate(request: ValidateRequest): Promise<ConfigInfos>
  close(): Promise<void>
}

export interface ValidateRequest {
  readonly config: ConfigText
  readonly written: ConfigText
  /** Passwords, and texts that config providers gave, which may be parts of values (the password in an address): no error shows them. Default: none. */
  readonly secrets?: readonly string[]
}
