/**
 * @module connect/tasks/conversion — the key, value and header converters of a connector: its own, else the worker's.
 *
 * A converter may answer with a promise (one that asks a schema registry does so now and then); where it answers at once nothing is
 * made per record beyond what it gives.
 */
import {
  ConfigException,
  type Converter,
  type ConverterPlugin,
  DataError,
  type Header,
  type HeaderConverter,
  type HeaderConverterPlugin,
  parseConfig,
  type RawHeader,
  type SchemaAndValue,
  type SinkRecord,
  type SourceRecord,
  type Value,
} from '@millrace/sdk'
import type { ConsumedRecord, PartitionRecords, ProducerRecord, RecordHeader } from '../../client/index.ts'
import type { PluginLoader } from '../plugins/types.ts'
import type { ConfigText } from '../types.ts'
import { withoutPrefix } from './settings.ts'
import type { Cursor, Step } from './step.ts'

/** Upstream's default of `header.converter`. */
const HEADER_CONVERTER = 'org.apache.kafka.connect.storage.SimpleHeaderConverter'

/** A record as one poll gives it. */
export type RawRecord = PartitionRecords['records'][number]

/** The raw record behind a {@link SinkRecord}; own and enumerable, so that a transform's `{...record}` takes it along. */
export const RAW = Symbol('millrace.raw')

/** A sink record that the engine made. */
export interface ConvertedRecord extends SinkRecord {
  readonly [RAW]: RawRecord
}

/** Where raw records come from. */
export type Origin = Pick<PartitionRecords, 'topic' | 'partition' | 'timestampType'>

/** The three converters of a task. */
export class Conversion {
  readonly #key: Converter
  readonly #value: Converter
  readonly #header: HeaderConverter
  readonly keyStep: Step
  readonly valueStep: Step
  readonly headerStep: Step

  constructor(key: Loaded<Converter>, value: Loaded<Converter>, header: Loaded<HeaderConverter>) {
    this.#key = key.converter
    this.#value = value.converter
    this.#header = header.converter
    this.keyStep = { stage: 'KEY_CONVERTER', className: key.className, setting: 'key.converter' }
    this.valueStep = { stage: 'VALUE_CONVERTER', className: value.className, setting: 'value.converter' }
    this.headerStep = { stage: 'HEADER_CONVERTER', className: header.className, setting: 'header.converter' }
  }

  /** The headers of the record before, and what the producer was given for them. */
  #latest: { readonly topic: string; readonly headers: readonly Header[]; readonly raw: readonly RecordHeader[] } | null = null

  /** A record for the producer. Throws what a converter throws; `cursor` then says which. */
  toBytes(record: SourceRecord | SinkRecord, cursor: Cursor): ProducerRecord | Promise<ProducerRecord> {
    const { topic } = record
    const headers = this.#rawHeaders(record, cursor)
    cursor.step = this.keyStep
    const key = this.#key.fromConnectData(topic, record.keySchema, record.key, headers)
    if (key instanceof Promise) return this.#toBytesLater(record, key, headers, cursor)
    cursor.step = this.valueStep
    const value = this.#value.fromConnectData(topic, record.valueSchema, record.value, headers)
    if (value instanceof Promise) return value.then((bytes) => this.#producerRecord(record, key, bytes, headers))
    return this.#producerRecord(record, key, value, headers)
  }

  async #toBytesLater(
    record: SourceRecord | SinkRecord,
    pending: Promise<Uint8Array | null>,
    headers: RawHeader[],
    cursor: Cursor,
  ): Promise<ProducerRecord> {
    const key = await pending
    cursor.step = this.valueStep
    const value = await this.#value.fromConnectData(record.topic, record.valueSchema, record.value, headers)
    return this.#producerRecord(record, key, value, headers)
  }

