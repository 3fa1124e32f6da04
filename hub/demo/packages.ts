/**
 * @module demo/packages — npm packages that only the demo and the tests need. They are no dependencies of `millrace`: they are looked for beside
 * it and in the folder where the command runs, and where they are missing the error says how to get them.
 */
import { readFileSync } from 'node:fs'
import { findPackageJSON } from 'node:module'
import { dirname, join } from 'node:path'
import { pathToFileURL } from 'node:url'

/** What the demo cannot do without is not there, or does not run here; the message is one line that names cause and remedy. */
export class DemoError extends Error {
  override readonly name = 'DemoError'
}

/**
 * The folder of an installed package: looked for beside this package, in the working directory, and beside the packages in `besides`, whose
 * dependency it may be. Undefined: it is installed in none of these places.
 */
export function findPackage(name: string, besides: readonly string[] = []): string | undefined {
  const places: (string | URL)[] = [import.meta.url, pathToFileURL(join(process.cwd(), 'package.json'))]
  for (const other of besides) {
    const directory = findPackage(other)
    if (directory !== undefined) places.push(pathToFileURL(join(directory, 'package.json')))
  }
  for (const place of places) {
    try {
      const file = findPackageJSON(name, place)
      if (file !== undefined) return dirname(file)
    } catch {
      // Not from here: the next place.
    }
  }
  return undefined
}

/** Loads a package that may be missing. Throws {@link DemoError} with the command that installs it. */
export async function loadPackage<T>(name: string, besides: readonly string[] = []): Promise<T> {
  const directory = findPackage(name, besides)
  if (directory === undefined) throw new DemoError(`the package ${name} is not installed; install it: npm i -D ${name}`)
  const { exports, main } = JSON.parse(readFileSync(join(directory, 'package.json'), 'utf8')) as { exports?: unknown; main?: string }
  const entry = entryOf(exports) ?? main ?? 'index.js'
  return (await import(pathToFileURL(join(directory, entry)).href)) as T
}

/** Of a package's `exports`: the file of the package's own name under the conditions of an import in Node. */
function entryOf(exports: unknown): string | undefined {
  if (typeof exports === 'string') return exports
  if (typeof exports !== 'object' || exports === null) return undefined
  for (const [key, value] of Object.entries(exports)) {
    if (!['.', 'import', 'node', 'default'].includes(key)) continue
    const entry = entryOf(value)
    if (entry !== undefined) return entry
  }
  return undefined
}
