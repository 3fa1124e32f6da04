/**
 * @module transforms/value-to-key — makes a new key of fields of the value. Upstream: `ValueToKey`.
 */
import {
  type ConfigOf,
  type ConnectRecord,
  DataError,
  defineConfig,
  defineTransform,
  type Field,
  fieldOf,
  type Schema,
  struct as structSchema,
  type Value,
} from '@millrace/sdk'
import { emptyStruct, fieldReader, replaceNullWithDefault } from './field-values.ts'
import { distinctNames, nameList } from './name-list.ts'
import { distinct, requireMap, requireStruct } from './requirements.ts'
import { cachedBySchema } from './schema-cache.ts'
import { names } from './sides.ts'

const PURPOSE = 'copying fields from value to key'

const config = defineConfig({
  fields: nameList('Fields of the value that make the key, in this order.'),
  'replace.null.with.default': replaceNullWithDefault,
})

function keySchemaOf(schema: Schema, fieldNames: readonly string[]): Schema {
  const fields = fieldNames.map((name): Field => {
    const field = fieldOf(schema, name)
    if (field === undefined) throw new DataError(`Field does not exist: ${name}`)
    return field
  })
  return structSchema(distinct(fields))
}

function create(settings: ConfigOf<typeof config>): <R extends ConnectRecord>(record: R) => R {
  const read = fieldReader(settings['replace.null.with.default'])
  const fields = distinctNames(settings.fields)
  const keySchema = cachedBySchema((schema) => keySchemaOf(schema, fields))
  return (record) => {
    const schema = record.valueSchema
    if (schema === null) {
      const map = requireMap(record.value, PURPOSE)
      const key = new Map<Value, Value>(fields.map((name) => [name, map.get(name) ?? null]))
      return { ...record, keySchema: null, key }
    }
    const value = requireStruct(record.value, schema, PURPOSE)
    const made = keySchema(schema)
    const key = emptyStruct()
    for (const field of made.fields ?? []) key[field.name] = read(value, field)
    return { ...record, keySchema: made, key }
  }
}

/** `org.apache.kafka.connect.transforms.ValueToKey` */
export const valueToKey = defineTransform({
  ...names('ValueToKey'),
  documentation: "Replaces the record's key by one made of fields of its value.",
  config,
  create,
})
