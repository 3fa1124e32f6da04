/**
 * Every case that Apache Kafka 4.3.1 was recorded with, for the transforms and predicates that are here: outputs, schemas, errors with class,
 * message and stage, and whether the very same record came back.
 */
import { readFileSync } from 'node:fs'
import {
  ConfigException,
  isEngineError,
  isPlugin,
  parseConfig,
  type PredicatePlugin,
  type SinkRecord,
  type SourceRecord,
  type TransformPlugin,
} from '@millrace/sdk'
import { describe, expect, it } from 'vitest'
import * as plugins from '../../../connectors/transforms/index.ts'
import { schemaFromGolden, schemaToGolden, shortestGolden, valueFromGolden, valueToGolden } from '../../golden/connect-values.ts'

interface GoldenRecord {
  readonly kind: 'source' | 'sink'
  readonly topic: string
  readonly partition: number | null
  readonly offset?: number
  readonly timestampType?: string
  readonly timestamp: number | null
  readonly keySchema: unknown
  readonly key: unknown
  readonly valueSchema: unknown
  readonly value: unknown
  readonly headers: readonly { readonly key: string; readonly schema: unknown; readonly value: unknown }[]
}

interface GoldenCase {
  readonly transform?: string
  readonly predicate?: string
  readonly config: Readonly<Record<string, string>>
  readonly input?: GoldenRecord
  readonly output?: GoldenRecord | boolean | null
  readonly error?: { readonly stage: string; readonly class: string; readonly message: string }
  readonly same?: boolean
}

/** Where we differ on purpose: in the recorded answer's JSON, `recorded` is `ours`. */
interface Difference {
  readonly case: string
  readonly recorded: string
  readonly ours: string
  readonly reason: string
}

const golden = new URL('../../golden/connect/', import.meta.url)
const cases = readFileSync(new URL('smt.jsonl', golden), 'utf8')
  .trim()
  .split('\n')
  // Moments beyond 2^53 stand there as bare digits; as text they keep them.
  .map((line) => JSON.parse(line.replace(/"\$date":(-?\d{16,})/g, '"$date":"$1"')) as GoldenCase)
const differences = JSON.parse(readFileSync(new URL('differences-transforms.json', golden), 'utf8')) as readonly Difference[]
const byClass = new Map(
  Object.values(plugins)
    .filter((value) => isPlugin(value))
    .map((plugin) => [plugin.class, plugin]),
)

const timestampTypes: Readonly<Record<string, SinkRecord['timestampType']>> = {
  NoTimestampType: 'none',
  CreateTime: 'create',
  LogAppendTime: 'append',
}

function recordFromGolden(json: GoldenRecord): SourceRecord | SinkRecord {
  const [keySchema, valueSchema] = [schemaFromGolden(json.keySchema), schemaFromGolden(json.valueSchema)]
  const common = {
    topic: json.topic,
    partition: json.partition,
    keySchema,
    key: valueFromGolden(keySchema, json.key),
    valueSchema,
    value: valueFromGolden(valueSchema, json.value),
    timestampMs: json.timestamp,
    headers: json.headers.map((header) => {
      const schema = schemaFromGolden(header.schema)
      return { key: header.key, schema, value: valueFromGolden(schema, header.value) }
    }),
  }
  if (json.kind === 'source') return { ...common, sourcePartition: null, sourceOffset: null }
  const [partition, offset] = [json.partition ?? 0, json.offset ?? 0]
  const original = { originalTopic: json.topic, originalPartition: partition, originalOffset: offset }
  return { ...common, partition, offset, timestampType: timestampTypes[json.timestampType ?? ''] ?? 'none', ...original }
}

/** A record in the notation, as it compares: numbers in their shortest form. */
function shown(record: SourceRecord | SinkRecord): unknown {
  return {
    topic: record.topic,
    partition: record.partition,
    offset: 'offset' in record ? record.offset : undefined,
    timestamp: record.timestampMs,
    keySchema: schemaToGolden(record.keySchema),
    key: valueToGolden(record.keySchema, record.key),
    valueSchema: schemaToGolden(record.valueSchema),
    value: valueToGolden(record.valueSchema, record.value),
    headers: record.headers.map(({ key, schema, value }) => ({ key, schema: schemaToGolden(schema), value: valueToGolden(schema, value) })),
  }
}

