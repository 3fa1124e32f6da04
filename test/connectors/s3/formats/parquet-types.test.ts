/** Every type of value in Parquet, with its extremes, read by DuckDB. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import {
  boolean,
  bytes,
  date,
  Decimal,
  decimal,
  float32,
  float64,
  int8,
  int16,
  int32,
  int64,
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

let reader: ParquetReader
beforeAll(async () => {
  reader = await openParquetReader()
})
afterAll(() => reader.close())

const INT64_MAX = 2n ** 63n - 1n
const INT64_MIN = -(2n ** 63n)
const DAY_MS = 86_400_000

interface TypeCase {
  readonly schema: Schema
  readonly type: string
  /** Values, and what DuckDB reads. */
  readonly values: readonly (readonly [value: Value, read: unknown])[]
}

const same = (...values: readonly Value[]): TypeCase['values'] => values.map((value) => [value, value])
const precise = (scale: number, precision: number): Schema =>
  decimal(scale, { parameters: { 'connect.decimal.precision': String(precision) } })
const digits = (count: number): bigint => 10n ** BigInt(count) - 1n
const decimals = (scale: number, name: string, ...values: readonly bigint[]): TypeCase['values'] =>
  values.map((unscaled) => [new Decimal(unscaled, scale), `${name} ${unscaled}`])

