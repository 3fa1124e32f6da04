/**
 * @module connector-postgres/events/table-shape — a table's columns with their codecs, and the schemas of its records. Made once per shape:
 * converters keep what they know of a schema by its identity.
 */
import { FatalError, type Field, int64, type Schema, string, struct, type Value } from '@millrace/sdk'
import type { Table, TableColumn, Types } from '../model.ts'
import { type ColumnCodec, columnCodec, defaultOf, type Phase } from '../values/index.ts'
import type { EventSettings } from './settings.ts'
import { topicName } from './topic-name.ts'

/** A column of keys or values. */
export interface ShapeColumn {
  readonly name: string
  /** Place in a row, from 0. */
  readonly index: number
  readonly codec: ColumnCodec
  readonly schema: Schema
  /**
   * Stands where a row has no value: null in a column that may be null; else the default, or the type's zero, since a required member
   * cannot be null and the row before a change often tells its key only.
   */
  readonly absent: Value
  /** Whether values have it: a key may hold a column that they do not. */
  readonly isInValue: boolean
}

/** A table as its records show it. */
export interface TableShape {
  readonly table: Table
  readonly topic: string
  readonly valueColumns: readonly ShapeColumn[]
  readonly keyColumns: readonly ShapeColumn[]
  /** null: records have no key. */
  readonly keySchema: Schema | null
  /** Of `before` and `after`. */
  readonly rowSchema: Schema
  readonly envelopeSchema: Schema
}

/** What `source.snapshot` may say, as its schema lists it. */
const markers = 'true,first,first_in_data_collection,last_in_data_collection,last,false,incremental'
const optionalInt64 = int64({ optional: true })
const optionalString = string({ optional: true })

/** `source`: which change of which database an event tells of. */
export const sourceSchema = struct(
  {
    version: string(),
    connector: string(),
    name: string(),
    ts_ms: int64(),
    snapshot: string({ optional: true, name: 'io.debezium.data.Enum', version: 1, parameters: { allowed: markers }, default: 'false' }),
    db: string(),
    sequence: optionalString,
    ts_us: optionalInt64,
    ts_ns: optionalInt64,
    schema: string(),
    table: string(),
    txId: optionalInt64,
    lsn: optionalInt64,
    xmin: optionalInt64,
    origin: optionalString,
    origin_lsn: optionalInt64,
  },
  { name: 'io.debezium.connector.postgresql.Source', version: 1 },
)

const transactionSchema = struct(
  { id: string(), total_order: int64(), data_collection_order: int64() },
  { optional: true, name: 'event.block', version: 1 },
)

/** Leaves out columns whose type is not captured, and those that the settings leave out. */
export function tableShape(table: Table, types: Types, settings: EventSettings, phase: Phase): TableShape {
  const topic = topicName(settings.topicPrefix, settings.topicDelimiter, table.schema, table.name)
  const columns = table.columns.flatMap((column, index): readonly ShapeColumn[] => {
    const isInValue = settings.isColumnCaptured(table.schema, table.name, column.name)
    const shape = shapeColumn(column, index, isInValue, types, settings, phase)
    return shape === null ? [] : [shape]
  })
  const valueColumns = columns.filter((column) => column.isInValue)
  const names = keyNames(table, settings)
  const keyColumns = names.flatMap((name) => columns.find((column) => column.name === name) ?? [])
  if (keyColumns.length > 0 && keyColumns.length < names.length) throw partialKey(table, names, keyColumns)
  const rowSchema = struct(fieldsOf(valueColumns), { optional: true, name: `${topic}.Value` })
  return {
    table,
    topic,
    valueColumns,
    keyColumns,
    keySchema: keyColumns.length === 0 ? null : struct(fieldsOf(keyColumns), { name: `${topic}.Key` }),
    rowSchema,
    envelopeSchema: envelopeSchema(topic, rowSchema),
  }
}

function fieldsOf(columns: readonly ShapeColumn[]): readonly Field[] {
  return columns.map(({ name, schema }) => ({ name, schema }))
}

function keyNames(table: Table, settings: EventSettings): readonly string[] {
  const names = table.columns.map((column) => column.name)
  return settings.keyColumnsOf?.(table.schema, table.name, names) ?? table.keyColumns
}

/** A part of a key is the same for several rows, and a tombstone for one of them deletes them all. Without any key nothing is deleted. */
function partialKey({ schema, name }: Table, names: readonly string[], captured: readonly ShapeColumn[]): FatalError {
  const missing = names.filter((one) => !captured.some((column) => column.name === one))
  return new FatalError(
    'key-type',
    `table ${schema}.${name}: the type of column ${missing.join(', ')} of the key is not captured, and the rest of it does not name a row`,
    'set include.unknown.datatypes = true, or name other columns in message.key.columns, or exclude the table',
  )
}

function shapeColumn(
  column: TableColumn,
  index: number,
  isInValue: boolean,
  types: Types,
  settings: EventSettings,
  phase: Phase,
): ShapeColumn | null {
  const codec = columnCodec(column, types, settings.values, phase)
  if (codec === null) return null
  const { name, isOptional } = column
  const fallback = defaultOf(column, types, codec, settings.values) ?? null
  const schema = columnSchema(codec.schema, isOptional, fallback)
  return { name, index, codec, schema, absent: isOptional ? null : (fallback ?? codec.fallback), isInValue }
}

/** The codec's own schema where nothing is to be added: values of structs are known by the identity of theirs. */
function columnSchema(schema: Schema, isOptional: boolean, fallback: Value): Schema {
  const isRelaxed = isOptional && schema.optional !== true
  if (!isRelaxed && fallback === null) return schema
  return Object.freeze({ ...schema, ...(isRelaxed ? { optional: true } : {}), ...(fallback === null ? {} : { default: fallback }) })
}

function envelopeSchema(topic: string, row: Schema): Schema {
  return struct(
    {
      before: row,
      after: row,
      source: sourceSchema,
      transaction: transactionSchema,
      op: string(),
      ts_ms: optionalInt64,
      ts_us: optionalInt64,
      ts_ns: optionalInt64,
    },
    { name: `${topic}.Envelope`, version: 2 },
  )
}
