/**
 * @module transforms/hoist-field — wraps the whole key or value as the one field of a struct or map. Upstream: `HoistField$Key`,
 * `HoistField$Value`.
 */
import { type ConfigOf, type ConnectRecord, DataError, defineConfig, defineTransform, struct, type Value } from '@millrace/sdk'
import { emptyStruct } from './field-values.ts'
import { distinct } from './requirements.ts'
import { cachedBySchema } from './schema-cache.ts'
import { bySide, names, type Side } from './sides.ts'

const config = defineConfig({
  field: { type: 'STRING', importance: 'MEDIUM', documentation: 'Name of the one field of the new struct or map.' },
})

function create(side: Side, { field }: ConfigOf<typeof config>): <R extends ConnectRecord>(record: R) => R {
  const wrapped = cachedBySchema((schema) => struct(distinct([{ name: field, schema }])))
  return (record) => {
    const value = side.valueOf(record)
    const schema = side.schemaOf(record)
    if (schema === null) return side.replaced(record, null, new Map<Value, Value>([[field, value]]))
    const hoisted = wrapped(schema)
    if (value === null && schema.optional !== true && schema.default === undefined) {
      throw new DataError(`Invalid value: null used for required field: "${field}", schema type: ${schema.type.toUpperCase()}`)
    }
    const result = emptyStruct()
    result[field] = value
    return side.replaced(record, hoisted, result)
  }
}

/** `org.apache.kafka.connect.transforms.HoistField$Key` and `…$Value` */
export const [hoistFieldKey, hoistFieldValue] = bySide((side) =>
  defineTransform({
    ...names(`HoistField$${side.name}`),
    documentation: `Wraps the record's ${side.name.toLowerCase()} as the one field of a struct, or of a map where there is no schema.`,
    config,
    create: (settings) => create(side, settings),
  }),
)