const types: Readonly<Record<string, TypeCase>> = {
  int8: { schema: int8(), type: 'TINYINT', values: same(-128, 0, 127) },
  int16: { schema: int16(), type: 'SMALLINT', values: same(-32_768, 32_767) },
  int32: { schema: int32(), type: 'INTEGER', values: same(-(2 ** 31), 2 ** 31 - 1) },
  int64: { schema: int64(), type: 'BIGINT', values: same(INT64_MIN, 0n, 2n ** 53n + 1n, INT64_MAX) },
  float32: {
    schema: float32(),
    type: 'FLOAT',
    values: same(0, -0, Math.fround(0.1), 2 ** -149, Math.fround(3.4028235e38), Number.NaN, Number.NEGATIVE_INFINITY),
  },
  float64: { schema: float64(), type: 'DOUBLE', values: same(0, -0, 0.1, 5e-324, Number.MAX_VALUE, Number.NaN, Number.POSITIVE_INFINITY) },
  boolean: { schema: boolean(), type: 'BOOLEAN', values: same(true, false, true) },
  string: { schema: string(), type: 'VARCHAR', values: same('', 'Ünïcödé 🚢 \u0000 \uffff', 'x'.repeat(100_000)) },
  bytes: {
    schema: bytes(),
    type: 'BLOB',
    values: [
      [Buffer.alloc(0), '0x'],
      [Buffer.from([0, 255, 128]), '0x00ff80'],
      [new Uint8Array([7]), '0x07'],
    ],
  },
  Date: {
    schema: date(),
    type: 'DATE',
    values: [
      [new Date(0), 'days 0'],
      [new Date(-DAY_MS), 'days -1'],
      [200_000_000, 'days 200000000'],
    ],
  },
  Time: {
    schema: time(),
    type: 'TIME WITH TIME ZONE',
    values: [
      [new Date(0), 'timetz 0 µs'],
      [new Date(DAY_MS - 1), 'timetz 86399999000 µs'],
    ],
  },
  Timestamp: {
    schema: timestamp(),
    type: 'TIMESTAMP WITH TIME ZONE',
    values: [
      [new Date(0), 'timestamptz 0 µs'],
      [new Date(-1), 'timestamptz -1000 µs'],
      [new Date(8.64e15), 'timestamptz 8640000000000000000 µs'],
    ],
  },
  'Decimal of 9 digits': { schema: precise(2, 9), type: 'DECIMAL(9,2)', values: decimals(2, 'DECIMAL(9,2)', digits(9), -digits(9), 0n) },
  'Decimal of 18 digits': { schema: precise(18, 18), type: 'DECIMAL(18,18)', values: decimals(18, 'DECIMAL(18,18)', digits(18), -1n) },
  'Decimal of 19 digits': { schema: precise(0, 19), type: 'DECIMAL(19,0)', values: decimals(0, 'DECIMAL(19,0)', digits(19), -digits(19)) },
  'Decimal of 38 digits': {
    schema: precise(10, 38),
    type: 'DECIMAL(38,10)',
    values: decimals(10, 'DECIMAL(38,10)', digits(38), -digits(38), -1n),
  },
  'Decimal of unknown digits': {
    schema: decimal(4),
    type: 'DECIMAL(38,4)',
    values: decimals(4, 'DECIMAL(38,4)', digits(38), 0n, -digits(38)),
  },
  'Decimal of more digits behind the point than there are': {
    schema: precise(5, 3),
    type: 'DECIMAL(5,5)',
    values: decimals(5, 'DECIMAL(5,5)', 999n, -999n),
  },
  'Decimal of a scale below zero': {
    schema: precise(-2, 3),
    type: 'DECIMAL(5,0)',
    values: [[new Decimal(-999n, -2), 'DECIMAL(5,0) -99900']],
  },
  'Decimal of 39 digits': {
    schema: precise(3, 39),
    type: 'VARCHAR',
    values: [
      [new Decimal(digits(39), 3), `${'9'.repeat(36)}.999`],
      [new Decimal(-5n, 3), '-0.005'],
    ],
  },
  'io.debezium.time.Date': {
    schema: int32({ name: 'io.debezium.time.Date' }),
    type: 'DATE',
    values: [
      [-719_162, 'days -719162'],
      [19_000, 'days 19000'],
    ],
  },
  'io.debezium.time.Time': {
    schema: int32({ name: 'io.debezium.time.Time' }),
    type: 'TIME',
    values: [
      [0, 'time 0 µs'],
      [DAY_MS - 1, 'time 86399999000 µs'],
      [DAY_MS, 'time 86400000000 µs'],
    ],
  },
  'io.debezium.time.MicroTime': {
    schema: int64({ name: 'io.debezium.time.MicroTime' }),
    type: 'TIME',
    values: [
      [86_399_999_999n, 'time 86399999999 µs'],
      [86_400_000_000n, 'time 86400000000 µs'],
    ],
  },
  'io.debezium.time.NanoTime': {
    schema: int64({ name: 'io.debezium.time.NanoTime' }),
    type: 'TIME_NS',
    values: [[86_399_999_999_999n, 'time 86399999999999 ns']],
  },
  'io.debezium.time.Timestamp': {
    schema: int64({ name: 'io.debezium.time.Timestamp' }),
    type: 'TIMESTAMP',
    values: [[-62_135_596_800_001n, 'timestamp -62135596800001000 µs']],
  },
  'io.debezium.time.MicroTimestamp': {
    schema: int64({ name: 'io.debezium.time.MicroTimestamp' }),
    type: 'TIMESTAMP',
    values: [
      [1_700_000_000_123_456n, 'timestamp 1700000000123456 µs'],
      [-1n, 'timestamp -1 µs'],
    ],
  },
  'io.debezium.time.NanoTimestamp': {
    schema: int64({ name: 'io.debezium.time.NanoTimestamp' }),
    type: 'TIMESTAMP_NS',
    values: [[1_700_000_000_123_456_789n, 'timestamp 1700000000123456789 ns']],
  },
  'io.debezium.time.ZonedTimestamp': {
    schema: string({ name: 'io.debezium.time.ZonedTimestamp' }),
    type: 'VARCHAR',
    values: same('2024-01-01T00:00:00.000001Z'),
  },
  'io.debezium.time.MicroDuration': { schema: int64({ name: 'io.debezium.time.MicroDuration' }), type: 'BIGINT', values: same(-5n) },
  'io.debezium.data.Json': {
    schema: string({ name: 'io.debezium.data.Json' }),
    type: 'VARCHAR',
    values: same('{"a": [1, 2]}', '__debezium_unavailable_value'),
  },
  'io.debezium.data.Enum': { schema: string({ name: 'io.debezium.data.Enum' }), type: 'VARCHAR', values: same('sad', 'happy', 'sad') },
  'io.debezium.data.Uuid': {
    schema: string({ name: 'io.debezium.data.Uuid' }),
    type: 'VARCHAR',
    values: same('a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11'),
  },
  'io.debezium.data.Xml': { schema: string({ name: 'io.debezium.data.Xml' }), type: 'VARCHAR', values: same('<a/>') },
  'io.debezium.data.VariableScaleDecimal': {
    schema: struct({ scale: int32(), value: bytes() }, { name: 'io.debezium.data.VariableScaleDecimal' }),
    type: 'STRUCT("scale" INTEGER, "value" BLOB)',
    values: [[structOf({ scale: 3, value: Buffer.from('04d2', 'hex') }), { scale: 3, value: '0x04d2' }]],
  },
  'io.debezium.data.geometry.Geometry': {
    schema: struct({ wkb: bytes(), srid: int32({ optional: true }) }, { name: 'io.debezium.data.geometry.Geometry' }),
    type: 'STRUCT("wkb" BLOB, "srid" INTEGER)',
    values: [[structOf({ wkb: Buffer.from('0101', 'hex'), srid: null }), { wkb: '0x0101', srid: null }]],
  },
}

describe('Parquet, read by DuckDB', () => {
  for (const [name, { schema, type, values }] of Object.entries(types)) {
    it(`holds ${name} as ${type}`, async () => {
      const row = struct({ required: schema, optional: { ...schema, optional: true } })
      const records = [...values, ...values].map(([value], at) =>
        sinkRecord(row, structOf({ required: value, optional: at % 2 === 0 ? value : null })),
      )
      const { columns, rows } = await reader.read(await objectOf(records, { format: 'parquet' }))
      expect(columns).toEqual([
        ['required', type],
        ['optional', type],
      ])
      expect(rows).toEqual([...values, ...values].map(([, read], at) => [read, at % 2 === 0 ? read : null]))
    })
  }
})
