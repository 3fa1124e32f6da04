/** Kafka's own DescribeConfigs answers: golden/protocol/broker-answers.jsonl, and the command line's rendering of others. */
import { readFileSync } from 'node:fs'
import { parseConfig } from '@millrace/sdk'
import { describe, expect, it } from 'vitest'
import {
  type BrokerSources,
  type ConfigEntry,
  ConfigSource,
  brokerConfigDefinition,
  brokerConfigInForce,
  configTypeNumber,
  describeBrokerConfig,
  describeBrokerDefaults,
  describeGroupConfig,
  describeTopicConfig,
  incrementalAlter,
} from '../../hub/config/index.ts'

interface Answer {
  readonly api: string
  readonly request: {
    readonly resources: { resourceType: number; resourceName: string; configurationKeys: string[] | null }[]
    includeSynonyms?: boolean
  }
  readonly response: { readonly results: { readonly errorCode: number; readonly configs: Record<string, unknown>[] }[] }
}

const read = (name: string): string => readFileSync(new URL(`../golden/configs/${name}`, import.meta.url), 'utf8')
const answers = readFileSync(new URL('../golden/protocol/broker-answers.jsonl', import.meta.url), 'utf8')
  .trim()
  .split('\n')
  .map((line) => JSON.parse(line) as Answer)
  .filter(({ api }) => api === 'DescribeConfigs')

const none: ReadonlyMap<string, string> = new Map()
/** The recorded broker: min.insync.replicas stands in the metadata since ELR (KIP-966); node.id in its file, broker.id by it. */
const recorded: BrokerSources = {
  dynamic: none,
  dynamicDefault: new Map([['min.insync.replicas', '1']]),
  static: new Map([
    ['node.id', '1'],
    ['broker.id', '1'],
  ]),
}
const brokerConfig = brokerConfigInForce(recorded)

/** As the protocol carries it. */
function onTheWire(entry: ConfigEntry, includeSynonyms: boolean): Record<string, unknown> {
  return {
    name: entry.name,
    value: entry.value,
    readOnly: entry.readOnly,
    configSource: entry.source,
    isSensitive: entry.isSensitive,
    synonyms: includeSynonyms ? entry.synonyms : [],
    configType: entry.type === undefined ? 0 : configTypeNumber[entry.type],
    documentation: null,
  }
}

const sorted = (entries: readonly Record<string, unknown>[]): unknown[] =>
  [...entries].sort((one, other) => (String(one['name']) < String(other['name']) ? -1 : 1))

describe('DescribeConfigs', () => {
  const told = answers.filter(({ request, response }) => {
    const type = request.resources[0]?.resourceType ?? 0
    return [2, 4, 32].includes(type) && response.results[0]?.errorCode === 0
  })

  it.each(told.map((answer) => [JSON.stringify(answer.request), answer]))('answers %s', (_request, given) => {
    const { request, response } = given as Answer
    const [{ resourceType, resourceName, configurationKeys } = { resourceType: 0, resourceName: '', configurationKeys: null }] =
      request.resources
    const expected = response.results[0]?.configs ?? []
    // The topic's own settings are what the answer says is the topic's.
    const own = new Map(expected.filter(({ configSource }) => configSource === 1).map(({ name, value }) => [String(name), String(value)]))
    const all =
      resourceType === 2
        ? describeTopicConfig(own, brokerConfig, recorded)
        : resourceType === 32
          ? describeGroupConfig(none, recorded)
          : resourceName === ''
            ? describeBrokerDefaults(none)
            : describeBrokerConfig(brokerConfig, recorded)
    const asked = all.filter(({ name }) => configurationKeys?.includes(name) ?? true)
    // node.id has a default here, which Kafka has not.
    const shown = asked.map((entry) => onTheWire(entry, request.includeSynonyms === true)).map(withoutNodeIdDefault)
    expect(sorted(shown)).toEqual(sorted(expected))
  })

  it('was recorded for topics, brokers and groups', () => {
    expect(new Set(told.map(({ request }) => request.resources[0]?.resourceType))).toEqual(new Set([2, 4, 32]))
  })
})

function withoutNodeIdDefault(entry: Record<string, unknown>): Record<string, unknown> {
  if (entry['name'] !== 'node.id') return entry
  return { ...entry, synonyms: (entry['synonyms'] as { source: number }[]).filter(({ source }) => source !== ConfigSource.DEFAULT_CONFIG) }
}

