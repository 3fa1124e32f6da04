/**
 * @module connect/plugins/discovery — imports every module that should hold plugins and looks through its exports.
 *
 * Runs plugin code, so only in a thread made for it. Nothing that a module does wrong stops the others: it becomes a
 * {@link PluginProblem}. Of two plugins with the same class and kind the first that is found wins; side-by-side versions (KIP-891) are
 * not told apart.
 */
import { type ConfigDefinition, isPlugin, type PluginFacts, type PluginKind } from '@millrace/sdk'
import type { Clock, Disk } from '../../io/index.ts'
import { importModule, type ModuleImporter } from './modules.ts'
import { conditionsOf } from './package-field.ts'
import { findPlaces, type PluginPlace } from './places.ts'
import type { Catalog, PluginDescription, PluginProblem } from './types.ts'

/** Limits of the search. */
export const DISCOVERY_DEFAULTS = {
  /** Milliseconds within which a module must have been imported: its top level may wait for something that never comes. */
  importTimeoutMs: 30_000,
} as const

export interface DiscoveryOptions {
  /** Folders and files of `plugin.path`. */
  readonly pluginPaths: readonly string[]
  readonly disk: Disk
  readonly clock: Clock
  /** Conditions by which a package's module is chosen. Default: those that this process or thread was started with. */
  readonly conditions?: ReadonlySet<string>
  readonly importTimeoutMs?: number
  /** Default: Node's `import()`. */
  readonly importModule?: ModuleImporter
}

/** A plugin's definition with its code, as the thread that imported it holds it. */
export type AnyPlugin = PluginFacts<ConfigDefinition> & { readonly kind: PluginKind }

/** What was found: the descriptions for everybody, and the plugins themselves for this thread. */
export interface Discovery extends Catalog {
  readonly loaded: ReadonlyMap<PluginDescription, AnyPlugin>
}

/** Finds and imports all plugins. Descriptions are sorted by kind and class, as lists show them. */
export async function discoverPlugins(options: DiscoveryOptions): Promise<Discovery> {
  const conditions = options.conditions ?? conditionsOf(process.execArgv, process.env['NODE_OPTIONS'])
  const { places, problems } = await findPlaces(options.disk, options.pluginPaths, conditions)
  const found = new Findings(problems)
  for (const place of places) {
    const timeoutMs = options.importTimeoutMs ?? DISCOVERY_DEFAULTS.importTimeoutMs
    const outcome = await importWithin(timeoutMs, place, options.importModule ?? importModule, options.clock)
    if ('failure' in outcome) found.problem(place, outcome.failure)
    else found.module(place, outcome.exports)
  }
  const plugins = [...found.loaded.keys()].sort(
    (one, other) => kindOrder.indexOf(one.kind) - kindOrder.indexOf(other.kind) || (one.class < other.class ? -1 : 1),
  )
  return { plugins, problems: found.problems, loaded: found.loaded }
}

/** The order of `GET /connector-plugins`. */
const kindOrder: readonly PluginKind[] = ['sink', 'source', 'transformation', 'predicate', 'converter', 'header_converter']

type ImportOutcome = { readonly exports: Readonly<Record<string, unknown>> } | { readonly failure: string }

async function importWithin(timeoutMs: number, place: PluginPlace, load: ModuleImporter, clock: Clock): Promise<ImportOutcome> {
  const loading = load(place.moduleUrl).then(
    (exports): ImportOutcome => ({ exports }),
    (error: unknown): ImportOutcome => ({ failure: `cannot be imported: ${oneLine(error)}; correct it or take it out of plugin.path` }),
  )
  const late = Promise.withResolvers<ImportOutcome>()
  const timer = clock.timer(timeoutMs, () => {
    late.resolve({ failure: `is not imported after ${timeoutMs} ms; let its top level not wait` })
  })
  try {
    return await Promise.race([loading, late.promise])
  } finally {
    timer.cancel()
  }
}

class Findings {
  readonly loaded = new Map<PluginDescription, AnyPlugin>()
  readonly problems: PluginProblem[]
  readonly #first = new Map<string, PluginPlace>()

  constructor(problems: readonly PluginProblem[]) {
    this.problems = [...problems]
  }

  problem(place: PluginPlace, message: string): void {
    this.problems.push({ path: place.path, message })
  }

