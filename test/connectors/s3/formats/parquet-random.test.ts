/** Random schemas and values: what DuckDB reads is what was written. */
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import {
  array,
  bytes,
  date,
  Decimal,
  decimal,
  isDecimal,
  map,
  type Schema,
  string,
  struct,
  structOf,
  time,
  timestamp,
  type Value,
} from '../../../../sdk/index.ts'
import { openParquetReader, type ParquetReader } from './parquet-reader.ts'
import { objectOf, sinkRecord } from './sink-records.ts'

const isLong = process.env['MILLRACE_LONG'] !== undefined
const DAY_MS = 86_400_000

/** A schema, values of it, and how each is read (in the notation of parquet-reader). */
interface Shape {
  readonly schema: Schema
  readonly values: fc.Arbitrary<Value>
  readonly read: (value: Value) => unknown
}

const same = (value: Value): unknown => value
const text = fc.string({ unit: 'binary', maxLength: 12 })

function plain(schema: Schema, values: fc.Arbitrary<Value>, read: Shape['read'] = same): Shape {
  return { schema, values, read }
}

/** Often one of a few, so that dictionaries are made. */
function fewOf(values: fc.Arbitrary<Value>, few: readonly Value[]): fc.Arbitrary<Value> {
  return fc.oneof({ weight: 2, arbitrary: values }, { weight: 3, arbitrary: fc.constantFrom(...few) })
}

const decimals: fc.Arbitrary<Shape> = fc
  .record({ precision: fc.integer({ min: 1, max: 38 }), scale: fc.integer({ min: 0, max: 38 }), isTold: fc.boolean() })
  .map(({ precision, scale, isTold }) => {
    const parameters = isTold ? { parameters: { 'connect.decimal.precision': String(precision) } } : {}
    const most = 10n ** BigInt(isTold ? precision : 38) - 1n
    const width = isTold ? Math.max(precision, scale) : 38
    const values = fewOf(
      fc.bigInt({ min: -most, max: most }).map((unscaled) => new Decimal(unscaled, scale)),
      [new Decimal(most, scale), new Decimal(-most, scale), new Decimal(0n, scale)],
    )
    return plain(decimal(scale, parameters), values, (value) => `DECIMAL(${width},${scale}) ${isDecimal(value) ? value.unscaled : '?'}`)
  })

const int64s = fewOf(fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }), [0n, 1n])

const leaves: fc.Arbitrary<Shape> = fc.oneof(
  fc.constantFrom<Shape>(
    plain({ type: 'int8' }, fc.integer({ min: -128, max: 127 })),
    plain({ type: 'int16' }, fc.integer({ min: -32_768, max: 32_767 })),
    plain({ type: 'int32' }, fewOf(fc.integer(), [0, 1])),
    plain({ type: 'int64' }, int64s),
    plain({ type: 'float32' }, fewOf(fc.float(), [0, -0])),
    plain({ type: 'float64' }, fewOf(fc.double(), [0, -0])),
    plain({ type: 'boolean' }, fc.boolean()),
    plain(string(), fewOf(text, ['', 'often'])),
    plain(string({ name: 'io.debezium.data.Enum' }), text),
    plain(
      bytes(),
      fc.uint8Array({ maxLength: 9 }).map((raw) => Buffer.from(raw)),
      (value) => `0x${Buffer.from(value as Buffer).toString('hex')}`,
    ),
    plain(
      date(),
      fc.integer({ min: -1e8, max: 1e8 }).map((days) => new Date(days * DAY_MS)),
      (value) => `days ${Number(value) / DAY_MS}`,
    ),
    plain(
      time(),
      fc.integer({ min: 0, max: DAY_MS - 1 }).map((ms) => new Date(ms)),
      (value) => `timetz ${Number(value) * 1000} µs`,
    ),
    plain(
      timestamp(),
      fc.integer({ min: -8.64e15, max: 8.64e15 }).map((ms) => new Date(ms)),
      (value) => `timestamptz ${BigInt(Number(value)) * 1000n} µs`,
    ),
    plain({ type: 'int64', name: 'io.debezium.time.MicroTimestamp' }, int64s, (value) => `timestamp ${value as bigint} µs`),
    plain(
      { type: 'int64', name: 'io.debezium.time.MicroTime' },
      fc.bigInt({ min: 0n, max: 86_400_000_000n }),
      (value) => `time ${value as bigint} µs`,
    ),
  ),
  decimals,
)

