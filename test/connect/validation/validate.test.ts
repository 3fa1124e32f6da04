import {
  atLeast,
  type ConfigDefinition,
  defineConfig,
  defineConverter,
  defineHeaderConverter,
  definePredicate,
  defineSink,
  defineSource,
  defineTransform,
  type SourceDefinition,
} from '@millrace/sdk'
import { describe, expect, it } from 'vitest'
import type { AnyPlugin } from '../../../hub/connect/plugins/discovery.ts'
import type { ConfigInfos, ConfigText } from '../../../hub/connect/types.ts'
import { validateConnector } from '../../../hub/connect/validation/validate.ts'
import { discovered } from './discovered.ts'

const never = (): never => {
  throw new Error('validation must not run a plugin')
}
const none = defineConfig({})
const sourceConfig = defineConfig({
  topic: { type: 'STRING', importance: 'HIGH' },
  'rows.max': { type: 'INT', default: 10, importance: 'LOW', validator: atLeast(1), group: 'Reading', dependents: ['rows.kind'] },
  'rows.kind': {
    type: 'STRING',
    default: 'all',
    importance: 'LOW',
    group: 'Reading',
    recommender: { validValues: () => ['all', 'new'], visible: (_name, parsed) => Number(parsed['rows.max']) > 1 },
  },
  secret: { type: 'PASSWORD', default: null, importance: 'LOW' },
  'secret.trace': { type: 'STRING', default: 'off', importance: 'LOW', internal: true },
})

function source(facts: Partial<SourceDefinition<ConfigDefinition>> = {}): AnyPlugin {
  return defineSource<ConfigDefinition>({ class: 'x.RowsConnector', version: '1.2.0', config: sourceConfig, run: never, ...facts })
}

const others: readonly AnyPlugin[] = [
  defineSink({ class: 'x.PrintConnector', version: '1.0.0', config: none, start: never }),
  defineConverter({
    class: 'x.PlainConverter',
    version: '3.0.0',
    aliases: ['y.OldConverter'],
    config: defineConfig({
      'converter.type': { type: 'STRING', importance: 'LOW' },
      'line.end': { type: 'STRING', default: 'lf', importance: 'LOW', dependents: ['converter.type'] },
    }),
    create: never,
  }),
  defineHeaderConverter({ class: 'x.PlainHeaderConverter', version: '3.0.0', config: none, create: never }),
  defineTransform({
    class: 'x.Cut$Value',
    version: '2.0.0',
    config: defineConfig({
      length: { type: 'INT', importance: 'HIGH', validator: atLeast(1), dependents: ['end'] },
      end: {
        type: 'STRING',
        default: '…',
        importance: 'LOW',
        recommender: { validValues: () => ['…', ''], visible: (_name, parsed) => parsed['length'] === 5 },
      },
    }),
    create: never,
  }),
  definePredicate({ class: 'x.IsLong', version: '2.0.0', config: none, create: never }),
]

const workerDefaults = { 'key.converter': 'Plain', 'value.converter': 'x.PlainConverter', 'header.converter': 'x.PlainHeaderConverter' }

interface Asked {
  readonly plugin?: AnyPlugin
  readonly written?: ConfigText
  readonly secrets?: readonly string[]
  readonly worker?: ConfigText
}

function validate(
  config: ConfigText,
  { plugin = source(), written = config, secrets = [], worker = {} }: Asked = {},
): Promise<ConfigInfos> {
  return validateConnector(
    { config, written, secrets },
    { discovery: discovered(plugin, ...others), workerDefaults: { ...workerDefaults, ...worker }, signal: new AbortController().signal },
  )
}

const rows = { name: 'r', 'connector.class': 'Rows', topic: 't' }

/** Values, errors and the rest of single keys. */
function shown(infos: ConfigInfos, ...names: string[]): unknown[] {
  return names.map((name) => infos.configs.find(({ value }) => value.name === name)?.value)
}

/** Every key that is wrong. */
function errorsOf(infos: ConfigInfos): Record<string, readonly string[]> {
  return Object.fromEntries(infos.configs.filter(({ value }) => value.errors.length > 0).map(({ value }) => [value.name, value.errors]))
}