  /** `exports`: whatever the import gave, which is nothing where a module exports `then`. */
  module(place: PluginPlace, exports: unknown): void {
    // The same plugin may be exported under two names, as default and by its own.
    const seen = new Set<unknown>()
    for (const [exportName, value] of Object.entries(exports ?? {})) {
      try {
        if (!isPlugin(value) || seen.has(value)) continue
        seen.add(value)
        this.#plugin(place, exportName, value)
      } catch (error) {
        // A getter or a proxy of the plugin's threw.
        seen.add(value)
        this.problem(place, `its export ${exportName} cannot be used: ${oneLine(error)}`)
      }
    }
    if (seen.size === 0)
      this.problem(place, 'exports no plugin; export what defineSource, defineSink … returned, or keep it in a sub folder')
  }

  #plugin(place: PluginPlace, exportName: string, plugin: AnyPlugin): void {
    const key = `${plugin.kind} ${plugin.class}`
    const first = this.#first.get(key)
    const why = whyUnusable(plugin)
    if (why !== undefined) {
      this.problem(place, `its export ${exportName} cannot be used: ${why}`)
    } else if (first !== undefined) {
      this.problem(place, `${key} is already given by ${first.path}, which is used; give it another class, or take one of them away`)
    } else {
      this.#first.set(key, place)
      this.loaded.set(describePlugin(plugin, place.moduleUrl, exportName), plugin)
    }
  }
}

function describePlugin(plugin: AnyPlugin, moduleUrl: string, exportName: string): PluginDescription {
  const isConnector = plugin.kind === 'source' || plugin.kind === 'sink'
  const taskClass = (plugin as { readonly taskClass?: string }).taskClass ?? plugin.class.replace(/Connector$/, 'Task')
  return {
    class: plugin.class,
    kind: plugin.kind,
    version: plugin.version,
    aliases: [...(plugin.aliases ?? [])],
    taskClass: isConnector ? taskClass : null,
    configTypes: Object.fromEntries(Object.entries(plugin.config).map(([name, { type }]) => [name, type])),
    moduleUrl,
    exportName,
  }
}

/** A plugin's facts come from JavaScript as well: believe nothing. */
function whyUnusable(plugin: AnyPlugin): string | undefined {
  const facts = plugin as { readonly [Fact in keyof AnyPlugin]?: unknown }
  if (!kindOrder.includes(plugin.kind)) return `its kind ${String(facts.kind)} is none of ${kindOrder.join(', ')}; update millrace`
  if (typeof facts.class !== 'string' || !/^\S+$/.test(facts.class)) return 'class must be a name without spaces'
  if (typeof facts.version !== 'string' || facts.version === '') return 'version must be a text such as 1.0.0'
  if (typeof facts.config !== 'object' || facts.config === null) return 'config must be what defineConfig returned'
  const brokenKey = Object.entries(facts.config).find(([, key]) => typeof (key as { type?: unknown } | null)?.type !== 'string')
  if (brokenKey !== undefined) return `config.${brokenKey[0]} has no type; config must be what defineConfig returned`
  const { aliases } = facts
  if (aliases !== undefined && !(Array.isArray(aliases) && aliases.every((alias) => typeof alias === 'string'))) {
    return 'aliases must be a list of names'
  }
  const method = plugin.kind === 'source' ? 'run' : plugin.kind === 'sink' ? 'start' : 'create'
  if (typeof (plugin as { readonly [Name in typeof method]?: unknown })[method] !== 'function') return `it has no function ${method}`
  const { taskClass } = plugin as { readonly taskClass?: unknown }
  if (taskClass !== undefined && typeof taskClass !== 'string') return 'taskClass must be a name'
  return undefined
}

/**
 * The first line of an error; a syntax error's stack may begin with the place, which is what its reader needs. Plugins throw what they like,
 * things that cannot be shown among it.
 */
function oneLine(error: unknown): string {
  try {
    if (!(error instanceof Error)) return firstLine(error)
    const place = error.name === 'SyntaxError' ? /^\S+:\d+(?=\n)/.exec(String(error.stack))?.[0] : undefined
    return `${firstLine(error.name)}: ${firstLine(error.message)}${place === undefined ? '' : ` (${place})`}`
  } catch {
    return 'it throws something that cannot be shown'
  }
}

function firstLine(text: unknown): string {
  return String(text).split('\n', 1)[0] ?? ''
}
