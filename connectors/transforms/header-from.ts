/**
 * @module transforms/header-from — copies or moves fields into headers. Upstream: `HeaderFrom$Key`, `HeaderFrom$Value`.
 */
import {
  ConfigException,
  type ConfigKey,
  type ConfigOf,
  type ConnectRecord,
  DataError,
  defineConfig,
  defineTransform,
  fieldOf,
  type Header,
  oneOf,
  rule,
  type Schema,
  type Struct,
  type Value,
} from '@millrace/sdk'
import { emptyStruct, type FieldReader, fieldReader, replaceNullWithDefault } from './field-values.ts'
import { requireMap, requireStruct, withFields } from './requirements.ts'
import { cachedBySchema } from './schema-cache.ts'
import { bySide, names, type Side } from './sides.ts'

function nameList(documentation: string): ConfigKey & { readonly type: 'LIST' } {
  const validator = rule('non-empty list', (value) => ((value as readonly string[] | null)?.length === 0 ? 'Empty list' : undefined))
  return { type: 'LIST', validator, importance: 'HIGH', documentation }
}

const config = defineConfig({
  fields: nameList('Fields whose values become headers.'),
  headers: nameList('Names of the headers, in the order of the fields.'),
  operation: {
    type: 'STRING',
    validator: oneOf('move', 'copy'),
    importance: 'HIGH',
    documentation: 'copy: the fields stay where they are; move: they are taken out.',
  },
  'replace.null.with.default': replaceNullWithDefault,
})

/** A field and its header. */
interface Pair {
  readonly field: string
  readonly header: string
}

function pairsOf({ fields, headers }: ConfigOf<typeof config>): readonly Pair[] {
  if (fields.length !== headers.length) {
    throw new ConfigException("'fields' config must have the same number of elements as 'headers' config.")
  }
  return fields.map((field, at) => ({ field, header: headers[at] ?? '' }))
}

function headersOf(struct: Struct, schema: Schema, pairs: readonly Pair[], read: FieldReader): readonly Header[] {
  return pairs.map(({ field: name, header }) => {
    const field = fieldOf(schema, name)
    // Upstream stumbles over the missing field; we keep its class and say which one it is.
    if (field === undefined) throw new DataError(`Field does not exist: ${name}`, { className: 'java.lang.NullPointerException' })
    return { key: header, schema: field.schema, value: read(struct, field) }
  })
}

function create(side: Side, settings: ConfigOf<typeof config>): <R extends ConnectRecord>(record: R) => R {
  const pairs = pairsOf(settings)
  const moved = settings.operation === 'move' ? new Set<Value>(settings.fields) : new Set<Value>()
  const purpose = `header ${settings.operation}`
  const read = fieldReader(settings['replace.null.with.default'])
  const rest = cachedBySchema((schema) =>
    withFields(
      schema,
      (schema.fields ?? []).filter(({ name }) => !moved.has(name)),
    ),
  )
  const withHeaders = <R extends ConnectRecord>(record: R, added: readonly Header[]): R => ({
    ...record,
    headers: [...record.headers, ...added],
  })
  return (record) => {
    const value = side.valueOf(record)
    const schema = side.schemaOf(record)
    if (schema === null) {
      const map = requireMap(value, purpose)
      const added = pairs.map(({ field, header }) => ({ key: header, schema: null, value: map.get(field) ?? null }))
      return withHeaders(side.replaced(record, null, new Map([...map].filter(([key]) => !moved.has(key)))), added)
    }
    const struct = requireStruct(value, schema, purpose)
    const added = headersOf(struct, schema, pairs, read)
    if (moved.size === 0) return withHeaders(record, added)
    const narrower = rest(schema)
    const result = emptyStruct()
    for (const field of narrower.fields ?? []) result[field.name] = read(struct, field)
    return withHeaders(side.replaced(record, narrower, result), added)
  }
}

/** `org.apache.kafka.connect.transforms.HeaderFrom$Key` and `…$Value` */
export const [headerFromKey, headerFromValue] = bySide((side) =>
  defineTransform({
    ...names(`HeaderFrom$${side.name}`),
    documentation: `Copies or moves fields of the record's ${side.name.toLowerCase()} into headers.`,
    config,
    create: (settings) => create(side, settings),
  }),
)
