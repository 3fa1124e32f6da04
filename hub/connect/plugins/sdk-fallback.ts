/**
 * @module connect/plugins/sdk-fallback — lets a plugin file that lies in a folder without node_modules find `@millrace/sdk`.
 *
 * A plugin's own copy of the SDK wins where it has one (plugins are recognised by brand, so copies get along); where Node's resolution
 * finds none, the hub's copy is given.
 */
import { registerHooks } from 'node:module'

const SDK = /^@millrace\/sdk(\/|$)/
let isInstalled = false

/** Registers the fallback for the modules of this thread. Further calls do nothing. */
export function installSdkFallback(): void {
  if (isInstalled) return
  isInstalled = true
  registerHooks({
    resolve(specifier, context, nextResolve) {
      if (!SDK.test(specifier)) return nextResolve(specifier, context)
      try {
        return nextResolve(specifier, context)
      } catch (error) {
        // A subpath that the plugin's own copy lacks stays an error: another copy's would be of another version.
        if ((error as { code?: unknown }).code !== 'ERR_MODULE_NOT_FOUND') throw error
        return nextResolve(specifier, { ...context, parentURL: import.meta.url })
      }
    },
  })
}
