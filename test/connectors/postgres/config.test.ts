import { readFileSync } from 'node:fs'
import { parseConfig, validateConfig } from '@millrace/sdk'
import { describe, expect, it } from 'vitest'
import {
  addressOf,
  type Config,
  definition,
  heartbeatTopic,
  snapshotMode,
  snapshotOverrides,
  streamParameters,
} from '../../../connectors/postgres/config.ts'
import { judge } from '../../../connectors/postgres/config-check.ts'
import { issuesOfChanging, unheeded } from '../../../connectors/postgres/config-lacked.ts'
import { placeholderOf } from '../../../connectors/postgres/config-rules.ts'
import { postgresSource } from '../../../connectors/postgres/index.ts'

type Errors = Readonly<Record<string, readonly string[]>>

/** A line of the recording of Debezium's answers to `PUT /connector-plugins/…/config/validate`. */
interface Case {
  readonly case: string
  readonly patch?: Readonly<Record<string, string | null>>
  readonly errors: Errors
}

const valid: Readonly<Record<string, string>> = {
  'database.hostname': 'db.example',
  'database.port': '5432',
  'database.user': 'u',
  'database.password': 'p',
  'database.dbname': 'd',
  'topic.prefix': 'dbz',
  'poll.interval.ms': '50',
}

const recorded = readFileSync(new URL('../../golden/cdc/postgres-validation.jsonl', import.meta.url), 'utf8')
  .trim()
  .split('\n')
  .map((line) => JSON.parse(line) as Case)
  .filter(({ patch }) => patch !== undefined)

/** What the server or the worker says is asked elsewhere. */
const elsewhere = new Set([
  'wrong password or user',
  'unknown host',
  'port closed',
  'unknown database',
  'sslmode verify without root',
  'tasks.max zero',
  'transform without type',
  'transform unknown',
  'unwrap with bad mode',
])

/** Where we say something else: with Connect’s own words for types and missing keys, or because a feature is not there. */
const differences: Readonly<Record<string, RegExp | null>> = {
  'nothing but the class': /^Missing required configuration "database\.hostname"/,
  'no topic.prefix': /^Missing required configuration "topic\.prefix"/,
  'no dbname': /^Missing required configuration "database\.dbname"/,
  'empty topic.prefix': /A value is required$/,
  'port not a number': /^Invalid value abc for configuration database\.port: Not a number of type INT/,
  'batch not a number': /^Invalid value x for configuration max\.batch\.size/,
  'boolean not a boolean': /^Invalid value maybe for configuration tombstones\.on\.delete/,
  'bad table regex': /but Unclosed group near index 3$/,
  'bad column regex': /but Dangling meta character '\*' near index 0$/,
  'queue negative': /A positive, non-zero integer value is expected$/,
  'retriable wait negative': /A positive, non-zero integer value is expected$/,
  'time.precision.mode unknown': /Value must be one of adaptive, .*nanoseconds$/,
  'snapshot.mode unknown': /Value must be one of initial, always, initial_only, no_data, never, when_needed$/,
  'snapshot.mode custom without name': /custom needs a Java class and is not supported; set initial/,
  'event.processing.failure.handling.mode unknown': /Value must be one of fail$/,
  'schema.name.adjustment.mode unknown': /Value must be one of none$/,
  'locking unknown': /Value must be one of none, shared$/,
  'plugin unknown': /Value must be one of pgoutput$/,
  'topic.naming.strategy unknown class': /is supported; leave the key out, and route topics by a transform/,
  'converter without type': /are Java classes and not supported/,
  'xmin interval negative': /source\.xmin is not supported/,
  // Features that are not there and only add something: told in the log when the connector starts.
  'notification sink without topic': null,
  'watermarking unknown': null,
}

function errorsOf(patch: Case['patch']): Errors {
  const props = Object.fromEntries(Object.entries({ ...valid, ...patch }).filter(([, value]) => value !== null))
  const wrong = validateConfig(definition, props).filter(({ errors }) => errors.length > 0)
  if (wrong.length > 0) return Object.fromEntries(wrong.map(({ name, errors }) => [name, errors]))
  return Object.fromEntries(judge(parseConfig(definition, props)).map(({ key, message }) => [key, [message]]))
}

/** Words of a choice come in any order, and Debezium repeats itself. */
function comparable(errors: Errors): unknown {
  const sorted = (message: string) => message.replace(/(?<=Value must be one of ).*/, (list) => list.split(', ').toSorted().join(', '))
  return Object.entries(errors).map(([key, messages]) => [key, [...new Set(messages.map(sorted))]])
}

const config = (change: Record<string, string> = {}): Config => parseConfig(definition, { ...valid, ...change })

