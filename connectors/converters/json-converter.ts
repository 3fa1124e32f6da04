/**
 * @module converters/json-converter — `org.apache.kafka.connect.json.JsonConverter`: values as JSON, with their schema in an envelope
 * `{"schema":…,"payload":…}` or, with schemas.enable=false, without.
 *
 * The schema's part of an envelope is the same from record to record: it is printed once per schema, and on the way in its bytes
 * are compared with those of the record before, so that only the payload is parsed.
 */
import {
  type ConfigOf,
  DataError,
  defineConfig,
  type JsonEncodeSettings,
  jsonEncoderFactory,
  oneOfIgnoringCase,
  type ParseJsonOptions,
  parseJson,
  type Schema,
  type SchemaAndValue,
  stringifyJson,
  type Value,
} from '@millrace/sdk'
import { converterType, type SyncConverter } from './converter-type.ts'
import { type DecoderOf, decoderFactory } from './json-decode.ts'
import { BoundedMap, EnvelopeCache, type EnvelopeHead, headOf, schemaText } from './json-envelope.ts'
import { jsonOfSchema, needsExactNumbers, schemaOfJson } from './json-schema.ts'
import { bufferOf, textOfUtf8 } from './utf8.ts'

/** Settings of JsonConverter. */
export const jsonConverterConfig = defineConfig({
  'converter.type': converterType,
  'schemas.enable': {
    type: 'BOOLEAN',
    default: true,
    importance: 'HIGH',
    documentation: 'Whether every record carries its schema in an envelope. Without, values are read as maps, lists and plain values.',
    group: 'Schemas',
    order: 0,
    width: 'MEDIUM',
    displayName: 'Enable Schemas',
  },
  'schemas.cache.size': {
    type: 'INT',
    default: 1000,
    importance: 'HIGH',
    documentation: 'How many schemas that were read are kept.',
    group: 'Schemas',
    order: 1,
    width: 'MEDIUM',
    displayName: 'Schema Cache Size',
  },
  'schema.content': {
    type: 'STRING',
    default: null,
    importance: 'HIGH',
    documentation:
      'With schemas.enable: the schema of every record that is read, as the JSON of an envelope; the records then hold payloads only.',
    group: 'Schemas',
    order: 2,
    width: 'MEDIUM',
    displayName: 'Schema Content',
  },
  'decimal.format': {
    type: 'STRING',
    default: 'BASE64',
    validator: oneOfIgnoringCase('NUMERIC', 'BASE64'),
    importance: 'LOW',
    documentation: 'How decimals are written: BASE64, the bytes of the unscaled value, or NUMERIC, a number. Both are read.',
    group: 'Serialization',
    order: 0,
    width: 'MEDIUM',
    displayName: 'Decimal Format',
  },
  'replace.null.with.default': {
    type: 'BOOLEAN',
    default: true,
    importance: 'LOW',
    documentation: 'Whether a null becomes the default of its schema, where there is one.',
    group: 'Serialization',
    order: 1,
    width: 'MEDIUM',
    displayName: 'Replace null with default',
  },
})

const NOTHING: SchemaAndValue = Object.freeze({ schema: null, value: null })
const NO_ENVELOPE =
  'JsonConverter with schemas.enable requires "schema" and "payload" fields and may not contain additional fields. ' +
  'If you are trying to deserialize plain JSON data, set schemas.enable=false in your converter configuration.'

/**
 * Makes the converter.
 * @throws DataError when schema.content is no schema
 */
export function createJsonConverter(config: ConfigOf<typeof jsonConverterConfig>): SyncConverter {
  const write = createWriter({
    hasEnvelope: config['schemas.enable'],
    isNumeric: config['decimal.format'].toUpperCase() === 'NUMERIC',
    replaceNull: config['replace.null.with.default'],
  })
  const read = config['schemas.enable'] ? createReader(config) : (record: Buffer) => ({ schema: null, value: schemaless(record) })
  return {
    fromConnectData: (_topic, schema, value) => write(schema, value),
    toConnectData: (_topic, bytes) => (bytes === null ? NOTHING : read(bufferOf(bytes))),
  }
}

interface WriteSettings extends JsonEncodeSettings {
  readonly hasEnvelope: boolean
}

function createWriter(settings: WriteSettings): (schema: Schema | null, value: Value) => Buffer | null {
  const encoderOf = jsonEncoderFactory(settings)
  const heads = new WeakMap<Schema, Buffer>()
  const headOf = (schema: Schema | null): Buffer => {
    if (schema === null) return SCHEMALESS_HEAD
    let head = heads.get(schema)
    if (head === undefined) {
      head = Buffer.from(`{"schema":${jsonOfSchema(schema, encoderOf)},"payload":`)
      heads.set(schema, head)
    }
    return head
  }
  return (schema, value) => {
    if (schema === null && value === null) return null
    if (!settings.hasEnvelope) return Buffer.from(encoderOf(schema)(value))
    // The schema is most of a record: its bytes are copied, not encoded anew.
    const head = headOf(schema)
    const payload = encoderOf(schema)(value)
    const payloadBytes = Buffer.byteLength(payload)
    const bytes = Buffer.allocUnsafe(head.length + payloadBytes + 1)
    bytes.set(head)
    bytes.write(payload, head.length, payloadBytes, 'utf8')
    bytes[bytes.length - 1] = BRACE_END
    return bytes
  }
}

