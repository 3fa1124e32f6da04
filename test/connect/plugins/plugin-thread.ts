/** @module test/connect/plugins/plugin-thread — a thread that finds and loads plugins by itself, as the worker's threads do. */
import type { SourcePlugin } from '@millrace/sdk'
import { parentPort, workerData } from 'node:worker_threads'
import { discoverPlugins } from '../../../hub/connect/plugins/discovery.ts'
import { createPluginLoader } from '../../../hub/connect/plugins/loader.ts'
import { nodeClock, nodeDisk } from '../../../hub/io/index.ts'

const { path, name } = workerData as { readonly path: string; readonly name: string }
const { plugins, problems } = await discoverPlugins({ pluginPaths: [path], disk: nodeDisk(), clock: nodeClock() })
const plugin = await createPluginLoader(plugins).load<SourcePlugin>(name, 'source')
parentPort?.postMessage({
  plugins,
  problems: problems.filter((problem) => problem.path.startsWith(path)),
  loaded: { class: plugin.class, keys: Object.keys(plugin.config) },
})