describe('kafka-configs --describe', () => {
  const sourceName = Object.fromEntries(Object.entries(ConfigSource).map(([name, number]) => [number, name]))
  const line = ({ name, value, isSensitive, synonyms }: ConfigEntry): string => {
    const list = synonyms.map((synonym) => `${sourceName[synonym.source]}:${synonym.name}=${synonym.value}`)
    return `  ${name}=${value} sensitive=${isSensitive} synonyms={${list.join(', ')}}`
  }
  const outputs = JSON.parse(read('describe-cli.json')) as { args: string[]; stdout: string }[]
  const outputOf = (...words: string[]): string[] => {
    const found = outputs.find(({ args }) => words.every((word) => args.includes(word)))
    return (found?.stdout ?? '').split('\n').filter((text) => text.startsWith('  '))
  }

  it('shows all settings of a topic', () => {
    const own = new Map([
      ['cleanup.policy', 'compact'],
      ['retention.ms', '3600000'],
    ])
    expect(describeTopicConfig(own, brokerConfig, recorded).map(line)).toEqual(outputOf('topics', '--all'))
  })

  it('shows all settings of a group', () => {
    const own = new Map([['consumer.session.timeout.ms', '50000']])
    expect(describeGroupConfig(own, recorded).map(line)).toEqual(outputOf('groups', '--all'))
  })

  it('shows what was set for all brokers', () => {
    expect(describeBrokerDefaults(recorded.dynamicDefault).map(line)).toEqual(outputOf('--broker-defaults'))
  })
})

describe('what a broker tells', () => {
  it('lists every key that is not internal, sorted, secrets without their value', () => {
    const sources = {
      ...recorded,
      static: new Map([
        ['ssl.key.password', 's3cret'],
        ['my.plugin.password', 'x'],
      ]),
    }
    const entries = describeBrokerConfig(brokerConfigInForce(sources), sources)
    const names = entries.map(({ name }) => name)
    expect(names).toEqual([...names].sort())
    expect(names.length).toBeGreaterThan(330)
    expect(JSON.stringify(entries)).not.toContain('s3cret')
    expect(entries.find(({ name }) => name === 'my.plugin.password')).toMatchObject({ value: null, isSensitive: true, type: undefined })
    expect(names).not.toContain('unstable.api.versions.enable')
  })

  it('puts what was changed for one broker over what was changed for all, and both over the file', () => {
    const sources: BrokerSources = {
      static: new Map([['log.retention.ms', '1']]),
      dynamicDefault: new Map([['log.retention.ms', '2']]),
      dynamic: new Map([['log.retention.ms', '3']]),
    }
    const entry = describeBrokerConfig(brokerConfigInForce(sources), sources).find(({ name }) => name === 'log.retention.ms')
    expect(entry).toMatchObject({ value: '3', source: ConfigSource.DYNAMIC_BROKER_CONFIG, readOnly: false })
    expect(entry?.synonyms.map(({ source, value }) => `${source}:${value}`).slice(0, 3)).toEqual(['2:3', '3:2', '4:1'])
  })

  it('shows limits of a LONG as they are', () => {
    const entries = describeTopicConfig(new Map([['retention.ms', '9223372036854775807']]), brokerConfig, recorded)
    expect(entries.find(({ name }) => name === 'retention.ms')?.value).toBe('9223372036854775807')
    expect(entries.find(({ name }) => name === 'flush.ms')?.value).toBe('9223372036854775807')
  })

  it('gives a topic the broker value under a weaker name, without a synonym', () => {
    const sources = { ...recorded, static: new Map([['log.retention.hours', '1']]) }
    const entry = describeTopicConfig(none, brokerConfigInForce(sources), sources).find(({ name }) => name === 'retention.ms')
    expect(entry).toMatchObject({ value: '3600000', synonyms: [] })
  })

  it('survives an alteration back and forth: what is read can be written', () => {
    const entries = describeTopicConfig(none, parseConfig(brokerConfigDefinition, {}), {
      dynamic: none,
      dynamicDefault: none,
      static: none,
    })
    const operations = entries.map(({ name, value }) => ({ name, operation: 'set' as const, value }))
    const outcome = incrementalAlter(none, operations, { scope: 'topic' })
    expect(outcome).toHaveProperty('config')
  })
})
