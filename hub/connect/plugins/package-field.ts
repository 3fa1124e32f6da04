/**
 * @module connect/plugins/package-field — the `"millrace"` field by which a package says which of its modules exports plugins.
 *
 * ```json
 * "millrace": { "plugins": "./plugins.js" }
 * "millrace": { "plugins": { "millrace-source": "./index.ts", "default": "./dist/index.js" } }
 * ```
 * The second form chooses as Node's `exports` does: the first condition in the object's order that holds.
 */

/** What a package.json says. `path` is relative to the package's folder. */
export type PluginField =
  | { readonly kind: 'module'; readonly path: string }
  /** There is no field: the package makes no claim to be a plugin. */
  | { readonly kind: 'absent' }
  | { readonly kind: 'broken'; readonly why: string }

/** Conditions that hold in every Node process. */
const ALWAYS = ['node', 'import', 'module-sync', 'default']

/** The conditions of a process that was started with these arguments (`--conditions=x`, `--conditions x`, `-C x`). */
export function conditionsOf(execArgv: readonly string[], nodeOptions = ''): ReadonlySet<string> {
  const conditions = new Set(ALWAYS)
  const words = [...nodeOptions.split(/\s+/), ...execArgv]
  words.forEach((word, index) => {
    const inline = /^(?:--conditions|-C)=(.+)$/.exec(word)?.[1]
    const next = word === '--conditions' || word === '-C' ? words[index + 1] : undefined
    const condition = inline ?? next
    if (condition !== undefined) conditions.add(condition)
  })
  return conditions
}

/** Reads the text of a package.json. */
export function pluginFieldOf(packageJson: string, conditions: ReadonlySet<string>): PluginField {
  let parsed: unknown
  try {
    parsed = JSON.parse(packageJson)
  } catch (error) {
    return { kind: 'broken', why: `its package.json is no JSON (${(error as Error).message})` }
  }
  if (!isRecord(parsed) || parsed['millrace'] === undefined) return { kind: 'absent' }
  const field = parsed['millrace']
  const plugins = isRecord(field) ? field['plugins'] : undefined
  if (typeof plugins === 'string') return moduleAt(plugins)
  if (!isRecord(plugins)) {
    return { kind: 'broken', why: '"millrace" must be {"plugins": "./module.js"}, or an object of conditions in place of the path' }
  }
  const chosen = Object.entries(plugins).find(([condition]) => conditions.has(condition))?.[1]
  if (chosen === undefined) return { kind: 'broken', why: `none of the conditions ${Object.keys(plugins).join(', ')} holds; add "default"` }
  return typeof chosen === 'string' ? moduleAt(chosen) : { kind: 'broken', why: 'a condition of "millrace.plugins" must give a path' }
}

/** Names of a package's dependencies, in their order. */
export function dependenciesOf(packageJson: string): readonly string[] {
  const parsed: unknown = JSON.parse(packageJson)
  const dependencies = isRecord(parsed) ? parsed['dependencies'] : undefined
  return isRecord(dependencies) ? Object.keys(dependencies) : []
}

function moduleAt(path: string): PluginField {
  if (path.startsWith('./') && !path.split('/').includes('..')) return { kind: 'module', path }
  return { kind: 'broken', why: `the path ${path} in "millrace.plugins" must begin with ./ and stay in the package` }
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
