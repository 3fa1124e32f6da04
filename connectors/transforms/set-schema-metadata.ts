/**
 * @module transforms/set-schema-metadata — gives a struct's schema another name, version or both. Upstream: `SetSchemaMetadata$Key`,
 * `SetSchemaMetadata$Value`.
 */
import {
  ConfigException,
  type ConfigOf,
  type ConnectRecord,
  DataError,
  defineConfig,
  defineTransform,
  isStruct,
  type Schema,
} from '@millrace/sdk'
import { emptyStruct, fieldReader, replaceNullWithDefault } from './field-values.ts'
import { cachedBySchema } from './schema-cache.ts'
import { bySide, names, type Side } from './sides.ts'

const config = defineConfig({
  'schema.name': { type: 'STRING', default: null, importance: 'HIGH', documentation: 'The new name.' },
  'schema.version': { type: 'INT', default: null, importance: 'HIGH', documentation: 'The new version.' },
  'replace.null.with.default': replaceNullWithDefault,
})

function create(side: Side, settings: ConfigOf<typeof config>): <R extends ConnectRecord>(record: R) => R {
  const { 'schema.name': name, 'schema.version': version } = settings
  if (name === null && version === null) throw new ConfigException('Neither schema name nor version configured')
  const read = fieldReader(settings['replace.null.with.default'])
  const renamed = cachedBySchema((schema): Schema => {
    if (schema.type !== 'struct') throw new DataError('Cannot list fields on non-struct type')
    return Object.freeze({ ...schema, ...(name === null ? {} : { name }), ...(version === null ? {} : { version }) })
  })
  return (record) => {
    const value = side.valueOf(record)
    const schema = side.schemaOf(record)
    if (schema === null) {
      if (value === null) return record
      throw new DataError('Schema required for [updating schema metadata]')
    }
    const updated = renamed(schema)
    if (!isStruct(value)) return side.replaced(record, updated, value)
    const result = emptyStruct()
    for (const field of schema.fields ?? []) result[field.name] = read(value, field)
    return side.replaced(record, updated, result)
  }
}

/** `org.apache.kafka.connect.transforms.SetSchemaMetadata$Key` and `…$Value` */
export const [setSchemaMetadataKey, setSchemaMetadataValue] = bySide((side) =>
  defineTransform({
    ...names(`SetSchemaMetadata$${side.name}`),
    documentation: `Sets name, version or both of the schema of the record's ${side.name.toLowerCase()}.`,
    config,
    create: (settings) => create(side, settings),
  }),
)
