/** @module connect/plugins/loader — imports what a connector's configuration names, in that connector's thread, when it is needed. */
import { ConfigException, isPlugin, type PluginKind } from '@millrace/sdk'
import { CONNECTOR_KINDS, connectorRefusal, pluginRefusal, resolvePlugin } from './catalog.ts'
import { importModule, type ModuleImporter } from './modules.ts'
import type { PluginDescription, PluginLoader } from './types.ts'

/**
 * A loader over what the inspection thread has found. A name that means no plugin of its kind, and a module that no longer gives what was
 * found in it, reject with a ConfigException for the user; what a module throws while it is imported comes through.
 */
export function createPluginLoader(plugins: readonly PluginDescription[], load: ModuleImporter = importModule): PluginLoader {
  return {
    async load<P>(name: string, kind: PluginKind): Promise<P> {
      const resolution = resolvePlugin(plugins, name, [kind])
      if (resolution.outcome !== 'found') {
        const isConnector = CONNECTOR_KINDS.includes(kind)
        throw new ConfigException(isConnector ? connectorRefusal(plugins, name, resolution) : pluginRefusal(name, resolution))
      }
      const { moduleUrl, exportName, class: className } = resolution.plugin
      const found = (await load(moduleUrl))[exportName]
      if (!isPlugin(found) || found.class !== className || found.kind !== kind) {
        throw new ConfigException(
          `${moduleUrl} no longer exports ${className} as ${exportName}; restart the worker to look for plugins again`,
        )
      }
      return found as P
    },
  }
}