describe('a configuration', () => {
  it.each(recorded.filter((one) => !elsewhere.has(one.case) && !(one.case in differences)))(
    'is judged as by Debezium: $case',
    ({ patch, errors }) => {
      expect(comparable(errorsOf(patch))).toEqual(comparable(errors))
    },
  )

  it.each(recorded.filter((one) => one.case in differences))('is judged otherwise: $case', ({ patch, case: name }) => {
    const [first] = Object.values(errorsOf(patch)).flat()
    const expected = differences[name]
    if (expected === null || expected === undefined) expect(first).toBeUndefined()
    else expect(first).toMatch(expected)
  })

  it.each([
    ['plugin.name', 'decoderbufs', /set it to pgoutput/],
    ['snapshot.mode', 'configuration_based', /not supported; set the mode/],
    ['time.precision.mode', 'structured', /not supported; set adaptive/],
    ['schema.name.adjustment.mode', 'avro', /not supported/],
    ['field.name.adjustment.mode', 'avro_unicode', /not supported/],
    ['provide.transaction.metadata', 'true', /source\.txId/],
    ['post.processors', 'reselector', /not supported/],
    ['heartbeat.action.query', 'select 1', /not supported/],
    ['event.processing.failure.handling.mode', 'warn', /would lose changes/],
    ['column.propagate.source.type', '.*', /not supported/],
  ])('with %s = %s is refused', (key, value, message) => {
    expect(errorsOf({ [key]: value })).toEqual({ [key]: [expect.stringMatching(message)] })
  })

  it('takes words in upper case, and false where that is the default', () => {
    expect(errorsOf({ 'snapshot.mode': 'INITIAL', 'decimal.handling.mode': 'Precise', 'provide.transaction.metadata': 'false' })).toEqual(
      {},
    )
  })

  it('has every part of an address', () => {
    const address = addressOf(config({ 'database.initial.statements': "SET a = 'x;;y'; SET b = 1 ;", 'database.sslmode': 'REQUIRE' }), 5)
    expect(address).toMatchObject({
      hostname: 'db.example',
      port: 5432,
      password: 'p',
      ssl: { mode: 'require', rootCertFile: null },
      initialStatements: ["SET a = 'x;y'", 'SET b = 1'],
      connectTimeoutMs: 5,
    })
  })

  it('says the rest', () => {
    expect(snapshotMode(config({ 'snapshot.mode': 'never' }))).toBe('no_data')
    expect(heartbeatTopic(config())).toBe('__debezium-heartbeat.dbz')
    expect(heartbeatTopic(config({ 'topic.heartbeat.name': 'beat' }))).toBe('beat')
    expect(streamParameters(config({ 'slot.stream.params': 'origin=none; x = a=b ;y' }))).toEqual({ origin: 'none', x: 'a=b' })
    const overridden = config({ 'snapshot.select.statement.overrides': 'public.t, public.u' })
    expect([...snapshotOverrides(overridden, { 'snapshot.select.statement.overrides.public.t': 'select 1' })]).toEqual([
      ['public.t', 'select 1'],
    ])
    expect(placeholderOf('hex:00FF')).toEqual(Buffer.from([0, 255]))
    expect(placeholderOf('hex:zz').toString()).toBe('hex:zz')
  })
})

describe('keys that are not there', () => {
  it('stop the connector where they would change data', () => {
    expect(issuesOfChanging({ 'column.mask.with.5.chars': 'public.t.v', 'column.truncate.to.5.chars': 'public.t.v' })).toEqual([
      { key: 'column.mask.with.5.chars', message: expect.stringMatching(/not supported; remove the key: .*column\.exclude\.list/) },
      { key: 'column.truncate.to.5.chars', message: expect.stringMatching(/not supported/) },
    ])
    expect(issuesOfChanging(valid)).toEqual([])
  })

  it('are told where they only add something', async () => {
    const properties = { ...valid, 'signal.data.collection': 'public.s', 'read.only': 'false', 'openlineage.integration.enabled': 'true' }
    expect(unheeded(properties)).toEqual(['openlineage.integration.enabled', 'signal.data.collection'])
    const warnings: string[] = []
    const quiet = () => undefined
    const log = { debug: quiet, info: quiet, error: quiet, warn: (message: string) => void warnings.push(message) }
    const context = { connector: 'c', properties, taskCountMax: 1, signal: new AbortController().signal, log, replan: quiet }
    const offsets = { read: async () => null, readAll: async () => [] }
    expect(await postgresSource.plan?.(config(), { ...context, offsets })).toEqual([properties])
    expect(warnings).toEqual([expect.stringMatching(/no effect.*openlineage\.integration\.enabled, signal\.data\.collection/)])
  })
})
