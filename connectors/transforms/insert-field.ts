/**
 * @module transforms/insert-field — adds what is known about a record, or a fixed text, as fields. Upstream: `InsertField$Key`,
 * `InsertField$Value`.
 */
import {
  ConfigException,
  type ConfigKey,
  type ConfigOf,
  type ConnectRecord,
  DataError,
  defineConfig,
  defineTransform,
  int32,
  int64,
  invalidValue,
  isSinkRecord,
  type Schema,
  type SchemaOptions,
  Sized,
  string,
  timestamp,
  type Value,
} from '@millrace/sdk'
import { emptyStruct, fieldReader, replaceNullWithDefault } from './field-values.ts'
import { requireMap, requireStruct, withFields } from './requirements.ts'
import { cachedBySchema } from './schema-cache.ts'
import { bySide, names, type Side } from './sides.ts'

const PURPOSE = 'field insertion'

function fieldNameFor(what: string): ConfigKey & { readonly type: 'STRING'; readonly default: null } {
  const suffixes = 'The suffix ! makes it a required field, ? (the default) an optional one.'
  return { type: 'STRING', default: null, importance: 'MEDIUM', documentation: `Name of the field for ${what}. ${suffixes}` }
}

const config = defineConfig({
  'topic.field': fieldNameFor('the topic'),
  'partition.field': fieldNameFor('the partition'),
  'offset.field': fieldNameFor('the offset, which only records of sinks have'),
  'timestamp.field': fieldNameFor('the timestamp'),
  'static.field': fieldNameFor('the text in static.value'),
  'static.value': { type: 'STRING', default: null, importance: 'MEDIUM', documentation: 'Text for the field that static.field names.' },
  'replace.null.with.default': replaceNullWithDefault,
})

/** One field to be added. */
interface Insertion {
  readonly name: string
  readonly schema: Schema
  /** null where the record does not have it. */
  readonly withSchema: (record: ConnectRecord) => Value
  readonly withoutSchema: (record: ConnectRecord) => Value
}

type Reading = Pick<Insertion, 'withSchema' | 'withoutSchema'>

/** A name with its suffix as name and schema. */
function insertion(spec: string | null, type: (options?: SchemaOptions) => Schema, reading: Reading): Insertion | undefined {
  if (spec === null) return undefined
  const isRequired = spec.endsWith('!')
  const name = isRequired || spec.endsWith('?') ? spec.slice(0, -1) : spec
  return { name, schema: type(isRequired ? {} : { optional: true }), ...reading }
}

function offsetOf(record: ConnectRecord): bigint {
  if (isSinkRecord(record)) return BigInt(record.offset)
  throw new DataError(`Only SinkRecord supported for [${PURPOSE}], found: org.apache.kafka.connect.source.SourceRecord`)
}

function insertionsOf(settings: ConfigOf<typeof config>): readonly Insertion[] {
  const text = (read: (record: ConnectRecord) => Value): Reading => ({ withSchema: read, withoutSchema: read })
  const all = [
    insertion(
      settings['topic.field'],
      string,
      text((record) => record.topic),
    ),
    insertion(settings['partition.field'], int32, {
      withSchema: ({ partition }) => partition,
      withoutSchema: ({ partition }) => (partition === null ? null : new Sized('int32', partition)),
    }),
    insertion(settings['offset.field'], int64, text(offsetOf)),
    insertion(settings['timestamp.field'], timestamp, {
      withSchema: ({ timestampMs }) => (timestampMs === null ? null : new Date(timestampMs)),
      withoutSchema: ({ timestampMs }) => (timestampMs === null ? null : BigInt(timestampMs)),
    }),
    insertion(
      settings['static.field'],
      string,
      text(() => settings['static.value']),
    ),
  ]
  return all.filter((one) => one !== undefined)
}

function checked(settings: ConfigOf<typeof config>): readonly Insertion[] {
  const insertions = insertionsOf(settings)
  if (insertions.length === 0) throw new ConfigException('No field insertion configured')
  const field = settings['static.field']
  if (field !== null && settings['static.value'] === null) {
    throw new ConfigException(invalidValue('static.value', 'null', `No value specified for static field: ${field}`))
  }
  return insertions
}

function create(side: Side, settings: ConfigOf<typeof config>): <R extends ConnectRecord>(record: R) => R {
  const insertions = checked(settings)
  const read = fieldReader(settings['replace.null.with.default'])
  const widened = cachedBySchema((schema) => withFields(schema, [...(schema.fields ?? []), ...insertions]))
  return (record) => {
    const value = side.valueOf(record)
    if (value === null) return record
    const schema = side.schemaOf(record)
    if (schema === null) {
      const map = new Map(requireMap(value, PURPOSE))
      for (const { name, withoutSchema } of insertions) {
        const added = withoutSchema(record)
        if (added !== null) map.set(name, added)
      }
      return side.replaced(record, null, map)
    }
    const struct = requireStruct(value, schema, PURPOSE)
    const wider = widened(schema)
    const result = emptyStruct()
    for (const field of schema.fields ?? []) result[field.name] = read(struct, field)
    for (const { name, withSchema } of insertions) result[name] = withSchema(record)
    return side.replaced(record, wider, result)
  }
}

/** `org.apache.kafka.connect.transforms.InsertField$Key` and `…$Value` */
export const [insertFieldKey, insertFieldValue] = bySide((side) =>
  defineTransform({
    ...names(`InsertField$${side.name}`),
    documentation: `Adds topic, partition, offset, timestamp or a fixed text as fields of the record's ${side.name.toLowerCase()}.`,
    config,
    create: (settings) => create(side, settings),
  }),
)
