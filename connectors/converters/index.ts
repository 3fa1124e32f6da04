/**
 * @module @millrace/connector-converters — the converters of Apache Kafka under their own names: `JsonConverter`, `StringConverter` and
 * `ByteArrayConverter` for keys, values and headers, `SimpleHeaderConverter` for headers.
 *
 * ```properties
 * value.converter=org.apache.kafka.connect.json.JsonConverter
 * value.converter.schemas.enable=false
 * ```
 */
import { defineConverter, defineHeaderConverter } from '@millrace/sdk'
import { byteArrayConverterConfig, createByteArrayConverter } from './byte-array-converter.ts'
import { forHeaders } from './converter-type.ts'
import { createSimpleHeaderConverter, simpleHeaderConverterConfig } from './header-converter.ts'
import { createJsonConverter, jsonConverterConfig } from './json-converter.ts'
import { createStringConverter, stringConverterConfig } from './string-converter.ts'

/** The release of Apache Kafka whose converters these equal. */
const version = '4.3.1'

const json = {
  class: 'org.apache.kafka.connect.json.JsonConverter',
  version,
  aliases: ['millrace.converters.Json'],
  documentation: 'Values as JSON, with their schema in an envelope or without.',
  config: jsonConverterConfig,
  create: createJsonConverter,
}
const text = {
  class: 'org.apache.kafka.connect.storage.StringConverter',
  version,
  aliases: ['millrace.converters.String'],
  documentation: 'Any value as its text; bytes as a string.',
  config: stringConverterConfig,
  create: createStringConverter,
}
const byteArray = {
  class: 'org.apache.kafka.connect.converters.ByteArrayConverter',
  version,
  aliases: ['millrace.converters.ByteArray'],
  documentation: 'Bytes as they are.',
  config: byteArrayConverterConfig,
  create: createByteArrayConverter,
}

/** `org.apache.kafka.connect.json.JsonConverter` for keys and values. */
export const jsonConverter = defineConverter(json)
/** The same for headers. */
export const jsonHeaderConverter = defineHeaderConverter(forHeaders(json))
/** `org.apache.kafka.connect.storage.StringConverter` for keys and values. */
export const stringConverter = defineConverter(text)
/** The same for headers. */
export const stringHeaderConverter = defineHeaderConverter(forHeaders(text))
/** `org.apache.kafka.connect.converters.ByteArrayConverter` for keys and values. */
export const byteArrayConverter = defineConverter(byteArray)
/** The same for headers. */
export const byteArrayHeaderConverter = defineHeaderConverter(forHeaders(byteArray))
/** `org.apache.kafka.connect.storage.SimpleHeaderConverter`. */
export const simpleHeaderConverter = defineHeaderConverter({
  class: 'org.apache.kafka.connect.storage.SimpleHeaderConverter',
  version,
  aliases: ['millrace.converters.SimpleHeader'],
  documentation: 'Headers as text; numbers, dates, lists and maps are seen from the text.',
  config: simpleHeaderConverterConfig,
  create: createSimpleHeaderConverter,
})
