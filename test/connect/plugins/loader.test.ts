import type { SourcePlugin } from '@millrace/sdk'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { discoverPlugins } from '../../../hub/connect/plugins/discovery.ts'
import { createPluginLoader } from '../../../hub/connect/plugins/loader.ts'
import { nodeClock, nodeDisk } from '../../../hub/io/index.ts'
import { nativeImport, pluginFolder, sourceModule } from './plugin-folder.ts'

describe('plugin loader', () => {
  it('imports what a name means, when it is asked for, and refuses other kinds and names', async () => {
    await using folder = await pluginFolder({ 'a.ts': sourceModule({ class: 'l.LinesConnector' }) })
    const { plugins } = await discoverPlugins({
      pluginPaths: [folder.path],
      disk: nodeDisk(),
      clock: nodeClock(),
      importModule: nativeImport,
    })
    const imported: string[] = []
    const loader = createPluginLoader(plugins, (moduleUrl) => {
      imported.push(moduleUrl)
      return nativeImport(moduleUrl)
    })
    expect(imported).toEqual([])
    const plugin = await loader.load<SourcePlugin>('Lines', 'source')
    expect({ class: plugin.class, kind: plugin.kind }).toEqual({ class: 'l.LinesConnector', kind: 'source' })
    expect(imported).toEqual([expect.stringContaining('a.ts')])
    await expect(loader.load('Lines', 'sink')).rejects.toThrow(
      'Failed to find any class that implements Connector and which name matches Lines, available connectors are: ',
    )
    await expect(loader.load('bogus', 'converter')).rejects.toThrow('Class bogus could not be found.')
  })

  it('notices that a module changed since it was looked through', async () => {
    await using folder = await pluginFolder({ 'a.ts': 'export const other = 1' })
    const moduleUrl = new URL(`file://${join(folder.path, 'a.ts')}`).href
    const facts = { class: 'l.Gone', kind: 'source', version: '1.0.0', aliases: [], taskClass: 'l.Gone', configTypes: {} } as const
    const loader = createPluginLoader([{ ...facts, moduleUrl, exportName: 'source' }], nativeImport)
    await expect(loader.load('l.Gone', 'source')).rejects.toThrow(`${moduleUrl} no longer exports l.Gone as source; restart the worker`)
  })
})