function shownGolden(json: GoldenRecord): unknown {
  const [keySchema, valueSchema] = [schemaFromGolden(json.keySchema), schemaFromGolden(json.valueSchema)]
  return {
    topic: json.topic,
    partition: json.partition,
    offset: json.offset,
    timestamp: json.timestamp,
    keySchema: json.keySchema,
    key: shortestGolden(keySchema, json.key),
    valueSchema: json.valueSchema,
    value: shortestGolden(valueSchema, json.value),
    headers: json.headers.map((header) => ({ ...header, value: shortestGolden(schemaFromGolden(header.schema), header.value) })),
  }
}

function failure(stage: string, error: unknown): unknown {
  if (error instanceof ConfigException) {
    return { error: { stage, class: 'org.apache.kafka.common.config.ConfigException', message: error.message } }
  }
  if (isEngineError(error)) return { error: { stage, class: error.className, message: error.message } }
  throw error
}

/** What our plugin makes of a case. */
function outcome(one: GoldenCase): unknown {
  const plugin = byClass.get(one.transform ?? one.predicate ?? '') as TransformPlugin | PredicatePlugin
  const input = one.input === undefined ? undefined : recordFromGolden(one.input)
  let run: (record: SourceRecord | SinkRecord) => SourceRecord | SinkRecord | boolean | null
  try {
    run = plugin.create(parseConfig(plugin.config, one.config))
  } catch (error) {
    return failure('configure', error)
  }
  if (input === undefined) return { output: 'configured' }
  try {
    const before = JSON.stringify(shown(input))
    const output = run(input)
    expect(JSON.stringify(shown(input))).toBe(before)
    if (output === null || typeof output === 'boolean') return { output }
    return { output: shown(output), ...(output === input ? { same: true } : {}) }
  } catch (error) {
    return failure('apply', error)
  }
}

function expected({ output, error, same }: GoldenCase): unknown {
  // Causes, where they were recorded, are Java's own number parser speaking; nobody sees them apart from the message.
  if (error !== undefined) return { error: { stage: error.stage, class: error.class, message: error.message } }
  if (output === null || output === undefined || typeof output === 'boolean') return { output: output ?? null }
  return { output: shownGolden(output), ...(same === true ? { same } : {}) }
}

function withDifferences(label: string, wanted: unknown): unknown {
  const own = differences.filter((candidate) => candidate.case === label)
  const text = own.reduce((json, { recorded, ours }) => json.replace(recorded, () => ours), JSON.stringify(wanted))
  return JSON.parse(text)
}

/** `<any>` in a message stands for any text. */
function matchesAny(actual: unknown, wanted: unknown): unknown {
  const [ours, theirs] = [(actual as GoldenCase).error, (wanted as GoldenCase).error]
  if (ours === undefined || theirs === undefined || !theirs.message.includes('<any>')) return wanted
  const pattern = theirs.message.split('<any>').map((part) => part.replace(/[^\w ]/g, '\\$&'))
  return { error: { ...theirs, message: expect.stringMatching(new RegExp(`^${pattern.join('[^]*')}$`)) as string } }
}

describe('cases recorded from Apache Kafka', () => {
  for (const name of new Set(cases.map((one) => one.transform ?? one.predicate ?? ''))) {
    const own = cases.filter((one) => (one.transform ?? one.predicate) === name)
    it(`${name}: ${own.length} cases`, () => {
      expect(byClass.has(name)).toBe(true)
      for (const one of own) {
        const actual = outcome(one)
        const label = `${name} ${JSON.stringify(one.config)}`
        const wanted = matchesAny(actual, withDifferences(label, expected(one)))
        expect(actual, `${label} ${JSON.stringify(one.input)}`).toEqual(wanted)
      }
    })
  }

  it('every difference is about a recorded case', () => {
    const labels = new Set(cases.map((one) => `${one.transform ?? one.predicate} ${JSON.stringify(one.config)}`))
    expect(differences.filter((difference) => !labels.has(difference.case))).toEqual([])
  })
})