describe('keys of a connector', () => {
  it('come behind the framework’s, with their groups, and without those that are not for users', async () => {
    const infos = await validate(rows)
    expect({ name: infos.name, errorCount: infos.error_count }).toEqual({ name: 'Rows', errorCount: 0 })
    const names = infos.configs.map(({ value }) => value.name)
    expect(names.slice(-4)).toEqual(['topic', 'rows.max', 'rows.kind', 'secret'])
    expect(infos.groups.slice(-2)).toEqual(['offsets.topic', 'Reading'])
    expect(infos.configs.find(({ value }) => value.name === 'rows.max')?.definition).toMatchObject({
      default_value: '10',
      dependents: ['rows.kind'],
      display_name: 'rows.max',
      order_in_group: -1,
    })
  })

  it('show what was written as it is read, recommendations and what applies', async () => {
    const infos = await validate({ ...rows, 'rows.max': ' +01 ', secret: 'hunter22' })
    expect(shown(infos, 'rows.max', 'rows.kind', 'secret')).toEqual([
      { name: 'rows.max', value: '1', recommended_values: [], errors: [], visible: true },
      { name: 'rows.kind', value: 'all', recommended_values: ['all', 'new'], errors: [], visible: false },
      { name: 'secret', value: '[hidden]', recommended_values: [], errors: [], visible: true },
    ])
    expect(JSON.stringify(infos)).not.toContain('hunter22')
  })

  it('that the framework has too are the connector’s, with the errors of both', async () => {
    const config = defineConfig({ 'tasks.max': { type: 'INT', default: 7, importance: 'LOW', documentation: 'Readers.' } })
    const infos = await validate({ ...rows, 'tasks.max': '0' }, { plugin: source({ config }) })
    const found = infos.configs.filter(({ value }) => value.name === 'tasks.max')
    expect(found).toHaveLength(1)
    expect(found[0]).toMatchObject({
      definition: { default_value: '7', documentation: 'Readers.' },
      value: { errors: ['Invalid value 0 for configuration tasks.max: Value must be at least 1'] },
    })
  })

  it('appear if they are wrong even when they are not for users', async () => {
    const config = defineConfig({ hidden: { type: 'INT', default: 1, importance: 'LOW', internal: true } })
    expect(errorsOf(await validate({ ...rows, hidden: 'x' }, { plugin: source({ config }) }))).toEqual({
      hidden: ['Invalid value x for configuration hidden: Not a number of type INT'],
    })
  })
})

describe('the plugin’s own check', () => {
  it('is asked with the parsed configuration, and its issues stand beside their keys', async () => {
    const plugin = source({
      validate: (config, { properties, signal }) =>
        Promise.resolve([
          { key: 'topic', message: `no ${String(config['topic'])} with ${String(config['rows.max'])}` },
          { key: 'topic', message: `signal aborted: ${signal.aborted}` },
          { key: 'tasks.max', message: 'one is enough' },
          { key: 'stranger', message: `unheard of: ${properties['stranger']}` },
          { key: 'some.password', message: 'unheard of as well' },
        ]),
    })
    const infos = await validate({ ...rows, stranger: 'here', 'some.password': 'hunter22' }, { plugin })
    expect(errorsOf(infos)).toEqual({
      topic: ['no t with 10', 'signal aborted: false'],
      'tasks.max': ['one is enough'],
      stranger: ['unheard of: here'],
      'some.password': ['unheard of as well'],
    })
    expect(infos.error_count).toBe(5)
    expect(infos.configs.find(({ value }) => value.name === 'stranger')).toEqual({
      definition: null,
      value: { name: 'stranger', value: 'here', recommended_values: [], errors: ['unheard of: here'], visible: true },
    })
    expect(JSON.stringify(infos)).not.toContain('hunter22')
  })

  it('may name keys that every object of JavaScript seems to have', async () => {
    const plugin = source({ validate: () => ['constructor', '__proto__'].map((key) => ({ key, message: 'unheard of' })) })
    const infos = await validate(rows, { plugin })
    expect(shown(infos, 'constructor', '__proto__')).toMatchObject([{ value: null }, { value: null }])
    expect(structuredClone(infos)).toEqual(infos)
  })

  it('is not asked while a single key of the plugin is wrong', async () => {
    expect(errorsOf(await validate({ ...rows, 'rows.max': '0' }, { plugin: source({ validate: never }) }))).toEqual({
      'rows.max': ['Invalid value 0 for configuration rows.max: Value must be at least 1'],
    })
  })

  it('that throws is an answer too', async () => {
    const plugin = source({ validate: () => Promise.reject(new Error('database is away')) })
    expect(errorsOf(await validate(rows, { plugin }))).toEqual({
      'connector.class': ['x.RowsConnector could not check the configuration: database is away'],
    })
  })
})

