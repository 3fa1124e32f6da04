/** @module cli/plugin — `millrace plugin`: what a Connect worker has installed. */
import type { Command } from './command.ts'
import { defineVerbs } from './connector-arguments.ts'
import { pluginTable } from './connector-views.ts'

/** `millrace plugin` */
export const plugin: Command = defineVerbs('plugin', 'Lists the installed plugins.', {
  list: {
    summary: 'List the connectors that can be created.',
    options: { all: 'List converters, transformations and predicates too.' },
    async run({ rest, print }, given, io) {
      const plugins = await rest.plugins(!given.flag('all'), io.signal)
      print(plugins, pluginTable(plugins))
      return 0
    },
  },
})
