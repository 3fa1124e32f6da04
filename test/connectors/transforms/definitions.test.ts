import { readFileSync } from 'node:fs'
import { type ConfigKey, canonicalText, isPlugin, type PluginFacts, type ConfigDefinition } from '@millrace/sdk'
import { describe, expect, it } from 'vitest'
import * as exported from '../../../connectors/transforms/index.ts'

interface Step {
  readonly path: string
  readonly status: number
  readonly responseBody: unknown
}

const { steps } = JSON.parse(readFileSync(new URL('../../golden/connect/rest/plugins.json', import.meta.url), 'utf8')) as
  | readonly unknown[]
  | { steps: unknown } as { readonly steps: readonly Step[] }
const plugins = Object.values(exported).filter((value) => isPlugin(value)) as readonly PluginFacts<ConfigDefinition>[]

/** A key as `GET /connector-plugins/{p}/config` shows it, as far as the definition says it. */
function shown([name, key]: readonly [string, ConfigKey]): unknown {
  const fallback = key.default === undefined || key.default === null ? null : canonicalText(key.default, key.type)
  return { name, type: key.type, required: key.default === undefined, default_value: fallback, importance: key.importance }
}

describe('definitions', () => {
  for (const plugin of plugins) {
    const step = steps.find(
      ({ path, status }) => status === 200 && decodeURIComponent(path) === `/connector-plugins/${plugin.class}/config`,
    )
    if (step === undefined) continue
    it(`${plugin.class} has the keys that Apache Kafka shows`, () => {
      const wanted = (step.responseBody as readonly Readonly<Record<string, unknown>>[]).map(
        ({ name, type, required, default_value, importance }) => ({ name, type, required, default_value, importance }),
      )
      expect(Object.entries(plugin.config).map(shown)).toEqual(wanted)
    })
  }

  it('every plugin has Kafka’s class, our alias, its version and words for each key', () => {
    for (const plugin of plugins) {
      const simpleName = plugin.class.replace('org.apache.kafka.connect.transforms.', '')
      expect(plugin).toMatchObject({ version: '4.3.1', aliases: [`millrace.transforms.${simpleName}`] })
      expect(plugin.documentation).toMatch(/\.$/)
      for (const [name, key] of Object.entries(plugin.config)) expect(key.documentation, `${plugin.class} ${name}`).toBeTruthy()
    }
    expect(new Set(plugins.map((plugin) => plugin.class)).size).toBe(plugins.length)
  })
})
