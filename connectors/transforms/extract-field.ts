/**
 * @module transforms/extract-field — puts one field in the place of its struct or map. Upstream: `ExtractField$Key`, `ExtractField$Value`.
 */
import { type ConfigOf, type ConnectRecord, DataError, defineConfig, defineTransform } from '@millrace/sdk'
import { fieldPath, fieldsAlong, fieldSyntaxVersion, mapValueAt, structValueAt } from './field-path.ts'
import { fieldReader, replaceNullWithDefault } from './field-values.ts'
import { requireMap, requireStruct } from './requirements.ts'
import { cachedBySchema } from './schema-cache.ts'
import { bySide, names, type Side } from './sides.ts'

const PURPOSE = 'field extraction'

const config = defineConfig({
  field: { type: 'STRING', importance: 'MEDIUM', documentation: 'The field to extract.' },
  'replace.null.with.default': replaceNullWithDefault,
  'field.syntax.version': fieldSyntaxVersion,
})

function create(side: Side, settings: ConfigOf<typeof config>): <R extends ConnectRecord>(record: R) => R {
  const path = fieldPath(settings.field, settings['field.syntax.version'])
  const read = fieldReader(settings['replace.null.with.default'])
  const fieldsOf = cachedBySchema((schema) => fieldsAlong(schema, path))
  return (record) => {
    const schema = side.schemaOf(record)
    const value = side.valueOf(record)
    if (schema === null) return side.replaced(record, null, value === null ? null : mapValueAt(requireMap(value, PURPOSE), path))
    const struct = value === null ? null : requireStruct(value, schema, PURPOSE)
    const fields = fieldsOf(schema)
    const field = fields?.at(-1)
    if (fields === undefined || field === undefined) {
      throw new DataError(`Unknown field: ${settings.field}`, { className: 'java.lang.IllegalArgumentException' })
    }
    return side.replaced(record, field.schema, struct === null ? null : structValueAt(struct, fields, read))
  }
}

/** `org.apache.kafka.connect.transforms.ExtractField$Key` and `…$Value` */
export const [extractFieldKey, extractFieldValue] = bySide((side) =>
  defineTransform({
    ...names(`ExtractField$${side.name}`),
    documentation: `Makes one field the record's whole ${side.name.toLowerCase()}; null stays null.`,
    config,
    create: (settings) => create(side, settings),
  }),
)
