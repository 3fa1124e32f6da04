/**
 * @module converters/header-converter — `org.apache.kafka.connect.storage.SimpleHeaderConverter`, the worker's default: headers as text, and
 * values out of whatever text a header has.
 *
 * Source: `Values.convertToString`. One difference: a date before 1970 keeps its day, where upstream prints the time of day alone.
 */
import {
  DataError,
  defineConfig,
  type HeaderConverter,
  isDecimal,
  isSized,
  isStruct,
  javaClassOf,
  javaText,
  jsonLimits,
  type Schema,
  type SchemaAndValue,
  type Value,
} from '@millrace/sdk'
import { charsetOf } from './charsets.ts'
import { formatDate } from './header-dates.ts'
import { parseHeaderValue } from './header-values.ts'
import { bufferOf } from './utf8.ts'

/** SimpleHeaderConverter has no settings. */
export const simpleHeaderConverterConfig = defineConfig({})

const NOTHING: SchemaAndValue = Object.freeze({ schema: null, value: null })
const utf8 = charsetOf('UTF-8')!

/** Makes the converter. Reading never fails; writing throws a DataError for a value that has no text. */
export function createSimpleHeaderConverter(): HeaderConverter {
  const encodeName = rememberingEncoder()
  return {
    fromConnectHeader: (_topic, key, schema, value) => {
      if (typeof value === 'string') return encodeName(key, value)
      return value === null ? null : utf8.encode(headerText(schema, value, 0))
    },
    toConnectHeader: (_topic, _key, bytes) => {
      if (bytes === null) return NOTHING
      return parseHeaderValue(utf8.decode(bufferOf(bytes))) ?? NOTHING
    },
  }
}

/** What is remembered between records. */
const remembered = { keyCountMax: 64, textLengthMax: 64 } as const

/** A connector says the same of each of its records in headers (its name, its task): such texts are encoded once. */
function rememberingEncoder(): (key: string, text: string) => Buffer {
  const latest = new Map<string, { readonly text: string; readonly bytes: Buffer }>()
  return (key, text) => {
    const known = latest.get(key)
    if (known?.text === text) return known.bytes
    const bytes = utf8.encode(text)
    if (text.length <= remembered.textLengthMax && (known !== undefined || latest.size < remembered.keyCountMax))
      latest.set(key, { text, bytes })
    return bytes
  }
}

function headerText(schema: Schema | null | undefined, value: Value, depth: number): string {
  if (typeof value === 'string') return depth === 0 ? value : quoted(value.replaceAll('\\', '\\\\').replaceAll('"', '\\"'))
  if (typeof value !== 'object' || value === null || isSized(value) || isDecimal(value)) return javaText(schema, value)
  if (value instanceof Date) return dateText(value)
  if (depth > jsonLimits.depth) throw new DataError(`a header of more than ${jsonLimits.depth} lists and maps inside each other`)
  const inner = depth + 1
  if (value instanceof Uint8Array) {
    const text = bufferOf(value).toString('base64')
    return depth === 0 ? text : quoted(text)
  }
  if (isList(value)) return `[${value.map((element) => headerText(schema?.valueSchema, element, inner)).join(',')}]`
  if (isMap(value)) {
    const entries = [...value].map(([key, item]) => {
      return `${headerText(schema?.keySchema, key, inner)}:${headerText(schema?.valueSchema, item, inner)}`
    })
    return `{${entries.join(',')}}`
  }
  if (isStruct(value)) return structText(schema, value, inner)
  throw new DataError(`Failed to serialize unexpected value type ${javaClassOf(value)}: ${String(value)}`)
}

function structText(schema: Schema | null | undefined, struct: Readonly<Record<string, Value>>, depth: number): string {
  const fields = schema?.fields ?? Object.keys(struct).map((name) => ({ name, schema: undefined }))
  const members = fields.map((field) => {
    const value = struct[field.name] ?? (field.schema?.default as Value | undefined) ?? null
    return `${headerText(undefined, field.name, depth)}:${headerText(field.schema, value, depth)}`
  })
  return `{${members.join(',')}}`
}

/** Upstream sees from the value alone whether it is a date, a time of day or both. */
function dateText(value: Date): string {
  const ms = value.getTime()
  if (ms >= 0 && ms < DAY_MS) return formatDate(ms, 'Time')
  return formatDate(ms, ms % DAY_MS === 0 ? 'Date' : 'Timestamp')
}

const DAY_MS = 86_400_000

function quoted(text: string): string {
  return `"${text}"`
}

function isList(value: object): value is readonly Value[] {
  return Array.isArray(value)
}

function isMap(value: object): value is ReadonlyMap<Value, Value> {
  return value instanceof Map
}
