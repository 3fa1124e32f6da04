/**
 * @module converters/string-converter — `org.apache.kafka.connect.storage.StringConverter`: any value as its text, any bytes as a string.
 */
import { type ConfigOf, DataError, defineConfig, javaText, type Schema, string } from '@millrace/sdk'
import { charsetOf } from './charsets.ts'
import { converterType, type SyncConverter } from './converter-type.ts'
import { bufferOf } from './utf8.ts'

/** Settings of StringConverter. */
export const stringConverterConfig = defineConfig({
  'converter.type': converterType,
  'converter.encoding': {
    type: 'STRING',
    default: 'UTF-8',
    importance: 'HIGH',
    documentation: 'Encoding of the bytes: UTF-8, UTF-16, UTF-16BE, UTF-16LE, ISO-8859-1 or US-ASCII.',
    width: 'MEDIUM',
    displayName: 'Encoding',
  },
})

const TEXT: Schema = string({ optional: true })

/**
 * Makes the converter.
 * @throws DataError (class SerializationException) for an encoding that is not served
 */
export function createStringConverter(config: ConfigOf<typeof stringConverterConfig>): SyncConverter {
  const name = config['converter.encoding']
  const charset = charsetOf(name)
  if (charset === undefined) {
    throw new DataError(`Unsupported encoding ${name}`, {
      className: 'org.apache.kafka.common.errors.SerializationException',
      cause: new DataError(name, { className: 'java.nio.charset.UnsupportedCharsetException' }),
    })
  }
  return {
    fromConnectData: (_topic, schema, value) => (value === null ? null : charset.encode(javaText(schema, value))),
    toConnectData: (_topic, bytes) => ({ schema: TEXT, value: bytes === null ? null : charset.decode(bufferOf(bytes)) }),
  }
}
