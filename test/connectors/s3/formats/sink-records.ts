/** Records as a sink takes them, and objects out of a format's writer. */
import { recordFormat } from '../../../../connectors/s3/formats/index.ts'
import type { FormatSettings, ObjectWriter } from '../../../../connectors/s3/format.ts'
import type { Schema, SinkRecord, Value } from '../../../../sdk/index.ts'

export const defaults: FormatSettings = {
  format: 'json',
  compression: 'none',
  compressionLevel: -1,
  parquetCodec: 'snappy',
  decimalFormat: 'base64',
}

export function sinkRecord(valueSchema: Schema | null, value: unknown, offset = 0): SinkRecord {
  return {
    topic: 't',
    partition: 0,
    keySchema: null,
    key: null,
    valueSchema,
    value: value as Value,
    timestampMs: 1_700_000_000_000,
    headers: [],
    offset,
    timestampType: 'create',
    originalTopic: 't',
    originalPartition: 0,
    originalOffset: offset,
  }
}

/** A writer of these settings that the first record has opened; it is not written yet. */
export function openObject(first: SinkRecord, settings: Partial<FormatSettings> = {}): ObjectWriter {
  return recordFormat({ ...defaults, ...settings }).open(first)
}

/** The object that holds these records. */
export async function objectOf(records: readonly SinkRecord[], settings: Partial<FormatSettings> = {}): Promise<Buffer> {
  const writer = openObject(records[0]!, settings)
  const pieces: Uint8Array[] = []
  for (const record of records) {
    if (!writer.fits(record)) throw new Error('a record of another schema')
    writer.write(record)
    pieces.push(...writer.takeBytes())
  }
  pieces.push(...(await writer.finish()))
  return Buffer.concat(pieces)
}
