/**
 * @module connector-s3/formats/parquet-logical — the column of Parquet for each schema of one value, by what its name says that the value means.
 *
 * | schema | physical | annotation |
 * |---|---|---|
 * | int8, int16 | INT32 | INT_8, INT_16 |
 * | int32, int64, float32, float64, boolean | INT32, INT64, FLOAT, DOUBLE, BOOLEAN | |
 * | string, bytes | BYTE_ARRAY | STRING, none |
 * | Decimal | INT32, INT64, FIXED_LEN_BYTE_ARRAY by precision | DECIMAL; STRING beyond 38 digits |
 * | Date, Time, Timestamp | INT32, INT32, INT64 | DATE, TIME(ms, UTC), TIMESTAMP(ms, UTC) |
 * | `io.debezium.time.*` by count of days, ms, µs, ns | INT32, INT64 | DATE, TIME, TIMESTAMP, local |
 * | `io.debezium.data.Enum` | BYTE_ARRAY | ENUM |
 *
 * Debezium's intervals, years, and times that are texts keep the plain type under them; so does its Json, since the placeholder of a value
 * that it does not know is no JSON, and a reader that checks what JSON says of itself refuses the whole file.
 * Source: parquet-format's LogicalTypes; `org.apache.kafka.connect.data`; `io.debezium.time`, `io.debezium.data`.
 */
import { DataError, daysOf, LogicalName, type Schema, timeOf, timestampOf } from '@millrace/sdk'
import { decimalLeaf } from './parquet-decimal.ts'
import { type Annotation, int32, int64, type Leaf, leaf, plainLeaves, text, utf8 } from './parquet-leaf.ts'

/** The column of a schema that is no array, map or struct. @throws DataError for a Decimal without a scale */
export function leafOf(schema: Schema): Leaf {
  if (schema.name === LogicalName.Decimal && schema.type === 'bytes') return decimalLeaf(schema)
  const named = schema.name === undefined ? undefined : namedLeaves[schema.name]
  return named?.type === schema.type ? named.leaf : plainLeaves[schema.type as keyof typeof plainLeaves]
}

type Unit = 'MILLIS' | 'MICROS' | 'NANOS'

const dayOf: Readonly<Record<Unit, number>> = { MILLIS: 86_400_000, MICROS: 86_400_000_000, NANOS: 86_400_000_000_000 }

/** A time of day by count; 24:00 is one, as in SQL. What is beyond would be another time, or none, to whoever reads it. */
function localTime(unit: Unit): Leaf {
  const type = unit === 'MILLIS' ? 'INT32' : 'INT64'
  const max = dayOf[unit]
  const convert = (value: unknown): number | bigint => {
    const count = unit === 'MILLIS' ? int32(value) : int64(value)
    if (count >= 0 && count <= max) return count
    throw new DataError(`${count} ${unit.toLowerCase()} are no time of day; a transform such as Cast can make a number of it`)
  }
  return leaf({ type, logical_type: { type: 'TIME', isAdjustedToUTC: false, unit } }, convert, { type })
}

function localTimestamp(unit: Unit): Leaf {
  return leaf({ type: 'INT64', logical_type: { type: 'TIMESTAMP', isAdjustedToUTC: false, unit } }, int64, { type: 'INT64' })
}

const days: Annotation = { type: 'INT32', converted_type: 'DATE', logical_type: { type: 'DATE' } }

const enumeration: Annotation = { type: 'BYTE_ARRAY', converted_type: 'ENUM', logical_type: { type: 'ENUM' } }

const namedLeaves: Readonly<Record<string, { readonly type: Schema['type']; readonly leaf: Leaf }>> = {
  __proto__: null as never,
  [LogicalName.Date]: { type: 'int32', leaf: leaf(days, (value) => int32(daysOf(value)), { type: 'INT32' }) },
  [LogicalName.Time]: {
    type: 'int32',
    leaf: leaf(
      { type: 'INT32', converted_type: 'TIME_MILLIS', logical_type: { type: 'TIME', isAdjustedToUTC: true, unit: 'MILLIS' } },
      timeOf,
    ),
  },
  [LogicalName.Timestamp]: {
    type: 'int64',
    leaf: leaf(
      { type: 'INT64', converted_type: 'TIMESTAMP_MILLIS', logical_type: { type: 'TIMESTAMP', isAdjustedToUTC: true, unit: 'MILLIS' } },
      (value) => BigInt(timestampOf(value)),
      { type: 'INT64' },
    ),
  },
  'io.debezium.time.Date': { type: 'int32', leaf: leaf(days, int32, { type: 'INT32' }) },
  'io.debezium.time.Time': { type: 'int32', leaf: localTime('MILLIS') },
  'io.debezium.time.MicroTime': { type: 'int64', leaf: localTime('MICROS') },
  'io.debezium.time.NanoTime': { type: 'int64', leaf: localTime('NANOS') },
  'io.debezium.time.Timestamp': { type: 'int64', leaf: localTimestamp('MILLIS') },
  'io.debezium.time.MicroTimestamp': { type: 'int64', leaf: localTimestamp('MICROS') },
  'io.debezium.time.NanoTimestamp': { type: 'int64', leaf: localTimestamp('NANOS') },
  'io.debezium.data.Enum': { type: 'string', leaf: leaf(enumeration, text, utf8) },
}
