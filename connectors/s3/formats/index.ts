/**
 * @module connector-s3/formats — JSON lines and Parquet: bytes of objects out of records.
 */
import type { FormatSettings, RecordFormat } from '../format.ts'
import { jsonLinesFormat } from './json-lines.ts'
import { parquetFormat } from './parquet.ts'

/** The format that a connector's configuration asks for. */
export function recordFormat(settings: FormatSettings): RecordFormat {
  return settings.format === 'json' ? jsonLinesFormat(settings) : parquetFormat(settings)
}
