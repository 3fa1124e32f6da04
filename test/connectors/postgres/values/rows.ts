/**
 * @module test/connectors/postgres/values/rows — rows of text through the codecs and the real JsonConverter, and what a recording has there.
 */
import { jsonConverter } from '../../../../connectors/converters/index.ts'
import type { TableColumn, Types } from '../../../../connectors/postgres/model.ts'
import { columnCodec, defaultOf, type Phase, type ValueSettings } from '../../../../connectors/postgres/values/index.ts'
import { type Field, parseConfig, struct, structOf, type Value } from '../../../../sdk/index.ts'
import { exactJson, type Exact, isStage, type RecordedRecord, type Recording } from '../golden/recording.ts'
import type { RecordedShape, Text } from './texts.ts'

/** Settings of the default modes. */
export const defaultSettings: ValueSettings = {
  decimalMode: 'precise',
  timePrecisionMode: 'adaptive',
  binaryMode: 'bytes',
  intervalMode: 'numeric',
  hstoreMode: 'json',
  moneyFractionDigits: 2,
  includeUnknown: false,
  unavailablePlaceholder: Buffer.from('__debezium_unavailable_value'),
}

/** Settings of a recording. */
export function settingsOf(config: Readonly<Record<string, string>>): ValueSettings {
  const mode = <Name extends keyof ValueSettings>(key: string, name: Name): ValueSettings[Name] =>
    (config[key] ?? defaultSettings[name]) as ValueSettings[Name]
  const placeholder = config['unavailable.value.placeholder']
  return {
    decimalMode: mode('decimal.handling.mode', 'decimalMode'),
    timePrecisionMode: mode('time.precision.mode', 'timePrecisionMode'),
    binaryMode: mode('binary.handling.mode', 'binaryMode'),
    intervalMode: mode('interval.handling.mode', 'intervalMode'),
    hstoreMode: mode('hstore.handling.mode', 'hstoreMode'),
    moneyFractionDigits: Number(config['money.fraction.digits'] ?? defaultSettings.moneyFractionDigits),
    includeUnknown: config['include.unknown.datatypes'] === 'true',
    unavailablePlaceholder:
      placeholder === undefined
        ? defaultSettings.unavailablePlaceholder
        : placeholder.startsWith('hex:')
          ? Buffer.from(placeholder.slice(4), 'hex')
          : Buffer.from(placeholder),
  }
}

/** A row as JsonConverter prints it. */
export interface PrintedRow {
  /** Schemas of the fields, in order. */
  readonly fields: readonly Exact[]
  readonly payload: Exact
}

const converter = jsonConverter.create(parseConfig(jsonConverter.config, { 'converter.type': 'value', 'schemas.enable': 'true' }), {
  isKey: false,
})

/** Types by OID. */
export function typesOf(shape: RecordedShape): Types {
  return new Map(shape.types.map((type) => [type.oid, type]))
}

/** A row of text by the codecs of its columns. */
export async function printRow(
  row: Readonly<Record<string, Text>>,
  columns: readonly TableColumn[],
  types: Types,
  settings: ValueSettings,
  phase: Phase,
): Promise<PrintedRow> {
  const fields: Field[] = []
  const members: Record<string, Value> = {}
  for (const column of columns) {
    const codec = columnCodec(column, types, settings, phase)
    // Columns that the stream does not tell: generated ones.
    if (codec === null || !(column.name in row)) continue
    const fallback = defaultOf(column, types, codec, settings)
    const isOptional = column.isOptional || codec.schema.optional === true
    const schema =
      codec.schema.type === 'struct'
        ? codec.schema
        : { ...codec.schema, ...(isOptional ? { optional: true } : {}), ...(fallback === undefined ? {} : { default: fallback }) }
    fields.push({ name: column.name, schema })
    const text = row[column.name]!
    if (text === null) members[column.name] = column.isOptional ? null : (fallback ?? codec.fallback)
    else if (typeof text === 'object') members[column.name] = codec.unavailable ?? null
    else members[column.name] = decode(codec, text)
  }
  const bytes = await converter.fromConnectData('t', struct(fields), structOf(members), [])
  const { schema, payload } = exactJson(Buffer.from(bytes!).toString()) as { schema: { fields: Exact[] }; payload: Exact }
  return { fields: schema.fields, payload }
}

/** Decodes out of the middle of a buffer, as a row has it, which is overwritten afterwards: nothing of it may be kept. */
export function decode(codec: NonNullable<ReturnType<typeof columnCodec>>, text: string): Value {
  const bytes = Buffer.from(`"[${text}]"`)
  const value = codec.decode(bytes, 2, bytes.length - 2)
  bytes.fill(0x2a)
  return value
}

/** The rows of a recording, in order, by table: what stands under `before` or `after`. */
export function recordedRows(recording: Recording, part: 'before' | 'after'): ReadonlyMap<string, readonly PrintedRow[]> {
  const rows = new Map<string, PrintedRow[]>()
  for (const item of recording.items) {
    if (isStage(item)) continue
    const payload = (item.value as Readonly<Record<string, Exact>> | null)?.[part]
    if (payload === undefined || payload === null) continue
    const table = item.topic.split('.').at(-1)!
    const known = rows.get(table)
    const row = { fields: fieldsOf(item, part), payload }
    if (known === undefined) rows.set(table, [row])
    else known.push(row)
  }
  return rows
}

interface PrintedSchema {
  readonly field?: string
  readonly fields: readonly PrintedSchema[]
}

function fieldsOf(record: RecordedRecord, part: string): readonly Exact[] {
  return (record.valueSchema as PrintedSchema).fields.find(({ field }) => field === part)!.fields
}