function optional(shape: Shape): Shape {
  return {
    schema: { ...shape.schema, optional: true },
    values: fc.option(shape.values, { freq: 3 }),
    read: (value) => (value === null ? null : shape.read(value)),
  }
}

function listOf(element: Shape): Shape {
  const read = (value: Value): unknown => (value as readonly Value[]).map((item) => element.read(item))
  return { schema: array(element.schema), values: fc.array(element.values, { maxLength: 4 }), read }
}

/** Keys that are one key to a Map as well as to DuckDB. */
const keys: fc.Arbitrary<Shape> = fc.constantFrom(
  plain(string(), text),
  plain({ type: 'int32' }, fc.integer()),
  plain({ type: 'int64' }, int64s),
)

function mapOf(key: Shape, item: Shape): Shape {
  const entries = fc.uniqueArray(fc.tuple(key.values, item.values), {
    maxLength: 3,
    selector: ([name]) => name,
    comparator: 'SameValueZero',
  })
  return {
    schema: map(key.schema, item.schema),
    values: entries.map((pairs) => new Map(pairs)),
    read: (value) => new Map([...(value as ReadonlyMap<Value, Value>)].map(([name, member]) => [key.read(name), item.read(member)])),
  }
}

/** DuckDB takes names without regard to case. */
const names = fc.uniqueArray(fc.stringMatching(/^[a-z][a-z0-9_. é]{0,7}$/), { minLength: 1, maxLength: 5 })

function structShape(members: readonly (readonly [string, Shape])[]): Shape {
  const values = fc.tuple(...members.map(([, shape]) => shape.values)).map((list) => {
    return structOf(Object.fromEntries(members.map(([name], at) => [name, list[at]!])))
  })
  return {
    schema: struct(members.map(([name, shape]) => ({ name, schema: shape.schema }))),
    values,
    read: (value) => Object.fromEntries(members.map(([name, shape]) => [name, shape.read((value as Record<string, Value>)[name]!)])),
  }
}

const { group } = fc.letrec<{ readonly member: Shape; readonly group: Shape }>((tie) => ({
  group: names.chain((list) => fc.tuple(...list.map((name) => fc.tuple(fc.constant(name), tie('member'))))).map(structShape),
  member: fc
    .tuple(
      fc.oneof(
        { maxDepth: 3, depthSize: 'small' },
        leaves,
        tie('member').map(listOf),
        fc.tuple(keys, tie('member')).map(([key, item]) => mapOf(key, item)),
        tie('group'),
      ),
      fc.boolean(),
    )
    .map(([shape, isOptional]) => (isOptional ? optional(shape) : shape)),
}))

let reader: ParquetReader
beforeAll(async () => {
  reader = await openParquetReader()
})
afterAll(() => reader.close())

describe('random schemas and values', () => {
  it('come back from DuckDB as they were', { timeout: isLong ? 600_000 : 60_000 }, async () => {
    const tables = group.chain((shape) =>
      fc.record({ shape: fc.constant(shape), rows: fc.array(shape.values, { minLength: 1, maxLength: 40 }) }),
    )
    const codecs = fc.constantFrom('none', 'snappy', 'gzip', 'zstd')
    await fc.assert(
      fc.asyncProperty(tables, codecs, async ({ shape, rows }, parquetCodec) => {
        const records = rows.map((value) => sinkRecord(shape.schema, value))
        const { columns, rows: found } = await reader.read(await objectOf(records, { format: 'parquet', parquetCodec }))
        const read = found.map((members) => Object.fromEntries(members.map((value, at) => [columns[at]![0], value])))
        expect(read).toEqual(rows.map(shape.read))
      }),
      { numRuns: isLong ? 3000 : 150 },
    )
  })
})
