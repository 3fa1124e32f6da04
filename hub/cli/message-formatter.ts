/** @module cli/message-formatter — a record to the bytes that Kafka's DefaultMessageFormatter prints for it. Pure. */
import { type Deserializer, deserializerNames, deserializerOf } from './deserializers.ts'

/** What is formatted. `timestampType` null: the record has no timestamp; an absent epoch or delivery count is not known. */
export interface FormattedRecord {
  readonly partition: number
  readonly offset: number
  readonly timestampMs: number
  readonly timestampType: 'create' | 'append' | null
  readonly leaderEpoch?: number
  readonly deliveryCount?: number
  readonly key: Buffer | null
  readonly value: Buffer | null
  readonly headers: readonly {
    readonly key: string
    readonly value: Buffer | null
  }[]
}

/** @throws DeserializeError when key, value or a header is not of its deserializer's type */
export type MessageFormatter = (record: FormattedRecord) => Buffer

/** A formatter or deserializer that is not there; the message says which are. */
export class FormatterError extends Error {
  override readonly name = 'FormatterError'
}

const PACKAGE = 'org.apache.kafka.tools.consumer.'
const DEFAULT_FORMATTER = `${PACKAGE}DefaultMessageFormatter`
const NOTHING = Buffer.alloc(0)

/** The formatter of a Java class name with its `--formatter-property` values. @throws FormatterError for a name that we don't have */
export function messageFormatter(className: string, properties: ReadonlyMap<string, string>): MessageFormatter {
  if (className === DEFAULT_FORMATTER) return defaultFormatter(properties)
  if (className === `${PACKAGE}NoOpMessageFormatter`) return () => NOTHING
  throw new FormatterError(`${className}: there is no such formatter; there are ${DEFAULT_FORMATTER} and ${PACKAGE}NoOpMessageFormatter`)
}

type Column = (record: FormattedRecord) => readonly (string | Buffer)[]

/** Columns between key.separator, the line closed by line.separator; a record of which nothing is printed gives no line. */
function defaultFormatter(properties: ReadonlyMap<string, string>): MessageFormatter {
  const columns = columnsOf(properties)
  const columnSeparator = Buffer.from(properties.get('key.separator') ?? '\t')
  const lineSeparator = Buffer.from(properties.get('line.separator') ?? '\n')
  return (record) => {
    const parts: Buffer[] = []
    for (const [index, column] of columns.entries()) {
      for (const part of column(record)) parts.push(typeof part === 'string' ? Buffer.from(part) : part)
      parts.push(index === columns.length - 1 ? lineSeparator : columnSeparator)
    }
    return parts.length === 2 ? joined(parts[0] as Buffer, parts[1] as Buffer) : Buffer.concat(parts)
  }
}

/** The usual line, value and end, without a list in between. */
function joined(one: Buffer, other: Buffer): Buffer {
  const whole = Buffer.allocUnsafe(one.length + other.length)
  one.copy(whole)
  other.copy(whole, one.length)
  return whole
}

function columnsOf(properties: ReadonlyMap<string, string>): Column[] {
  const isSet = (name: string, fallback = 'false'): boolean => (properties.get(name) ?? fallback).trim().toLowerCase() === 'true'
  const nullLiteral = Buffer.from(properties.get('null.literal') ?? 'null')
  const read = (name: string): ((bytes: Buffer | null) => string | Buffer) => {
    const deserialize = namedDeserializer(properties, name)
    return (bytes) => (bytes === null ? nullLiteral : deserialize(bytes))
  }
  const [readKey, readValue, readHeader] = [read('key.deserializer'), read('value.deserializer'), read('headers.deserializer')]
  const headersSeparator = Buffer.from(properties.get('headers.separator') ?? ',')
  const columns: [isPrinted: boolean, column: Column][] = [
    [isSet('print.timestamp'), timestampColumn],
    [isSet('print.partition'), ({ partition }) => [`Partition:${partition}`]],
    [isSet('print.offset'), ({ offset }) => [`Offset:${offset}`]],
    [isSet('print.delivery'), ({ deliveryCount }) => [`Delivery:${deliveryCount ?? 'NOT_PRESENT'}`]],
    [isSet('print.epoch'), ({ leaderEpoch }) => [`Epoch:${leaderEpoch ?? 'NOT_PRESENT'}`]],
    [isSet('print.headers'), ({ headers }) => headersColumn(headers, headersSeparator, readHeader)],
    [isSet('print.key'), ({ key }) => [readKey(key)]],
    [isSet('print.value', 'true'), ({ value }) => [readValue(value)]],
  ]
  return columns.filter(([isPrinted]) => isPrinted).map(([, column]) => column)
}

function timestampColumn({ timestampType, timestampMs }: FormattedRecord): string[] {
  if (timestampType === null) return ['NO_TIMESTAMP']
  return [`${timestampType === 'append' ? 'LogAppendTime' : 'CreateTime'}:${timestampMs}`]
}

function headersColumn(
  headers: FormattedRecord['headers'],
  separator: Buffer,
  read: (bytes: Buffer | null) => string | Buffer,
): (string | Buffer)[] {
  if (headers.length === 0) return ['NO_HEADERS']
  return headers.flatMap(({ key, value }, index) => [...(index === 0 ? [] : [separator]), `${key}:`, read(value)])
}

function namedDeserializer(properties: ReadonlyMap<string, string>, property: string): Deserializer {
  const className = properties.get(property)
  if (className === undefined) return (bytes) => bytes
  const deserializer = deserializerOf(className)
  if (deserializer === undefined) {
    throw new FormatterError(`${property} ${className}: there is no such deserializer; there are ${deserializerNames.join(', ')}`)
  }
  return deserializer
}
