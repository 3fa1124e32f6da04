/**
 * @module converters/byte-array-converter — `org.apache.kafka.connect.converters.ByteArrayConverter`: bytes as they are.
 */
import { bytes as bytesSchema, DataError, defineConfig, javaClassOf, type Schema } from '@millrace/sdk'
import { converterType, type SyncConverter } from './converter-type.ts'

/** Settings of ByteArrayConverter. */
export const byteArrayConverterConfig = defineConfig({ 'converter.type': converterType })

const BYTES: Schema = bytesSchema({ optional: true })

/** Makes the converter. */
export function createByteArrayConverter(): SyncConverter {
  return {
    fromConnectData: (_topic, schema, value) => {
      if (schema !== null && schema.type !== 'bytes') {
        throw new DataError(`Invalid schema type for ByteArrayConverter: ${schema.type.toUpperCase()}`)
      }
      if (value === null || value instanceof Uint8Array) return value
      throw new DataError(`ByteArrayConverter is not compatible with objects of type class ${javaClassOf(value, schema)}`)
    },
    toConnectData: (_topic, bytes) => ({ schema: BYTES, value: bytes }),
  }
}
