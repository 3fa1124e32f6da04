/** @module connect/plugins/modules — how a plugin's module gets into a thread. */
import { installSdkFallback } from './sdk-fallback.ts'

/** Imports the module at a file: address. */
export type ModuleImporter = (moduleUrl: string) => Promise<Readonly<Record<string, unknown>>>

/** Node's `import()`, with the hub's SDK within reach. Node keeps what is imported: a second import is free. */
export const importModule: ModuleImporter = async (moduleUrl) => {
  installSdkFallback()
  return (await import(moduleUrl)) as Readonly<Record<string, unknown>>
}
