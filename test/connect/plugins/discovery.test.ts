import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { discoverPlugins, type Discovery } from '../../../hub/connect/plugins/discovery.ts'
import { memoryClock, nodeClock, nodeDisk } from '../../../hub/io/index.ts'
import { nativeImport, pluginFolder, sourceModule } from './plugin-folder.ts'

const conditions = new Set(['millrace-source', 'node', 'import', 'default'])

function discover(...pluginPaths: string[]): Promise<Discovery> {
  return discoverPlugins({ pluginPaths, disk: nodeDisk(), clock: nodeClock(), conditions, importModule: nativeImport })
}

/** Classes of plugins that lie in a folder. */
function classesIn(discovery: Discovery, folder: string): string[] {
  return discovery.plugins.filter((plugin) => plugin.moduleUrl.includes(folder)).map((plugin) => plugin.class)
}

/** Problems that were met in a folder, by their place in it. */
function problemsIn(discovery: Discovery, folder: string): Record<string, string> {
  const inside = discovery.problems.filter(({ path }) => path.startsWith(folder))
  return Object.fromEntries(inside.map(({ path, message }) => [path.slice(folder.length + 1), message]))
}

describe('discovery in plugin.path', () => {
  it('takes single files, and finds the SDK for them where there is no node_modules', async () => {
    await using folder = await pluginFolder({
      'one.ts': `${sourceModule({ class: 'a.One', aliases: ['one'] })}\nconst typed: number = 1\nexport default source`,
      'two.mjs': sourceModule({ class: 'a.Two', version: '2.1.0' }),
      'three.js': sourceModule({ class: 'a.ThreeConnector' }).replace('defineSource({', "defineSource({ taskClass: 'a.Work',"),
      'package.json': { name: 'folder-of-plugins', type: 'module' },
      'types.d.ts': 'export {}',
      'one.test.ts': 'throw new Error("a test is no plugin")',
      'README.md': 'nothing to import',
    })
    const found = await discover(folder.path)
    expect(problemsIn(found, folder.path)).toEqual({})
    const plugins = found.plugins.filter((plugin) => plugin.moduleUrl.includes(folder.path))
    const configTypes = { topic: 'STRING' }
    expect(plugins.map(({ moduleUrl: _moduleUrl, exportName: _exportName, ...facts }) => facts)).toEqual([
      { class: 'a.One', kind: 'source', version: '1.0.0', aliases: ['one'], taskClass: 'a.One', configTypes },
      { class: 'a.ThreeConnector', kind: 'source', version: '1.0.0', aliases: [], taskClass: 'a.Work', configTypes },
      { class: 'a.Two', kind: 'source', version: '2.1.0', aliases: [], taskClass: 'a.Two', configTypes },
    ])
    expect(found.loaded.get(plugins[0]!)?.class).toBe('a.One')
  })

  it('finds the testing part of the SDK too', async () => {
    await using folder = await pluginFolder({
      'tested.ts': `import * as testing from '@millrace/sdk/testing'\n${sourceModule({ class: 'a.Tested' })}\nexport const count = Object.keys(testing).length`,
    })
    expect(classesIn(await discover(folder.path), folder.path)).toEqual(['a.Tested'])
  })

  it('takes packages by their millrace field, by condition, from sub folders and node_modules', async () => {
    const byCondition = { plugins: { 'millrace-source': './source.js', default: './dist.js' } }
    await using folder = await pluginFolder({
      'sub/package.json': { name: 'sub', type: 'module', millrace: byCondition },
      'sub/source.js': sourceModule({ class: 'p.Source' }),
      'sub/dist.js': sourceModule({ class: 'p.Dist' }),
      'node_modules/.package-lock.json': { lockfileVersion: 3 },
      'node_modules/.bin/tool': '#!/bin/sh',
      'node_modules/plain/package.json': { name: 'plain' },
      'node_modules/plain/index.js': 'throw new Error("never imported")',
      'node_modules/withfield/package.json': { name: 'withfield', type: 'module', millrace: { plugins: './x.js' } },
      'node_modules/withfield/x.js': sourceModule({ class: 'n.Installed' }),
      'node_modules/@scope/inner/package.json': { name: '@scope/inner', type: 'module', millrace: { plugins: './x.js' } },
      'node_modules/@scope/inner/x.js': sourceModule({ class: 'n.Scoped' }),
      'data/notes.txt': 'a folder without a package is nobody’s problem',
    })
    const found = await discover(folder.path)
    expect(problemsIn(found, folder.path)).toEqual({})
    expect(classesIn(found, folder.path)).toEqual(['n.Installed', 'n.Scoped', 'p.Source'])
    const packaged = await discoverPlugins({
      pluginPaths: [join(folder.path, 'sub')],
      disk: nodeDisk(),
      clock: nodeClock(),
      conditions: new Set(['node', 'import', 'default']),
      importModule: nativeImport,
    })
    expect(classesIn(packaged, folder.path)).toEqual(['p.Dist'])
  })

  it('a path that is a package is that package and nothing else; a path that is a file is that file; twice the same counts once', async () => {
    await using folder = await pluginFolder({
      'pack/package.json': { name: 'pack', type: 'module', millrace: { plugins: './index.js' } },
      'pack/index.js': sourceModule({ class: 'p.Pack' }),
      'pack/other.js': sourceModule({ class: 'p.Other' }),
      'lone.ts': sourceModule({ class: 'p.Lone' }),
    })
    const pack = join(folder.path, 'pack')
    const found = await discover(pack, join(folder.path, 'lone.ts'), pack)
    expect(problemsIn(found, folder.path)).toEqual({})
    expect(classesIn(found, folder.path)).toEqual(['p.Lone', 'p.Pack'])
  })

  it('tells each problem with path, cause and remedy, and goes on', async () => {
    await using folder = await pluginFolder({
      'throws.ts': 'throw new TypeError("no such luck\\nsecond line")',
      'syntax.ts': 'export const = 1',
      'empty.ts': 'export const nothing = 1',
      'unusable.ts': sourceModule({ class: 'with space' }),
      'good.ts': sourceModule({ class: 'g.Good' }),
      'twin.ts': sourceModule({ class: 'g.Good' }),
      'nofield/package.json': { name: 'nofield' },
      'broken/package.json': '{ "millrace": ',
      'wrong/package.json': { millrace: './index.js' },
      'outside/package.json': { millrace: { plugins: '../good.ts' } },
      'lost/package.json': { millrace: { plugins: './nowhere.js' } },
      'java/connector.jar': 'PK',
    })
    const missing = join(folder.path, 'missing')
    const found = await discover(folder.path, missing)
    expect(classesIn(found, folder.path)).toEqual(['g.Good'])
    expect(problemsIn(found, folder.path)).toEqual({
      'throws.ts': 'cannot be imported: TypeError: no such luck; correct it or take it out of plugin.path',
      'syntax.ts': expect.stringMatching(
        /^cannot be imported: SyntaxError: .* \(\S*syntax\.ts:1\); correct it or take it out of plugin.path$/,
      ),
      'empty.ts': 'exports no plugin; export what defineSource, defineSink … returned, or keep it in a sub folder',
      'unusable.ts': 'its export source cannot be used: class must be a name without spaces',
      'twin.ts': `source g.Good is already given by ${join(folder.path, 'good.ts')}, which is used; give it another class, or take one of them away`,
      nofield: 'its package.json has no "millrace" field; add {"millrace": {"plugins": "./module.js"}}',
      broken: expect.stringMatching(/^its package.json is no JSON \(.*\); correct it there$/),
      wrong: expect.stringMatching(/^"millrace" must be/),
      outside: expect.stringContaining('must begin with ./ and stay in the package'),
      lost: expect.stringMatching(/^cannot be imported: Error.*nowhere\.js/),
      java: 'connector.jar is a Java plugin; Millrace runs plugins written in JavaScript or TypeScript',
      missing: 'there is no such folder or file; correct plugin.path',
    })
  })

  it('goes on whatever a module throws, and whatever its exports are', async () => {
    const branded = `export const plugin = { [Symbol.for('millrace.Plugin')]: 'source', kind: 'source', class: 'h.X', version: '1', config: {}`
    await using folder = await pluginFolder({
      'then.mjs': 'export const then = (resolve) => resolve(undefined)',
      'proxy.mjs': 'export default new Proxy({}, { has() { throw new Error("no look") } })',
      'getter.mjs': `${branded}, get aliases() { throw new Error('no alias') } }`,
      'task.mjs': `${branded}, taskClass: () => 1, run() {} }`,
      'idle.mjs': `${branded} }`,
      'keys.mjs': `${branded.replace('config: {}', 'config: { k: null }')} }`,
      'message.mjs': 'throw Object.assign(new Error("x"), { message: 5 })',
      'bare.mjs': 'throw Object.create(null)',
      'good.mjs': sourceModule({ class: 'h.Good' }),
    })
    const found = await discover(folder.path)
    expect(classesIn(found, folder.path)).toEqual(['h.Good'])
    // The list goes to other threads.
    expect(structuredClone(found.plugins)).toEqual(found.plugins)
    expect(problemsIn(found, folder.path)).toEqual({
      'then.mjs': expect.stringMatching(/^exports no plugin/),
      'proxy.mjs': 'its export default cannot be used: Error: no look',
      'getter.mjs': 'its export plugin cannot be used: Error: no alias',
      'task.mjs': 'its export plugin cannot be used: taskClass must be a name',
      'idle.mjs': 'its export plugin cannot be used: it has no function run',
      'keys.mjs': 'its export plugin cannot be used: config.k has no type; config must be what defineConfig returned',
      'message.mjs': 'cannot be imported: Error: 5; correct it or take it out of plugin.path',
      'bare.mjs': 'cannot be imported: it throws something that cannot be shown; correct it or take it out of plugin.path',
    })
  })

  it('gives up a module whose top level never ends', async () => {
    await using folder = await pluginFolder({ 'hangs.ts': 'export {}', 'good.ts': sourceModule({ class: 'g.AfterHang' }) })
    const clock = memoryClock()
    const found = discoverPlugins({
      pluginPaths: [folder.path],
      disk: nodeDisk(),
      clock,
      conditions,
      importTimeoutMs: 500,
      importModule: (moduleUrl) => {
        if (!moduleUrl.endsWith('hangs.ts')) return nativeImport(moduleUrl)
        queueMicrotask(() => void clock.advance(500))
        return new Promise(() => {})
      },
    })
    expect(problemsIn(await found, folder.path)).toEqual({ 'hangs.ts': 'is not imported after 500 ms; let its top level not wait' })
    expect(classesIn(await found, folder.path)).toEqual(['g.AfterHang'])
  })
})

describe('discovery among hub’s dependencies', () => {
  it('finds the connectors, converters and transforms of a default install', async () => {
    const found = await discover()
    expect(found.problems).toEqual([])
    const classes = new Set(found.plugins.map((plugin) => `${plugin.kind} ${plugin.class}`))
    for (const expected of [
      'source org.apache.kafka.connect.file.FileStreamSourceConnector',
      'sink org.apache.kafka.connect.file.FileStreamSinkConnector',
      'converter org.apache.kafka.connect.json.JsonConverter',
      'converter org.apache.kafka.connect.storage.StringConverter',
      'header_converter org.apache.kafka.connect.storage.SimpleHeaderConverter',
      'transformation org.apache.kafka.connect.transforms.InsertField$Value',
      'predicate org.apache.kafka.connect.transforms.predicates.TopicNameMatches',
    ]) {
      expect(classes).toContain(expected)
    }
  })
})
