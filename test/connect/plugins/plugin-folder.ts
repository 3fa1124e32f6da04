/** @module test/connect/plugins/plugin-folder — temporary folders with plugin files in them, removed with `await using`. */
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import type { ModuleImporter } from '../../../hub/connect/plugins/modules.ts'
import { installSdkFallback } from '../../../hub/connect/plugins/sdk-fallback.ts'

/** A folder that is gone at the end of its scope. */
export interface PluginFolder extends AsyncDisposable {
  readonly path: string
}

/** Makes a folder with these files: path in the folder → text, or an object that becomes JSON. */
export async function pluginFolder(files: Readonly<Record<string, string | object>>): Promise<PluginFolder> {
  const path = await mkdtemp(join(tmpdir(), 'millrace-plugins-'))
  for (const [name, content] of Object.entries(files)) {
    const file = join(path, name)
    await mkdir(dirname(file), { recursive: true })
    await writeFile(file, typeof content === 'string' ? content : JSON.stringify(content))
  }
  return { path, [Symbol.asyncDispose]: () => rm(path, { recursive: true, force: true }) }
}

/** Text of a module with one source plugin. */
export function sourceModule(facts: { readonly class: string; readonly version?: string; readonly aliases?: readonly string[] }): string {
  return `
    import { defineConfig, defineSource } from '@millrace/sdk'
    export const source = defineSource({
      class: '${facts.class}', version: '${facts.version ?? '1.0.0'}', aliases: ${JSON.stringify(facts.aliases ?? [])},
      config: defineConfig({ topic: { type: 'STRING', importance: 'HIGH' } }),
      async *run() {},
    })`
}

// The test runner puts its own `import()` into every file that it loads; a data: module keeps Node's.
const importing = 'data:text/javascript,export default (moduleUrl) => import(moduleUrl)'
const { default: importNatively } = (await import(importing)) as { readonly default: ModuleImporter }

/** Imports as a plugin's thread does, past the test runner. */
export const nativeImport: ModuleImporter = (moduleUrl) => {
  installSdkFallback()
  return importNatively(moduleUrl)
}
