import type { PluginKind } from '@millrace/sdk'
import { describe, expect, it } from 'vitest'
import { CONNECTOR_KINDS, connectorRefusal, pluginRefusal, resolvePlugin } from '../../../hub/connect/plugins/catalog.ts'
import type { PluginDescription } from '../../../hub/connect/plugins/types.ts'

function plugin(className: string, kind: PluginKind, aliases: readonly string[] = []): PluginDescription {
  return {
    class: className,
    kind,
    version: '1.0.0',
    aliases,
    taskClass: null,
    configTypes: {},
    moduleUrl: 'file:///plugin.js',
    exportName: 'default',
  }
}

const plugins = [
  plugin('org.apache.kafka.connect.file.FileStreamSourceConnector', 'source', ['millrace.file.Source']),
  plugin('org.apache.kafka.connect.file.FileStreamSinkConnector', 'sink', ['millrace.file.Sink']),
  plugin('com.one.ThingConnector', 'source'),
  plugin('com.two.ThingConnector', 'sink'),
  plugin('org.apache.kafka.connect.json.JsonConverter', 'converter', ['millrace.converters.Json', 'com.older.TextConverter']),
  plugin('org.apache.kafka.connect.json.JsonConverter', 'header_converter'),
  plugin('org.apache.kafka.connect.transforms.ReplaceField$Key', 'transformation'),
  plugin('org.apache.kafka.connect.transforms.ReplaceField$Value', 'transformation'),
]

function found(name: string, ...kinds: PluginKind[]): string | undefined {
  const resolution = resolvePlugin(plugins, name, kinds.length === 0 ? CONNECTOR_KINDS : kinds)
  return resolution.outcome === 'found' ? `${resolution.plugin.kind} ${resolution.plugin.class}` : undefined
}

describe('names of plugins', () => {
  it.each([
    ['org.apache.kafka.connect.file.FileStreamSourceConnector'],
    ['FileStreamSourceConnector'],
    ['FileStreamSource'],
    ['millrace.file.Source'],
  ])('%s is the file source', (name) => {
    expect(found(name)).toBe('source org.apache.kafka.connect.file.FileStreamSourceConnector')
  })

  it.each([['org.apache.kafka.connect.json.JsonConverter'], ['JsonConverter'], ['Json'], ['Text'], ['millrace.converters.Json']])(
    '%s is the JSON converter',
    (name) => {
      expect(found(name, 'converter')).toBe('converter org.apache.kafka.connect.json.JsonConverter')
    },
  )

  it('a kind decides between plugins of one class', () => {
    expect(found('Json', 'header_converter')).toBe('header_converter org.apache.kafka.connect.json.JsonConverter')
  })

  it('finds transformations by what follows the last point', () => {
    expect(found('ReplaceField$Value', 'transformation')).toBe('transformation org.apache.kafka.connect.transforms.ReplaceField$Value')
  })

  it('an alias of ours gives no simple name: Source says nothing', () => {
    expect(found('Source')).toBeUndefined()
    expect(found('Sink')).toBeUndefined()
  })

  it('refuses a simple name of two classes, naming them', () => {
    const resolution = resolvePlugin(plugins, 'Thing', CONNECTOR_KINDS)
    expect(resolution).toEqual({ outcome: 'ambiguous', candidates: ['com.one.ThingConnector', 'com.two.ThingConnector'] })
    if (resolution.outcome === 'found') throw new Error('found')
    expect(connectorRefusal(plugins, 'Thing', resolution)).toBe(
      'More than one connector matches alias Thing. Please use full package and class name instead. Classes found: com.one.ThingConnector, com.two.ThingConnector',
    )
    expect(pluginRefusal('Thing', resolution)).toContain('Classes found: com.one.ThingConnector, com.two.ThingConnector')
    expect(found('Thing', 'sink')).toBe('sink com.two.ThingConnector')
  })

  it('tells the outer class of $Key and $Value from a name that nobody knows', () => {
    const resolution = resolvePlugin(plugins, 'org.apache.kafka.connect.transforms.ReplaceField', ['transformation'])
    if (resolution.outcome === 'found') throw new Error('found')
    expect(pluginRefusal('org.apache.kafka.connect.transforms.ReplaceField', resolution)).toBe(
      'This class is abstract and cannot be created. Did you mean org.apache.kafka.connect.transforms.ReplaceField$Key, org.apache.kafka.connect.transforms.ReplaceField$Value?',
    )
  })

  it('finds what was probably meant by the name alone, not by what all names share', () => {
    const nearest = (name: string) => resolvePlugin(plugins, name, ['transformation'])
    const outcome = 'unknown'
    expect(nearest('org.apache.kafka.connect.transforms.RepalceField$Value')).toEqual({
      outcome,
      nearest: 'org.apache.kafka.connect.transforms.ReplaceField$Value',
    })
    expect(nearest('org.apache.kafka.connect.transforms.Filter')).toEqual({ outcome, nearest: undefined })
    expect(nearest('org.apache.kafka.connect.transforms.HoistField$Value')).toEqual({ outcome, nearest: undefined })
  })

  it('says what there is, and what was probably meant', () => {
    const list =
      'com.one.ThingConnector, com.two.ThingConnector, org.apache.kafka.connect.file.FileStreamSinkConnector, org.apache.kafka.connect.file.FileStreamSourceConnector'
    const sentence = (name: string): string => {
      const resolution = resolvePlugin(plugins, name, CONNECTOR_KINDS)
      if (resolution.outcome === 'found') throw new Error('found')
      return connectorRefusal(plugins, name, resolution)
    }
    expect(sentence('no.such')).toBe(
      `Failed to find any class that implements Connector and which name matches no.such, available connectors are: ${list}`,
    )
    expect(sentence('FileStreamSuorce')).toBe(
      `Failed to find any class that implements Connector and which name matches FileStreamSuorce, available connectors are: ${list}; did you mean org.apache.kafka.connect.file.FileStreamSourceConnector?`,
    )
  })
})
