/**
 * @module connector-s3/formats/parquet-file — a file of Parquet out of shredded columns: row groups one after the other, then the footer.
 *
 * The pages are encoded by `hyparquet-writer`. Its `ParquetWriter` takes records apart by itself, looks for what is optional only in
 * passing, and gives one encoding to all columns of a nested field; so its encoder of one column is used, and its footer.
 */
import { constants, gzipSync, zstdCompressSync } from 'node:zlib'
import { ByteWriter, type SchemaElement } from 'hyparquet-writer'
import { writeColumn } from 'hyparquet-writer/src/column.js'
import { writeMetadata } from 'hyparquet-writer/src/metadata.js'
import { snappyCompress } from 'hyparquet-writer/src/snappy.js'
import type { FormatSettings } from '../format.ts'
import type { Column, Shredder } from './parquet-shredder.ts'

type Metadata = Parameters<typeof writeMetadata>[1]
type ColumnChunk = ReturnType<typeof writeColumn>['chunk']
type Codec = keyof typeof codecs

const codecs = {
  UNCOMPRESSED: undefined,
  SNAPPY: snappyCompress,
  GZIP: (page: Uint8Array) => gzipSync(page, { level: constants.Z_DEFAULT_COMPRESSION }),
  ZSTD: (page: Uint8Array) => zstdCompressSync(page),
} as const

const codecOf = { none: 'UNCOMPRESSED', snappy: 'SNAPPY', gzip: 'GZIP', zstd: 'ZSTD' } as const satisfies Record<
  FormatSettings['parquetCodec'],
  Codec
>

/** `PAR1`, first and last in a file. */
const MAGIC = 0x31524150
/** Uncompressed bytes of a page, parquet-mr's size as well. */
const PAGE_BYTES = 1024 * 1024
/** Characters or bytes of a column's bounds that are kept until the footer, which takes 16 bytes of them. */
const BOUND_LENGTH = 64
/** Memory of what the footer says of a column in a row group. */
const CHUNK_BYTES = 1024

/** A file on its way. */
export interface ParquetFile {
  /** Writes what the shredder has collected as one row group, and empties it. */
  writeRowGroup(): void
  /** Writes the footer. */
  writeFooter(): void
  /** What was written since the last call. */
  takeBytes(): Uint8Array | undefined
  /** Memory of what was not taken, and of the footer to come. */
  readonly bufferedBytes: number
}

/** Begins a file of the shredder's schema. */
export function openParquetFile(shredder: Shredder, codec: FormatSettings['parquetCodec']): ParquetFile {
  const writer = new ByteWriter()
  const rowGroups: Metadata['row_groups'] = []
  let rowCount = 0n
  let chunkCount = 0
  writer.appendUint32(MAGIC)
  return {
    writeRowGroup() {
      const start = writer.offset
      const columns = shredder.columns.map((column) => writeChunk(writer, shredder.elements[0]!, column, codecOf[codec]))
      const rows = BigInt(shredder.rowCount)
      rowCount += rows
      chunkCount += columns.length
      rowGroups.push({
        columns,
        num_rows: rows,
        total_byte_size: columns.reduce((sum, { meta_data }) => sum + (meta_data?.total_uncompressed_size ?? 0n), 0n),
        total_compressed_size: BigInt(writer.offset - start),
      })
      shredder.clear()
    },
    writeFooter() {
      const footer: Omit<Metadata, 'metadata_length'> = {
        version: 2,
        created_by: 'millrace',
        schema: [...shredder.elements],
        num_rows: rowCount,
        row_groups: rowGroups,
      }
      // The footer's length is what its writer finds out.
      writeMetadata(writer, footer as Metadata)
      writer.appendUint32(MAGIC)
      chunkCount = 0
    },
    takeBytes() {
      if (writer.index === 0) return undefined
      const bytes = writer.getBytes()
      writer.buffer = new ArrayBuffer(1024)
      writer.view = new DataView(writer.buffer)
      writer.index = 0
      return bytes
    },
    get bufferedBytes() {
      return writer.index + chunkCount * CHUNK_BYTES
    },
  }
}

function writeChunk(writer: ByteWriter, root: SchemaElement, column: Column, codec: Codec): ColumnChunk {
  const { path, leaf, values, definitions, repetitions, maxDefinition, maxRepetition } = column
  const element: SchemaElement = {
    name: path.at(-1)!,
    ...leaf.encoded,
    repetition_type: column.isRequired ? 'REQUIRED' : 'OPTIONAL',
  }
  // Of the groups on the way the encoder counts only those that repeat.
  const groups = path.slice(0, -1).map((name, at): SchemaElement => {
    return { name, repetition_type: at < maxRepetition ? 'REPEATED' : 'REQUIRED' }
  })
  const { chunk } = writeColumn({
    writer,
    column: {
      columnName: path.join('.'),
      element,
      schemaPath: [root, ...groups, element],
      codec,
      compressors: { [codec]: codecs[codec] },
      stats: true,
      pageSize: PAGE_BYTES,
      columnIndex: false,
      offsetIndex: false,
      ...(column.hasNegativeZero ? { encoding: 'PLAIN' as const } : {}),
    },
    pageData: { values, definitionLevels: definitions, repetitionLevels: repetitions, maxDefinitionLevel: maxDefinition },
  })
  if (chunk.meta_data?.statistics !== undefined) shorten(chunk.meta_data.statistics)
  return chunk
}

/** Its encoder counts NaN in columns of floating numbers; its types say nothing of it. */
type Statistics = NonNullable<NonNullable<ColumnChunk['meta_data']>['statistics']> & { nan_count?: bigint }

/**
 * Bounds are values of the column, and a long text would be kept until the footer for the sake of its first 16 bytes. Where there is a NaN
 * there are no bounds, as with parquet-mr: it lies outside of them, and readers that trust them pass over it, or take every row for equal.
 */
function shorten(statistics: Statistics): void {
  if ((statistics.nan_count ?? 0n) > 0n) {
    delete statistics.min_value
    delete statistics.max_value
  }
  const { min_value: low, max_value: high } = statistics
  if (isLong(low)) statistics.min_value = beginningOf(low)
  if (!isLong(high)) return
  // An upper bound is a beginning that was raised. One that cannot be raised would have to be kept whole.
  const canBeRaised = typeof high === 'string' ? high.codePointAt(0)! < 0x10ffff : high[0]! < 0xff
  if (canBeRaised) statistics.max_value = beginningOf(high)
  else delete statistics.max_value
}

function isLong(bound: Statistics['min_value']): bound is string | Uint8Array {
  return (typeof bound === 'string' || bound instanceof Uint8Array) && bound.length > BOUND_LENGTH
}

/** A copy: a part of a text or of a buffer keeps the whole. */
function beginningOf(bound: string | Uint8Array): Uint8Array {
  return typeof bound === 'string'
    ? new TextEncoder().encode(bound.slice(0, BOUND_LENGTH))
    : Uint8Array.from(bound.subarray(0, BOUND_LENGTH))
}