describe('plugins that a configuration names', () => {
  it('are shown by their classes, however they were named, with the versions that there are', async () => {
    const infos = await validate({
      ...rows,
      'value.converter': 'Old',
      transforms: 'c',
      'transforms.c.type': 'Cut$Value',
      'transforms.c.length': '5',
    })
    expect(errorsOf(infos)).toEqual({})
    const all = shown(
      infos,
      'key.converter',
      'value.converter',
      'value.converter.plugin.version',
      'transforms.c.type',
      'transforms.c.plugin.version',
    )
    expect(all).toMatchObject([
      { value: 'x.PlainConverter' },
      { value: 'x.PlainConverter', recommended_values: ['x.PlainConverter'] },
      { value: '3.0.0', recommended_values: ['3.0.0'], visible: true },
      { value: 'x.Cut$Value', recommended_values: ['x.Cut$Value'] },
      { value: '2.0.0', recommended_values: ['2.0.0'] },
    ])
    expect(infos.configs.find(({ value }) => value.name === 'key.converter')?.definition?.default_value).toBe('x.PlainConverter')
  })

  it('of another kind, of no kind, and of no version are refused', async () => {
    const infos = await validate({
      ...rows,
      'connector.plugin.version': '[2.0,)',
      'key.converter': 'x.IsLong',
      'value.converter': 'Plian',
      'header.converter': 'x.PlainHeaderConverter',
      'header.converter.plugin.version': '1',
      transforms: 'c,d',
      'transforms.c.type': 'x.Cut',
      'transforms.d.type': 'x.Cut$Value',
      'transforms.d.plugin.version': '[2',
    })
    expect(errorsOf(infos)).toEqual({
      'connector.class': ['Plugin x.RowsConnector not found that matches the version range [2.0,), available versions: [1.2.0]'],
      'connector.plugin.version': ['Plugin x.RowsConnector not found that matches the version range [2.0,), available versions: [1.2.0]'],
      'key.converter': ['Invalid value x.IsLong for configuration key.converter: x.IsLong is a predicate, no converter'],
      'value.converter': [
        'Invalid value Plian for configuration value.converter: Class Plian could not be found. Did you mean x.PlainConverter?',
      ],
      'header.converter.plugin.version': [
        'Plugin x.PlainHeaderConverter not found that matches the version range [1,1], available versions: [3.0.0]',
      ],
      'transforms.c.type': ['This class is abstract and cannot be created. Did you mean x.Cut$Value?'],
      'transforms.d.plugin.version': ['Plugin x.Cut$Value not found that matches the version range [2, available versions: [2.0.0]'],
      'transforms.d.length': [
        'Missing required configuration "transforms.d.length" which has no default value.',
        'Invalid value null for configuration length: Value must be non-null',
      ],
    })
    expect(shown(infos, 'value.converter', 'transforms.c.type')).toMatchObject([{ value: null }, { value: 'x.Cut' }])
  })

  it('bring their keys, dependents and recommendations under the prefix', async () => {
    const infos = await validate({
      ...rows,
      transforms: 'c',
      'transforms.c.type': 'x.Cut$Value',
      'transforms.c.length': '4',
      'value.converter': 'Plain',
    })
    const definition = (name: string) => infos.configs.find(({ value }) => value.name === name)?.definition
    expect(definition('transforms.c.length')).toMatchObject({ group: 'Transforms: c', order_in_group: 3, dependents: ['transforms.c.end'] })
    expect(shown(infos, 'transforms.c.end')).toMatchObject([{ visible: false, recommended_values: ['…', ''] }])
    expect(definition('value.converter.line.end')).toMatchObject({
      display_name: 'line.end',
      dependents: ['value.converter.converter.type'],
    })
    expect(shown(infos, 'value.converter.converter.type')).toMatchObject([{ value: 'value' }])
  })

  it('are refused as connectors when they are none', async () => {
    await expect(validate({ ...rows, 'connector.class': 'x.IsLong' })).rejects.toMatchObject({
      status: 400,
      message: expect.stringContaining('which name matches x.IsLong, available connectors are: x.PrintConnector, x.RowsConnector'),
    })
    await expect(validate({ name: 'r', 'db.password': 'hunter22' })).rejects.toMatchObject({
      status: 400,
      message: 'Connector config {db.password=[hidden], name=r} contains no connector type',
    })
  })
})

