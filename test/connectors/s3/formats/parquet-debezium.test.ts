/**
 * Debezium's own records in Parquet: everything in golden/cdc/postgres, through JsonConverter as a sink gets it, read back by DuckDB.
 */
import { readdirSync, readFileSync } from 'node:fs'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { jsonConverter } from '../../../../connectors/converters/index.ts'
import { isDecimal, parseConfig, parseJson, type Schema, type SinkRecord, stringifyJson, type Value } from '../../../../sdk/index.ts'
import { openParquetReader, type ParquetReader } from './parquet-reader.ts'
import { objectOf, sinkRecord } from './sink-records.ts'

const folder = new URL('../../../golden/cdc/postgres/', import.meta.url)
/** Whose rows have no columns left: Parquet has no struct without fields. */
const withoutFields = 'column-filters.include.jsonl'
const recordings = readdirSync(folder).filter((name) => name.endsWith('.jsonl') && name !== withoutFields)

const converter = jsonConverter.create(parseConfig(jsonConverter.config, { 'converter.type': 'value', 'schemas.enable': 'true' }), {
  isKey: false,
})

interface Line {
  readonly topic?: string
  readonly value?: unknown
  readonly valueSchema?: string
}

/** The recording's records that have a value with a schema, by schema. */
function recordsOf(name: string): ReadonlyMap<string, readonly SinkRecord[]> {
  const schemas = parseJson(readFileSync(new URL(name.replace(/jsonl$/, 'schemas.json'), folder), 'utf8')) as Record<string, object>
  const bySchema = new Map<string, SinkRecord[]>()
  for (const line of readFileSync(new URL(name, folder), 'utf8').trim().split('\n').slice(1)) {
    const { value, valueSchema } = parseJson(line, { decimals: 'exact' }) as Line
    const schema = valueSchema === undefined ? undefined : schemas[valueSchema]
    if (schema === undefined || value === null || value === undefined) continue
    const bytes = Buffer.from(stringifyJson({ schema, payload: withoutPlaceholders(value, schema as JsonSchema) }))
    const made = converter.toConnectData('t', bytes, []) as { readonly schema: Schema; readonly value: Value }
    bySchema.set(valueSchema!, [...(bySchema.get(valueSchema!) ?? []), sinkRecord(made.schema, made.value)])
  }
  return bySchema
}

interface JsonSchema {
  readonly type: string
  readonly field?: string
  readonly fields?: readonly JsonSchema[]
}

/** What changes from run to run is recorded as `<name>`; where a number belongs it is a number here. */
function withoutPlaceholders(value: unknown, { type, fields }: JsonSchema): unknown {
  if (type.startsWith('int') && typeof value === 'string' && /^<.*>$/.test(value)) return 1
  if (type !== 'struct' || value === null) return value
  const members = value as Readonly<Record<string, unknown>>
  return Object.fromEntries((fields ?? []).map((field) => [field.field!, withoutPlaceholders(members[field.field!], field)]))
}

/** What DuckDB is to read, in the notation of parquet-reader. */
function notation(schema: Schema, value: Value | undefined): unknown {
  if (value === null || value === undefined) return null
  const named = schema.name === undefined ? undefined : notations[schema.name]
  if (named !== undefined) return named(value, schema)
  switch (schema.type) {
    case 'bytes':
      return `0x${Buffer.from(value as Uint8Array).toString('hex')}`
    case 'array':
      return (value as readonly Value[]).map((item) => notation(schema.valueSchema!, item))
    case 'map':
      return new Map([...(value as ReadonlyMap<Value, Value>)].map(([key, item]) => [key, notation(schema.valueSchema!, item)]))
    case 'struct':
      return Object.fromEntries(
        (schema.fields ?? []).map((field) => [field.name, notation(field.schema, (value as Record<string, Value>)[field.name])]),
      )
    default:
      return value
  }
}

const notations: Readonly<Record<string, (value: Value, schema: Schema) => unknown>> = {
  'org.apache.kafka.connect.data.Date': (value) => `days ${Number(value) / 86_400_000}`,
  'org.apache.kafka.connect.data.Time': (value) => `timetz ${Number(value) * 1000} µs`,
  'org.apache.kafka.connect.data.Timestamp': (value) => `timestamptz ${BigInt(Number(value)) * 1000n} µs`,
  'org.apache.kafka.connect.data.Decimal': (value, { parameters = {} }) => {
    if (!isDecimal(value)) throw new Error('no Decimal')
    const width = Math.max(Number(parameters['connect.decimal.precision'] ?? 38), value.scale)
    return width > 38 ? value.toString() : `DECIMAL(${width},${value.scale}) ${value.unscaled}`
  },
  'io.debezium.time.Date': (value) => `days ${value as number}`,
  'io.debezium.time.Time': (value) => `time ${(value as number) * 1000} µs`,
  'io.debezium.time.MicroTime': (value) => `time ${value as bigint} µs`,
  'io.debezium.time.NanoTime': (value) => `time ${value as bigint} ns`,
  'io.debezium.time.Timestamp': (value) => `timestamp ${(value as bigint) * 1000n} µs`,
  'io.debezium.time.MicroTimestamp': (value) => `timestamp ${value as bigint} µs`,
  'io.debezium.time.NanoTimestamp': (value) => `timestamp ${value as bigint} ns`,
}

let reader: ParquetReader
beforeAll(async () => {
  reader = await openParquetReader()
})
afterAll(() => reader.close())

describe('Debezium’s records in Parquet', () => {
  for (const name of recordings) {
    const bySchema = recordsOf(name)
    if (bySchema.size === 0) continue
    it(name, async () => {
      for (const records of bySchema.values()) {
        const schema = records[0]!.valueSchema!
        const { columns, rows } = await reader.read(await objectOf(records, { format: 'parquet' }))
        const read = rows.map((members) => Object.fromEntries(members.map((member, at) => [columns[at]![0], member])))
        expect(read).toEqual(records.map(({ value }) => notation(schema, value)))
      }
    })
  }
  it(`${withoutFields} is refused`, async () => {
    const objects = [...recordsOf(withoutFields).values()].map((records) => objectOf(records, { format: 'parquet' }))
    const refused = (await Promise.allSettled(objects)).flatMap((outcome) =>
      outcome.status === 'rejected' ? [String(outcome.reason)] : [],
    )
    expect(refused).toEqual([expect.stringContaining('before is a struct without fields')])
  })
})
