/**
 * @module connector-s3/formats/json-lines — one JSON value per record and line, as JsonConverter with schemas.enable=false prints it.
 *
 * Values with and without a schema stand side by side: any record fits any object. Source: Confluent's `JsonFormat`.
 */
import { jsonEncoderFactory } from '@millrace/sdk'
import type { FormatSettings, ObjectWriter, RecordFormat } from '../format.ts'
import { openCompressor } from './compression.ts'

const jsonLinesLimits = {
  /** Text becomes bytes, and goes to the compressor, in pieces of about so many characters. */
  pieceChars: 64 * 1024,
} as const

const suffixes = { none: '', gzip: '.gz', zstd: '.zst' } as const
const contentTypes = { none: 'application/x-ndjson', gzip: 'application/gzip', zstd: 'application/zstd' } as const

/** The format of these settings. */
export function jsonLinesFormat(settings: FormatSettings): RecordFormat {
  const encoderOf = jsonEncoderFactory({ isNumeric: settings.decimalFormat === 'numeric', replaceNull: true })
  return {
    extension: `json${suffixes[settings.compression]}`,
    contentType: contentTypes[settings.compression],
    open: () => openWriter(settings, encoderOf),
  }
}

function openWriter(settings: FormatSettings, encoderOf: ReturnType<typeof jsonEncoderFactory>): ObjectWriter {
  const compressor = openCompressor(settings)
  let text = ''
  // Pieces end where the records say, never where somebody asked for bytes: the same records must give the same bytes.
  const push = (): void => {
    if (text.length > 0) compressor.write(Buffer.from(text))
    text = ''
  }
  return {
    fits: () => true,
    write({ valueSchema, value }) {
      text += `${encoderOf(valueSchema)(value)}\n`
      if (text.length >= jsonLinesLimits.pieceChars) push()
    },
    takeBytes: () => compressor.takeBytes(),
    get bufferedBytes() {
      return compressor.bufferedBytes + text.length
    },
    settle: () => compressor.settle(),
    finish() {
      push()
      return compressor.finish()
    },
    abandon() {
      text = ''
      compressor.abandon()
    },
  }
}