describe('overrides of clients', () => {
  it('are those of the clients that a connector has', async () => {
    const every = { 'producer.override.acks': '1', 'consumer.override.max.poll.records': '5', 'admin.override.retries': '2' }
    const names = (infos: ConfigInfos): string[] => infos.configs.map(({ value }) => value.name).filter((name) => name.includes('override'))
    expect(names(await validate({ ...rows, ...every }))).toEqual(['producer.override.acks', 'admin.override.retries'])
    const sink = { name: 's', 'connector.class': 'Print', topics: 't', ...every }
    expect(names(await validate(sink))).toEqual(['consumer.override.max.poll.records'])
    expect(names(await validate({ ...sink, 'errors.deadletterqueue.topic.name': 'dead' })).sort()).toEqual(Object.keys(every).sort())
  })

  it('are judged by type, unknown ones are shown without a definition, secrets never', async () => {
    const infos = await validate({
      ...rows,
      'producer.override.linger.ms': 'soon',
      'producer.override.bogus': '1',
      'producer.override.sasl.jaas.config': 'user="hunter22"',
      'producer.override.my.password': 'hunter22',
    })
    expect(errorsOf(infos)).toEqual({
      'producer.override.linger.ms': ['Invalid value soon for configuration linger.ms: Not a number of type LONG'],
    })
    expect(infos.configs.find(({ value }) => value.name === 'producer.override.bogus')).toMatchObject({
      definition: null,
      value: { value: '1' },
    })
    expect(JSON.stringify(infos)).not.toContain('hunter22')
  })

  it.each([
    ['None', {}, ['linger.ms', 'sasl.mechanism']],
    ['Principal', {}, ['linger.ms']],
    ['Allowlist', { 'connector.client.config.override.allowlist': 'acks, linger.ms' }, ['sasl.mechanism']],
    ['All', {}, []],
    ['org.apache.kafka.connect.connector.policy.NoneConnectorClientConfigOverridePolicy', {}, ['linger.ms', 'sasl.mechanism']],
  ])('the policy %s', async (policy, more, refused) => {
    const config = { ...rows, 'producer.override.linger.ms': '5', 'producer.override.sasl.mechanism': 'PLAIN' }
    const infos = await validate(config, { worker: { 'connector.client.config.override.policy': policy, ...more } })
    expect(Object.keys(errorsOf(infos))).toEqual(refused.map((name) => `producer.override.${name}`))
    for (const [key, messages] of Object.entries(errorsOf(infos))) {
      expect(messages).toEqual([
        expect.stringContaining(`policy does not allow '${key.replace('producer.override.', '')}' to be overridden`),
      ])
    }
  })
})

