/**
 * @module connector-s3/formats/parquet — one row per record, of the schema of the object's first record. Another schema begins another
 * object.
 *
 * Source: Confluent's `ParquetFormat`. Ours differs: lists have three levels, so that they may hold nulls; INT8 and INT16 are annotated;
 * Debezium's times are times; a Decimal has the digits that its schema says.
 */
import { DataError, type Schema, schemasEqual } from '@millrace/sdk'
import type { FormatSettings, ObjectWriter, RecordFormat } from '../format.ts'
import { openParquetFile } from './parquet-file.ts'
import { createShredder } from './parquet-shredder.ts'

/** When a row group ends: its columns are kept in memory until then, and reading begins at its first row. */
export const rowGroupLimits = {
  /** Memory of the columns, as estimated. */
  bytes: 32 * 1024 * 1024,
  rowCount: 100_000,
} as const

const extensions = { none: 'parquet', snappy: 'snappy.parquet', gzip: 'gz.parquet', zstd: 'zstd.parquet' } as const

/** Memory of a column in an object that is open, whatever is in it: levels, lists, closures; as measured with 2,000 columns. */
const COLUMN_BYTES = 1_280

/** The format of these settings. */
export function parquetFormat({ parquetCodec }: FormatSettings): RecordFormat {
  return {
    extension: extensions[parquetCodec],
    contentType: 'application/vnd.apache.parquet',
    open: ({ valueSchema }) => openWriter(rowSchema(valueSchema), parquetCodec),
  }
}

/** @throws DataError for a schema that makes no rows */
function rowSchema(schema: Schema | null): Schema {
  if (schema?.type === 'struct') return schema
  const found = schema === null ? 'a value without a schema' : `a value of type ${schema.type.toUpperCase()}`
  throw new DataError(
    `ParquetFormat writes structs, and this is ${found}; use a value.converter that gives a schema ` +
      '(JsonConverter with schemas.enable=true, Avro), or format.class=io.confluent.connect.s3.format.json.JsonFormat',
  )
}

function openWriter(schema: Schema, codec: FormatSettings['parquetCodec']): ObjectWriter {
  const shredder = createShredder(schema)
  const file = openParquetFile(shredder, codec)
  const isSame = schemaMemory(schema)
  let columnBytes = shredder.columns.length * COLUMN_BYTES
  const takeBytes = (): readonly Uint8Array[] => {
    const bytes = file.takeBytes()
    return bytes === undefined ? [] : [bytes]
  }
  return {
    // What can't be written in any object need not end this one: `write` refuses it.
    fits: ({ valueSchema }) => valueSchema?.type !== 'struct' || isSame(valueSchema),
    write({ valueSchema, value }) {
      rowSchema(valueSchema)
      shredder.add(value)
      if (shredder.byteCount >= rowGroupLimits.bytes || shredder.rowCount >= rowGroupLimits.rowCount) file.writeRowGroup()
    },
    takeBytes,
    get bufferedBytes() {
      return columnBytes + shredder.byteCount + file.bufferedBytes
    },
    settle: () => Promise.resolve(),
    finish() {
      if (shredder.rowCount > 0) file.writeRowGroup()
      file.writeFooter()
      columnBytes = 0
      return Promise.resolve(takeBytes())
    },
    abandon: () => {
      shredder.clear()
      columnBytes = 0
    },
  }
}

/** Whether schemas say the same as the first; of each schema object it is looked through once. */
function schemaMemory(first: Schema): (schema: Schema) => boolean {
  const answers = new WeakMap<Schema, boolean>()
  return (schema) => {
    if (schema === first) return true
    let answer = answers.get(schema)
    if (answer === undefined) {
      answer = schemasEqual(schema, first)
      answers.set(schema, answer)
    }
    return answer
  }
}
