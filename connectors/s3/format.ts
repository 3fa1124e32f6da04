/**
 * @module connector-s3/format — what a format of objects is: the contract between the sink, which decides when an object begins and ends,
 * and the formats, which make bytes of records.
 *
 * A writer goes through `write` … `write`, `settle` at any time, and ends with one `finish` or one `abandon`. Calls never overlap.
 */
import type { SinkRecord } from '@millrace/sdk'

/** What the formats are told, from the connector's configuration. */
export interface FormatSettings {
  readonly format: 'json' | 'parquet'
  /** Decimals in JSON lines as base64 of their bytes or as numbers (`json.decimal.format`). */
  readonly decimalFormat: 'base64' | 'numeric'
  /** Compression of whole objects of JSON lines (`s3.compression.type`). */
  readonly compression: 'none' | 'gzip' | 'zstd'
  /** `s3.compression.level`; −1: what the codec takes by itself. */
  readonly compressionLevel: number
  /** Compression of pages within Parquet (`parquet.codec`). */
  readonly parquetCodec: 'none' | 'snappy' | 'gzip' | 'zstd'
}

/** A format of objects. The same records in the same order always give the same bytes. */
export interface RecordFormat {
  /** What stands behind the dot of an object's name, that of a compression included: `json`, `json.gz`, `snappy.parquet`. */
  readonly extension: string
  /** MIME type of the object. */
  readonly contentType: string
  /** Begins an object whose first record this is; the record itself is given to `write` afterwards. @throws DataError as `write` */
  open(first: SinkRecord): ObjectWriter
}

/** An object on its way. */
export interface ObjectWriter {
  /** Whether a record can stand in this object; false: it has another schema, so the object ends and a new one begins with it. */
  fits(record: SinkRecord): boolean
  /** Adds a record. @throws DataError when this record cannot be written; the object is then as it was before the call */
  write(record: SinkRecord): void
  /** Bytes that may be uploaded now, in order, handed out once; none is often the answer. They are the caller's from then on. */
  takeBytes(): readonly Uint8Array[]
  /** Memory that it holds: records not encoded yet, what a compressor works on, bytes not taken yet. An estimate, cheap to ask for. */
  readonly bufferedBytes: number
  /** Resolves when what was written so far is as far on its way as it goes without more records: compression runs in other threads. */
  settle(): Promise<void>
  /** Ends the object: everything that was not taken. */
  finish(): Promise<readonly Uint8Array[]>
  /** The object is given up; lets go of what it holds. */
  abandon(): void
}
