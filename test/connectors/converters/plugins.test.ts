/** The plugins as configurations and lists know them, and their settings as Kafka 4.3.1 defines them. */
import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import * as plugins from '../../../connectors/converters/index.ts'
import { type ConfigDefinition, type ConfigKey, convertToString, int32, isPlugin, parseConfig, parseType } from '../../../sdk/index.ts'

interface GoldenKey {
  readonly name: string
  readonly required?: boolean
  readonly default?: string | null
}

function goldenKeys(name: string): readonly GoldenKey[] {
  return JSON.parse(readFileSync(new URL(`../../golden/configs/${name}.json`, import.meta.url), 'utf8')) as readonly GoldenKey[]
}

/** A key in the notation of the golden file. */
function asGolden(name: string, key: ConfigKey): GoldenKey {
  const { type, importance, validator, group, order, width, displayName } = key
  const fallback = key.default === undefined ? { required: true } : { default: convertToString(parseType(name, key.default, type), type) }
  const facts = Object.entries({ name, type, ...fallback, importance, validator: validator?.text, group, order, width, displayName })
  return Object.fromEntries(facts.filter(([, fact]) => fact !== undefined)) as unknown as GoldenKey
}

const shown = (definition: ConfigDefinition): readonly GoldenKey[] =>
  Object.entries(definition)
    .map(([name, key]) => asGolden(name, key))
    .sort((a, b) => (a.name < b.name ? -1 : 1))

describe('converter plugins', () => {
  it('has the settings that Kafka has', () => {
    expect(shown(plugins.jsonConverter.config)).toEqual(goldenKeys('json-converter'))
    expect(shown(plugins.stringConverter.config)).toEqual(goldenKeys('string-converter'))
    expect(Object.keys(plugins.byteArrayConverter.config)).toEqual(['converter.type'])
    expect(Object.keys(plugins.simpleHeaderConverter.config)).toEqual([])
  })

  it('documents every setting', () => {
    for (const { config } of Object.values(plugins)) {
      for (const [name, key] of Object.entries<ConfigKey>(config)) expect(key.documentation, name).toMatch(/\.$/)
    }
  })

  it('is found under Kafka’s names and ours, for values and for headers', () => {
    expect(Object.values(plugins).every(isPlugin)).toBe(true)
    const names = Object.values(plugins).map(({ kind, class: name, version, aliases }) =>
      [kind, name, version, ...(aliases ?? [])].join(' '),
    )
    expect(names.sort()).toEqual([
      'converter org.apache.kafka.connect.converters.ByteArrayConverter 4.3.1 millrace.converters.ByteArray',
      'converter org.apache.kafka.connect.json.JsonConverter 4.3.1 millrace.converters.Json',
      'converter org.apache.kafka.connect.storage.StringConverter 4.3.1 millrace.converters.String',
      'header_converter org.apache.kafka.connect.converters.ByteArrayConverter 4.3.1 millrace.converters.ByteArray',
      'header_converter org.apache.kafka.connect.json.JsonConverter 4.3.1 millrace.converters.Json',
      'header_converter org.apache.kafka.connect.storage.SimpleHeaderConverter 4.3.1 millrace.converters.SimpleHeader',
      'header_converter org.apache.kafka.connect.storage.StringConverter 4.3.1 millrace.converters.String',
    ])
  })

  it('converts headers with the converters of values', () => {
    const settings = { 'converter.type': 'header' }
    const json = plugins.jsonHeaderConverter.create(parseConfig(plugins.jsonHeaderConverter.config, settings))
    const bytes = json.fromConnectHeader('t', 'h', int32(), 5)
    expect(Buffer.from(bytes!).toString()).toBe('{"schema":{"type":"int32","optional":false},"payload":5}')
    expect(json.toConnectHeader('t', 'h', bytes)).toEqual({ schema: int32(), value: 5 })
    const text = plugins.stringHeaderConverter.create(parseConfig(plugins.stringHeaderConverter.config, settings))
    expect(text.toConnectHeader('t', 'h', Buffer.from('é')).value).toBe('é')
    expect(plugins.byteArrayHeaderConverter.create({ 'converter.type': 'header' }).fromConnectHeader('t', 'h', null, null)).toBeNull()
  })
})
