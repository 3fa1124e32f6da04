/** @module test/connect/validation/discovered — plugins as if they had been discovered, without files. */
import type { AnyPlugin, Discovery } from '../../../hub/connect/plugins/discovery.ts'
import type { PluginDescription } from '../../../hub/connect/plugins/types.ts'

export function discovered(...plugins: readonly AnyPlugin[]): Discovery {
  const loaded = new Map<PluginDescription, AnyPlugin>(
    plugins.map((plugin) => [
      {
        class: plugin.class,
        kind: plugin.kind,
        version: plugin.version,
        aliases: plugin.aliases ?? [],
        taskClass: null,
        configTypes: {},
        moduleUrl: 'file:///plugins.js',
        exportName: plugin.class,
      },
      plugin,
    ]),
  )
  return { plugins: [...loaded.keys()], problems: [], loaded }
}