describe('settings of topics that a source makes', () => {
  const right = {
    'topic.creation.groups': 'g, h',
    'topic.creation.default.partitions': '1',
    'topic.creation.default.replication.factor': '-1',
    'topic.creation.g.include': 'a.*,b',
    'topic.creation.g.partitions': '3',
    'topic.creation.g.cleanup.policy': 'compact',
  }

  it('are not listed while they are right, as in Kafka', async () => {
    const infos = await validate({ ...rows, ...right })
    expect(errorsOf(infos)).toEqual({})
    const names = infos.configs.map(({ value }) => value.name).filter((name) => name.startsWith('topic.creation'))
    expect(names).toEqual(['topic.creation.groups'])
  })

  it('are told at once where they are wrong, not when the connector starts', async () => {
    const wrong = {
      ...right,
      'topic.creation.default.partitions': '0',
      'topic.creation.g.include': '(',
      'topic.creation.h.replication.factor': 'x',
    }
    const infos = await validate({ ...rows, ...wrong, 'topic.creation.default.replication.factor': '99999' })
    expect(errorsOf(infos)).toEqual({
      'topic.creation.default.partitions': [
        "Invalid value 0 for configuration topic.creation.default.partitions: Number of partitions must be positive, or -1 to use the broker's default",
      ],
      'topic.creation.default.replication.factor': [
        'Invalid value 99999 for configuration topic.creation.default.replication.factor: Not a number of type SHORT',
      ],
      'topic.creation.g.include': [
        'Invalid value [(] for configuration topic.creation.g.include: Invalid regex: Unclosed group near index 1\n(',
      ],
      'topic.creation.h.replication.factor': [
        'Invalid value x for configuration topic.creation.h.replication.factor: Not a number of type SHORT',
      ],
    })
    expect(errorsOf(await validate({ ...rows, 'topic.creation.default.partitions': '1' }))).toEqual({
      'topic.creation.default.replication.factor': [
        'Missing required configuration "topic.creation.default.replication.factor" which has no default value.',
      ],
    })
  })

  it('do not matter where the worker makes no topics', async () => {
    const config = { ...rows, 'topic.creation.default.partitions': '0' }
    expect(errorsOf(await validate(config, { worker: { 'topic.creation.enable': 'false' } }))).toEqual({})
  })
})

/** A placeholder of a config provider. */
const placeholder = (reference: string): string => `\${${reference}}`

describe('what config providers gave', () => {
  it('never appears: placeholders stand for values, in errors of other keys too', async () => {
    const written = {
      ...rows,
      topic: placeholder('file:/secrets:topic'),
      'rows.max': placeholder('file:/secrets:rows'),
      'secret.key': placeholder('env:KEY'),
    }
    const config = { ...written, topic: 'hunter22', 'rows.max': 'hunter23', 'secret.key': 'hunter24' }
    const plugin = source({ config: defineConfig({ ...sourceConfig, other: { type: 'STRING', default: 'hunter22', importance: 'LOW' } }) })
    const infos = await validate(config, { written, plugin })
    expect(shown(infos, 'topic', 'rows.max')).toMatchObject([
      { value: placeholder('file:/secrets:topic'), errors: [] },
      {
        value: placeholder('file:/secrets:rows'),
        errors: [`Invalid value ${placeholder('file:/secrets:rows')} for configuration rows.max: What it stands for is not allowed.`],
      },
    ])
    expect(shown(infos, 'other')).toMatchObject([{ value: placeholder('file:/secrets:topic') }])

    const judging = source({
      validate: () => [
        { key: 'topic', message: 'hunter22 is wrong' },
        { key: 'connector.class', message: 'cannot reach db with hunter24' },
      ],
    })
    expect(errorsOf(await validate({ ...config, 'rows.max': '3' }, { written, plugin: judging }))).toEqual({
      topic: [`Invalid value ${placeholder('file:/secrets:topic')} for configuration topic: What it stands for is not allowed.`],
      'connector.class': [`cannot reach db with ${placeholder('env:KEY')}`],
    })
  })

  it('never appears as a part of a value either', async () => {
    const secretPart = 'hunter25'
    const written = { ...rows, topic: `postgres://me:${placeholder('env:PW')}@db/x` }
    const config = { ...rows, topic: `postgres://me:${secretPart}@db/x` }
    const plugin = source({
      validate: () => {
        throw new Error(`no login with ${secretPart}`)
      },
    })
    const infos = await validate(config, { written, plugin, secrets: [secretPart] })
    expect(errorsOf(infos)['connector.class']).toEqual([expect.stringMatching(/no login with \[hidden\]$/)])
    expect(JSON.stringify(infos)).not.toContain(secretPart)
  })
})

describe('passwords', () => {
  it('are hidden in what the plugin says of them', async () => {
    const config = { ...rows, secret: 'hunter26' }
    const issues = source({ validate: (parsed) => [{ key: 'topic', message: `hunter26 refused for ${String(parsed['topic'])}` }] })
    expect(errorsOf(await validate(config, { plugin: issues }))).toEqual({ topic: ['[hidden] refused for t'] })
    const throwing = source({ validate: () => Promise.reject(new Error('login hunter26 failed')) })
    expect(JSON.stringify(await validate(config, { plugin: throwing }))).not.toContain('hunter26')
  })
})