const SCHEMALESS_HEAD = Buffer.from('{"schema":null,"payload":')

type Reader = (record: Buffer) => SchemaAndValue

function createReader(config: ConfigOf<typeof jsonConverterConfig>): Reader {
  const decoderOf = decoderFactory(config['replace.null.with.default'])
  const content = config['schema.content']
  if (content !== null && content !== '') {
    const schema = schemaOfContent(content, decoderOf)
    if (schema !== null) return contentReader(schema, decoderOf)
  }
  const cacheSize = config['schemas.cache.size']
  const heads = new EnvelopeCache(cacheSize)
  const schemas = new BoundedMap<string, Schema>(cacheSize)
  return (record) => {
    const head = heads.find(record)
    const payload = head === undefined ? UNREADABLE : payloadBehind(head, record)
    if (head !== undefined && payload !== UNREADABLE) return { schema: head.schema, value: head.decode(payload) }
    const json = parseRecord(record, { decimals: 'exact' })
    if (!isEnvelope(json)) throw new DataError(NO_ENVELOPE)
    if (json.schema === null) return { schema: null, value: schemaless(record, 'payload') }
    const key = stringifyJson(json.schema)
    const schema = schemas.get(key) ?? schemaOfJson(json.schema, decoderOf)!
    schemas.set(key, schema)
    const decode = decoderOf(schema)
    // Of a schema that comes twice the last one counts: then the head says something else than the whole.
    const headText = headOf(record)
    if (headText !== undefined && stringifyJson(parseJson(schemaText(headText), { decimals: 'exact', lenient: true })) === key) {
      heads.keep(headText, { schema, decode, isExact: needsExactNumbers(schema) })
    }
    return { schema, value: decode(json.payload) }
  }
}

function isEnvelope(json: unknown): json is { readonly schema: unknown; readonly payload: unknown } {
  if (typeof json !== 'object' || json === null || Array.isArray(json)) return false
  return Object.keys(json).length === 2 && Object.hasOwn(json, 'schema') && Object.hasOwn(json, 'payload')
}

function contentReader(schema: Schema, decoderOf: DecoderOf): Reader {
  const decode = decoderOf(schema)
  const decimals = needsExactNumbers(schema) ? 'exact' : 'number'
  return (record) => ({ schema, value: decode(parseRecord(record, { decimals })) })
}

function schemaOfContent(content: string, decoderOf: DecoderOf): Schema | null {
  let json: unknown
  try {
    json = parseJson(content, { decimals: 'exact', lenient: true })
  } catch (error) {
    throw notJson('Failed to parse schema in converter config due to serialization error: ', error)
  }
  return schemaOfJson(json, decoderOf)
}

const UNREADABLE = Symbol('unreadable')

/** The payload where it is all that follows the head; {@link UNREADABLE} where the whole record must be looked at. */
function payloadBehind(head: EnvelopeHead, record: Buffer): unknown {
  const end = record.length - 1
  if (record[end] !== BRACE_END) return UNREADABLE
  try {
    return parseJson(textOfUtf8(record.subarray(head.bytes.length, end)), head.isExact ? EXACT : undefined)
  } catch {
    return UNREADABLE
  }
}

const EXACT: ParseJsonOptions = { decimals: 'exact' }
const BRACE_END = 0x7d

/** A value without a schema, or a member of it. */
function schemaless(record: Buffer, member?: string): Value {
  const value = parseRecord(record, { integers: 'int64', objects: 'map' }) as Value | undefined
  if (member === undefined) return value ?? null
  return (value as ReadonlyMap<string, Value>).get(member) ?? null
}

/** undefined for a record of nothing but blanks. */
function parseRecord(record: Buffer, options: ParseJsonOptions): unknown {
  try {
    const text = textOfUtf8(record)
    return BLANK.test(text) ? undefined : parseJson(text, { ...options, lenient: true })
  } catch (error) {
    throw notJson('Converting byte[] to Kafka Connect data failed due to serialization error: ', error)
  }
}

const BLANK = /^\ufeff?[ \t\r\n]*$/

function notJson(message: string, cause: unknown): DataError {
  const className = 'org.apache.kafka.common.errors.SerializationException'
  return new DataError(message, { cause: new DataError(cause instanceof Error ? cause.message : String(cause), { className, cause }) })
}