  #producerRecord(
    record: SourceRecord | SinkRecord,
    key: Uint8Array | null,
    value: Uint8Array | null,
    headers: readonly RawHeader[],
  ): ProducerRecord {
    const { topic, partition, timestampMs } = record
    return {
      topic,
      partition: partition ?? undefined,
      key: ownBytes(key, record.key),
      value: ownBytes(value, record.value),
      headers: headers.length === 0 ? undefined : this.#recordHeaders(record, headers),
      timestampMs: timestampMs === null ? undefined : checkedTimestamp(timestampMs),
    }
  }

  /** A source that gives all its records one list of headers gets one list for the producer, which then encodes it once per batch. */
  #recordHeaders({ topic, headers }: SourceRecord | SinkRecord, raw: readonly RawHeader[]): readonly RecordHeader[] {
    const latest = this.#latest
    if (latest !== null && latest.headers === headers && latest.topic === topic && isSameHeaders(latest.raw, raw)) return latest.raw
    const list = raw.map(rawHeader)
    this.#latest = { topic, headers, raw: list }
    return list
  }

  #rawHeaders({ topic, headers }: SourceRecord | SinkRecord, cursor: Cursor): RawHeader[] {
    const raw: RawHeader[] = []
    if (headers.length === 0) return raw
    cursor.step = this.headerStep
    for (const { key, schema, value } of headers) raw.push({ key, value: this.#header.fromConnectHeader(topic, key, schema, value) })
    return raw
  }

  /** A record for the sink. Throws as {@link toBytes} does. */
  toRecord(raw: RawRecord, origin: Origin, cursor: Cursor): ConvertedRecord | Promise<ConvertedRecord> {
    cursor.step = this.keyStep
    const key = this.#key.toConnectData(origin.topic, raw.key, raw.headers)
    if (key instanceof Promise) return this.#toRecordLater(raw, origin, key, cursor)
    cursor.step = this.valueStep
    const value = this.#value.toConnectData(origin.topic, raw.value, raw.headers)
    if (value instanceof Promise) return value.then((data) => this.#sinkRecord(raw, origin, key, data, cursor))
    return this.#sinkRecord(raw, origin, key, value, cursor)
  }

  async #toRecordLater(raw: RawRecord, origin: Origin, pending: Promise<SchemaAndValue>, cursor: Cursor): Promise<ConvertedRecord> {
    const key = await pending
    cursor.step = this.valueStep
    const value = await this.#value.toConnectData(origin.topic, raw.value, raw.headers)
    return this.#sinkRecord(raw, origin, key, value, cursor)
  }

  #sinkRecord(raw: RawRecord, origin: Origin, key: SchemaAndValue, value: SchemaAndValue, cursor: Cursor): ConvertedRecord {
    const { topic, partition, timestampType } = origin
    const { offset, timestampMs } = raw
    return {
      topic,
      partition,
      keySchema: key.schema,
      key: key.value,
      valueSchema: value.schema,
      value: value.value,
      timestampMs: timestampMs < 0 ? null : timestampMs,
      headers: raw.headers.length === 0 ? NO_HEADERS : this.#headers(raw, topic, cursor),
      offset,
      timestampType: timestampMs < 0 ? 'none' : timestampType,
      originalTopic: topic,
      originalPartition: partition,
      originalOffset: offset,
      [RAW]: raw,
    }
  }

  #headers({ headers }: RawRecord, topic: string, cursor: Cursor): Header[] {
    cursor.step = this.headerStep
    return headers.map(({ key, value }) => ({ key, ...this.#header.toConnectHeader(topic, key, value) }))
  }
}

const NO_HEADERS: readonly Header[] = Object.freeze([])

/** A converter with the class that errors name. */
export interface Loaded<C> {
  readonly converter: C
  readonly className: string
}

/** Loads and configures the converters. Rejects with a ConfigException, or as the loader does. */
export async function createConversion(connector: ConfigText, worker: ConfigText, plugins: PluginLoader): Promise<Conversion> {
  const key = chosen('key.converter', connector, worker)
  const value = chosen('value.converter', connector, worker)
  const header = chosen('header.converter', connector, { 'header.converter': HEADER_CONVERTER, ...worker })
  const headerPlugin = await plugins.load<HeaderConverterPlugin>(header.name, 'header_converter')
  return new Conversion(await load(key, plugins, true), await load(value, plugins, false), {
    className: headerPlugin.class,
    converter: headerPlugin.create(parseConfig(headerPlugin.config, header.settings)),
  })
}

type ConverterKey = 'key.converter' | 'value.converter' | 'header.converter'

interface Choice {
  readonly name: string
  readonly settings: ConfigText
}

async function load({ name, settings }: Choice, plugins: PluginLoader, isKey: boolean): Promise<Loaded<Converter>> {
  const plugin = await plugins.load<ConverterPlugin>(name, 'converter')
  return { className: plugin.class, converter: plugin.create(parseConfig(plugin.config, settings), { isKey }) }
}

/** Who names the converter also gives its settings: those of a worker don't reach a converter that the connector chose. */
function chosen(key: ConverterKey, connector: ConfigText, worker: ConfigText): Choice {
  const from = connector[key] === undefined ? worker : connector
  const name = from[key]?.trim()
  if (name === undefined || name === '') throw new ConfigException(`Missing required configuration "${key}" which has no default value.`)
  const settings = withoutPrefix(from, `${key}.`)
  delete settings['plugin.version']
  // Upstream's way to tell a converter what it is for; those that do not define the key pass it over.
  return { name, settings: { ...settings, 'converter.type': key.slice(0, key.indexOf('.')) } }
}

/** Converters may have added some, or give bytes that differ from those of the record before. */
function isSameHeaders(known: readonly RecordHeader[], raw: readonly RawHeader[]): boolean {
  return known.length === raw.length && raw.every(({ key, value }, at) => known[at]?.key === key && known[at].value === value)
}

/** −1 is Kafka's "none"; other negative ones are refused as upstream does. */
function checkedTimestamp(timestampMs: number): number | undefined {
  if (timestampMs >= 0) return timestampMs
  if (timestampMs === -1) return undefined
  throw new DataError(`Invalid record timestamp ${timestampMs}`, {
    className: 'org.apache.kafka.connect.errors.InvalidRecordTimestampException',
  })
}

function rawHeader({ key, value }: RawHeader): RecordHeader {
  return { key, value: bufferOf(value) }
}

/** Bytes that a plugin has given and a converter has passed on are copied: it may fill its buffer again while they are on their way. */
function ownBytes(bytes: Uint8Array | null, given: Value): Buffer | null {
  if (bytes !== null && given instanceof Uint8Array && bytes.buffer === given.buffer) return Buffer.from(bytes)
  return bufferOf(bytes)
}

function bufferOf(bytes: Uint8Array | null): Buffer | null {
  if (bytes === null || Buffer.isBuffer(bytes)) return bytes
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
}

/** `topic-partition@offset` */
export function placeOfRaw({ topic, partition, offset }: Pick<ConsumedRecord, 'topic' | 'partition' | 'offset'>): string {
  return `${topic}-${partition}@${offset}`
}
