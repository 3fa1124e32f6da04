import { defineConfig, definePredicate, defineSource } from '@millrace/sdk'
import { describe, expect, it } from 'vitest'
import { createInspection, INSPECTION_DEFAULTS, type InspectionOptions } from '../../../hub/connect/validation/inspection.ts'
import type { Inspector } from '../../../hub/connect/plugins/types.ts'
import { type MemoryClock, memoryClock, nodeDisk } from '../../../hub/io/index.ts'
import { type PluginFolder, pluginFolder } from '../plugins/plugin-folder.ts'

interface Held extends AsyncDisposable {
  readonly inspection: Inspector
  readonly clock: MemoryClock
  /** How often the module was imported. */
  readonly importCount: () => number
}

/** An inspection of one file whose module exports what is given. */
async function inspect(exports: Readonly<Record<string, unknown>>, options: Partial<InspectionOptions> = {}): Promise<Held> {
  const folder: PluginFolder = await pluginFolder({ 'module.ts': '' })
  const clock = memoryClock()
  let count = 0
  const inspection = createInspection({
    pluginPaths: [folder.path],
    disk: nodeDisk(),
    clock,
    workerDefaults: {},
    importModule: (moduleUrl) => {
      if (!moduleUrl.includes(folder.path)) return Promise.resolve({})
      count++
      return Promise.resolve(exports)
    },
    ...options,
  })
  return {
    inspection,
    clock,
    importCount: () => count,
    async [Symbol.asyncDispose]() {
      await inspection.close()
      await folder[Symbol.asyncDispose]()
    },
  }
}

const config = defineConfig({
  topic: { type: 'STRING', importance: 'HIGH' },
  name: { type: 'STRING', default: 'mine', importance: 'LOW' },
  inner: { type: 'STRING', default: null, importance: 'LOW', internal: true },
})
const rows = { name: 'r', 'connector.class': 'x.Rows', topic: 't' }

describe('an inspection', () => {
  it('imports when it is first asked, once for all questions, and its catalog can be passed between threads', async () => {
    const plugin = defineSource({ class: 'x.Rows', version: '1.0.0', config, async *run() {} })
    await using held = await inspect({ plugin, again: plugin })
    expect(held.importCount()).toBe(0)
    const [catalog] = await Promise.all([held.inspection.catalog(), held.inspection.describe('Rows'), held.inspection.catalog()])
    expect(held.importCount()).toBe(1)
    expect(catalog.plugins.map((found) => [found.class, found.exportName])).toEqual([['x.Rows', 'plugin']])
    expect(structuredClone(catalog)).toEqual(catalog)
  })

  it('describes a connector with the framework’s keys behind its own, each once; another plugin with its own alone', async () => {
    const predicate = definePredicate({ class: 'x.IsOdd', version: '1.0.0', config: defineConfig({}), create: () => () => true })
    await using held = await inspect({ plugin: defineSource({ class: 'x.Rows', version: '1.0.0', config, async *run() {} }), predicate })
    const described = await held.inspection.describe('x.Rows')
    const names = described.map((info) => info.name)
    expect(names.slice(0, 3)).toEqual(['topic', 'name', 'connector.class'])
    expect(new Set(names).size).toBe(names.length)
    expect(described[1]).toMatchObject({ default_value: 'mine', required: false })
    expect(structuredClone(described)).toEqual(described)
    expect(await held.inspection.describe('IsOdd')).toEqual([])
    await expect(held.inspection.describe('Nothing')).rejects.toMatchObject({ status: 404, message: 'Unknown plugin Nothing.' })
  })

  it('gives up a plugin’s check that does not come back, and tells it so', async () => {
    const entered = Promise.withResolvers<AbortSignal>()
    const plugin = defineSource({
      class: 'x.Rows',
      version: '1.0.0',
      config,
      async *run() {},
      validate: (_config, { signal }) => {
        entered.resolve(signal)
        return new Promise(() => {})
      },
    })
    await using held = await inspect({ plugin })
    const validated = held.inspection.validate({ config: rows, written: rows })
    const refused = expect(validated).rejects.toMatchObject({ status: 500, message: expect.stringMatching(/^Request timed out: /) })
    const signal = await entered.promise
    await held.clock.advance(INSPECTION_DEFAULTS.validateTimeoutMs)
    await refused
    expect(signal.aborted).toBe(true)
  })

  it('ends what it is asked when it is closed', async () => {
    const entered = Promise.withResolvers<undefined>()
    const plugin = defineSource({
      class: 'x.Rows',
      version: '1.0.0',
      config,
      async *run() {},
      validate: () => {
        entered.resolve(undefined)
        return new Promise(() => {})
      },
    })
    await using held = await inspect({ plugin })
    const validated = held.inspection.validate({ config: rows, written: rows })
    const refused = expect(validated).rejects.toMatchObject({ status: 500, message: 'The worker is shutting down' })
    await entered.promise
    await held.inspection.close()
    await refused
    await expect(held.inspection.validate({ config: rows, written: rows })).rejects.toMatchObject({ status: 500 })
  })

  it('answers for a rule of a plugin that breaks, without what config providers gave', async () => {
    const broken = defineConfig({
      topic: {
        type: 'STRING',
        importance: 'HIGH',
        validator: {
          text: 'broken',
          check: (_name, value) => {
            throw new TypeError(`no rule for ${String(value)}`)
          },
        },
      },
    })
    await using held = await inspect({ plugin: defineSource({ class: 'x.Rows', version: '1.0.0', config: broken, async *run() {} }) })
    const written = { ...rows, topic: 'placeholder' }
    await expect(held.inspection.validate({ config: { ...rows, topic: 'hunter22' }, written })).rejects.toMatchObject({
      status: 500,
      message: 'The configuration could not be judged: no rule for placeholder',
    })
  })
})
