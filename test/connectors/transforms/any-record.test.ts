/** Any value of any shape goes through any transform: out comes a record, nothing, or a DataError; the record that went in stays as it was. */
import fc from 'fast-check'
import {
  array,
  boolean,
  bytes,
  type ConfigDefinition,
  date,
  Decimal,
  decimal,
  float32,
  float64,
  int8,
  int32,
  int64,
  isEngineError,
  map,
  parseConfig,
  type Schema,
  Sized,
  type SourceRecord,
  string,
  struct,
  structOf,
  timestamp,
  type Transform,
  type TransformPlugin,
  type Value,
  validateValue,
} from '@millrace/sdk'
import { describe, expect, it } from 'vitest'
import * as plugins from '../../../connectors/transforms/index.ts'

interface Typed {
  readonly schema: Schema | null
  readonly value: Value
}

const typed = (schema: Schema, values: fc.Arbitrary<Value>): fc.Arbitrary<Typed> =>
  fc.tuple(fc.boolean(), values, fc.boolean()).map(([optional, value, isNull]) => ({
    schema: optional ? { ...schema, optional } : schema,
    value: optional && isNull ? null : value,
  }))

const leaves: fc.Arbitrary<Typed> = fc.oneof(
  typed(int8(), fc.integer({ min: -128, max: 127 })),
  typed(int32(), fc.integer()),
  typed(int64(), fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n })),
  typed(float32(), fc.float()),
  typed(float64(), fc.double()),
  typed(boolean(), fc.boolean()),
  typed(string(), fc.string()),
  typed(bytes(), fc.uint8Array()),
  typed(
    decimal(2),
    fc.bigInt().map((unscaled) => new Decimal(unscaled, 2)),
  ),
  typed(
    date(),
    fc.integer({ min: -1e8, max: 1e8 }).map((day) => new Date(day * 86_400_000)),
  ),
  typed(timestamp(), fc.date({ noInvalidDate: true })),
  typed(array(int32()), fc.array(fc.integer())),
  typed(
    map(string(), int32()),
    fc.array(fc.tuple(fc.string(), fc.integer())).map((entries) => new Map<Value, Value>(entries)),
  ),
)
const fieldNames = fc.constantFrom('a', 'b', 'c', 'id', 'a.b')
const structs = (fields: fc.Arbitrary<Typed>): fc.Arbitrary<Typed> =>
  fc.uniqueArray(fc.tuple(fieldNames, fields), { selector: ([name]) => name, maxLength: 5 }).map((list) => ({
    schema: struct(list.map(([name, { schema }]) => ({ name, schema: schema ?? string() }))),
    value: structOf(Object.fromEntries(list.map(([name, { value }]) => [name, value]))),
  }))
const loose: fc.Arbitrary<Value> = fc.oneof(
  fc.constant(null),
  fc.string(),
  fc.double(),
  fc.bigInt(),
  fc.boolean(),
  fc.integer({ min: -128, max: 127 }).map((value) => new Sized('int8', value)),
  fc.bigInt().map((unscaled) => new Decimal(unscaled, 3)),
  fc.date({ noInvalidDate: true }),
  fc.uint8Array(),
)
const schemaless: fc.Arbitrary<Typed> = fc.oneof(
  loose.map((value) => ({ schema: null, value })),
  fc.array(fc.tuple(fieldNames, loose)).map((entries) => ({ schema: null, value: new Map<Value, Value>(entries) })),
)
const anything = fc.oneof(leaves, structs(fc.oneof(leaves, structs(leaves))), schemaless)

interface Case {
  readonly title: string
  readonly transform: Transform
  /** Whether values fit their schemas afterwards; upstream keeps the logical name of what is cast or masked. */
  readonly fits: boolean
}

function caseOf<D extends ConfigDefinition>(plugin: TransformPlugin<D>, config: Readonly<Record<string, string>>): Case {
  const fits = !/Cast|MaskField/.test(plugin.class)
  return { title: `${plugin.class} ${JSON.stringify(config)}`, transform: plugin.create(parseConfig(plugin.config, config)), fits }
}

const cases: readonly Case[] = [
  caseOf(plugins.replaceFieldValue, { exclude: 'b', renames: 'a:z' }),
  caseOf(plugins.insertFieldValue, { 'topic.field': 'topic', 'timestamp.field': 'ts!', 'partition.field': 'p' }),
  caseOf(plugins.extractFieldValue, { field: 'a.b', 'field.syntax.version': 'V2' }),
  caseOf(plugins.hoistFieldValue, { field: 'x' }),
  caseOf(plugins.valueToKey, { fields: 'id,a' }),
  caseOf(plugins.headerFromValue, { fields: 'a', headers: 'h', operation: 'move' }),
  caseOf(plugins.flattenValue, { delimiter: '_' }),
  caseOf(plugins.maskFieldValue, { fields: 'a,b,c' }),
  caseOf(plugins.maskFieldValue, { fields: 'a,b,c', replacement: '1e99' }),
  caseOf(plugins.setSchemaMetadataValue, { 'schema.name': 'n' }),
  ...['int8', 'int64', 'float32', 'boolean', 'string'].map((type) => caseOf(plugins.castValue, { spec: `a:${type}` })),
  ...['int32', 'float64', 'string'].map((type) => caseOf(plugins.castValue, { spec: type })),
  ...['string', 'unix', 'Date', 'Time', 'Timestamp'].map((type) =>
    caseOf(plugins.timestampConverterValue, { field: 'a', 'target.type': type, format: 'yyyy-MM-dd' }),
  ),
]

describe('any record', () => {
  it.each(cases)('$title', ({ transform, fits }) => {
    fc.assert(
      fc.property(anything, ({ schema, value }) => {
        const common = { topic: 't', partition: 3, timestampMs: 9, headers: [], sourcePartition: null, sourceOffset: null }
        const record: SourceRecord = { ...common, keySchema: null, key: null, valueSchema: schema, value }
        const before = structuredClone({ schema, value })
        try {
          const result = transform(record)
          if (fits && result !== null && result.valueSchema !== null) validateValue(result.valueSchema, result.value)
        } catch (error) {
          if (!isEngineError(error)) throw error
        }
        expect(structuredClone({ schema, value })).toEqual(before)
      }),
      { numRuns: process.env['MILLRACE_LONG'] === undefined ? 200 : 5_000 },
    )
  })
})
