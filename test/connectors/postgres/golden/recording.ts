/**
 * @module test/connectors/postgres/golden/recording — what a connector gave, as golden/cdc/README.md writes it down: read from a recording of Debezium, or
 * made of our own records in the same form so that the two can be compared.
 */
import { jsonConverter, simpleHeaderConverter } from '../../../../connectors/converters/index.ts'
import { type Converter, parseConfig, parseJson, type Schema, type SourceRecord, stringifyJson } from '../../../../sdk/index.ts'

/** JSON in which every number keeps its digits: see sdk/exact-json. */
export type Exact = unknown

/** One record. Keys and values are what JsonConverter prints without schemas; the schemas stand whole. */
export interface RecordedRecord {
  readonly topic: string
  readonly partition?: number
  readonly timestamp?: Exact
  readonly key: Exact
  readonly value: Exact
  readonly keySchema: Exact
  readonly valueSchema: Exact
  readonly headers: readonly (readonly [string, string | null])[]
  readonly headerSchemas: readonly Exact[]
  readonly offset: Exact
}

/** What stood after a step. */
export interface RecordedStage {
  readonly stage: string
  /** Positions in the offsets topic; left out: none. */
  readonly stored?: readonly { readonly key: readonly [string, Exact]; readonly value: Exact }[]
  readonly sqlErrors?: readonly string[]
  readonly rows?: readonly (readonly string[])[]
  readonly connectorState?: string
  readonly taskState?: string
  readonly error?: readonly string[]
}

/** A recording. */
export interface Recording {
  readonly scenario: string
  readonly variant: string
  readonly config: Readonly<Record<string, string>>
  /** Records and stages in their order. */
  readonly items: readonly (RecordedRecord | RecordedStage)[]
}

/** Whether an item is a stage. */
export function isStage(item: RecordedRecord | RecordedStage): item is RecordedStage {
  return 'stage' in item
}

/** Reads a recording: its lines and its table of schemas. */
export function readRecording(lines: string, schemaTable: string): Recording {
  const [head, ...items] = lines
    .split('\n')
    .filter((line) => line !== '')
    .map(exactJson) as Record<string, Exact>[]
  const schemas = exactJson(schemaTable) as Readonly<Record<string, Exact>>
  const schemaOf = (id: Exact): Exact => {
    if (id === null) return null
    const schema = typeof id === 'string' ? schemas[id] : undefined
    if (schema === undefined) throw new Error(`there is no schema ${JSON.stringify(id)}`)
    return schema
  }
  return {
    scenario: String(head?.['scenario']),
    variant: String(head?.['variant']),
    config: head?.['config'] as Recording['config'],
    items: items.map((item) =>
      'stage' in item
        ? (item as unknown as RecordedStage)
        : ({
            // Left out where there are none.
            headers: [],
            headerSchemas: [],
            ...item,
            keySchema: schemaOf(item['keySchema']),
            valueSchema: schemaOf(item['valueSchema']),
          } as unknown as RecordedRecord),
    ),
  }
}

const json = (schemas: boolean): Converter =>
  jsonConverter.create(parseConfig(jsonConverter.config, { 'converter.type': 'value', 'schemas.enable': String(schemas) }), {
    isKey: false,
  })
const withoutSchema = json(false)
const withSchema = json(true)
const headerConverter = simpleHeaderConverter.create(parseConfig(simpleHeaderConverter.config, { 'converter.type': 'header' }))

/** One of our records as the recorder would have written it, by way of the real converters. */
export async function recordOf(record: SourceRecord): Promise<RecordedRecord> {
  const { topic, partition, timestampMs, headers, sourceOffset } = record
  const key = await converted(topic, record.keySchema, record.key)
  const value = await converted(topic, record.valueSchema, record.value)
  return {
    topic,
    ...(partition === null ? {} : { partition }),
    ...(timestampMs === null ? {} : { timestamp: timestampMs }),
    key: key.payload,
    value: value.payload,
    keySchema: key.schema,
    valueSchema: value.schema,
    headers: headers.map((header) => [header.key, headerText(topic, header)]),
    headerSchemas: await Promise.all(headers.map((header) => headerSchema(topic, header))),
    offset: exactOf(sourceOffset),
  }
}

/** The payload in both modes of the converter, which must be one. */
async function converted(
  topic: string,
  schema: Schema | null,
  value: SourceRecord['value'],
): Promise<{ readonly payload: Exact; readonly schema: Exact }> {
  const bare = await withoutSchema.fromConnectData(topic, schema, value, [])
  const whole = await withSchema.fromConnectData(topic, schema, value, [])
  if (bare === null || whole === null || (schema === null && value === null)) return { payload: null, schema: null }
  const text = Buffer.from(bare).toString()
  const envelope = Buffer.from(whole).toString()
  if (!envelope.endsWith(`"payload":${text}}`)) throw new Error(`the two modes of JsonConverter differ: ${text} and ${envelope}`)
  return { payload: exactJson(text), schema: (exactJson(envelope) as { readonly schema: Exact }).schema }
}

type Header = SourceRecord['headers'][number]

function headerText(topic: string, { key, schema, value }: Header): string | null {
  const bytes = headerConverter.fromConnectHeader(topic, key, schema, value)
  return bytes === null ? null : Buffer.from(bytes).toString()
}

/** The recorder writes a schema that is a bare type by its name. */
async function headerSchema(topic: string, { schema, value }: Header): Promise<Exact> {
  if (schema === null) return null
  const printed = (await converted(topic, schema, value)).schema as Readonly<Record<string, Exact>>
  return Object.keys(printed).length === 2 && printed['optional'] === false ? printed['type'] : printed
}

/** A plain value by way of its JSON, where a `bigint` is a number like any other. */
export function exactOf(value: unknown): Exact {
  return exactJson(stringifyJson(value))
}

/** Parses JSON so that no digit is lost. */
export function exactJson(text: string): Exact {
  return parseJson(text, { decimals: 'exact' })
}
