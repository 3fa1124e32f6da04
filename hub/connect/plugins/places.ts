/**
 * @module connect/plugins/places — where plugins lie: hub's own dependencies, and what stands in the folders of `plugin.path`.
 *
 * | in a folder of plugin.path | taken |
 * |---|---|
 * | `package.json` with a "millrace" field | the package, and nothing else of the folder |
 * | `*.ts`, `*.js`, `*.mjs` (no `.d.ts`, no `.test.*`) | each file |
 * | `NAME/package.json` | the package; one without the field is a problem |
 * | `node_modules/NAME`, `node_modules/@SCOPE/NAME` | packages with the field: `npm install` in the folder installs a plugin |
 *
 * An entry of plugin.path may also be a single file.
 */
import { findPackageJSON } from 'node:module'
import { basename, dirname, join, resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import type { Disk, FileFacts } from '../../io/index.ts'
import { dependenciesOf, type PluginField, pluginFieldOf } from './package-field.ts'
import type { PluginProblem } from './types.ts'

/** A module that should export plugins. */
export interface PluginPlace {
  /** The package's folder, or the file: what a problem names. */
  readonly path: string
  /** file: address to import. */
  readonly moduleUrl: string
}

export interface Places {
  readonly places: readonly PluginPlace[]
  readonly problems: readonly PluginProblem[]
}

/** Every place, hub's own first, then `pluginPaths` in order. Places that are found twice are listed once. */
export async function findPlaces(disk: Disk, pluginPaths: readonly string[], conditions: ReadonlySet<string>): Promise<Places> {
  const search = new Search(disk, conditions)
  await search.dependencies()
  for (const path of pluginPaths) await search.pluginPath(resolve(path))
  return { places: [...search.places.values()], problems: search.problems }
}

class Search {
  readonly places = new Map<string, PluginPlace>()
  readonly problems: PluginProblem[] = []
  readonly #disk: Disk
  readonly #conditions: ReadonlySet<string>

  constructor(disk: Disk, conditions: ReadonlySet<string>) {
    this.#disk = disk
    this.#conditions = conditions
  }

  /** Packages that hub depends on: the default connectors, converters and transforms. */
  async dependencies(): Promise<void> {
    const own = findPackageJSON(import.meta.url)
    if (own === undefined) return this.#problem(import.meta.url, 'hub’s own package.json is missing; install millrace anew')
    for (const name of dependenciesOf(await this.#text(own))) {
      const found = packageJsonOf(name)
      // Only ours can be told to be plugins by their name; what else is missing is told by who imports it.
      if (found === undefined && name.startsWith('@millrace/')) this.#problem(name, 'the package is not installed; run npm install')
      if (found !== undefined) await this.#package(dirname(found), 'absent is fine')
    }
  }

  async pluginPath(path: string): Promise<void> {
    const facts = await this.#facts(path)
    if (facts === undefined) {
      const isTold = this.problems.some((problem) => problem.path === path)
      return isTold ? undefined : this.#problem(path, 'there is no such folder or file; correct plugin.path')
    }
    if (facts.kind === 'file') return this.#add(path, path)
    const asPackage = await this.#package(path, 'absent is fine')
    if (asPackage === 'module' || asPackage === 'broken') return
    const names = await this.#list(path)
    for (const name of names) {
      const entry = join(path, name)
      const kind = (await this.#facts(entry))?.kind
      if (kind === 'file' && /\.(ts|js|mjs)$/.test(name) && !/\.d\.ts$|\.test\.[^.]+$/.test(name)) this.#add(entry, entry)
      if (kind === 'directory') await this.#folder(entry)
    }
    this.#judgeJars(path, names)
  }

  /** A folder inside one of plugin.path. */
  async #folder(path: string): Promise<void> {
    if (basename(path) !== 'node_modules') {
      if ((await this.#package(path, 'absent is a problem')) === 'none') this.#judgeJars(path, await this.#list(path))
      return
    }
    for (const name of await this.#list(path)) {
      const scoped = name.startsWith('@') ? (await this.#list(join(path, name))).map((inner) => join(name, inner)) : [name]
      for (const packageName of scoped) await this.#package(join(path, packageName), 'absent is fine')
    }
  }

  /** Takes the package in a folder; `none`: the folder has no package.json. */
  async #package(path: string, rule: 'absent is fine' | 'absent is a problem'): Promise<PluginField['kind'] | 'none'> {
    const packageJson = join(path, 'package.json')
    if ((await this.#facts(packageJson)) === undefined) return 'none'
    const field = pluginFieldOf(await this.#text(packageJson), this.#conditions)
    if (field.kind === 'module') this.#add(path, join(path, field.path))
    if (field.kind === 'broken') this.#problem(path, `${field.why}; correct it there`)
    if (field.kind === 'absent' && rule === 'absent is a problem') {
      this.#problem(path, 'its package.json has no "millrace" field; add {"millrace": {"plugins": "./module.js"}}')
    }
    return field.kind
  }

  #add(path: string, modulePath: string): void {
    const moduleUrl = pathToFileURL(modulePath).href
    if (!this.places.has(moduleUrl)) this.places.set(moduleUrl, { path, moduleUrl })
  }

  /** A plugin.path that comes from a Kafka Connect worker is full of archives; say that they are not forgotten but foreign. */
  #judgeJars(path: string, names: readonly string[]): void {
    const jar = names.find((name) => name.endsWith('.jar'))
    if (jar !== undefined) this.#problem(path, `${jar} is a Java plugin; Millrace runs plugins written in JavaScript or TypeScript`)
  }

  #problem(path: string, message: string): void {
    this.problems.push({ path, message })
  }

  async #facts(path: string): Promise<FileFacts | undefined> {
    return await this.#readable(path, () => this.#disk.facts(path))
  }

  /** Without what has a point before its name: npm, git and the like keep their own there. */
  async #list(path: string): Promise<readonly string[]> {
    const names = (await this.#readable(path, () => this.#disk.list(path))) ?? []
    return names.filter((name) => !name.startsWith('.'))
  }

  async #text(path: string): Promise<string> {
    return (await this.#readable(path, () => this.#disk.readFile(path)))?.toString('utf8') ?? '{}'
  }

  /** What the system refuses to let us read is a problem of its own, and nothing else. */
  async #readable<T>(path: string, read: () => Promise<T>): Promise<T | undefined> {
    try {
      return await read()
    } catch (error) {
      if (typeof (error as { code?: unknown }).code !== 'string') throw error
      this.#problem(path, `cannot be read (${(error as Error).message}); let the hub’s user read it`)
      return undefined
    }
  }
}

/** Path of an installed dependency's package.json, whatever its `exports` hide. */
function packageJsonOf(name: string): string | undefined {
  try {
    return findPackageJSON(name, import.meta.url)
  } catch {
    return undefined
  }
}
