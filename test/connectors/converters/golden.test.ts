/**
 * Kafka 4.3.1's own answers, case by case: golden/connect/converters.jsonl, of the classes that are here. Where ours differs on purpose the
 * reason stands in golden/connect/differences-converters.json, and the difference itself is checked.
 */
import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import * as plugins from '../../../connectors/converters/index.ts'
import {
  ConfigException,
  type ConfigDefinition,
  type Converter,
  type ConverterPlugin,
  type HeaderConverter,
  type HeaderConverterPlugin,
  isEngineError,
  parseConfig,
  type SchemaAndValue,
} from '../../../sdk/index.ts'
import { schemaFromGolden, schemaToGolden, shortestGolden, valueFromGolden, valueToGolden } from '../../golden/connect-values.ts'

interface GoldenError {
  readonly class: string
  readonly message: string
  readonly causeClass?: string
  readonly causeMessage?: string
}

interface GoldenCase {
  readonly converter: string
  readonly config: Readonly<Record<string, string>>
  readonly op: 'fromConnectData' | 'toConnectData'
  readonly schema?: unknown
  readonly value?: unknown
  readonly bytesHex?: string | null
  readonly error?: GoldenError
}

/** Some cases in which ours is another answer. */
interface Difference {
  /** A regular expression on the case's line. */
  readonly case: string
  /** What is expected instead of what the line says; of an error, the members that differ. */
  readonly ours: {
    readonly error?: Partial<GoldenError>
    readonly schema?: null
    readonly value?: null
    readonly bytesText?: string
    /** The same JSON, but for the order of members. */
    readonly sameJson?: true
  }
  readonly reason: string
}

const read = (name: string): string => readFileSync(new URL(`../../golden/connect/${name}`, import.meta.url), 'utf8')
const differences = JSON.parse(read('differences-converters.json')) as readonly Difference[]
const used = new Set<Difference>()

const here = ['Json', 'String', 'ByteArray', 'SimpleHeader'].map((name) => `.${name}Converter"`)
const lines = read('converters.jsonl')
  .trim()
  .split('\n')
  .filter((line) => here.some((name) => line.includes(name)))

type Convert = Pick<Converter, 'fromConnectData' | 'toConnectData'>

function converterOf(golden: GoldenCase): Convert {
  const settings = { 'converter.type': 'value', ...golden.config }
  for (const plugin of Object.values(plugins as unknown as Record<string, ConverterPlugin | HeaderConverterPlugin>)) {
    if (plugin.class !== golden.converter) continue
    const config = parseConfig<ConfigDefinition>(plugin.config, settings)
    if (plugin.kind === 'converter') return plugin.create(config, { isKey: false })
    return throughHeaders(plugin.create(config))
  }
  throw new Error(`no plugin of class ${golden.converter}`)
}

function throughHeaders(converter: HeaderConverter): Convert {
  return {
    fromConnectData: (topic, schema, value) => converter.fromConnectHeader(topic, 'h', schema, value),
    toConnectData: (topic, bytes) => converter.toConnectHeader(topic, 'h', bytes),
  }
}

/** What came out, in the notation of the golden file. */
function outcomeOf(golden: GoldenCase): Partial<GoldenCase> {
  try {
    const converter = converterOf(golden)
    if (golden.op === 'fromConnectData') {
      const schema = schemaFromGolden(golden.schema)
      const value = valueFromGolden(schema, golden.value ?? null)
      const bytes = converter.fromConnectData('t', schema, value, []) as Uint8Array | null
      return { bytesHex: bytes === null ? null : Buffer.from(bytes).toString('hex') }
    }
    const bytes = typeof golden.bytesHex === 'string' ? Buffer.from(golden.bytesHex, 'hex') : null
    const { schema, value } = converter.toConnectData('t', bytes, []) as SchemaAndValue
    return { schema: schemaToGolden(schema), value: valueToGolden(schema, value) }
  } catch (error) {
    return { error: goldenError(error) }
  }
}

function goldenError(error: unknown): GoldenError {
  if (error instanceof ConfigException) return { class: 'org.apache.kafka.common.config.ConfigException', message: error.message }
  if (!isEngineError(error)) throw error
  const { cause } = error
  if (!isEngineError(cause)) return { class: error.className, message: error.message }
  return { class: error.className, message: error.message, causeClass: cause.className, causeMessage: cause.message }
}

/** What the line says; `<any>` is whatever came out. */
function expectedOf(golden: GoldenCase, outcome: Partial<GoldenCase>): Partial<GoldenCase> {
  const { error } = golden
  if (error !== undefined) {
    const filled = Object.entries(error).map(([key, text]) => [key, text === '<any>' ? outcome.error?.[key as keyof GoldenError] : text])
    return { error: Object.fromEntries(filled) as GoldenError }
  }
  if (golden.op === 'fromConnectData') return { bytesHex: golden.bytesHex ?? null }
  const schema = schemaFromGolden(golden.schema)
  return { schema: golden.schema ?? null, value: shortestGolden(schema, golden.value ?? null) }
}

function textOf(outcome: Partial<GoldenCase>): string {
  return Buffer.from(outcome.bytesHex ?? '', 'hex').toString()
}

function expectDifference(difference: Difference, golden: GoldenCase, outcome: Partial<GoldenCase>): void {
  const { error, bytesText, sameJson, ...ours } = difference.ours
  const expected = expectedOf(golden, outcome)
  expect(outcome, 'no longer a difference').not.toEqual(expected)
  if (bytesText !== undefined) expect(textOf(outcome)).toBe(bytesText)
  else if (sameJson === true) expect(JSON.parse(textOf(outcome))).toEqual(JSON.parse(textOf(expected)))
  else if (error === undefined) expect(outcome).toEqual(ours)
  else expect(outcome).toEqual({ error: { ...expected.error, ...expectedOf({ ...golden, error: error as GoldenError }, outcome).error } })
}

describe('Kafka 4.3.1’s answers', () => {
  it('has all the cases', () => {
    expect(lines).toHaveLength(700)
  })

  for (const [index, line] of lines.entries()) {
    const golden = JSON.parse(line) as GoldenCase
    it(`${index} ${golden.converter.split('.').at(-1)} ${golden.op}`, () => {
      const difference = differences.find((each) => new RegExp(each.case).test(line))
      const outcome = outcomeOf(golden)
      if (difference === undefined) {
        expect(outcome, line).toEqual(expectedOf(golden, outcome))
      } else {
        used.add(difference)
        expectDifference(difference, golden, outcome)
      }
    })
  }

  it('has no difference without a case', () => {
    expect(differences.filter((difference) => !used.has(difference))).toEqual([])
  })
})
